"""One pin that a pull request sets: what it writes where, from what to what, what each gate says. A frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitops import keyed
from gitops.commits import Compared
from gitops.config import Environment
from gitops.gates.case import Case, Since
from gitops.gates.verdict import Verdict
from gitops.model import Change, Move, Override, Pin, Rendering, Unrendered
from gitops.result import branch_of, rendering

if TYPE_CHECKING:
    from gitops.diff.difference import Difference, Field  # 40 ms, and only what renders needs it


@dataclass(frozen=True)
class Step:
    """A release, a promotion or a way back of one service, as it would be.

    `source` is the environment that it is carried from; `starts` are the files that a first release adds; `settings`
    is the file of settings that goes with it by somebody's wish; `verdicts` are those of the gates that look at git and
    the clock alone.
    """

    verb: str
    case: Case
    old: Pin | None
    new: Pin
    changes: tuple[Change, ...]
    verdicts: tuple[Verdict, ...]
    source: Environment | None = None
    starts: tuple[str, ...] = ()
    settings: str = ""
    overrides: tuple[Override, ...] = ()
    warnings: tuple[str, ...] = ()
    back: bool = False
    run: int | None = None

    @property
    def to(self) -> Environment:
        """The environment whose pin is set."""
        return self.case.to

    @property
    def service(self) -> str:
        """The service's name."""
        return self.case.service.name

    @property
    def kind(self) -> str:
        """What its release is, in a word: an image, unless the layout pins something else."""
        return keyed.kind(self.case.config.layout, (self.service, self.to.name), self.case.head)

    @property
    def branch(self) -> str:
        """The branch of the one pull request that may set this pin by itself."""
        return branch_of(self.to.name, self.service)

    @property
    def held(self) -> bool:
        """Whether a way back holds back what it leaves: its tag, so not where only the chart is left."""
        return self.back and self.old is not None and self.old.release.tag != self.new.release.tag

    @property
    def move(self) -> Move:
        """What moves where."""
        return Move(self.service, self.to.name, self.old.release if self.old else None, self.new.release, self.run)

    @property
    def before(self) -> Rendering | Unrendered | None:
        """What is rendered there now; None before the first release."""
        return self._rendering(now=True) if self.old else None

    @property
    def after(self) -> Rendering | Unrendered:
        """What would be rendered after the merge."""
        return self._rendering(now=False)

    def _rendering(self, *, now: bool) -> Rendering | Unrendered:
        case = self.case
        snapshot = case.base if now else case.head
        return rendering(snapshot, case.config, case.to, self.service, (), snapshot.files(f"{case.folder}/chart"))


@dataclass(frozen=True)
class Seen:
    """What was found out about a step beyond git and the clock: what is rendered, what registry and forge know.

    `difference` is what it changes in the cluster; None where that could not be told, and then `untold` says why.
    `beside` are the values that a layout of somebody else's carries with the release, where they differ.
    `compared` are the source's commits from the old release to the new one (on a way back from the new to the old);
    `since` tells since when the environment that it comes from has it.
    """

    verdicts: tuple[Verdict, ...] = ()
    difference: Difference | None = None
    untold: str = ""
    settings: tuple[Field, ...] = ()
    beside: tuple[Field, ...] = ()
    compared: Compared | None = None
    since: Since | None = None


NOTHING_SEEN = Seen()
"""Before anybody has looked."""
Told = tuple[Step, Seen]
"""A step with what was found out about it."""


def merges(pairs: Sequence[Told]) -> bool:
    """Whether the pull request of these steps merges by itself: a way back never does, and no gate may wait."""
    first = pairs[0][0]
    passed = all(each.passed for step, seen in pairs for each in (*step.verdicts, *seen.verdicts))
    return first.to.merge and passed and not first.back
