"""`gitops doctor`: why a pull request does not merge, and what keeps promotions from starting.

Here are the effects: what is read of git and of the forge. What it means is told by the pure modules beside.
"""

from __future__ import annotations

from collections.abc import Sequence

from generator.errors import REFUSED, ShiplaneError
from gitops import clock, initial, status, verify
from gitops.apply import embedded, forge_of, load, settle
from gitops.config import Config
from gitops.doctor import finding, repository, request, ruleset
from gitops.doctor.finding import REFUSES, Finding, Report, of
from gitops.forge import Forge
from gitops.gates.judge import Judgement
from gitops.model import EXECUTABLE, FILE, Snapshot
from gitops.protection import Protection, Rule
from gitops.pull_request import PullRequest
from gitops.repo import Repository
from gitops.repo.git import NoBranch

_EMBEDDED = (
    "not asked here: checks, signatures, code owners, rulesets and auto-merge; the embedded forge has none of them"
)


def examine(url: str, number: int | None = None) -> Report:
    """What is wrong with the repository at `url`, or with its pull request `number`."""
    entered: list[Repository] = []

    def attempt(opened: Repository) -> Report | None:
        entered.append(opened)
        return _examined(opened, number)

    try:
        return settle(url, attempt)
    except ShiplaneError as error:
        if entered:
            raise
        name = "default-branch" if isinstance(error, NoBranch) else "no-access"
        return Report(tuple(of(name, each) for each in error.problems))


def _examined(opened: Repository, number: int | None) -> Report | None:
    """One try; None when a head has moved meanwhile."""
    try:
        config = load(opened)
    except ShiplaneError as error:
        found = tuple(of("unreadable-config", each) for each in error.problems)
        return Report(found, ("nothing else was looked at: shiplane.yaml says what there is to look at",))
    try:
        forge = forge_of(opened, config)
    except ShiplaneError as error:
        return Report(tuple(of("no-access", each) for each in error.problems))
    return _repository(opened, config, forge) if number is None else _request(opened, config, forge, number)


def _repository(opened: Repository, config: Config, forge: Forge) -> Report:
    roots = status.roots(config)
    more = ["holds", repository.NOTIFICATIONS, ruleset.PATH]
    listing = opened.listing([*roots, *more] if roots else None)
    snapshot = opened.read_all([(listing, _files(config, listing))])[0]
    now = clock.now()
    found = [*repository.lane(config, snapshot, now)]
    protection = forge.protection()
    if protection:
        try:
            found += repository.guarded(config, protection, _ours(snapshot))
        except ShiplaneError as error:
            found += [of("ruleset-unreadable", each) for each in error.problems]
    asked = [*repository.waited_for(config)]
    merged = forge.merged(asked, health=True) if asked else {}
    found += repository.health(config, snapshot, merged, now, statuses=not embedded(opened, config))
    notes = [f"{each}: known, and never released" for each in repository.unreleased(config, snapshot)]
    return Report(tuple(found), (*notes, *_unread(protection)))


def _files(config: Config, listing: Snapshot) -> list[str]:
    """What is read: pins, catalog, holds, and what the repository says of rules and health."""
    names = [*status.files(config, listing), repository.NOTIFICATIONS, ruleset.PATH]
    names += [path for path in listing.entries if path.startswith(("services/", "holds/")) and path.endswith(".yaml")]
    return [path for path in names if (entry := listing.get(path)) and entry.mode in (FILE, EXECUTABLE)]


def _ours(snapshot: Snapshot) -> Sequence[Rule]:
    """The ruleset that the repository holds itself, reviewed and with its App; else the one that init would write."""
    return ruleset.wanted(snapshot.data(ruleset.PATH) or initial.ruleset())


def _request(opened: Repository, config: Config, forge: Forge, number: int) -> Report | None:
    try:
        asked = forge.get(number)
    except ShiplaneError as error:
        if error.exit_code != REFUSED:
            raise
        return Report(tuple(of("read", each, REFUSES) for each in error.problems))
    if asked.state == "merged":
        return _merged(config, forge, asked, statuses=not embedded(opened, config))
    if asked.state == "closed":
        closed = Finding("closed", f"#{number} was closed without a merge", "ask for it again")
        return Report((closed,))
    judgement: Judgement | None = None
    found: list[Finding] = []
    try:
        judgement = verify.judged(opened, config, forge, asked, clock.now())
        if judgement is None:
            return None
    except ShiplaneError as error:
        refused = error.exit_code == REFUSED
        found = [
            of("read" if refused else "unjudged", each, REFUSES if refused else finding.WRONG)
            for each in error.problems
        ]
    protection = forge.protection(asked)
    known = {path[len("services/") : -len(".yaml")] for path in opened.listing(["services"]).entries}
    found += request.findings(config, asked, judgement, known, protection, forge.approval(asked), opened.tip)
    return Report(tuple(found), (*_unread(protection), *([] if found else [_free(asked, protection)])))


def _merged(config: Config, forge: Forge, asked: PullRequest, *, statuses: bool) -> Report:
    """What was merged has arrived, where somebody asks."""
    places = {(move.service, move.environment) for move in asked.moves}
    environments = [each for each in repository.waited_for(config) if each in {place[1] for place in places}]
    last = forge.merged(environments, health=True) if environments else {}
    found = [
        each
        for place, brought in last.items()
        if place in places and brought.number == asked.number
        for each in repository.synced(config, *place, brought, clock.now(), statuses=statuses)
    ]
    return Report(tuple(found), () if found else (f"#{asked.number} is merged",))


def _free(asked: PullRequest, protection: Protection | None) -> str:
    if protection and protection.standing and protection.standing.state == "unknown":
        return f"GitHub is still finding out whether #{asked.number} merges: ask again in a moment"
    return f"nothing stands against #{asked.number}: gitops merge {asked.number}"


def _unread(protection: Protection | None) -> list[str]:
    """What was not looked at, and why."""
    if protection is None:
        return [_EMBEDDED]
    return [f"not looked at: {each.place}: {each.rule}; {each.mend}".removesuffix("; ") for each in protection.unread]
