"""Effects in their order: read, plan, prove, then one push; whoever loses a race plans again on what is there now."""

from __future__ import annotations

import contextlib
import importlib
import random
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from generator.errors import Problem, ShiplaneError
from generator.schema import check
from gitops import clock, facts, promote, reach, release, status
from gitops import config as configuration
from gitops.config import Config
from gitops.forge import Facts, Forge, PullRequests
from gitops.forge.embedded import Embedded
from gitops.forge.github import credentials
from gitops.forge.github.address import parsed
from gitops.forge.refs import patterns
from gitops.gates.case import Known
from gitops.hold import Holding
from gitops.model import Draft, Nothing, Release
from gitops.planning import Request, likely, needs, plan
from gitops.problems import Gathered
from gitops.promote import Promotion
from gitops.proof import Rendered
from gitops.proposals import Plan, apart, branches, carried_on, drafts, same
from gitops.pull_request import PullRequest
from gitops.release import Releasing
from gitops.repo import Repository, opened
from gitops.repo.copy import Copy, Where
from gitops.repo.near import near
from gitops.retire import Retiring
from gitops.status import Row
from gitops.step import Step

T = TypeVar("T")
_PATIENCE = 300  # seconds in which a writer tries again
_GROWTH = 6  # times that the pause doubles: up to 64 writers can take turns
_LONGEST_PAUSE = 30.0  # seconds; with 8, fifty writers on two cores kept each other from ever being through


@dataclass(frozen=True)
class Outcome:
    """What became of a request: its draft, or why there is nothing to do; unless only planned, its pull request."""

    plan: Draft | Nothing
    request: PullRequest | None = None
    unchanged: bool = False


@contextlib.contextmanager
def entered(where: Where) -> Iterator[Repository]:
    """The repository at an address, with what its forge lets us in by; or of a copy that is under way."""
    with opened(where) if isinstance(where, Copy) else opened(where, credentials.access(where)) as repository:
        yield repository


def settle(where: Where, attempt: Callable[[Repository], T | None]) -> T:
    """The first answer of `attempt` that is not None; each try sees the tip as it is then.

    Between tries a random pause that grows with the number of tries and with what one costs: many writers at once
    would otherwise slow each other down until nobody is through in time.
    """
    deadline = time.monotonic() + _PATIENCE
    tries = 0
    with entered(where) as repository:
        while True:
            start = time.monotonic()
            answer = attempt(repository)
            if answer is not None:
                return answer
            now = time.monotonic()
            if now > deadline:
                raise ShiplaneError(Problem("", f"others wrote first for {_PATIENCE} s", "try the same command again"))
            tries += 1
            longest = min((now - start) * 2 ** min(tries, _GROWTH), _LONGEST_PAUSE)
            time.sleep(random.uniform(0, longest))  # noqa: S311  # a pause needs no secure randomness
            repository.renew()


def load(repository: Repository) -> Config:
    """The configuration on the tip. Sources are shown on the server of GitHub's that the repository itself is on."""
    config = configuration.load(repository.snapshot([configuration.PATH]).data(configuration.PATH))
    address = None if embedded(repository, config) else parsed(repository.url)
    return replace(config, server=address.server) if address else config


def forge_of(repository: Repository, config: Config) -> Forge:
    """The forge of `repository`: what shiplane.yaml says, else a path is embedded and an address is GitHub."""
    if embedded(repository, config):
        return Embedded(repository)
    from gitops.forge.github.forge import GitHub  # PyGithub comes with it

    return GitHub(repository, config)


def embedded(repository: Repository, config: Config) -> bool:
    """Whether its forge is the embedded one: what shiplane.yaml says, else a path or an address on this disk."""
    local = repository.url.startswith("file://") or Path(repository.url).is_dir()
    return (config.forge or ("embedded" if local else "github")) == "embedded"


def propose(
    where: Where, requests: Sequence[Request], *, dry_run: bool = False, anew: bool = False, as_one: bool = False
) -> tuple[str, list[Outcome]]:
    """Plan every request on the tip of `where`, prove every result, then open, update or leave their pull requests.

    Answers with the tip it planned on (as text) and an outcome for each request. All or nothing: the mistakes of all
    requests are told together, before anything is pushed. `as_one`: one pull request for all of them, into one
    environment.
    """
    texts: dict[Hashable, Rendered] = {}
    preparing = threading.Thread(target=_prepare)
    preparing.start()
    try:
        return settle(where, lambda repository: _proposed(repository, requests, texts, dry_run, anew, as_one))
    finally:
        preparing.join()  # an import that an ending interpreter interrupts ends in a traceback


def _prepare() -> None:
    """Import what planning needs while git waits for the server."""
    for name in ("gitops.effects", "gitops.draft"):  # `drafts` asks for these
        importlib.import_module(name)
    check({}, {})


