"""Judges a pull request with the default branch's eyes: its code and settings are the tip's, the rest is data.

What is judged is the tree that the merge would leave, so that no way of hiding a change from a comparison of commits
(a rename, a rebase, a merge commit in the branch) hides it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from generator.errors import ShiplaneError, printable
from gitops import catalog, holds, proof
from gitops.config import PATH, Config
from gitops.forge import Conflict
from gitops.forge.embedded import Embedded
from gitops.gates import pinning
from gitops.gates.approvals import approvals
from gitops.gates.case import Case, Known, Place, Since
from gitops.gates.judge import Judgement, overridden, pin_verdicts
from gitops.gates.subject import Subject, scope, subject
from gitops.gates.verdict import Verdict, passed, refused
from gitops.model import EXECUTABLE, FILE, PullRequest, Snapshot
from gitops.repo import Repository
from gitops.repo.past import landings
from gitops.result import rendering


@dataclass(frozen=True)
class Read:
    """All that is read of git for a judgement; `changed` are the paths in which the result differs from the tip."""

    base: Snapshot
    head: Snapshot
    changed: tuple[str, ...]
    about: Subject


def judged(
    repository: Repository, config: Config, forge: Embedded, request: PullRequest, now: datetime
) -> Judgement | None:
    """Every gate's verdict on `request`, which is open; None when its head has moved meanwhile."""
    tree = forge.result(request)
    if tree is None:
        return None
    if isinstance(tree, Conflict):
        paths = ", ".join(map(printable, tree.paths))
        return Judgement((refused("conflict", f"both sides changed {paths}: run its command again", *tree.paths),))
    seen = _read(repository, config, tree)
    found = [_scope(config, seen)]
    back = bool(seen.about.pins)
    for place in seen.about.pins:
        try:
            case = _case(repository, config, forge, seen, place, now)
            verdicts = pin_verdicts(case)
            if not (case.known.ran or all(each.passed for each in verdicts)):  # it may be a way back
                own = {place: ran(repository, config, place)}
                case = replace(case, known=replace(case.known, ran=own))
                verdicts = pin_verdicts(case)
            verdicts = overridden((*verdicts, *effects(case)), case, request)
            back = back and case.returns()
        except ShiplaneError as error:
            verdicts, back = (_unread(error),), False
        found += _placed(verdicts, place, seen.about)
    found += _settings(config, seen)
    with_pins = {path for place, path in seen.about.holds if place in seen.about.pins}
    added = {path for path in seen.changed if seen.base.get(path) is None} - with_pins
    found.append(approvals(config, request, seen.changed, added=added, back=back))
    return Judgement(tuple(found))


def needs(config: Config, places: Sequence[Place]) -> list[str]:
    """The paths to list before the gates of these pins are judged."""
    found = {PATH: None}
    for service, environment in places:
        found |= dict.fromkeys([catalog.path(service), holds.path(environment, service), f"defaults/{environment}"])
        found |= dict.fromkeys(catalog.starting_paths(config, environment, service))
        found |= dict.fromkeys(config.layout.folder(each, service) for each in config.environments)
    return [*found]


def wanted(config: Config, listing: Snapshot, charts_of: Sequence[Place]) -> list[str]:
    """The files of a listing of `needs` whose bytes are looked at: of charts only those of these places."""
    charts = tuple(f"{config.layout.folder(environment, service)}/chart/" for service, environment in charts_of)
    roots = tuple(config.layout.folder(each, "") for each in config.environments)
    return [
        path
        for path, entry in listing.entries.items()
        if entry.mode in (FILE, EXECUTABLE)
        and (path.startswith(charts) or not path.startswith(roots) or "/chart/" not in path)
    ]


def effects(case: Case) -> tuple[Verdict, ...]:
    """The verdicts that need helm: whether the result renders."""
    return (_renders(case),)


