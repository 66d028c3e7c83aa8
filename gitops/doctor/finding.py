"""What doctor finds: a name that never changes, a sentence, evidence, and the way out. docs/doctor.md lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from generator.errors import MENDABLE, REFUSED, Problem, printable
from generator.service import check_name
from gitops.gates import verdict

WAITING, WRONG, REFUSES = verdict.WAITING, "wrong", verdict.REFUSED
"""The states of a finding: time or people will mend it; somebody has to mend it; a gate refuses for good."""
_MARKS = {WAITING: "⏳", WRONG: "!", REFUSES: "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that keeps a pull request from merging, or the repository from working.

    `mend` is the exact command or setting, several of them on lines of their own; `until` is when waiting ends by
    itself, where that is known.
    """

    name: str
    why: str
    mend: str = ""
    evidence: tuple[str, ...] = ()
    state: str = WRONG
    until: datetime | None = None

    @property
    def lines(self) -> Iterator[str]:
        """All of it, for a terminal."""
        yield printable(f"{_MARKS[self.state]} {self.name}: {self.why}")
        yield from (printable(f"    {each}") for each in self.evidence)
        yield from (printable(f"    try: {each}") for each in self.mend.splitlines())


@dataclass(frozen=True)
class Report:
    """What was found, in the order in which it is best mended; `notes` are what was not, or could not be, looked at."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The exit code: 0 nothing found, 1 what time or people will mend, 3 what a gate refuses."""
        if any(each.state == REFUSES for each in self.findings):
            return REFUSED
        return MENDABLE if self.findings else 0


def items(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """The findings, for programs (`shiplane/doctor/1`)."""
    return [
        {
            "name": each.name,
            "state": each.state,
            "why": each.why,
            "evidence": list(each.evidence),
            "mend": each.mend.splitlines(),
            "until": each.until and each.until.isoformat(),
        }
        for each in findings
    ]


def named(service: str) -> str:
    """A service's name for a command that people will paste; whatever is no name of one stays out of it."""
    return "SERVICE" if [*check_name(service)] else service


def of(name: str, problem: Problem, state: str = WRONG) -> Finding:
    """A mistake that another part of Shiplane has told, as a finding."""
    why = f"{problem.place}: {problem.rule}" if problem.place else problem.rule
    return Finding(name, " ".join(why.split()), problem.mend, state=state)
