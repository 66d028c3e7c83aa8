"""The one error type: what a person did that cannot be done, where, and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MENDABLE = 1
"""Exit code of an error that the user can mend."""
REFUSED = 3
"""Exit code of a gate's refusal that waiting will not mend."""
BUG = 70
"""Exit code of a fault of ours (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED = 130
"""Exit code after ^C (128 + SIGINT)."""
_SHOWN = 60  # characters of a wrong value that a message repeats


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    `place` names where (an option with its value, a file with line and key), `rule` says what holds there,
    `mend` says what to do next; several ways out stand on lines of their own.
    """

    place: str
    rule: str
    mend: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.rule}" if self.place else self.rule
        return "\n  ".join([text, *(f"try: {line}" for line in self.mend.splitlines())])


class ShiplaneError(Exception):
    """All the problems found together; `exit_code` is what the process ends with."""

    def __init__(self, problems: Problem | Iterable[Problem], exit_code: int = MENDABLE) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.exit_code = exit_code
        super().__init__("\n".join(map(str, self.problems)))


def printable(text: str) -> str:
    """`text` with every character that could act on a terminal or break a line shown as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def given(option: str, value: str) -> str:
    """The place of a mistake on the command line: the option and what was typed, cut when long."""
    shown = printable(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")
    return f"{option} {shown}" if value.strip() else f'{option} "{shown}"'
