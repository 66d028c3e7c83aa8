"""What a service is rendered from in a layout of somebody else's: which files, or why nothing is rendered. Pure.

A snapshot here lists all of its commit; `unread` says of which files the bytes are to be read next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from generator.errors import REFUSED, Problem, ShiplaneError
from gitops import carried, elsewhere, status
from gitops.config import Config, Environment
from gitops.kustomize.closure import Closure, closure
from gitops.model import EXECUTABLE, FILE, Entry, Rendering, Snapshot, Unrendered
from gitops.recipe import Recipe

Place = tuple[str, str]
"""A service, and an environment."""
ALL = "all services"
"""How those are called that one rendering has."""
_PLAIN = (FILE, EXECUTABLE)


def rendering(snapshot: Snapshot, config: Config, to: Environment, service: str) -> Rendering | Unrendered:
    """What helm or kustomize gets, or why it gets nothing.

    Raises ShiplaneError, with exit code 3, where nobody could render it, Argo CD least of all.
    """
    recipe = config.layout.render
    paths = config.layout.paths(to.name, service)
    if recipe is None:
        return Unrendered(elsewhere.named({path: data for path in paths if (data := snapshot.data(path))}))
    if recipe.kustomize:
        return _overlay(snapshot, recipe, to, service, paths)
    return _chart(snapshot, recipe, to, service)


def place(config: Config, environment: str, service: str) -> str:
    """The folder that is rendered: a chart's, or the one that kustomize builds."""
    recipe = config.layout.render
    return recipe.place(environment, service) if recipe else f"{config.layout.folder(environment, service)}/chart"


def unread(config: Config, snapshot: Snapshot, places: Collection[Place]) -> list[str]:
    """The files to read next for rendering these places; none when all is there."""
    recipe = config.layout.render
    if recipe is None:
        return []
    wanted = dict.fromkeys(path for each in places for path in _files(recipe, snapshot, *each))
    return [path for path in wanted if (entry := snapshot.get(path)) and entry.data is None and entry.mode in _PLAIN]


def undecided(config: Config, snapshot: Snapshot, places: Collection[Place]) -> list[str]:
    """The files to read next for knowing which files these places are rendered from; none when that is known."""
    recipe = config.layout.render
    if recipe is None or recipe.helm:
        return []
    found = (closure(snapshot, recipe.place(environment, service)) for service, environment in places)
    return [*dict.fromkeys(path for each in found for path in each.unread)]


def places(config: Config, snapshot: Snapshot) -> list[Place]:
    """Every service in every environment that has something carried of it."""
    return [
        (service, environment)
        for service in status.services(config, snapshot)
        for environment in config.environments
        if any(snapshot.get(path) for path in config.layout.paths(environment, service))
    ]


def whose(config: Config, place: Place) -> str:
    """Of whom that is which is rendered of a place, in words."""
    recipe = config.layout.render
    return f"{ALL if recipe and recipe.whole else place[0]} in {place[1]}"


def apart(config: Config, among: Collection[Place], but: Collection[Place] = ()) -> list[Place]:
    """Those `among` these that are rendered by themselves, and none that is rendered with one of `but`.

    Where one rendering has all services of an environment, the first of them stands for it.
    """
    recipe = config.layout.render
    if recipe is None or not recipe.whole:
        return [place for place in among if place not in but]
    first: dict[str, Place] = {}
    for place in among:
        first.setdefault(place[1], place)
    return [place for environment, place in first.items() if environment not in {each for _, each in but}]


def affected(
    config: Config, snapshot: Snapshot, among: Collection[Place], changed: Collection[str]
) -> dict[Place, frozenset[str]]:
    """The places `among` these that are rendered from `changed` paths, with those; nothing of them is undecided."""
    recipe, paths = config.layout.render, frozenset(changed)
    found = {each: _reads(recipe, snapshot, each, paths) for each in among if recipe}
    return {each: read for each, read in found.items() if read}


def _reads(recipe: Recipe, snapshot: Snapshot, each: Place, changed: frozenset[str]) -> frozenset[str]:
    service, environment = each
    folder = recipe.place(environment, service)
    if recipe.kustomize:
        found = closure(snapshot, folder)
        return changed.intersection((*found.files, *found.looked))
    below = {path for path in changed if path.startswith(f"{folder}/")}
    return changed.intersection((*recipe.settings(environment, service), *below))


def _files(recipe: Recipe, snapshot: Snapshot, service: str, environment: str) -> Iterator[str]:
    folder = recipe.place(environment, service)
    if recipe.kustomize:
        found = closure(snapshot, folder)
        yield from found.unread or (() if found.outward or found.wrong else found.files)
        return
    files = snapshot.files(folder)
    if len(files) <= carried.MOST_FILES:
        yield from (f"{folder}/{path}" for path in files)
    yield from recipe.settings(environment, service)


def _overlay(
    snapshot: Snapshot, recipe: Recipe, to: Environment, service: str, paths: Collection[str]
) -> Rendering | Unrendered:
    folder = recipe.place(to.name, service)
    found: Closure = closure(snapshot, folder)
    if found.wrong:
        first = found.wrong[0]
        raise ShiplaneError(Problem(f"{service} in {to.name}", f"cannot be built: {first.place} {first.rule}"), REFUSED)
    if found.outward:
        return Unrendered(found.outward)
    if left := [path for path in paths if path not in found.files]:
        return Unrendered(f"{folder} does not build from {left[0]}")
    files = _held(snapshot, {path: path for path in found.files})
    if (size := sum(len(data) for _, data in files.values())) > carried.MOST_BYTES:
        return Unrendered(f"{folder} builds from {size} bytes, over {carried.MOST_BYTES}")
    return Rendering(service, to.name, to.namespace_of(service), to.kubernetes, files, (), overlay=folder)


def _chart(snapshot: Snapshot, recipe: Recipe, to: Environment, service: str) -> Rendering | Unrendered:
    folder = recipe.place(to.name, service)
    tree = snapshot.files(folder)
    if not tree:
        raise ShiplaneError(Problem(f"{service} in {to.name}", f"cannot be rendered: {folder} is not there"), REFUSED)
    if wrong := carried.check(tree, folder):  # Argo CD may take it, and fetch what it depends on: that proves nothing
        return Unrendered(f"helm is not shown this chart: {wrong[0].place} {wrong[0].rule}")
    values = []
    for index, path in enumerate(recipe.settings(to.name, service)):
        entry: Entry | None = snapshot.get(path)
        if entry is None:
            rule = f"cannot be rendered: {path} is not there"
            raise ShiplaneError(Problem(f"{service} in {to.name}", rule), REFUSED)
        if entry.mode not in _PLAIN:
            return Unrendered(f"{path} is {carried.kind(entry.mode)}, which is not followed")
        values.append((f"{index}-{path.rpartition('/')[2]}", entry.data or b""))
    files = _held(snapshot, {path: f"{folder}/{path}" for path in tree})
    name = recipe.named(to.name, service)
    return Rendering(service, to.name, to.namespace_of(service), to.kubernetes, files, tuple(values), release=name)


def _held(snapshot: Snapshot, paths: Mapping[str, str]) -> dict[str, tuple[str, bytes]]:
    """The modes and the bytes of the files at these paths of the snapshot, by their names beside them."""
    entries = {name: snapshot.entries[path] for name, path in paths.items()}
    return {name: (entry.mode, entry.data or b"") for name, entry in entries.items()}
