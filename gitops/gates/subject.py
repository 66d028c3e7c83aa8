"""What a pull request is about, told by the paths that it changes: pins, settings, or the administrators' own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from generator.errors import ShiplaneError, printable
from generator.service import check_name
from gitops import catalog, holds, keyed, pins
from gitops.config import Config
from gitops.gates import paths
from gitops.gates.case import Place
from gitops.gates.verdict import Verdict, passed, refused
from gitops.model import EXECUTABLE, FILE, Snapshot
from gitops.policy.reading import read

_TOLD = 5  # paths that a refusal names; the rest is counted


@dataclass(frozen=True)
class Subject:
    """The changed paths, sorted by what they are.

    `pins` are the places of which something carried is changed; `ends` are those of them where nothing is left of it.
    """

    pins: tuple[Place, ...]
    ends: tuple[Place, ...]
    settings: Mapping[str, Place]
    applications: Mapping[str, Place]
    holds: Mapping[str, Place]
    others: tuple[str, ...]


def subject(config: Config, head: Snapshot, changed: Iterable[str], services: Iterable[str] = ()) -> Subject:
    """The subject of a pull request that changes these paths and leads to `head`.

    A file that services share is about each of `services`, those of the catalog, until it is read: see `settled`.
    """
    names = sorted({*catalog.names(head), *services})
    carried: dict[Place, list[str]] = {}
    settings: dict[str, Place] = {}
    applications: dict[str, Place] = {}
    held: dict[str, Place] = {}
    others: list[str] = []
    for path in changed:
        if names and (shared := config.layout.shared(path, config.environments)):
            for name in names:
                carried.setdefault((name, shared[0]), []).append(path)
            continue
        place, rest = _placed(config, path) if config.layout.own else _elsewhere(config, path)
        if place is None:
            others.append(path)
        elif not config.layout.own and not path.startswith("holds/"):
            if rest in config.layout.carries:
                carried.setdefault(place, []).append(path)
            else:
                settings[path] = place
        elif rest.split("/")[0] in config.layout.carries:
            carried.setdefault(place, []).append(path)
        elif rest == "values.yaml":
            settings[path] = place
        elif rest == "" and path.startswith("holds/"):
            held[path] = place
        elif rest == "":
            applications[path] = place
        else:
            others.append(path)
    ends = [place for place in carried if not _left(config, head, place)]
    others += [path for place in ends for path in carried[place]]
    pins = tuple(place for place in carried if place not in ends)
    return Subject(pins, tuple(ends), settings, applications, held, tuple(others))


def _left(config: Config, head: Snapshot, place: Place) -> bool:
    return any(head.get(path) for path in config.layout.paths(*reversed(place)))


def _elsewhere(config: Config, path: str) -> tuple[Place | None, str]:
    """As `_placed`, in a layout of somebody else's; holds have their own place in any."""
    if path.startswith("holds/"):
        return _placed(config, path)
    place = config.layout.placed(path, config.environments)
    return ((place[0], place[1]), place[2]) if place else (None, "")


def settled(config: Config, base: Snapshot, head: Snapshot, about: Subject, changed: Iterable[str]) -> Subject:
    """`about`, once the files are read: where only other values of a file than the carried ones change, nothing is
    pinned, and the file is settings.
    """
    if config.layout.own:
        return about
    settings: dict[str, Place] = {}
    pinned: dict[Place, set[str]] = {}
    for place in about.pins:
        mine = {*config.layout.paths(*reversed(place))} & {*changed}
        if mine and _same(config, base, head, place):
            settings = {**dict.fromkeys(sorted(mine), place), **settings}
        else:
            pinned[place] = mine
    decided = frozenset[str]().union(*pinned.values())  # a file that services share is no setting where one is pinned
    left = {path: place for path, place in settings.items() if path not in decided}
    return replace(about, pins=tuple(pinned), settings={**about.settings, **left})


def _same(config: Config, base: Snapshot, head: Snapshot, place: Place) -> bool:
    try:
        one, other = (pins.identity(each, config, *reversed(place)) for each in (base, head))
    except ShiplaneError:  # what cannot be read is no mere setting
        return False
    return one == other


def beyond_keys(config: Config, base: Snapshot, head: Snapshot, places: Iterable[Place]) -> list[str]:
    """The files in which more than the values that are carried of `places` is changed."""
    layout, found = config.layout, []
    files: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        for name in layout.keys:
            files.setdefault((layout.path(place[1], place[0], name), name), []).append(place)
    for (path, name), mine in files.items():
        before, after = base.get(path), head.get(path)
        new = before is None or any(_comes(config, base, place) for place in mine)
        if before == after or (new and after and after.mode in (FILE, EXECUTABLE)):
            continue  # what is new is people's, as a whole; what it pins is judged as any pin
        kept = before and after and before.mode == after.mode and after.mode in (FILE, EXECUTABLE)
        one, other = base.data(path) or b"", head.data(path) or b""
        if not kept or not keyed.only_keys(layout, mine, name, one, other):
            found.append(path)
    return found


def _comes(config: Config, base: Snapshot, place: Place) -> bool:
    """Whether `place` is new in a file that services share: then people write more of it than what is carried."""
    if not any(map(config.layout.shares, config.layout.keys)):
        return False
    try:
        return not any(pins.identity(base, config, *reversed(place)))
    except ShiplaneError:
        return False