def _read(repository: Repository, config: Config, tree: str) -> Read:
    changed = repository.changed(repository.tip, tree)
    about = subject(config, changed)
    places = [*about.pins, *(place for place, _ in (*about.settings, *about.applications) if place not in about.pins)]
    paths = [*needs(config, places), *changed]
    base, head = (repository.listing(paths, each) for each in (repository.tip, tree))
    base, head = repository.read_all([(base, wanted(config, base, ())), (head, wanted(config, head, places))])
    return Read(base, head, changed, about)


def _scope(config: Config, seen: Read) -> Verdict:
    try:
        return scope(config, seen.base, seen.head, seen.about)
    except ShiplaneError as error:
        return refused("scope", f"cannot be judged: {error.problems[0].rule}", error.problems[0].place)


def _case(repository: Repository, config: Config, forge: Embedded, seen: Read, place: Place, now: datetime) -> Case:
    service, environment = place
    to = config.environment(environment)
    case = Case(config, to, catalog.lookup(seen.base, service), seen.base, seen.head, Known(), now)
    return replace(case, known=known(repository, forge, case))


def known(repository: Repository, forge: Embedded, case: Case) -> Known:
    """What is looked up for `case`: the past only where the present does not tell, times only where they are asked."""
    service, to = case.service.name, case.to
    past: dict[Place, frozenset[tuple[str, ...]]] = {}
    if to.sources and not case.pinned_by():
        past = {(service, each): ran(repository, case.config, (service, each)) for each in (*to.sources, to.name)}
    since: dict[Place, tuple[Since, ...]] = {}
    if to.gates.soak or to.gates.health:
        for each in to.sources:
            requests = forge.history(service, each) if past else forge.history(service, each, last=1)
            since[service, each] = times(requests)
    return Known(since, past)


def ran(repository: Repository, config: Config, place: Place) -> frozenset[tuple[str, ...]]:
    """The identities (see `Pin`) of all releases that an environment has had of a service."""
    folder = config.layout.folder(*reversed(place))
    paths = [f"{folder}/{name}" for name in config.layout.carries]
    return frozenset(each.oids for each in landings(repository, paths) if all(each.oids))


def times(requests: Sequence[PullRequest]) -> tuple[Since, ...]:
    """The times of releases, the newest first: each ends where the next one was merged."""
    found: list[Since] = []
    for request in requests:
        if request.move and request.merged:
            until = found[-1].merged if found else None
            found.append(Since(request.move.after, request.number, request.merged, request.healthy, until))
    return tuple(found)


def _renders(case: Case) -> Verdict:
    """helm sees only what may be carried: nothing in it can lead out of the copy that is written for it."""
    if not pinning.tree(case).passed:
        return refused("renders", "helm is not shown a tree that is refused", case.folder)
    chart = case.head.files(f"{case.folder}/chart")
    try:
        proof.render(rendering(case.head, case.config, case.to, case.service.name, (), chart))
    except ShiplaneError as error:
        return refused("renders", error.problems[0].rule, case.folder)
    return passed("renders", f"by helm, with {case.to.name}'s settings as they will be")


def _settings(config: Config, seen: Read) -> list[Verdict]:
    """Settings that are changed by themselves have to suit the chart that is there."""
    found = []
    for place, path in seen.about.settings:
        if place in seen.about.pins or seen.head.get(path) is None:
            continue
        service, environment = place
        to = config.environments[environment]
        chart = seen.head.files(f"{config.layout.folder(environment, service)}/chart")
        if not chart:
            continue
        try:
            proof.render(rendering(seen.head, config, to, service, (), chart))
        except ShiplaneError as error:
            found.append(refused("renders", error.problems[0].rule, path))
        else:
            found.append(passed("renders", f"by helm: {path} suits the chart of {environment}"))
    return found


def _unread(error: ShiplaneError) -> Verdict:
    return refused("read", f"cannot be judged: {error.problems[0].rule}", *(each.place for each in error.problems))


def _placed(verdicts: Iterable[Verdict], place: Place, about: Subject) -> list[Verdict]:
    """Of several pins each verdict says of which it speaks."""
    if len(about.pins) == 1:
        return [*verdicts]
    return [replace(each, why=f"{place[0]} in {place[1]}: {each.why}") for each in verdicts]


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
