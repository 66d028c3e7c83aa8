"""Answers to a blueprint's questions: from a file, from `--set`, from prompts, from defaults; all by one schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from generator import answer_rules, credentials
from generator.document import parse
from generator.errors import Problem, ShiplaneError, printable
from generator.questions import Schema
from generator.schema import check

Questions = Mapping[str, Mapping[str, Any]]
"""The properties of the questions' JSON Schema, by the answer's name, in the order of asking."""


class Given(NamedTuple):
    """An answer and where it came from, as a message names it."""

    value: object
    place: str


def from_file(path: Path) -> dict[str, Given]:
    """The answers in a YAML file (one mapping); raises ShiplaneError when it cannot be read as that."""
    place = printable(str(path))
    try:
        document = parse(path.read_bytes(), place)
    except OSError as error:
        raise ShiplaneError(Problem(f"--answers {place}", error.strerror or str(error))) from None
    return {str(key): Given(value, document.at((str(key),))) for key, value in document.data.items()}


def from_settings(texts: Iterable[str], questions: Questions) -> tuple[dict[str, Given], list[Problem]]:
    """The answers in `--set NAME=VALUE` options, typed where the question is known, and what is wrong as an option."""
    found: dict[str, Given] = {}
    problems = []
    for text in texts:
        key, equals, value = text.partition("=")
        place = _option(key, equals, value)
        if not (key and equals):
            problems.append(Problem(place, "expected NAME=VALUE", "--set owner=payments"))
        elif key in found:
            problems.append(Problem(place, f"{printable(key)} is set twice"))
        else:
            found[key] = Given(typed(value, questions.get(key, {})), place)
    return found, problems


def _option(key: str, equals: str, value: str) -> str:
    """The option as a message names it: a value that may be a secret is left out."""
    secret = answer_rules.names_only(key) or credentials.secretive(key) or credentials.kind(f"{key}={value}")
    if credentials.kind(key):
        return "--set …"
    return f"--set {printable(key)}{equals}{'…' if secret else printable(value)}"


def typed(text: str, question: Mapping[str, Any]) -> object:
    """What `text` says in the question's type; the text itself where it says nothing of that type.

    A list is `a,b` or JSON, a mapping is JSON, a truth is true, false, yes or no.
    """
    bare = text.strip()
    match question.get("type", "string"):
        case "integer" if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", bare):
            return int(bare)
        case "number" if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", bare):
            return float(bare)
        case "boolean" if bare.lower() in ("true", "yes", "false", "no"):
            return bare.lower() in ("true", "yes")
        case "array" if not bare.startswith("["):
            items = question.get("items", {"type": "string"})
            return [typed(item.strip(), items) for item in bare.split(",")] if bare else []
        case "array" | "object":
            try:
                return json.loads(bare)
            except (ValueError, RecursionError):
                return text
    return text


def text_of(value: object) -> str:
    """A value as `typed` reads it back, and as a prompt shows it."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        listed = ",".join(value)
        if typed(listed, {"type": "array"}) == value:
            return listed
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def wrong(given: Mapping[str, Given], schema: Schema, marks: Sequence[str] = (), service: str = "") -> list[Problem]:
    """All that is wrong in the answers given so far; `marks` may stand in no text: they mark places in templates.

    What may be a secret is named by its place and never repeated.
    """
    hidden = {key: found for key, each in given.items() if (found := _hidden(key, each, schema["properties"]))}
    values = {key: each.value for key, each in given.items() if key not in hidden}
    mistakes = check(values, schema)
    told = {str(mistake.path[0]) for mistake in mistakes}
    problems = [Problem(given[str(each.path[0])].place, each.rule, each.mend) for each in mistakes]
    problems += hidden.values()
    for key, value in values.items():
        if key not in told:
            unfit = answer_rules.unfit(key, value, marks, service)
            problems += [Problem(given[key].place, each.rule, each.mend) for each in unfit]
    return problems


def _hidden(key: str, given: Given, questions: Questions) -> Problem | None:
    found = answer_rules.hidden(key, given.value, questions.get(key, {}))
    return Problem(given.place, *found) if found else None


def complete(
    given: Mapping[str, Given], schema: Schema, marks: Sequence[str] = (), service: str = ""
) -> dict[str, Any]:
    """All answers, given or by default, in the order of asking; raises ShiplaneError with all that is wrong."""
    questions: Questions = schema["properties"]
    defaults = {
        key: Given(question["default"], f"the blueprint's default for {key}")
        for key, question in questions.items()
        if "default" in question and key not in given
    }
    problems = wrong({**defaults, **given}, schema, marks, service)
    for key, question in questions.items():
        if key not in given and key not in defaults:
            problems.append(Problem(key, f"is not answered: {question['title']}", f"--set {key}=..."))
    if problems:
        raise ShiplaneError(problems)
    return {key: _whole({**defaults, **given}[key].value, question) for key, question in questions.items()}


def _whole(value: Any, question: Mapping[str, Any]) -> Any:
    """JSON Schema takes 8080.0 for a whole number; a template would print its point."""
    return int(value) if question["type"] == "integer" else value