def deciding(config: Config, base: Snapshot, head: Snapshot, about: Subject) -> frozenset[str]:
    """In a layout of somebody else's, what decides what runs where: Argo CD's own objects.

    They are looked for in settings, and in carried files that come or go, or in which a service does.
    """
    if config.layout.own:
        return frozenset()
    carried = [path for place in (*about.pins, *about.ends) for path in config.layout.paths(*reversed(place))]
    come = {
        path for place in about.pins if _comes(config, base, place) for path in config.layout.paths(*reversed(place))
    }
    paths = [*about.settings, *(each for each in carried if base.get(each) is None or head.get(each) is None), *come]
    return frozenset(path for path in paths if any(_decides(each.data(path), path) for each in (base, head)))


def _decides(data: bytes | None, path: str) -> bool:
    try:
        return data is not None and any(each.group == "argoproj.io" for each in read(data, path))
    except ShiplaneError:
        return True  # what nobody can read may be anything


def _placed(config: Config, path: str) -> tuple[Place | None, str]:
    """The service and the environment that `path` belongs to, and what follows their folder: nothing elsewhere."""
    for name in config.environments:
        root, apps = config.layout.folder(name, ""), (f"apps/{name}/", f"holds/{name}/")
        if path.startswith(root):
            service, _, rest = path[len(root) :].partition("/")
            if rest and not check_name(service):
                return (service, name), rest
        if path.startswith(apps) and path.endswith(".yaml"):
            service = path.split("/", 2)[2].removesuffix(".yaml")
            if not check_name(service):
                return (service, name), ""
    return None, ""


def scope(config: Config, base: Snapshot, head: Snapshot, about: Subject, changed: Sequence[str]) -> Verdict:
    """A pull request that pins changes nothing besides; and none changes what readers of a tree see differently.

    What it may change: what is carried; what a first release adds, byte for byte as the defaults give it; the settings
    of the same service in the same environment; and its hold there, if more is held back then than before. `head` is
    all of the result.
    """
    charts = tuple(f"{config.layout.folder(*reversed(place))}/chart/" for place in about.pins)
    if odd := [*paths.wrong(head, changed, charts)]:
        return refused("scope", _told(f"{printable(path)} {rule}" for path, rule in odd), *(path for path, _ in odd))
    for service, environment in about.ends:
        application = f"apps/{environment}/{service}.yaml"
        if head.get(application):
            return refused("scope", f"takes {service} out of {environment}, where {application} still is", application)
    if about.ends and (more := [*_besides(config, about, changed)]):
        rule = f"takes a service out of an environment, and changes more: {_told(map(printable, more))}"
        return refused("scope", rule, *more)
    if not about.pins:
        return passed("scope", "pins nothing")
    wrong = [*about.others, *beyond_keys(config, base, head, about.pins)]
    wrong += [path for path, place in about.settings.items() if place not in about.pins]
    wrong += [
        path
        for path, place in about.applications.items()
        if place not in about.pins or not as_defaults_say(config, base, head, place, path)
    ]
    wrong += [
        path for path, place in about.holds.items() if place not in about.pins or not holds_more(base, head, path)
    ]
    if wrong:
        return refused("scope", f"changes more than it pins: {_told(map(printable, wrong))}", *wrong)
    told = f"only {', '.join(f'{service} in {environment}' for service, environment in about.pins)}"
    own = [path for path, place in about.settings.items() if not as_defaults_say(config, base, head, place, path)]
    return passed("scope", f"{told}, with settings of a person: {', '.join(own)}" if own else told)


def _besides(config: Config, about: Subject, changed: Iterable[str]) -> Iterable[str]:
    """What is changed besides the services that leave: their folders, Applications and holds."""
    of_theirs = {path for paths in (about.applications, about.holds) for path, at in paths.items() if at in about.ends}
    return (path for path in changed if path not in of_theirs and not leaves(config, about, path))


def leaves(config: Config, about: Subject, path: str) -> bool:
    """Whether `path` lies in what is a service's own in an environment that it leaves."""
    every = [own for place in about.ends for own in config.layout.alone(*reversed(place))]
    return any(path == own or path.startswith(f"{own}/") for own in every)


def _told(found: Iterable[str]) -> str:
    listed = [*found]
    more = f" and {len(listed) - _TOLD} more" if len(listed) > _TOLD else ""
    return f"{', '.join(listed[:_TOLD])}{more}"


def as_defaults_say(config: Config, base: Snapshot, head: Snapshot, place: Place, path: str) -> bool:
    """Whether `path` is written anew exactly as the defaults of the environment and the catalog give it."""
    service, environment = place
    entry = head.get(path)
    if base.get(path) is not None or entry is None or entry.mode != FILE:
        return False
    try:
        known = catalog.lookup(base, service)
        given = catalog.starting_changes(base, config, config.environments[environment], known)
    except ShiplaneError:
        return False
    return any(change.path == path and change.content == entry.data for change in given)


def holds_more(base: Snapshot, head: Snapshot, path: str) -> bool:
    """Whether the hold at `path` holds back all that it did before, or is new."""
    before, after = base.get(path), head.get(path)
    if after is None or after.mode != FILE:
        return False
    now = holds.parsed(after.data or b"", path)
    return before is None or now.covers(holds.parsed(before.data or b"", path))
