"""The labels that shiplane.yaml wants on pull requests, where the forge has labels. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.document import Document
from generator.errors import Problem
from gitops.model import Move

LONGEST = 50
"""Characters of a label that GitHub takes."""
_SERVICE = "x" * 40  # as long as a service's name may be
_TOKENS = ("{service}", "{environment}")
SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1,
    "maxItems": 20,
    "uniqueItems": True,
    "items": {
        "type": "string",
        "pattern": r"^[^\x00-\x1f\x7f]{1,50}$",
        "description": "{service} and {environment} too",
    },
}
"""The shape of `labels`."""


def problems(document: Document, raw: Sequence[str], environments: Iterable[str]) -> Iterator[Problem]:
    """Labels with a token that is none, or too long for GitHub once the names are filled in."""
    environment = max(environments, key=len)
    for number, label in enumerate(raw):
        at = document.at(("labels", number))
        wrong = [token for token in re.findall(r"\{[^{}]*\}", label) if token not in _TOKENS]
        if wrong:
            yield Problem(at, f"{wrong[0]} stands for nothing", " and ".join(_TOKENS))
        if len(_filled(label, _SERVICE, environment)) > LONGEST:
            yield Problem(at, f"may be longer than the {LONGEST} characters that GitHub takes", "say less")


def labels(templates: Sequence[str], moves: Sequence[Move]) -> tuple[str, ...]:
    """The labels of a pull request that sets these pins; what names a pin is left out where there is none."""
    found: dict[str, None] = {}
    for template in templates:
        if not any(token in template for token in _TOKENS):
            found[template] = None
        for move in moves:
            found[_filled(template, move.service, move.environment)] = None
    return tuple(found)


def _filled(template: str, service: str, environment: str) -> str:
    return template.replace("{service}", service).replace("{environment}", environment)
