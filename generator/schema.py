"""Data against a JSON Schema, each mistake told as a person can mend it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from generator.errors import Problem, printable

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_SHOWN = 60  # characters of a wrong value that a message repeats


@dataclass(frozen=True)
class Mistake(Problem):
    """A problem with the keys and indexes that lead to it; an unknown or missing key is the last of them."""

    path: tuple[str | int, ...] = ()


def check(data: object, schema: Mapping[str, Any], place: str = "") -> list[Mistake]:
    """All that is wrong in `data` (draft 2020-12), in the schema's order; `place` stands before each path.

    Patterns end at the text's end (`$` does not let a newline through), keys are printable text, and a `$ref` that
    leaves the schema is never fetched: it raises, as a broken schema does.
    """
    found = list(_keys(data, ())) or [wrong for error in _errors(data, schema) for wrong in _mistakes(error)]
    unique = dict.fromkeys(found)  # `required` reports an object once per missing key
    return [Mistake(_place(place, each.path), each.rule, each.mend, each.path) for each in unique]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What to add to the rule that `word` breaks: the known words nearest to it, else all of them."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; known: {', '.join(names)}" if names else ""


def shown(value: object) -> str:
    """A value as a message repeats it: in JSON, on one line, cut when long."""
    text = printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _place(place: str, path: Sequence[str | int]) -> str:
    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{printable(key)}" for key in path).removeprefix(".")
    return ": ".join(part for part in (place, dotted) if part)


def _keys(data: object, path: tuple[str | int, ...]) -> Iterator[Mistake]:
    """YAML lets `on`, `1` or a line break be a key; JSON Schema's patterns are for plain text only."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if not isinstance(key, str):
                rule = f"a key must be text, and this one reads as {shown(key)}"
                yield Mistake("", rule, "write it in quotes", (*path, str(key)))
            elif not key.isprintable():
                yield Mistake("", "a key must be printable text on one line", "", (*path, key))
            else:
                yield from _keys(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _keys(value, (*path, index))


# jsonschema's errors and validators are `Any` here: its own types allow absent values that an error never has


def _errors(data: object, schema: Mapping[str, Any]) -> Iterator[Any]:
    from referencing import Registry

    # an empty registry: without one jsonschema would fetch a remote $ref
    yield from _strict()(schema, registry=Registry()).iter_errors(data)


@cache
def _strict() -> Any:
    """Draft 2020-12 with ECMA's `$`: Python's would let a final newline through."""
    from jsonschema import Draft202012Validator, ValidationError, validators

    def pattern(_: Any, wanted: str, text: Any, __: Any) -> Iterator[Any]:
        whole = re.sub(r"(?<!\\)((?:\\\\)*)\$(?=\)|\||\Z)", r"\1\\Z", wanted)
        if isinstance(text, str) and not re.search(whole, text):
            yield ValidationError(f"{text!r} does not match {wanted!r}")

    extend: Any = validators.extend
    return extend(Draft202012Validator, {"pattern": pattern})


def _mistakes(error: Any) -> Iterator[Mistake]:
    """What `error` says, in our words; the words of jsonschema where we have none."""
    from jsonschema.exceptions import best_match

    path = tuple(error.absolute_path)
    rule, value = str(error.validator), error.validator_value
    if rule in ("anyOf", "oneOf") and error.context:
        nearest = best_match(iter([error]))
        if nearest is not None and nearest is not error:
            yield from _mistakes(nearest)
            return
    if "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str):
        path = (*path, error.instance)
    if rule == "additionalProperties" and isinstance(error.instance, Mapping):
        known = list(error.schema.get("properties", {}))
        patterns = error.schema.get("patternProperties", {})
        for key in error.instance:
            if key not in known and not any(re.search(each, key) for each in patterns):
                yield Mistake("", f"is not known here{did_you_mean(key, known)}", "", (*path, key))
    elif rule == "required" and isinstance(error.instance, Mapping):
        for key in value:
            if key not in error.instance:
                about = error.schema.get("properties", {}).get(key, {}).get("description", "")
                yield Mistake("", "is required", about, (*path, key))
    else:
        yield Mistake("", *_told(error), path)


def _told(error: Any) -> tuple[str, str]:
    """The rule and the way out of an error that is about one value."""
    about = str(error.schema.get("description", "")) if isinstance(error.schema, Mapping) else ""
    limit, value = error.validator_value, shown(error.instance)
    match error.validator:
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            return f"must be {' or '.join(_KINDS[kind] for kind in kinds)}, not {value}", about
        case "enum":
            known = [each if isinstance(each, str) else shown(each) for each in limit]
            word = error.instance if isinstance(error.instance, str) else value
            return f"{value} is not among those allowed{did_you_mean(word, known)}", about
        case "not" if isinstance(limit, dict) and error.instance in limit.get("enum", ()):
            return f"{value} is taken", about
        case "const" if limit in ([], ""):
            return f"must be empty, not {value}", about
        case "const":
            return f"must be {shown(limit)}, not {value}", about
        case "pattern":
            return f"{value} does not match {limit}", about
        case "minimum" | "exclusiveMinimum":
            return f"must be {'at least' if error.validator == 'minimum' else 'more than'} {limit}, not {value}", about
        case "maximum" | "exclusiveMaximum":
            return f"must be {'at most' if error.validator == 'maximum' else 'less than'} {limit}, not {value}", about
        case "minLength" | "minItems" | "minProperties":
            return f"must not be shorter than {limit}, as {value} is", about
        case "maxLength" | "maxItems" | "maxProperties":
            return f"must not be longer than {limit}, and this has {len(error.instance)}: {value}", about
        case "uniqueItems":
            return f"must not hold the same twice: {value}", about
    return printable(error.message), about
