"""What no schema says of an answer: text that breaks lines, repeated entries, a service that calls itself, secrets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator import credentials
from generator.errors import Problem
from generator.schema import check, shown

_PEERS = ("calls", "called_by")
"""The answers that list services: none of them is the service itself."""


def hidden(key: str, value: object, question: Mapping[str, Any]) -> tuple[str, str] | None:
    """The rule and the way out of a value that may be a secret; no message repeats such a value. None: it is none.

    A list that is asked for under the name `secrets`, or one that ends so, is a list of names: whatever does not fit
    there may be a value.
    """
    if question.get("type") == "array" and names_only(key):
        items = value if isinstance(value, list) else [value]
        odd = [index for index, item in enumerate(items) if credentials.no_name(str(item))]
        odd += [index for index, item in enumerate(items) if check(item, question.get("items", {}))]
        if odd or not isinstance(value, list):
            which = f"entry {min(odd) + 1} is none" if odd else "this is no list"
            rule = f"names belong here, as DATABASE_PASSWORD, never values, and {which}; it is not shown"
            return rule, f"--set {key}=DATABASE_PASSWORD, and put its value into AWS Secrets Manager"
    kind = next((found for text in _texts(value) if (found := credentials.kind(f"{key}: {text}"))), "")
    return (f"looks like {kind}, and answers are written into files that many read", credentials.MEND) if kind else None


def names_only(key: str) -> bool:
    """Whether `key` asks for the names of secrets."""
    return key == "secrets" or key.endswith("_secrets")


def unfit(key: str, value: object, marks: Sequence[str], service: str) -> Iterator[Problem]:
    """Why an answer that fits its schema cannot be taken all the same; the place is left to the caller."""
    for text in _texts(value):
        odd = next((c for c in text if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029"), None)
        mark = next((each for each in marks if each in text), None)
        if text != text.strip():
            yield Problem("", "must not begin or end with a space", "Markdown and YAML would lose it")
        if odd is not None:
            yield Problem("", f"must be visible text on one line, without U+{ord(odd):04X}")
        if mark is not None:
            yield Problem("", f"must not hold {mark}, which marks a place in a blueprint")
    if isinstance(value, list):
        twice = [item for index, item in enumerate(value) if item in value[:index]]
        if twice:
            yield Problem("", f"must not hold the same twice: {shown(twice[0])}")
        if key in _PEERS and service and service in value:
            yield Problem("", f"must not name {service}, the service itself", "leave it out")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, str):
        yield value
