"""Judges all that is open, and what the merge queue holds: freezes end, soaks pass, approvals come without a push."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from generator.errors import REFUSED as REFUSED_CODE
from generator.errors import ShiplaneError, printable
from gitops import clock, posting, queued
from gitops.apply import forge_of, load, settle
from gitops.config import Config
from gitops.forge import Forge
from gitops.gates.judge import Judgement
from gitops.gates.verdict import PASSED, REFUSED, WAITING, Verdict, refused
from gitops.pull_request import PullRequest
from gitops.queued import Landing
from gitops.repo import Repository
from gitops.repo.copy import Where

UNJUDGED = "unjudged"
"""The fourth state, beside a gate's three: nobody knows. What waits for a status must not take it for a pass."""
_Key = tuple[str, int, str]
"""What a judgement holds for: the tip, the number, the head."""


@dataclass(frozen=True)
class Swept:
    """One open pull request and what every gate says of it; without a judgement, `problem` is why nobody knows.

    Of the merge queue it is an entry: a `branch` of the queue, with its own `head`.
    """

    number: int
    head: str
    title: str
    url: str
    judgement: Judgement | None
    problem: str = ""
    branch: str = ""

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
        title = f"in the merge queue: {self.title}" if self.branch else self.title
        told = f"{title}: {why}" if why else title
        return printable(f"#{self.number}  {self.state:8}  {' '.join(told.split())}")


def sweep(where: Where, *, post: bool = False) -> list[Swept]:
    """Every open pull request of the repository at `where`, the oldest first, judged on one tip; `post` says it there.

    Then every entry of its merge queue, if it has one, each judged on what it stands on.
    One that cannot be judged does not keep the others from it. Raises ShiplaneError where the list cannot be read.
    """
    known: dict[_Key, Swept] = {}
    return settle(where, lambda repository: _swept(repository, known, post))


def _swept(repository: Repository, known: dict[_Key, Swept], post: bool) -> list[Swept] | None:
    """One try: None when a head has moved meanwhile. `known` keeps what was judged, for the next one."""
    config = load(repository)
    forge = forge_of(repository, config)
    requests = forge.open()
    heads = {each.head for each in requests}
    # the queue waits for its word, and whoever opened a pull request does not
    landings = queued.landings(repository, config, forge, heads, post=post)
    if landings is None:
        return None
    found = []
    moved = False
    for request in requests:
        key = repository.tip, request.number, request.head
        judged = known.get(key) or _judged(repository, config, forge, request, post)
        if judged is None:
            moved = True
            continue
        known[key] = judged
        found.append(judged)
    if moved:
        return None
    if post:
        found += _taken_back(forge, {repository.tip, *heads, *(each.entry.head for each in landings)})
    return [*found, *map(_entry, landings)]


def _taken_back(forge: Forge, judged: Collection[str]) -> Iterator[Swept]:
    """What could not be taken back of the good words on heads that nobody judges now.

    Else a pull request that is closed would keep its word through freezes and holds, and could be opened again and
    merged before anybody has judged it.
    """
    for each in forge.parked():
        try:
            if each.head not in judged:
                forge.mark(each.head, WAITING, f"#{each.number} is judged again once it is open", each.url)
        except ShiplaneError as error:
            told = f"its status cannot be taken back: {error.problems[0].rule}"
            yield Swept(each.number, each.head, "it is not open", each.url, None, told)


def _entry(landing: Landing) -> Swept:
    entry, request = landing.entry, landing.request
    title, url = (request.title, request.url) if request else ("no pull request", "")
    return Swept(entry.number, entry.head, title, url, landing.judgement, landing.problem, entry.branch)


def _of(request: PullRequest, judgement: Judgement | None, problem: str = "") -> Swept:
    return Swept(request.number, request.head, request.title, request.url, judgement, problem)


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
            return _of(request, Judgement((refused("read", told),)))
        return _of(request, None, told)
    return _of(request, judgement) if judgement else None
