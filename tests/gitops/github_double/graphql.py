"""As much of GraphQL as our queries use (the specification's sections 2, 5.3 and 6): parsed and executed on objects.

A type is a Python class and a field a method or an attribute of its name; what is not there, or is called with an
argument that it does not take, is an error in GitHub's words.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'[ \t\r\n,]*(?:#[^\n]*)?(\.\.\.|[!$():=@\[\]{|}]|"(?:[^"\\]|\\.)*"|-?\d+|[A-Za-z_]\w*)')


class Failed(Exception):
    """An error of the answer: with GitHub's `type` where it has one."""

    def __init__(self, message: str, kind: str | None = None) -> None:
        self.entry = {"message": message, **({"type": kind} if kind else {})}
        super().__init__(message)


@dataclass
class Field:
    """One selection: a field, or (with `condition`, or a fragment's name) what is selected of some type."""

    name: str
    alias: str
    arguments: dict[str, Any] = field(default_factory=dict)
    selections: list[Field] = field(default_factory=list)
    condition: str | None = None
    spread: str | None = None


@dataclass
class Document:
    """A parsed request: one operation and its fragments."""

    kind: str = "query"
    variables: dict[str, bool] = field(default_factory=dict)
    selections: list[Field] = field(default_factory=list)
    fragments: dict[str, Field] = field(default_factory=dict)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise Failed(f"Parse error at {text[at : at + 20]!r}")
            self._tokens.append(found[1])
            at = found.end()
        self._tokens.append("")

    def document(self) -> Document:
        made = Document()
        while self._tokens[0]:
            if self._take("fragment"):
                name = self._next()
                self._expect("on")
                made.fragments[name] = Field(name, name, condition=self._next(), selections=self._selections())
                continue
            made.kind = self._next() if self._tokens[0] in ("query", "mutation") else "query"
            if self._tokens[0] not in ("(", "{"):
                self._next()
            made.variables = dict(self._variables())
            made.selections = self._selections()
        return made

    def _variables(self) -> Iterator[tuple[str, bool]]:
        """Each variable, and whether it must be given."""
        if not self._take("("):
            return
        while not self._take(")"):
            self._expect("$")
            name = self._next()
            self._expect(":")
            required = self._type()
            if self._take("="):
                self._value()
                required = False
            yield name, required

    def _type(self) -> bool:
        if self._take("["):
            self._type()
            self._expect("]")
        else:
            self._next()
        return self._take("!")

    def _selections(self) -> list[Field]:
        self._expect("{")
        found = []
        while not self._take("}"):
            found.append(self._selection())
        return found

    def _selection(self) -> Field:
        if self._take("..."):
            if self._take("on"):
                return Field("", "", condition=self._next(), selections=self._selections())
            return Field("", "", spread=self._next())
        name = alias = self._next()
        if self._take(":"):
            name = self._next()
        made = Field(name, alias)
        if self._take("("):
            while not self._take(")"):
                key = self._next()
                self._expect(":")
                made.arguments[key] = self._value()
        if self._tokens[0] == "{":
            made.selections = self._selections()
        return made

    def _value(self) -> Any:
        token = self._next()
        if token == "$":
            return ("variable", self._next())
        if token == "[":
            found = []
            while not self._take("]"):
                found.append(self._value())
            return found
        if token == "{":
            made = {}
            while not self._take("}"):
                key = self._next()
                self._expect(":")
                made[key] = self._value()
            return made
        if token.startswith('"') or token.lstrip("-").isdigit() or token in ("true", "false", "null"):
            return json.loads(token)
        return token  # an enum

    def _next(self) -> str:
        if not self._tokens[0]:
            raise Failed("Parse error: unexpected end of document")
        return self._tokens.pop(0)

    def _take(self, token: str) -> bool:
        if self._tokens[0] == token:
            self._next()
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise Failed(f"Parse error: expected {token!r}, found {self._tokens[0]!r}")


def execute(query: str, variables: Mapping[str, Any], query_root: Any, mutation_root: Any) -> dict[str, Any]:
    """The answer to a request: `data`, and `errors` where there are some."""
    try:
        document = _Parser(query).document()
        missing = [name for name, needed in document.variables.items() if needed and variables.get(name) is None]
        if missing:
            raise Failed(f"Variable ${missing[0]} was provided invalid value")
        if unknown := set(variables) - set(document.variables):
            raise Failed(f"Variable ${min(unknown)} is not declared")
    except Failed as failure:
        return {"errors": [failure.entry]}
    run = _Execution(document, variables)
    root = mutation_root if document.kind == "mutation" else query_root
    data = run.selected(root, document.selections)
    return {"data": data, **({"errors": run.errors} if run.errors else {})}


class _Execution:
    def __init__(self, document: Document, variables: Mapping[str, Any]) -> None:
        self._document, self._variables = document, variables
        self.errors: list[dict[str, Any]] = []

    def selected(self, thing: Any, selections: list[Field]) -> Any:
        if thing is None or isinstance(thing, (str, int, bool)):
            if thing is not None and selections:
                self.errors.append({"message": "Selections can't be made on scalars"})
            return thing
        if isinstance(thing, list):
            return [self.selected(each, selections) for each in thing]
        if not selections:
            self.errors.append({"message": f"Objects must have selections (type '{type(thing).__name__}')"})
            return None
        made: dict[str, Any] = {}
        for each in selections:
            if each.spread or each.condition:
                inner = self._document.fragments[each.spread] if each.spread else each
                if inner.condition == type(thing).__name__ or inner.condition in getattr(thing, "interfaces", ()):
                    made |= self.selected(thing, inner.selections)
            elif each.name == "__typename":
                made[each.alias] = type(thing).__name__
            else:
                made[each.alias] = self._field(thing, each)
        return made

    def _field(self, thing: Any, each: Field) -> Any:
        found = getattr(thing, each.name, None) if each.name in _fields(thing) else None
        if each.name not in _fields(thing):
            self.errors.append({"message": f"Field '{each.name}' doesn't exist on type '{type(thing).__name__}'"})
            return None
        arguments = {key: self._given(value) for key, value in each.arguments.items()}
        try:
            if callable(found):
                unknown = set(arguments) - set(inspect.signature(found).parameters)
                if unknown:
                    raise Failed(f"Field '{each.name}' doesn't accept argument '{min(unknown)}'")
                found = found(**arguments)
            elif arguments:
                raise Failed(f"Field '{each.name}' doesn't accept arguments")
            return self.selected(found, each.selections)
        except Failed as failure:
            self.errors.append({**failure.entry, "path": [each.alias]})
            return None

    def _given(self, value: Any) -> Any:
        if isinstance(value, tuple):
            if value[1] not in self._document.variables:
                raise Failed(f"Variable ${value[1]} is used but not declared")
            return self._variables.get(value[1])
        if isinstance(value, dict):
            return {key: self._given(each) for key, each in value.items()}
        return [self._given(each) for each in value] if isinstance(value, list) else value


def _fields(thing: Any) -> set[str]:
    return {name for name in (*vars(thing), *vars(type(thing))) if not name.startswith("_") and name != "interfaces"}
