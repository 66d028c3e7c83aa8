"""The lane as shiplane.yaml says it: which environment comes before which. Pure, on the file's own data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.document import Document
from generator.errors import Problem
from generator.schema import did_you_mean

Raw = Mapping[str, Mapping[str, Any]]
"""The key `environments` of shiplane.yaml, which fits its schema."""


def sources(raw: Raw, name: str) -> tuple[str, ...]:
    """What `from` says of an environment: nothing, one, or several that must all have a release before it."""
    said = raw.get(name, {}).get("from", ())
    return (said,) if isinstance(said, str) else tuple(said)


def line(raw: Raw, name: str) -> list[str]:
    """`name`, and what comes before it, along what `from` names first; for a lane without a circle."""
    found = [name]
    while before := sources(raw, found[-1]):
        found.append(before[0])
    return found


def problems(document: Document, raw: Raw) -> Iterator[Problem]:
    """Every `from` and `hotfix` that leads nowhere, in a circle, or where it may not."""
    for name, values in raw.items():
        at = document.at(("environments", name, "from"))
        for source in sources(raw, name):
            if source not in raw:
                yield Problem(at, f'no environment is called "{source}"{did_you_mean(source, raw)}')
        if circle := _circle(raw, name):
            yield Problem(at, "the lane goes round in a circle: " + " from ".join(circle))
        if "hotfix" in values and values["hotfix"] not in _before(raw, name) - {*sources(raw, name)}:
            rule = "must be an environment further up its lane than its `from`"
            yield Problem(document.at(("environments", name, "hotfix")), rule)


def _circle(raw: Raw, name: str) -> list[str]:
    """The way from `name` back to itself, with it at both ends; empty where there is none."""
    ways, seen = [[name]], {name}
    while ways:
        way = ways.pop()
        for source in sources(raw, way[-1]):
            if source == name:
                return [*way, name]
            if source not in seen:
                seen.add(source)
                ways.append([*way, source])
    return []


def _before(raw: Raw, name: str) -> set[str]:
    """Every environment that comes before `name`."""
    found: set[str] = set()
    left = [name]
    while left:
        new = {*sources(raw, left.pop())} - found
        found |= new
        left += new
    return found
