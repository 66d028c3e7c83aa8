"""Answers to a blueprint's questions: from a file, from `--set`, from prompts, from defaults; all by one schema."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from generator.document import parse
from generator.errors import Problem, ShiplaneError, printable
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
        place = f"--set {printable(text)}"
        if not (key and equals):
            problems.append(Problem(place, "expected NAME=VALUE", "--set owner=payments"))
        elif key in found:
            problems.append(Problem(place, f"{printable(key)} is set twice"))
        else:
            found[key] = Given(typed(value, questions.get(key, {})), place)
    return found, problems


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


def wrong(given: Mapping[str, Given], questions: Questions, marks: Sequence[str] = ()) -> list[Problem]:
    """All that is wrong in the answers given so far; `marks` may stand in no text: they mark places in templates."""
    values = {key: each.value for key, each in given.items()}
    mistakes = check(values, {"additionalProperties": False, "properties": questions})
    told = {str(mistake.path[0]) for mistake in mistakes}
    problems = [Problem(given[str(each.path[0])].place, each.rule, each.mend) for each in mistakes]
    for key, each in given.items():
        if key not in told:
            problems += [Problem(each.place, rule) for rule in _unfit(each.value, marks)]
    return problems


def complete(given: Mapping[str, Given], questions: Questions, marks: Sequence[str] = ()) -> dict[str, Any]:
    """All answers, given or by default, in the order of asking; raises ShiplaneError with all that is wrong."""
    defaults = {
        key: Given(question["default"], f"the blueprint's default for {key}")
        for key, question in questions.items()
        if "default" in question and key not in given
    }
    problems = wrong({**defaults, **given}, questions, marks)
    for key, question in questions.items():
        if key not in given and key not in defaults:
            problems.append(Problem(key, f"is not answered: {question['title']}", f"--set {key}=..."))
    if problems:
        raise ShiplaneError(problems)
    return {key: _whole({**defaults, **given}[key].value, question) for key, question in questions.items()}


def _whole(value: Any, question: Mapping[str, Any]) -> Any:
    """JSON Schema takes 8080.0 for a whole number; a template would print its point."""
    return int(value) if question["type"] == "integer" else value


def _unfit(value: object, marks: Sequence[str]) -> Iterator[str]:
    """Why a text cannot stand in a line of any file: what breaks lines, hides, or marks places in templates."""
    if isinstance(value, list):
        for item in value:
            yield from _unfit(item, marks)
    elif isinstance(value, Mapping):
        yield from _unfit([*value, *value.values()], marks)
    elif isinstance(value, str):
        hidden = next((c for c in value if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029"), None)
        mark = next((each for each in marks if each in value), None)
        if hidden is not None:
            yield f"must be visible text on one line, without U+{ord(hidden):04X}"
        if mark is not None:
            yield f"must not hold {mark}, which marks a place in a blueprint"
