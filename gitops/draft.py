"""The pull request that steps lead to: everything about it that is known before it is opened."""

from __future__ import annotations

from collections.abc import Sequence

from gitops import messages
from gitops.model import Draft
from gitops.result import replaced, together
from gitops.step import Told, merges


def drafted(pairs: Sequence[Told], *, as_one: bool = False) -> Draft:
    """The draft of one step, with what was found out about it; of any number into one environment where asked `as_one`.

    It merges by itself where the environment says so and no gate has a word against it; a way back never does.
    """
    steps = [step for step, _ in pairs]
    first = steps[0]
    changes = tuple(change for step in steps for change in step.changes)
    moves = [step.move for step in steps]
    return Draft(
        together(first.to.name) if as_one else first.branch,
        messages.title(steps),
        messages.body(pairs),
        changes,
        messages.steps(pairs),
        merge=merges(pairs),
        move=moves[0],
        replaces=replaced(first.case.base, changes),
        overrides=first.overrides,
        beside=tuple(moves[1:]),
    )
