"""What a pull request is about, told by the paths that it changes: pins, settings, or the administrators' own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from generator.errors import ShiplaneError
from generator.service import check_name
from gitops import catalog, keyed, pins
from gitops.config import Config
from gitops.gates.case import Identity, Place
from gitops.model import Snapshot
from gitops.policy.reading import read


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
    unread: dict[Place, set[str]] = {}
    for place in about.pins:
        mine = {*config.layout.paths(*reversed(place))} & {*changed}
        one, other = (_identity(each, config, place) for each in (base, head))
        if one is None and other is None:
            unread[place] = mine
        elif mine and one == other:
            settings = {**dict.fromkeys(sorted(mine), place), **settings}
        else:
            pinned[place] = mine
    pinned |= {place: mine for place, mine in unread.items() if not _beside(config, base, head, [*pinned], place, mine)}
    decided = frozenset[str]().union(*pinned.values())  # a file that services share is no setting where one is pinned
    left = {path: place for path, place in settings.items() if path not in decided}
    return replace(about, pins=tuple(pinned), settings={**about.settings, **left})


def _identity(snapshot: Snapshot, config: Config, place: Place) -> Identity | None:
    """See `pins.identity`; None where it cannot be read."""
    try:
        return pins.identity(snapshot, config, *reversed(place))
    except ShiplaneError:
        return None


def _beside(
    config: Config, base: Snapshot, head: Snapshot, pinned: Iterable[Place], place: Place, mine: Iterable[str]
) -> bool:
    """Whether what stands at `place`, which nobody can read, is as before: its files differ in pins of others alone.

    One that is in disorder is no reason to keep its neighbours from what is theirs.
    """
    near = [each for each in pinned if each[1] == place[1]]
    names = {config.layout.shared(path, config.environments) for path in mine}
    found = [(config.layout.path(place[1], place[0], each[1]), each[1]) for each in names if each]
    return bool(near and len(found) == len(names)) and all(
        keyed.only_keys(config.layout, near, name, base.data(path) or b"", head.data(path) or b"")
        for path, name in found
    )


def comes(config: Config, base: Snapshot, place: Place) -> bool:
    """Whether `place` is new in a file that services share, or was in disorder there: then people write more of it
    than what is carried.
    """
    try:
        known = pins.pin(base, config, *reversed(place))
    except ShiplaneError:
        known = None
    return known is None and any(map(config.layout.shares, config.layout.keys))


def deciding(config: Config, base: Snapshot, head: Snapshot, about: Subject) -> frozenset[str]:
    """In a layout of somebody else's, what decides what runs where: Argo CD's own objects.

    They are looked for in settings, and in carried files that come or go, or in which a service does.
    """
    if config.layout.own:
        return frozenset()
    carried = [path for place in (*about.pins, *about.ends) for path in config.layout.paths(*reversed(place))]
    come = {
        path for place in about.pins if comes(config, base, place) for path in config.layout.paths(*reversed(place))
    }
    unnamed = [path for path in about.others if config.layout.shared(path, config.environments)]  # no catalog yet
    paths = [
        *about.settings,
        *unnamed,
        *(each for each in carried if base.get(each) is None or head.get(each) is None),
        *come,
    ]
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
