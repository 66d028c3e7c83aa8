"""Judges what GitHub's merge queue is about to land: each entry as its pull request, on what it stands on.

The queue waits for the status on commits of its own, and then moves the default branch to one of them. So such a commit
passes only if it is exactly what its pull request makes of the commit below it, every gate lets that pull request
through there, and the same is true of all below it down to the tip. Rules are the default branch's alone: an entry that
stands on a change of them waits until that is merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from generator.errors import REFUSED as REFUSED_CODE
from generator.errors import ShiplaneError, printable
from gitops import clock, verify
from gitops.config import Config
from gitops.forge import Conflict, Forge, NoSuchPullRequest
from gitops.gates.case import Place
from gitops.gates.judge import Judgement
from gitops.gates.queueing import GATE, leans_on, passed_through
from gitops.gates.subject import Subject, subject
from gitops.gates.verdict import REFUSED, passed, refused, waiting
from gitops.pull_request import PullRequest
from gitops.queue import Entry, misshapen
from gitops.repo import Repository
from gitops.sides import services

AGAIN = "queue it again when that has passed"


@dataclass(frozen=True)
class Landing:
    """An entry, its pull request where there is one, and what is said of it; without a judgement, why nobody knows."""

    entry: Entry
    request: PullRequest | None = None
    judgement: Judgement | None = None
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing stands against it."""
        return self.judgement is not None and self.judgement.passed

    @property
    def word(self) -> tuple[str, str]:
        """The state and the line that are posted. A queue waits for nothing but itself: what else waits leaves it."""
        if self.judgement is None:
            return "error", f"cannot be judged: {self.problem}"
        against = [each for each in self.judgement.verdicts if not each.passed]
        if not against or self.judgement.refused or {each.gate for each in against} == {GATE}:
            return self.judgement.state, self.judgement.summary
        return REFUSED, f"{AGAIN}: {self.judgement.summary}"


def landings(
    repository: Repository, config: Config, forge: Forge, heads: Collection[str], *, post: bool
) -> list[Landing] | None:
    """Every entry of the queue, the one that lands first first; None when a pull request has moved meanwhile.

    `heads` are those of the open pull requests: their own status is not the queue's to set.
    """
    entries = forge.queue()
    often = Counter(each.head for each in entries)
    others = {repository.tip, *heads}
    found: dict[str, Landing] = {}
    for each in _from_below(entries, repository.tip):
        landing: Landing | None
        if each.head in others:
            landing = _against(each, None, "names a commit that is not the queue's own")
        elif often[each.head] > 1:
            landing = _against(each, None, "names the commit of another entry")
        else:
            landing = _guarded(repository, config, forge, each, found, post=post)
        if landing is None:
            return None
        found[each.branch] = landing
        if post and each.head not in others:
            found[each.branch] = _said(forge, landing)
    return [*found.values()]


def _said(forge: Forge, landing: Landing) -> Landing:
    """The landing, once it is posted; what cannot be posted passes nothing that lies on it."""
    try:
        forge.mark(landing.entry.head, *landing.word, landing.request.url if landing.request else "")
    except ShiplaneError as error:  # the queue may have built it anew meanwhile
        return replace(landing, judgement=None, problem=f"cannot be told: {error.problems[0].rule}")
    return landing


def _from_below(entries: Sequence[Entry], tip: str) -> Iterator[Entry]:
    """The entries, each after the one that it stands on; those that lead to no tip at the end."""
    reached, left = {tip}, [*entries]
    while some := [each for each in left if each.base in reached]:
        yield from some
        reached |= {each.head for each in some}
        left = [each for each in left if each not in some]
    yield from left


def _guarded(
    repository: Repository, config: Config, forge: Forge, entry: Entry, below: Mapping[str, Landing], *, post: bool
) -> Landing | None:
    """As `_landing`; a bug of ours leaves no older word that lets the entry through."""
    try:
        return _landing(repository, config, forge, entry, below)
    except Exception:  # of any kind: it is told, and goes on up
        if post:
            forge.mark(entry.head, "error", "cannot be judged: a bug of Shiplane's", "")
        raise


