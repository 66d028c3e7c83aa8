"""The pull request that steps lead to: everything about it that is known before it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gitops import keyed, messages
from gitops.model import Change, Draft
from gitops.result import replaced, together
from gitops.step import Step, Told, merges


def drafted(pairs: Sequence[Told], *, as_one: bool = False) -> Draft:
    """The draft of one step, with what was found out about it; of any number into one environment where asked `as_one`.

    It merges by itself where the environment says so and no gate has a word against it; a way back never does.
    """
    steps = [step for step, _ in pairs]
    first = steps[0]
    changes = _joined(steps)
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


def _joined(steps: Sequence[Step]) -> tuple[Change, ...]:
    """All that the steps change; where services share a file, each has set its own values in the file of before."""
    found: dict[str, Change] = {}
    for step in steps:
        for change in step.changes:
            before = found.get(change.path)
            if before and isinstance(before.content, bytes) and isinstance(change.content, bytes):
                both = keyed.joined(
                    step.case.config.layout, step.case.place, change.path, before.content, change.content
                )
                change = replace(change, content=both)
            found[change.path] = change
    return tuple(found.values())
