"""Judges a pull request with the default branch's eyes: its code and settings are the tip's, the rest is data.

What is judged is the tree that the merge would leave, so that no way of hiding a change from a comparison of commits
(a rename, a rebase, an older base) hides it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from generator import helm
from generator.errors import ShiplaneError, printable
from gitops import built, catalog, effects, facts, reach, sides
from gitops import config as configuration
from gitops.config import Config
from gitops.forge import Conflict, Facts
from gitops.gates import pinning, retiring
from gitops.gates.approvals import Eased, Teams, approvals, environment_of
from gitops.gates.case import Case, Known, Place
from gitops.gates.judge import Judgement, overridden, pin_verdicts
from gitops.gates.scope import as_defaults_say, holds_more, scope
from gitops.gates.subject import Subject, deciding
from gitops.gates.verdict import Verdict, passed, refused
from gitops.pull_request import PullRequest
from gitops.reach import Reached
from gitops.repo import Repository
from gitops.repo.git import GitFailed
from gitops.sides import Read


def judged(
    repository: Repository, config: Config, forge: Facts, request: PullRequest, now: datetime
) -> Judgement | None:
    """Every gate's verdict on `request`, which is open; None when its head has moved meanwhile.

    What cannot be read is refused. Raises ShiplaneError where git or helm does not answer: that is nobody's verdict.
    """
    tree = forge.result(request)
    return None if tree is None else landing(repository, config, forge, request, tree, repository.tip, now)


def landing(
    repository: Repository,
    config: Config,
    forge: Facts,
    request: PullRequest,
    tree: str | Conflict,
    on: str,
    now: datetime,
) -> Judgement:
    """Every gate's verdict on `request` where it makes `tree` of the commit `on`; `config` is the default branch's."""
    paths = tree.paths if isinstance(tree, Conflict) else _moved(repository, config, request, on)
    if isinstance(tree, Conflict) or paths:
        return _conflict(paths)
    try:
        seen = sides.read(repository, config, tree, on)
        if paths := sides.strayed(repository, config, request, seen):
            return _conflict(paths)
    except GitFailed:
        raise
    except ShiplaneError as error:
        return Judgement((_unread(error),))
    recipe = config.layout.render
    if (seen.about.pins or seen.about.settings) and (config.layout.own or (recipe and recipe.helm)):
        helm.require()
    found = [_scope(config, seen), *_rules(seen), *retiring.verdicts(config, seen.head, seen.about)]
    back = bool(seen.about.pins)
    teams = _teams(config, forge, request)
    for place in seen.about.pins:
        verdicts, returns = _pin(repository, config, forge, request, seen, place, teams, now)
        found += _placed(verdicts, place, seen.about)
        back = back and returns
    once = seen.about.settings if config.layout.own else _first(seen.about.settings)
    for path, place in once.items():
        found += _settings(config, seen, path, place, now)
    mine = {*seen.about.pins, *seen.about.settings.values(), *seen.about.ends}
    reached = reach.reached(repository, config, (seen.base, seen.head), seen.changed, mine)
    for each in reached:
        found += _reached(config, seen, each, now)
    found.append(approvals(config, request, seen.changed, _eased(config, seen, back, reached), teams))
    return Judgement(tuple(found))


def _moved(repository: Repository, config: Config, request: PullRequest, on: str) -> tuple[str, ...]:
    """What is carried moves whole: git alone would merge two charts of which each side changed other files.

    In a file that services share others move meanwhile: see `sides.strayed`.
    """
    layout = config.layout
    whole = [name for name in layout.carries if not layout.shares(name)]
    paths = [layout.path(move.environment, move.service, name) for move in request.moves for name in whole]
    if not paths:
        return ()
    planned_on, now = (repository.listing(paths, commit) for commit in (request.base, on))
    return tuple(path for path in paths if planned_on.get(path) != now.get(path))


def _conflict(paths: Iterable[str]) -> Judgement:
    return Judgement((refused("conflict", f"both sides changed {', '.join(map(printable, paths))}", *paths),))


def _teams(config: Config, forge: Facts, request: PullRequest) -> Teams:
    """Who is in the teams that gates name: shiplane.yaml says it, else the forge, asked once somebody has approved."""
    if not request.approvers():
        return config.teams
    named = {name for each in config.environments.values() for name in (*each.gates.teams, each.gates.break_glass)}
    return {**forge.teams(named - {""} - config.teams.keys()), **config.teams}


def _eased(config: Config, seen: Read, back: bool, reached: Iterable[Reached]) -> Eased:
    about, base, head = seen.about, seen.base, seen.head
    starts = [path for path, place in about.applications.items() if as_defaults_say(config, base, head, place, path)]
    alone = [path for path, place in about.holds.items() if place not in about.pins]
    ends = retiring.paths(config, base, head, about, seen.changed)
    more = frozenset(path for path in alone if holds_more(base, head, path))
    decide = {*deciding(config, base, head, about)}
    for each in reached:  # what other environments are built from is not for one of them to decide
        decide |= {path for path in each.paths if (at := environment_of(config, path)) and at.name != each.place[1]}
    return Eased(frozenset(starts), ends, frozenset(decide), more, back)


def _pin(
    repository: Repository,
    config: Config,
    forge: Facts,
    request: PullRequest,
    seen: Read,
    place: Place,
    teams: Teams,
    now: datetime,
) -> tuple[tuple[Verdict, ...], bool]:
    """The verdicts on one pin, and whether it is a way back."""
    service, environment = place
    to = config.environment(environment)
    try:
        case = Case(config, to, catalog.lookup(seen.base, service), seen.base, seen.head, Known(), now)
        case = replace(case, known=_known(repository, forge, case))
        verdicts = pin_verdicts(case)
        waits = any(not each.passed for each in verdicts) or to.gates.rollback != to.gates.approvals
        if waits and place not in case.known.kept:  # it may be a way back
            own = {place: facts.kept_at(repository, config, place)}
            case = replace(case, known=replace(case.known, kept={**case.known.kept, **own}))
            verdicts = pin_verdicts(case)
        beyond = [*effects.rendered(case), *effects.image(case)]
        return overridden((*verdicts, *beyond), case, request, teams), case.returns()
    except GitFailed:
        raise
    except ShiplaneError as error:
        return (_unread(error),), False


def _known(repository: Repository, forge: Facts, case: Case) -> Known:
    """What is looked up for `case`: the past only where the present does not tell, times only where they are asked."""
    service, to = case.service.name, case.to
    if all(map(case.has, to.before)) or (to.hotfix and case.has(to.hotfix)):
        return Known(facts.since(forge, to, service))
    kept = {(service, each): facts.kept_at(repository, case.config, (service, each)) for each in (*to.sources, to.name)}
    return Known(facts.since(forge, to, service, last=None), kept)


def _settings(config: Config, seen: Read, path: str, place: Place, now: datetime) -> list[Verdict]:
    """Settings that are changed by themselves suit the chart that is there, and leave the image its place."""
    service, environment = place
    pinned = f"{config.layout.folder(environment, service)}/release.yaml"
    there = seen.head.get(pinned) is not None if config.layout.own else place not in seen.about.ends
    if place in seen.about.pins or not there or not (config.layout.own or config.layout.render):
        return []
    try:
        known = catalog.lookup(seen.base, service)
    except ShiplaneError as error:
        return [_unread(error)]
    case = Case(config, config.environment(environment), known, seen.base, seen.head, Known(), now)
    verdicts = [*pin_verdicts(case, [pinning.settings]), *effects.rendered(case)]
    return [replace(each, why=f"{path}: {each.why}") for each in verdicts]


def _first(settings: Mapping[str, Place]) -> dict[str, Place]:
    """The first path of each place: what is rendered of it is rendered from all of them."""
    first: dict[Place, str] = {}
    for path, place in settings.items():
        first.setdefault(place, path)
    return {path: place for place, path in first.items()}


def _reached(config: Config, seen: Read, found: Reached, now: datetime) -> list[Verdict]:
    """What is rendered of a place that the pull request reaches by files of others."""
    service, environment = found.place
    try:
        known = catalog.lookup(found.base, service)
    except ShiplaneError as error:
        return [_unread(error)]
    case = Case(config, config.environment(environment), known, found.base, seen.head, Known(), now)
    by, whose = printable(min(found.paths)), built.whose(config, found.place)
    return [replace(each, why=f"{whose}, by {by}: {each.why}") for each in effects.rendered(case, found.text)]


def _scope(config: Config, seen: Read) -> Verdict:
    try:
        return scope(config, seen.base, seen.head, seen.about, seen.changed)
    except ShiplaneError as error:
        return _unread(error, "scope")


def _rules(seen: Read) -> Iterator[Verdict]:
    """A shiplane.yaml that nobody could read would end every judgement, that of the way out of it too."""
    if configuration.PATH in seen.changed:
        try:
            configuration.load(seen.head.data(configuration.PATH))
        except ShiplaneError as error:
            yield _unread(error, "rules")
        else:
            yield passed("rules", f"{configuration.PATH} can be read")


def _unread(error: ShiplaneError, gate: str = "read") -> Verdict:
    first = error.problems[0]
    return refused(gate, f"cannot be judged: {first.place}: {first.rule}", first.place)


def _placed(verdicts: Iterable[Verdict], place: Place, about: Subject) -> list[Verdict]:
    """Of several pins each verdict says of which it speaks."""
    if len(about.pins) == 1:
        return [*verdicts]
    return [replace(each, why=f"{place[0]} in {place[1]}: {each.why}") for each in verdicts]
