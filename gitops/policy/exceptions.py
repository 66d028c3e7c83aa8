"""Exceptions once the policy has spoken: which findings they cover, and which of them nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gitops.exceptions import ANY, PolicyException
from gitops.policy.finding import Finding, Place

LONGEST = timedelta(days=366)
"""How long an exception should last at most: what lasts longer is a rule that nobody has decided on."""


@dataclass(frozen=True)
class Excepted:
    """Findings once exceptions are heard: those that count, those that do not, and the exceptions that were used."""

    left: tuple[Finding, ...]
    covered: tuple[Finding, ...] = ()
    used: frozenset[PolicyException] = frozenset()


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
