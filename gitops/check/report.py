"""Findings as people, programs and GitHub read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from generator.errors import printable
from gitops.built import ALL
from gitops.policy.finding import Finding, Place

_Merged = tuple[Finding, tuple[str, ...]]
"""A finding, and the environments that it is the same in."""


def text(findings: Sequence[Finding]) -> str:
    """For people: by object, errors first, the way out last; what is the same in several environments once."""
    groups: dict[str, list[Finding]] = {}
    for finding, environments in _merged(findings):
        groups.setdefault(_header(finding.place, environments), []).append(finding)
    ranked = sorted(groups.items(), key=lambda group: (all(each.severity != "error" for each in group[1]), group[0]))
    blocks = []
    for header, members in ranked:
        lines = [header]
        for each in sorted(members, key=lambda each: each.severity):
            lines += _lines(each)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def items(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """For programs (`shiplane/findings/1`); what is unknown is null."""
    return [
        {
            "rule": each.rule,
            "severity": each.severity,
            "service": each.place.service or None,
            "environment": each.place.environment or None,
            "kind": each.place.kind or None,
            "namespace": each.place.namespace or None,
            "name": each.place.name or None,
            "container": each.place.container or None,
            "field": each.place.field or None,
            "file": each.place.file or None,
            "line": each.place.line or None,
            "message": each.message,
            "fix": each.fix or None,
            "reason": each.reason or None,
        }
        for each in findings
    ]


def github(findings: Iterable[Finding]) -> str:
    """For GitHub: a workflow command each ("Workflow commands"). Errors come first: of many it shows a few."""
    return "\n".join(map(_command, sorted(findings, key=lambda each: each.severity)))


def counted(findings: Sequence[Finding]) -> str:
    """How many of each: `2 errors, 1 warning`."""
    errors = sum(each.severity == "error" for each in findings)
    return f"{_many(errors, 'error')}, {_many(len(findings) - errors, 'warning')}"


def _merged(findings: Iterable[Finding]) -> list[_Merged]:
    """Of what concerns a service, or all at once, each finding once, with all environments that it is in."""
    alike: dict[Finding, list[Finding]] = {}
    for each in findings:
        place = replace(each.place, environment="", file="", line=0) if each.place.environment else each.place
        alike.setdefault(replace(each, place=place), []).append(each)
    named = [(same[0], [each.place.environment for each in same]) for same in alike.values()]
    return [(first, tuple(dict.fromkeys(filter(None, environments)))) for first, environments in named]


def _header(place: Place, environments: tuple[str, ...]) -> str:
    where = f"{place.service or ALL} in {', '.join(environments)}" if environments else place.service
    what = place.object or place.file
    return printable(f"{what} ({where})" if where else what)


def _lines(finding: Finding) -> list[str]:
    place = finding.place
    who = f"container {place.container}: " if place.container else ""
    message, *more = finding.message.splitlines() or [""]
    file = f"{place.file}:{place.line}" if place.line else place.file
    at = ": ".join(part for part in (file, place.field) if part)
    lines = [
        f"  {finding.severity:7}  {finding.rule}: {who}{message}",
        *(f"           {each.strip()}" for each in more),
    ]
    lines += [f"           at {at}"] if at else []
    lines += [f"           fix: {each}" for each in finding.fix.splitlines()]
    return [printable(line) for line in lines]


def _command(finding: Finding) -> str:
    place = finding.place
    said = {"file": place.file, "line": str(place.line) if place.line else "", "title": finding.rule}
    properties = ",".join(f"{key}={_property(value)}" for key, value in said.items() if value)
    who = " ".join(part for part in (place.object, place.container and f"container {place.container}") if part)
    where = f"{place.service or ALL} in {place.environment}" if place.environment else place.service
    subject = f"{who} ({where})" if who and where else who or where
    told = f"{subject}: {finding.message}" if subject else finding.message
    return f"::{finding.severity} {properties}::{_data(f'{told}. Fix: {finding.fix}' if finding.fix else told)}"


def _data(value: str) -> str:
    """A text as it may stand in a command: `%` first; a line break is the one character that is not printable."""
    return "%0A".join(printable(line.replace("%", "%25")) for line in value.split("\n"))


def _property(value: str) -> str:
    return printable(value).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