def _landing(
    repository: Repository, config: Config, forge: Forge, entry: Entry, below: Mapping[str, Landing]
) -> Landing | None:
    """What is said of one entry; `below` is what is said of those before it. None when its pull request has moved."""
    request = None
    try:
        if not entry.number:
            return _against(entry, None, f"{printable(entry.branch)} is no name that the queue gives")
        request = forge.get(entry.number)
        if request.state != "open":
            return _against(entry, request, f"#{request.number} is {request.state}")
        if told := misshapen(entry, request):
            return _against(entry, request, told)
        judgement = _judged(repository, config, forge, entry, request, below)
        return Landing(entry, request, judgement) if judgement else None
    except NoSuchPullRequest as error:
        return _against(entry, None, f"there is no {error.problems[0].place}")
    except ShiplaneError as error:
        first = error.problems[0]
        told = f"{first.place}: {first.rule}" if first.place else first.rule
        if error.exit_code == REFUSED_CODE:
            return Landing(entry, request, Judgement((refused("read", told),)))
        return Landing(entry, request, None, told)


def _against(entry: Entry, request: PullRequest | None, why: str) -> Landing:
    return Landing(entry, request, Judgement((refused(GATE, why),)))


def _judged(
    repository: Repository,
    config: Config,
    forge: Forge,
    entry: Entry,
    request: PullRequest,
    below: Mapping[str, Landing],
) -> Judgement | None:
    """Every gate's verdict on an entry that is well-formed; None when its pull request has moved."""
    if told := _waits_for(repository, entry, below):
        return Judgement((waiting(GATE, told),))
    tree = forge.result(request, entry.base)
    if tree is None:
        return None
    if not isinstance(tree, Conflict) and (other := repository.changed(tree, entry.head)):
        told = f"is not what #{request.number} makes of {entry.base[:7]}: {printable(other[0])} differs"
        return Judgement((refused(GATE, told, *other),))
    if place := _passed_through(repository, config, entry):
        told = f"passes through a state of {place[0]} in {place[1]} that nobody has judged"
        return Judgement((refused(GATE, told),))
    if entry.base != repository.tip:
        leans = leans_on(
            _about(repository, config, entry.base, repository.tip, entry.base),
            _about(repository, config, entry.head, entry.base, entry.head),
        )
        if leans:
            told = f"stands on a change of {printable(leans)}, by which it is judged: until that is merged"
            return Judgement((waiting(GATE, told),))
    judgement = verify.landing(repository, config, forge, request, tree, entry.base, clock.now())
    lands = passed(GATE, f"lands #{request.number} on {entry.base[:7]}, and nothing else")
    return Judgement((lands, *judgement.verdicts))


def _waits_for(repository: Repository, entry: Entry, below: Mapping[str, Landing]) -> str:
    """Why it cannot be judged yet; empty where all below it, down to the tip, passes."""
    if entry.base == repository.tip:
        return ""
    stands_on = next((each for each in below.values() if each.entry.head == entry.base), None)
    if stands_on is None:
        return f"stands on {entry.base[:7]}, and {repository.branch} is at {repository.tip[:7]}"
    return "" if stands_on.passed else f"stands on #{stands_on.entry.number}, which does not pass"


def _passed_through(repository: Repository, config: Config, entry: Entry) -> Place | None:
    """See `passed_through`; it takes several commits, which a rebase leaves."""
    for commit in entry.between:
        before = _about(repository, config, commit, entry.base, commit)
        after = _about(repository, config, commit, commit, entry.head)
        if place := passed_through(before, after):
            return place
    return None


def _about(repository: Repository, config: Config, within: str, before: str, after: str) -> Subject:
    """What the change between two commits is about; places where nothing is left are told by `within`."""
    whole, changed = repository.listing(None, within), repository.changed(before, after)
    known = [name for commit in (before, after) for name in services(repository, config, commit)]
    return subject(config, whole, changed, known)
