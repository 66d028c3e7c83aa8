"""What there is to judge in a GitOps repository: each service in each environment, and what is rendered of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from generator.errors import Problem, ShiplaneError, printable
from gitops import built, carried, pins, proof
from gitops.check.told import error, refused
from gitops.config import Config
from gitops.model import Rendering, Snapshot
from gitops.policy.finding import Finding, Place
from gitops.result import rendering


@dataclass(frozen=True)
class Cell:
    """One service in one environment: what is rendered of `place` there, or what stands against rendering it.

    `untold` is why nothing is rendered, where that is nobody's mistake.
    """

    service: str
    environment: str
    place: str
    rendering: Rendering | None = None
    findings: tuple[Finding, ...] = ()
    untold: str = ""


def own(settings: Config, tree: Snapshot, service: str) -> Iterator[Cell]:
    """`service` in each environment that has anything of it, in Shiplane's own layout."""
    for environment in settings.environments.values():
        folder = settings.layout.folder(environment.name, service)
        runs = tree.get(f"apps/{environment.name}/{service}.yaml")
        if tree.get(folder) is None and runs is None:
            continue
        cell = Cell(service, environment.name, f"{folder}/chart")
        at = {"service": service, "environment": environment.name}
        try:
            pinned = pins.pin(tree, settings, environment.name, service)
        except ShiplaneError as refusal:
            yield replace(cell, findings=tuple(refused("pin", refusal, **at)))
            continue
        if pinned is None:
            if runs is not None or tree.get(f"{folder}/chart") is not None:
                rule = f"no release is pinned, and there is {'an Application' if runs else 'a chart'}"
                yield replace(cell, findings=tuple(refused("pin", [Problem(f"{folder}/release.yaml", rule)], **at)))
            continue
        chart = tree.files(f"{folder}/chart")
        if wrong := carried.check(chart, f"{folder}/chart"):
            yield replace(cell, findings=tuple(refused("carried-tree", wrong, **at)))
            continue
        try:
            found = rendering(tree, settings, environment, service, (), chart)
        except ShiplaneError as refusal:
            yield replace(cell, findings=tuple(refused("carried-tree", refusal, **at)))
            continue
        if isinstance(found := proof.possible(found), Rendering):
            yield replace(cell, rendering=found)


def elsewhere(settings: Config, tree: Snapshot) -> Iterator[Cell]:
    """Each service in each environment that has something carried of it, in a layout of somebody else's."""
    places = built.places(settings, tree)
    alone = built.apart(settings, places)
    for service, name in places:
        cell = Cell(service, name, built.place(settings, name, service))
        at = {"service": service, "environment": name}
        try:
            pins.pin(tree, settings, name, service)
        except ShiplaneError as refusal:
            yield replace(cell, findings=tuple(refused("pin", refusal, **at)))
            continue
        if (service, name) not in alone:
            continue
        try:
            found = built.rendering(tree, settings, settings.environments[name], service)
        except ShiplaneError as refusal:
            yield replace(cell, findings=tuple(refused("renders", refusal, file=cell.place, **at)))
            continue
        found = proof.possible(found)
        if isinstance(found, Rendering):
            yield replace(cell, rendering=found, findings=tuple(_of_others(settings, cell, found)))
        else:
            yield replace(cell, untold=found.why)


def _of_others(settings: Config, cell: Cell, found: Rendering) -> Iterator[Finding]:
    """The files that are another environment's, and that this one is built from: it would change with that one."""
    for path in found.chart if found.overlay else ():
        at = settings.layout.environment(path, settings.environments)
        if at and at != cell.environment:
            place = Place(file=printable(path), service=cell.service, environment=cell.environment)
            told = f"is {at}'s, and {cell.environment} is built from it: a release there changes both"
            yield error("lane", place, told, "build both from a base that is neither's")
            return
