"""`policy` and `exceptions` of shiplane.yaml: which rule does not count where, who says so, why, and until when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from generator.document import Document
from generator.errors import Problem, ShiplaneError
from generator.schema import did_you_mean

if TYPE_CHECKING:
    from gitops.policy.finding import Finding

ANY = "*"
_LABEL_KEY = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
POLICY: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"owner_label": {"type": "string", "pattern": _LABEL_KEY}},
}
"""The shape of `policy`."""
EXCEPTIONS: Mapping[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["rule", "service", "environment", "owner", "reason", "expires"],
        "properties": {
            "rule": {"type": "string"},
            "service": {"type": "string", "pattern": r"^(\*|[a-z]([a-z0-9-]{0,38}[a-z0-9])?)$"},
            "environment": {"type": "string"},
            "object": {"type": "string", "pattern": r"^[A-Z][A-Za-z0-9]*/[^/\s]+$", "description": "Deployment/wallet"},
            "owner": {"type": "string", "pattern": r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
            "reason": {"type": "string", "pattern": r"\S.*\S", "minLength": 10, "description": "a sentence"},
            "expires": {"description": "the last day on which it counts, as 2027-01-31"},
        },
    },
}
"""The shape of `exceptions`; what `expires` may be is read by `declared`."""


@dataclass(frozen=True, slots=True)
class PolicyException:
    """One exception. `expires` is the last day on which it counts (UTC); `object` is `Kind/name`, empty for all."""

    rule: str
    service: str
    environment: str
    owner: str
    reason: str
    expires: date
    object: str = ""
    place: str = ""
    line: int = 0

    def covers(self, finding: Finding) -> bool:
        """Whether it is about `finding`. What belongs to no service is covered by no exception."""
        place = finding.place
        return (
            self.rule == finding.rule
            and bool(place.service)
            and self.service in (ANY, place.service)
            and self.environment in (ANY, place.environment)
            and self.object in ("", place.object)
        )


def declared(document: Document, environments: Iterable[str]) -> tuple[PolicyException, ...]:
    """The exceptions of a shiplane.yaml that has the right shape; raises ShiplaneError with all that is wrong in them.

    A date is taken in quotes and without: YAML reads the latter as a date, and nobody means another by it. The rules
    are loaded only where there is an exception from one.
    """
    if not document.data.get("exceptions"):
        return ()
    from gitops.policy import RULES

    rules = [rule.id for rule in RULES]
    found: list[PolicyException] = []
    problems: list[Problem] = []
    for index, raw in enumerate(document.data["exceptions"]):
        at = ("exceptions", index)
        expires = _day(raw["expires"])
        if raw["rule"] not in rules:
            rule = f"no rule of the policy is called that{did_you_mean(raw['rule'], rules)}"
            problems.append(Problem(document.at((*at, "rule")), rule))
        if raw["environment"] not in (ANY, *environments):
            rule = f'no environment is called "{raw["environment"]}"{did_you_mean(raw["environment"], environments)}'
            problems.append(Problem(document.at((*at, "environment")), rule))
        if expires is None:
            rule = "must be the last day on which it counts, as 2027-01-31"
            problems.append(Problem(document.at((*at, "expires")), rule))
            continue
        words = {key: raw[key] for key in ("rule", "service", "environment", "owner", "reason")}
        words["object"], words["place"] = raw.get("object", ""), document.place
        found.append(PolicyException(**words, expires=expires, line=document.line(at)))
    if problems:
        raise ShiplaneError(problems)
    return tuple(found)


def _day(value: object) -> date | None:
    """The day that is meant, None for a time of day and for whatever else is no day."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if type(value) is date else None
