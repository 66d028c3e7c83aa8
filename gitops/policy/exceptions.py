"""Exceptions of shiplane.yaml: a rule that does not count somewhere, by whose word, why, and until when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from generator.document import Document
from generator.errors import Problem, ShiplaneError
from generator.schema import did_you_mean
from gitops.policy.finding import Finding, Place

ANY = "*"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST = timedelta(days=366)
"""How long an exception should last at most: what lasts longer is a rule that nobody has decided on."""


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


@dataclass(frozen=True)
class Excepted:
    """Findings once exceptions are heard: those that count, those that do not, and the exceptions that were used."""

    left: tuple[Finding, ...]
    covered: tuple[Finding, ...] = ()
    used: frozenset[PolicyException] = frozenset()


def declared(document: Document, environments: Iterable[str], rules: Iterable[str]) -> list[PolicyException]:
    """The exceptions of a shiplane.yaml that has the right shape; raises ShiplaneError with all that is wrong in them.

    A date is taken in quotes and without: YAML reads the latter as a date, and nobody means another by it.
    """
    found, problems = [], []
    for index, raw in enumerate(document.data.get("exceptions", ())):
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
    return found


def excepted(findings: Iterable[Finding], exceptions: Sequence[PolicyException], today: date) -> Excepted:
    """`findings` without those that an exception covers which has not expired by `today`."""
    valid = [each for each in exceptions if each.expires >= today]
    left: list[Finding] = []
    covered: list[Finding] = []
    used: set[PolicyException] = set()
    for finding in findings:
        covering = [each for each in valid if each.covers(finding)]
        used.update(covering)
        (covered if covering else left).append(finding)
    return Excepted(tuple(left), tuple(covered), frozenset(used))


def stale(exceptions: Sequence[PolicyException], used: Iterable[PolicyException], today: date) -> list[Finding]:
    """A warning for each exception that has expired, that covered nothing in all the repository, or that is endless."""
    counted = set(used)
    found = []
    for each in exceptions:
        told = f"the exception from {each.rule} for {_whom(each)} ({each.owner}: {each.reason})"
        if each.expires < today:
            message = f"{told} has expired on {each.expires}, and does not count"
            found.append(
                _warning("exception-expired", each, message, "mend what it was for, or have it reviewed again")
            )
        elif each not in counted:
            found.append(_warning("exception-unused", each, f"{told} covers nothing", "take it out"))
        elif each.expires - today > LONGEST:
            message = f"{told} counts until {each.expires}, more than a year"
            found.append(_warning("exception-endless", each, message, "let it expire within a year"))
    return found


def _day(value: object) -> date | None:
    """The day that is meant, None for a time of day and for whatever else is no day."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if type(value) is date else None


def _whom(each: PolicyException) -> str:
    service = "every service" if each.service == ANY else each.service
    environment = "every environment" if each.environment == ANY else each.environment
    return f"{service} in {environment}{f', {each.object}' if each.object else ''}"


def _warning(rule: str, each: PolicyException, message: str, fix: str) -> Finding:
    return Finding(rule, "warning", Place(file=each.place, line=each.line), message, fix, REASONS[rule])


REASONS = {
    "exception-expired": "An exception is a debt with a date; once it has passed, the rule holds again.",
    "exception-unused": "An exception that covers nothing covers whatever comes next, unseen.",
    "exception-endless": "What is excepted for longer than a year is decided, and then it is no exception.",
}
"""Why each of these warnings is given."""
