"""Reads what a service is rendered from in a layout of somebody else's: a few fetches, one for each level of bases."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gitops import built
from gitops.built import Place
from gitops.config import Config
from gitops.kustomize.upwards import folders, kustomizations
from gitops.model import Snapshot
from gitops.repo import Repository
from gitops.step import Step


def gathered(
    repository: Repository, config: Config, asked: Sequence[tuple[Snapshot, Collection[Place]]]
) -> list[Snapshot]:
    """Each snapshot, which lists all of its commit, with the bytes of all that the places beside it are rendered from.

    In Shiplane's own layout, and in one that is not rendered here, as they are.
    """
    found = [snapshot for snapshot, _ in asked]
    while True:
        wanted = [(each, built.unread(config, each, places)) for each, (_, places) in zip(found, asked, strict=True)]
        if not any(paths for _, paths in wanted):
            return found
        found = repository.read_all(wanted)


def affected(
    repository: Repository, config: Config, snapshot: Snapshot, changed: Collection[str]
) -> dict[Place, frozenset[str]]:
    """The places that are rendered from `changed` paths, with those, in all of the commit that `snapshot` lists."""
    recipe = config.layout.render
    if recipe is None:
        return {}
    among = built.places(config, snapshot)
    if recipe.kustomize:
        unread = [path for path in kustomizations(snapshot) if snapshot.data(path) is None]
        snapshot = repository.read_all([(snapshot, unread)])[0]
        reached = folders(snapshot, changed)
        among = [each for each in among if recipe.place(*reversed(each)) in reached]
    while paths := built.undecided(config, snapshot, among):
        snapshot = repository.read_all([(snapshot, paths)])[0]
    return built.affected(config, snapshot, among, changed)


def completed(repository: Repository, steps: Sequence[Step]) -> list[Step]:
    """The steps, each with all that it is rendered from, before and after it."""
    if not steps or steps[0].case.config.layout.render is None:
        return [*steps]
    listing = repository.listing(None).entries
    sides = [Snapshot(each.tip, {**listing, **each.entries}) for s in steps for each in (s.case.base, s.case.head)]
    places = [[(step.service, step.to.name)] for step in steps for _ in range(2)]
    sides = gathered(repository, steps[0].case.config, list(zip(sides, places, strict=True)))
    return [
        replace(step, case=replace(step.case, base=base, head=head))
        for step, base, head in zip(steps, sides[::2], sides[1::2], strict=True)
    ]
