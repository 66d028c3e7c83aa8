"""What a promotion, a pull request, or two commits change in the cluster: read from git, rendered, compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from generator.errors import REFUSED, Problem, ShiplaneError, printable
from gitops import built, carried, clock, diff, gather, pins, promote, proof
from gitops.apply import entered, forge_of, load
from gitops.config import Config
from gitops.diff.difference import Difference, item
from gitops.diff.noise import NO_RELEASES, Releases, between
from gitops.forge import Conflict
from gitops.gates.case import Known, Place
from gitops.gates.subject import settled, subject
from gitops.model import EXECUTABLE, FILE, Nothing, Rendering, Snapshot, Unrendered
from gitops.promote import Promotion
from gitops.pull_request import PullRequest
from gitops.repo import Repository
from gitops.repo.copy import Where
from gitops.repo.named import commit
from gitops.result import rendering
from gitops.sides import services


@dataclass(frozen=True)
class Change:
    """What changes of one service in one environment; without a `difference`, `problems` or `untold` say why.

    The service is empty where one rendering has all of them, and none of these is pinned anew.
    """

    service: str
    environment: str
    difference: Difference | None
    problems: tuple[Problem, ...] = ()
    untold: str = ""

    @property
    def name(self) -> str:
        """Whose change it is, in words."""
        return printable(f"{self.service or built.ALL} in {self.environment}")


@dataclass(frozen=True)
class Comparison:
    """What changes in the cluster, and which files change that nothing here renders (Applications, say)."""

    changes: tuple[Change, ...]
    others: tuple[str, ...] = ()


Side = Rendering | Unrendered | ShiplaneError | None


@dataclass(frozen=True)
class _Sides:
    """One place before and after; a side is None where nothing of it runs, and an error where it cannot be rendered."""

    place: Place
    before: Side
    after: Side
    releases: Releases


def of_promotion(where: Where, services: Sequence[str], to: str, source: str | None) -> Comparison:
    """What promoting `services` to `to` would change; gates have no say in it."""
    requests = promote.asked(services, to, source)
    with entered(where) as repository:
        config = load(repository)
        snapshot = repository.snapshot(sorted({path for each in requests for path in promote.needs(config, each)}))
        return _compared([_promotion(repository, config, snapshot, each) for each in requests])


def of_request(where: Where, number: int) -> Comparison:
    """What merging pull request `number` would change, or has changed."""
    with entered(where) as repository:
        config = load(repository)
        forge = forge_of(repository, config)
        request = forge.get(number)
        if request.state == "merged":
            repository.fetch(request.merge, depth=2)
            return _between(repository, config, repository.parents(request.merge)[0], request.merge)
        if request.state != "open":
            raise ShiplaneError(Problem(request.url, f"is {request.state}: it changes nothing any more"))
        result = forge.result(request)
        if not isinstance(result, str):
            raise ShiplaneError(_no_result(request, result), REFUSED)
        return _between(repository, config, repository.tip, result)


def of_commits(where: Where, base: str | None, head: str) -> Comparison:
    """What `head` changes of `base`; of the default branch as it is, where that is not named."""
    with entered(where) as repository:
        config = load(repository)
        ends = [commit(repository, name, option) for name, option in ((base, "--base"), (head, "--head")) if name]
        return _between(repository, config, *(ends if base else [repository.tip, *ends]))


def items(comparison: Comparison) -> list[dict[str, object]]:
    """For programs (`shiplane/diff/1`): an item for each service in an environment, and one for files besides."""
    found: list[dict[str, object]] = [
        {
            "service": each.service or None,
            "environment": each.environment,
            **(item(each.difference) if each.difference else {"dangers": None, "resources": None}),
            "problems": [str(problem) for problem in each.problems],
            "untold": each.untold or None,
            "files": [],
        }
        for each in comparison.changes
    ]
    if comparison.others:
        empty: dict[str, object] = {
            "service": None,
            "environment": None,
            "dangers": [],
            "resources": [],
            "problems": [],
            "untold": None,
        }
        found.append({**empty, "files": [printable(path) for path in comparison.others]})
    return found


def _no_result(request: PullRequest, result: Conflict | None) -> Problem:
    if result is None:
        return Problem(request.url, "has just been changed", "try the same command again")
    return Problem(request.url, f"cannot be merged: both sides changed {', '.join(map(printable, result.paths))}")


def _promotion(repository: Repository, config: Config, snapshot: Snapshot, request: Promotion) -> _Sides:
    planned = promote.step(config, snapshot, request, Known(), clock.now())
    if isinstance(planned, Nothing):
        return _Sides((request.service, request.to), None, None, NO_RELEASES)
    step = gather.completed(repository, [planned])[0]
    before = _side(config, step.case.base, (step.service, step.to.name)) if step.old else None
    after = _side(config, step.case.head, (step.service, step.to.name))
    releases = between(step.old.release if step.old else None, step.new.release)
    return _Sides((step.service, step.to.name), before, after, releases)


def _between(repository: Repository, config: Config, base: str, head: str) -> Comparison:
    """Every place of which something is changed that is rendered, both sides of all in a few reads."""
    changed = repository.changed(base, head)
    whole = repository.listing(None, head)
    about = subject(config, whole, changed, services(repository, config, base))
    places = [*about.pins, *about.ends, *about.settings.values()]
    if config.layout.own:
        places = list(dict.fromkeys(places))
        folders = [config.layout.folder(environment, service) for service, environment in places]
        sides = [repository.listing(folders, each) if folders else Snapshot(each) for each in (base, head)]
        one, other = repository.read_all((each, _files(each)) for each in sides)
    else:
        reached = gather.affected(repository, config, whole, changed)
        places = list(dict.fromkeys([*places, *reached]))
        one, other = _elsewhere(repository, config, [repository.listing(None, base), whole], places)
        about = settled(config, one, other, about, changed)
        own = (place for path, place in about.settings.items() if not config.layout.shared(path, config.environments))
        mine = list(dict.fromkeys([*about.pins, *about.ends, *own]))
        places = [*built.apart(config, mine), *built.apart(config, reached, mine)]
    found = [_sides(config, place, one, other) for place in places]
    if config.layout.render and config.layout.render.whole:
        mine = [each for each in about.pins if [at for _, at in about.pins].count(each[1]) == 1]
        found = [each if each.place in mine else replace(each, place=("", each.place[1])) for each in found]
    told = [each for each in found if each.before or each.after]
    shown = _shown(config, told, changed, (one, other))
    return _compared(told, [path for path in changed if path not in shown])


def _elsewhere(
    repository: Repository, config: Config, sides: Sequence[Snapshot], places: Sequence[Place]
) -> list[Snapshot]:
    """Both sides with all that is read of these places in a layout of somebody else's: pins, and what renders them."""
    paths = [path for service, environment in places for path in config.layout.paths(environment, service)]
    read = repository.read_all((each, _files(each.below(paths))) for each in sides)
    return gather.gathered(repository, config, [(each, places) for each in read])


