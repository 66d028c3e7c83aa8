"""Judges every open pull request: freezes end, soaks pass and approvals come without a push."""

from __future__ import annotations

from dataclasses import dataclass

from generator.errors import REFUSED as REFUSED_CODE
from generator.errors import ShiplaneError, printable
from gitops import clock, posting
from gitops.apply import forge_of, load, settle
from gitops.config import Config
from gitops.forge import Forge
from gitops.gates.judge import Judgement
from gitops.gates.verdict import PASSED, REFUSED, WAITING, Verdict, refused
from gitops.pull_request import PullRequest
from gitops.repo import Repository

UNJUDGED = "unjudged"
"""The fourth state, beside a gate's three: nobody knows. What waits for a status must not take it for a pass."""
_Key = tuple[str, int, str]
"""What a judgement holds for: the tip, the number, the head."""


@dataclass(frozen=True)
class Swept:
    """One open pull request and what every gate says of it; without a judgement, `problem` is why nobody knows."""

    request: PullRequest
    judgement: Judgement | None
    problem: str = ""

    @property
    def state(self) -> str:
        """`passed`, `waiting`, `refused` or `unjudged`."""
        if self.judgement is None:
            return UNJUDGED
        if self.judgement.passed:
            return PASSED
        return REFUSED if self.judgement.refused else WAITING

    @property
    def standing(self) -> tuple[Verdict, ...]:
        """The verdicts that do not pass."""
        return tuple(each for each in self.judgement.verdicts if not each.passed) if self.judgement else ()

    @property
    def line(self) -> str:
        """All of it on one line, for a terminal."""
        why = self.problem or "; ".join(f"{each.gate}: {each.why}" for each in self.standing)
        told = f"{self.request.title}: {why}" if why else self.request.title
        return printable(f"#{self.request.number}  {self.state:8}  {' '.join(told.split())}")


def sweep(url: str, *, post: bool = False) -> list[Swept]:
    """Every open pull request of the repository at `url`, the oldest first, judged on one tip; `post` says it there.

    One that cannot be judged does not keep the others from it. Raises ShiplaneError where the list cannot be read.
    """
    known: dict[_Key, Swept] = {}
    return settle(url, lambda repository: _swept(repository, known, post))


def _swept(repository: Repository, known: dict[_Key, Swept], post: bool) -> list[Swept] | None:
    """One try: None when a head has moved meanwhile. `known` keeps what was judged, for the next one."""
    config = load(repository)
    forge = forge_of(repository, config)
    found = []
    moved = False
    for request in forge.open():
        key = repository.tip, request.number, request.head
        judged = known.get(key) or _judged(repository, config, forge, request, post)
        if judged is None:
            moved = True
            continue
        known[key] = judged
        found.append(judged)
    return None if moved else found


def _judged(repository: Repository, config: Config, forge: Forge, request: PullRequest, post: bool) -> Swept | None:
    """What is to be told of `request`; None when its head has moved."""
    try:
        whole = posting.whole(forge, request, post=post)
        if (whole.state, whole.head) != ("open", request.head):
            return None
        judgement = posting.judged(repository, config, forge, whole, clock.now(), post=post)
    except ShiplaneError as error:
        first = error.problems[0]
        told = f"{first.place}: {first.rule}" if first.place else first.rule
        if error.exit_code == REFUSED_CODE:  # what it is made of is wrong: that is a verdict
            return Swept(request, Judgement((refused("read", told),)))
        return Swept(request, None, told)
    return Swept(request, judgement) if judgement else None
