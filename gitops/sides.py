"""Reads what a judgement looks at: the commit that a pull request lands on, and the tree that it makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generator.errors import ShiplaneError
from gitops import catalog, gather, holds, keyed
from gitops import config as configuration
from gitops.carried import MOST_FILES
from gitops.config import Config
from gitops.gates.case import Place
from gitops.gates.subject import Subject, settled, subject
from gitops.layout import Layout
from gitops.model import EXECUTABLE, FILE, TREE, Snapshot, above
from gitops.pull_request import PullRequest
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
        *(path for path in about.others if config.layout.shared(path, config.environments)),
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


def strayed(repository: Repository, config: Config, request: PullRequest, seen: Read) -> tuple[str, ...]:
    """The files that services share in which the merge pins something else than the pull request's own head does.

    git merges lines: where the entries have been put in another order meanwhile, a tag can land in a neighbour's.
    """
    layout = config.layout
    names = [name for name in layout.carries if layout.shares(name)]
    if not names:
        return ()
    places = dict.fromkeys([*seen.about.pins, *((move.service, move.environment) for move in request.moves)])
    files = [(place, name, layout.path(place[1], place[0], name)) for place in places for name in names]
    files = [each for each in files if each[2] in {*seen.changed}]
    own = repository.snapshot([*dict.fromkeys(path for _, _, path in files)], request.head)
    found = (
        path for place, name, path in files if _said(layout, place, name, seen.head) != _said(layout, place, name, own)
    )
    return tuple(dict.fromkeys(found))


def _said(layout: Layout, place: Place, name: str, snapshot: Snapshot) -> str | None:
    """What a file pins of a service; None where nobody can read it, which the gates say."""
    path = layout.path(place[1], place[0], name)
    try:
        return keyed.state(layout, place, name, keyed.regular(snapshot.get(path), path))
    except ShiplaneError:
        return None


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
