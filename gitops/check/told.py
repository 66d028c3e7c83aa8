"""What a check comes to, and findings about what could not even be read: a failure is never left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from generator.errors import Problem, ShiplaneError
from gitops.policy.finding import Finding, Place

REASONS = {
    "readable": "What cannot be read has passed no rule, so it must not look as if it had.",
    "renders": "What helm or kustomize refuses, Argo CD refuses too: the release would never arrive.",
    "lane": "An environment that is built from another one's files changes with it, past its own gates.",
    "pin": "A pin that cannot be read says nothing about what runs, and nothing can be promoted from it.",
    "catalog": "A service that the catalog does not know has no owner and no source that a release could be held to.",
    "carried-tree": "Argo CD, helm and git follow links and take settings from a chart's files, whoever wrote them.",
    "application": "Whoever can point an Application elsewhere decides what runs, past every release and review.",
    "code-owners": "What decides what runs, where and with which rights changes only with its owners' review.",
}
"""Why each rule about the repository itself is there; none of them has exceptions."""
_PLACE = re.compile(r"(?P<file>[^:]+)(?::(?P<line>[0-9]+))?(?:: (?P<field>.*))?", re.DOTALL)


@dataclass(frozen=True)
class Judgement:
    """All findings, how many objects were judged, and what else there is to say."""

    findings: tuple[Finding, ...]
    objects: int
    notes: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether anything found is an error."""
        return any(each.severity == "error" for each in self.findings)


def error(rule: str, place: Place, message: str, fix: str = "") -> Finding:
    """A finding about the repository itself."""
    return Finding(rule, "error", place, message, fix, REASONS[rule])


def refused(
    rule: str, refusal: ShiplaneError | Iterable[Problem], *, service: str = "", environment: str = "", file: str = ""
) -> list[Finding]:
    """What a reader or helm has refused, as findings; at `file`, where the problems themselves name no file."""
    problems = refusal.problems if isinstance(refusal, ShiplaneError) else refusal
    found = []
    for each in problems:
        match = None if file else _PLACE.fullmatch(each.place)
        place = Place(
            file=file or (match["file"] if match else each.place),
            line=int(match["line"] or 0) if match else 0,
            field=(match["field"] or "") if match else "",
            service=service,
            environment=environment,
        )
        found.append(error(rule, place, each.rule, each.mend))
    return found
