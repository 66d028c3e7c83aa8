"""What the gates say, as a reviewer and a terminal read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops.gates.judge import telling
from gitops.gates.verdict import WAITING, Verdict
from gitops.messages.words import WHOLE, code, count, sentence
from gitops.model import NO_CHART
from gitops.step import Seen, Step, Told, merges

_CHECKED = "✅"
_FEW = 12  # services of which every gate has its row


def told(step: Step, seen: Seen) -> list[Verdict]:
    """The verdicts that a reviewer has to know."""
    return [*telling(step.case, step.verdicts), *seen.verdicts]


def summary(pairs: Sequence[Told]) -> str:
    """In a few words whether anything stands against it: `2 gates wait`, empty where all of them pass."""
    verdicts = [each for pair in pairs for each in told(*pair)]
    waits = sum(each.state == WAITING for each in verdicts)
    refuses = sum(not each.passed for each in verdicts) - waits
    parts = [f"{count(number, 'gate')} {word}" for number, word in ((refuses, "refused"), (waits, "waiting")) if number]
    return ", ".join(parts)


def section(pairs: Sequence[Told]) -> str:
    """The table of all gates; of several services each row says which."""
    several = len(pairs) > 1
    rows = [([step.service] if several else []) + row for step, seen in pairs for row in _rows(step, seen)]
    if len(pairs) > _FEW:
        left = [row for row in rows if row[2] != _CHECKED]
        others = [["all others", "whatever else is asked", _CHECKED, ""]] if len(left) < len(rows) else []
        rows = [*left, *others]
    rows += [(["all"] if several else []) + row for row in _people(pairs)]
    head = ["gate", "state", "why"] if not several else ["service", "gate", "state", "why"]
    lines = [f"| {' | '.join(row)} |" for row in [head, *rows]]
    return "\n".join(["### Gates", lines[0], f"|{'---|' * len(head)}", *lines[1:]])


def overrides(step: Step) -> str:
    """What a break-glass team is asked for: an approval by one of them grants it."""
    team = step.to.gates.break_glass
    lines = "".join(f"> **{each.gate}** is to be overridden: {code(each.reason, WHOLE)}\n" for each in step.overrides)
    return f"> [!CAUTION]\n{lines}> An approval by somebody of {team} lets it through." if lines else ""


def line(step: Step, seen: Seen) -> str:
    """Every gate with its mark, on one line for a terminal."""
    marks = (f"{each.gate} {each.mark}" for each in told(step, seen))
    return "  ".join(marks)


def _rows(step: Step, seen: Seen) -> Iterator[list[str]]:
    for each in told(step, seen):
        yield [each.gate, each.sign, sentence(each.why)]
    if step.new.origin.chart == NO_CHART:
        return
    if step.new.origin.proved:
        yield ["chart", _CHECKED, "as committed where the image was built from"]
    else:
        yield ["chart", "⚠️", "not from a commit"]


def _people(pairs: Sequence[Told]) -> Iterator[list[str]]:
    step = pairs[0][0]
    to = step.to
    needed = to.gates.rollback if step.back else to.gates.approvals
    if needed:
        among = f"from {' or '.join(to.gates.teams)}, " if to.gates.teams else ""
        yield ["approvals", f"⏳ {needed}", f"{among}not by author, requester, a committer or a bot"]
    elif not any(each.gate == "approvals" for told, _ in pairs for each in told.verdicts):  # it has its row already
        yield ["approvals", "–", f"{to.name} asks for none"]
    yield ["merge", *(("auto", "at once") if merges(pairs) else ("⏳", "by a person"))]