def survey(where: Where) -> tuple[Config, list[Row]]:
    """Every service in every environment of the repository at `where`."""
    with entered(where) as repository:
        config = load(repository)
        roots = status.roots(config)
        listing = near(repository, roots, 2) if config.layout.own else repository.listing(roots or None)
        snapshot = repository.read_all([(listing, status.files(config, listing))])[0]
        forge = forge_of(repository, config)
        return config, status.rows(config, snapshot, forge.open(), forge.merged(list(config.environments)))


def _proposed(
    repository: Repository,
    requests: Sequence[Request],
    texts: dict[Hashable, Rendered],
    dry_run: bool,
    anew: bool,
    as_one: bool,
) -> tuple[str, list[Outcome]] | None:
    """One try. `texts` is what was rendered in earlier tries: what is the same is not rendered again."""
    _read_ahead(repository, requests)
    config = load(repository)
    forge = forge_of(repository, config)
    plans = _planned(repository, forge, config, requests)
    asked = branches(plans)
    known = forge.find(asked, carried_on(plans)) if asked else {}
    apart(plans, known, as_one=as_one)
    plans = [release.unless_late(plan, known.get(plan.branch)) if isinstance(plan, Step) else plan for plan in plans]
    whole = iter(reach.ready(repository, [plan for plan in plans if isinstance(plan, Step)]))
    plans = [next(whole) if isinstance(plan, Step) else plan for plan in plans]
    found = drafts(forge, plans, known, texts, dry_run=dry_run, as_one=as_one)
    done = {} if dry_run else put(forge, found, known, forge.me, anew)
    if done is None:
        return None
    on = f"{repository.url}@{repository.branch} {repository.tip[:7]}"
    return on, [Outcome(draft, *done.get(draft.branch, ())) for draft in found]


def _read_ahead(repository: Repository, requests: Sequence[Request]) -> None:
    """Bring shiplane.yaml in one request with what is most likely needed after it."""
    paths, branches = likely(requests)
    kept_in_git = parsed(repository.url) is None  # GitHub keeps its own
    repository.bring([configuration.PATH, *paths], patterns(*branches) if branches and kept_in_git else ())


def put(
    forge: PullRequests,
    plans: Sequence[Draft | Nothing],
    known: Mapping[str, PullRequest],
    me: Callable[[], str],
    anew: bool,
) -> dict[str, tuple[PullRequest, bool]] | None:
    """By branch: the pull request, and whether it was left as it was. None when another writer was first."""
    drafts = [plan for plan in plans if isinstance(plan, Draft)]
    fresh = [draft for draft in drafts if not same(draft, known.get(draft.branch))]
    other = [known[each.branch] for each in fresh if each.branch in known]
    planned = {each.fingerprint for each in fresh}
    _spare_approved([request for request in other if request.fingerprint not in planned], anew)
    put = forge.put([(draft, known.get(draft.branch)) for draft in fresh], me()) if fresh else []
    if put is None:
        return None
    return {**{branch: (request, True) for branch, request in known.items()}, **{pr.branch: (pr, False) for pr in put}}


def _planned(repository: Repository, forge: Forge, config: Config, requests: Sequence[Request]) -> list[Plan]:
    """The plans, in order; raises one ShiplaneError with the problems of all requests."""
    found = Gathered()
    paths: list[Sequence[str]] = []
    for request in requests:
        with found.gathered():
            paths.append(needs(config, request))
    found.tell()
    snapshot = repository.snapshot(sorted({path for each in paths for path in each}))
    entering = [(each.service, release.entrance(config, each).name) for each in requests if isinstance(each, Releasing)]
    runs = facts.runs(forge, config, entering)
    plans = []
    for request, own in zip(requests, paths, strict=True):
        with found.gathered():
            completed = _completed(repository, forge, request)
            known = _known(config, forge, request, runs)
            plans.append(plan(config, snapshot.below(own), completed, known, clock.now()))
    found.tell()
    return plans


def _known(config: Config, forge: Facts, request: Request, runs: Mapping[str, Mapping[Release, int]]) -> Known:
    """What a plan asks of the forge: of a release the runs before it, of a promotion what its gates ask."""
    match request:
        case Releasing():
            return Known(runs=runs.get(request.service, {}))
        case Promotion():
            return Known(facts.since(forge, promote.lane(config, request)[1], request.service))
    return Known()


def _completed(repository: Repository, forge: PullRequests, request: Request) -> Request:
    """The request with what only the repository knows: the tree of a chart from elsewhere, and who holds back."""
    match request:
        case Releasing() if request.chart is not None:
            files = {path: (entry.mode, entry.data or b"") for path, entry in request.chart.files.items()}
            return replace(request, chart=replace(request.chart, oid=repository.tree(files)))
        case Holding():
            return replace(request, hold=replace(request.hold, who=forge.me()))
        case Retiring():
            return replace(request, who=forge.me())
    return request


def _spare_approved(existing: Sequence[PullRequest], anew: bool) -> None:
    """People approved what they read; it is replaced only when somebody asks for that."""
    approved = [request for request in existing if request.approvers()]
    if approved and not anew:
        raise ShiplaneError(
            Problem(request.url, "is approved, and this would replace what was approved", "merge it, or add --replace")
            for request in approved
        )
