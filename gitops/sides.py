"""Reads what a judgement looks at: the commit that a pull request lands on, and the tree that it makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitops import catalog, gather, holds
from gitops import config as configuration
from gitops.carried import MOST_FILES
from gitops.config import Config
from gitops.gates.case import Place
from gitops.gates.subject import Subject, settled, subject
from gitops.model import EXECUTABLE, FILE, TREE, Snapshot, above
from gitops.repo import Repository


@dataclass(frozen=True)
class Read:
    """All that is read of git for a judgement; `changed` are the paths in which the result differs from `base`."""

    base: Snapshot
    head: Snapshot
    changed: tuple[str, ...]
    about: Subject


def read(repository: Repository, config: Config, tree: str, on: str) -> Read:
    """What the gates look at: of the result all names, and the bytes of the files that decide."""
    changed = repository.changed(on, tree)
    head = repository.listing(None, tree)
    about = subject(config, head, changed, services(repository, config, on))
    judged = dict.fromkeys([*about.pins, *about.settings.values()])
    places = dict.fromkeys([*judged, *about.applications.values(), *about.ends])
    paths = [
        configuration.PATH,
        *about.holds,
        *about.settings,
        *(path for place in places for path in _needs(config, place)),
    ]
    charts = {f"{config.layout.folder(each, service)}/chart" for service, _ in places for each in config.environments}
    own = {f"{config.layout.folder(environment, service)}/chart" for service, environment in judged}
    before, after = repository.listing(paths, on), head.below(paths)
    asked = [(before, _read_of(before, charts)), (after, _read_of(after, charts - own))]
    base, filled = repository.read_all(asked)
    after = Snapshot(tree, {**head.entries, **filled.entries})
    about = settled(config, base, after, about, changed)
    if config.layout.render:
        base = Snapshot(base.tip, {**repository.listing(None, on).entries, **base.entries})
        after = gather.gathered(repository, config, [(after, [*about.pins, *about.settings.values()])])[0]
    return Read(base, after, changed, about)


def services(repository: Repository, config: Config, commit: str) -> list[str]:
    """The services that the catalog of `commit` has, of which a file that they share may be; none where none is."""
    if not any(map(config.layout.shares, config.layout.carries)):
        return []
    return catalog.names(repository.listing(["services"], commit))


def _needs(config: Config, place: Place) -> list[str]:
    """The paths that the gates of a place look at."""
    service, environment = place
    return [
        catalog.path(service),
        holds.path(environment, service),
        f"defaults/{environment}",
        *catalog.starting_paths(config, environment, service),
        *(path for each in config.environments for path in config.layout.paths(each, service)),
    ]


def _read_of(listing: Snapshot, but: Iterable[str]) -> list[str]:
    """The files of `listing` that are read: none of the charts in `but`, nor of one that its number refuses anyway."""
    charts = [chart for chart, entry in listing.entries.items() if entry.mode == TREE and chart.endswith("/chart")]
    unread = {*but, *(chart for chart in charts if len(listing.files(chart)) > MOST_FILES)}
    return [
        path
        for path, entry in listing.entries.items()
        if entry.mode in (FILE, EXECUTABLE) and unread.isdisjoint(above(path))
    ]
