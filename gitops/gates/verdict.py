"""What a gate says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from generator.errors import printable

PASSED, WAITING, REFUSED = "passed", "waiting", "refused"
"""The three states: nothing stands against it; time or people will mend it; neither will."""
_MARKS = {PASSED: "✓", WAITING: "⏳", REFUSED: "✗"}
_SIGNS = {PASSED: "✅", WAITING: "⏳", REFUSED: "❌"}
_NONE = "–"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate's judgement, and why, in one sentence.

    `until` is when waiting ends by itself, where that is known; `places` are the files (`path` or `path:line`) that a
    refusal is about. One that was not `judged` lets through since there was nothing to judge, or nobody could.
    """

    gate: str
    state: str
    why: str
    until: datetime | None = None
    places: tuple[str, ...] = ()
    judged: bool = True

    @property
    def passed(self) -> bool:
        """Whether this gate lets it through."""
        return self.state == PASSED

    @property
    def mark(self) -> str:
        """Its state in one letter, for a terminal; a check mark stands for what was checked alone."""
        return _MARKS[self.state] if self.judged else _NONE

    @property
    def sign(self) -> str:
        """The same, as a pull request shows it."""
        return _SIGNS[self.state] if self.judged else _NONE

    @property
    def line(self) -> str:
        """All of it on one line, for a terminal."""
        return printable(f"{self.gate:9} {self.mark}  {self.why}")


def passed(gate: str, why: str) -> Verdict:
    """It lets it through."""
    return Verdict(gate, PASSED, why)


def unjudged(gate: str, why: str) -> Verdict:
    """It lets it through without having checked anything: nothing is asked, or nobody could tell."""
    return Verdict(gate, PASSED, why, judged=False)


def waiting(gate: str, why: str, until: datetime | None = None) -> Verdict:
    """Time or people will let it through."""
    return Verdict(gate, WAITING, why, until)


def refused(gate: str, why: str, *places: str) -> Verdict:
    """It does not let it through, however long one waits."""
    return Verdict(gate, REFUSED, why, None, places)