def _shown(
    config: Config, told: Sequence[_Sides], changed: Collection[str], snapshots: Iterable[Snapshot]
) -> frozenset[str]:
    """Those of the paths whose change is told as one of what is rendered."""
    places = [each.place for each in told if not isinstance(each.after, Unrendered)]
    if config.layout.own:
        folders = tuple(f"{config.layout.folder(*reversed(place))}/" for place in places)
        return frozenset(path for path in changed if path.startswith(folders))
    found = (built.affected(config, each, places, changed) for each in snapshots)
    return frozenset(path for each in found for paths in each.values() for path in paths)


def _files(listing: Snapshot) -> list[str]:
    return [path for path, entry in listing.entries.items() if entry.mode in (FILE, EXECUTABLE)]


def _sides(config: Config, place: Place, base: Snapshot, head: Snapshot) -> _Sides:
    try:
        old, new = (pins.pin(each, config, *reversed(place)) for each in (base, head))
        releases = between(old.release, new.release) if old and new else NO_RELEASES
    except ShiplaneError:  # a pin that nobody can read: then nothing of it is expected to change either
        releases = NO_RELEASES
    return _Sides(place, _side(config, base, place), _side(config, head, place), releases)


def _side(config: Config, snapshot: Snapshot, place: Place) -> Side:
    """What would be rendered; None where there is nothing. helm is not shown a tree that must not be carried."""
    service, environment = place
    to = config.environments[environment]
    folder = f"{config.layout.folder(environment, service)}/chart"
    chart = snapshot.files(folder) if config.layout.own else {}
    if config.layout.own and (wrong := carried.check(chart, folder)):
        return ShiplaneError(wrong) if chart else None
    if not config.layout.own and not any(map(snapshot.get, config.layout.paths(environment, service))):
        return None
    try:
        found = rendering(snapshot, config, to, service, (), chart)
    except ShiplaneError as error:
        return error
    return proof.possible(found)


def _compared(sides: Iterable[_Sides], others: Sequence[str] = ()) -> Comparison:
    """Each pair by itself, as soon as both sides are rendered: those behind it are being rendered meanwhile."""
    found = list(sides)
    renderings = [each for pair in found for each in (pair.before, pair.after) if isinstance(each, Rendering)]
    with proof.ahead(renderings) as text:
        return Comparison(tuple(_change(each, text) for each in found), tuple(others))


def _change(sides: _Sides, text_of: Callable[[Rendering], proof.Rendered]) -> Change:
    service, environment = sides.place
    told: list[bytes | None] = []
    for each, when in ((sides.before, "as it is now"), (sides.after, "as it would be")):
        if isinstance(each, Unrendered):
            return Change(service, environment, None, untold=f"{when} it is not rendered here: {each.why}")
        text = text_of(each) if isinstance(each, Rendering) else each
        if isinstance(text, ShiplaneError):
            return Change(service, environment, None, tuple(_placed(each, when) for each in text.problems))
        told.append(text)
    try:
        namespace = next((each.namespace for each in (sides.after, sides.before) if isinstance(each, Rendering)), "")
        return Change(service, environment, diff.compared(told[0], told[1], namespace, sides.releases))
    except ShiplaneError as error:
        return Change(service, environment, None, error.problems)


def _placed(problem: Problem, when: str) -> Problem:
    return Problem(f"{problem.place}, {when}", problem.rule, problem.mend)
