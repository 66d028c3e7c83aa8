"""A GitOps repository's work tree: each service in each environment as it is rendered, and its own rules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from generator.errors import Problem, ShiplaneError, printable
from gitops import built, catalog, config, pins, status
from gitops.catalog import Service
from gitops.check import applications, cells, owners
from gitops.check.cells import Cell
from gitops.check.rendering import Rendered, inside_of, rendered
from gitops.check.told import Judgement, error, refused
from gitops.check.tree import LINK, filled, listing, snapshot
from gitops.config import Config
from gitops.model import EXECUTABLE, FILE, TREE, Snapshot
from gitops.policy import judge
from gitops.policy.exceptions import excepted, stale
from gitops.policy.finding import OWNER_LABEL, Context, Finding, Place
from gitops.proof import key


def judged(root: Path, today: date) -> Judgement:
    """All findings of the work tree at `root`; raises ShiplaneError where shiplane.yaml itself cannot be read."""
    own = snapshot(root, [config.PATH])
    if (entry := own.get(config.PATH)) and entry.mode not in (FILE, EXECUTABLE):
        raise ShiplaneError(Problem(config.PATH, "is no plain file", "put the file itself there"))
    settings = config.load(own.data(config.PATH))
    tree = _elsewhere(settings, root) if settings.layout.render else snapshot(root, _paths(settings, root))
    known, findings = _catalog(settings, tree)
    if settings.layout.own:
        found = [each for service in status.services(settings, tree) for each in cells.own(settings, tree, service)]
        findings += [*owners.findings(settings, tree), *applications.findings(settings, tree, known)]
        findings += _odd(settings, tree)
    elif settings.layout.render:
        found = [*cells.elsewhere(settings, tree)]
    else:
        told = "this layout is not rendered here: only shiplane.yaml, the catalog and the pins were judged"
        return Judgement(tuple(_below(root, [*findings, *_unreadable(settings, tree)])), 0, (told,))
    findings += [finding for cell in found for finding in cell.findings]
    wanted = [cell.rendering for cell in found if cell.rendering]
    done = rendered(wanted)
    objects = 0
    for cell in found:
        if cell.rendering:
            result = done[key(cell.rendering)]
            findings += _cell(settings, cell, result, known)
            objects += 0 if isinstance(result, ShiplaneError) else len(result)
    heard = excepted(findings, settings.exceptions, today)
    untold = [cell for cell in found if cell.untold]
    whole = not untold and all(each.rule not in ("readable", "renders", "pin", "carried-tree") for each in findings)
    old = stale(settings.exceptions, heard.used if whole else settings.exceptions, today)
    notes = [f"{len(heard.covered)} findings are excepted in {config.PATH}"] if heard.covered else []
    notes += [f"{cell.service} in {cell.environment} is not rendered here: {cell.untold}" for cell in untold]
    if not wanted and not untold:
        notes.append("no service is pinned in any environment: only the repository's own rules were judged")
    return Judgement(tuple(_below(root, [*heard.left, *old])), objects, tuple(notes))


def _elsewhere(settings: Config, root: Path) -> Snapshot:
    """All of the work tree, with the bytes of what is judged: pins, the catalog, and all that these are rendered from.

    What is rendered may lie anywhere; what is not is only listed.
    """
    tree = listing(root)
    pinned = {path for place in built.places(settings, tree) for path in settings.layout.paths(*reversed(place))}
    known = [path for path in tree.entries if path.startswith("services/")]
    tree = filled(root, tree, _plain(tree, [*pinned, *known]))
    while wanted := built.unread(settings, tree, built.places(settings, tree)):
        tree = filled(root, tree, _plain(tree, wanted))
    return tree


def _plain(tree: Snapshot, paths: Iterable[str]) -> list[str]:
    """Those of the paths at which a plain file lies."""
    return [path for path in paths if (entry := tree.get(path)) and entry.mode in (FILE, EXECUTABLE)]


def _paths(settings: Config, root: Path) -> list[str]:
    roots = [settings.layout.folder(name, "").rstrip("/") for name in settings.environments]
    if not settings.layout.own:
        every = [each.name for each in root.iterdir() if each.name != ".git"]
        return [config.PATH, "services", settings.layout.root()] if settings.layout.root() else every
    return [
        config.PATH,
        *owners.FILES,
        ".github/workflows",
        "bootstrap",
        "projects",
        "services",
        "apps",
        "defaults",
        *roots,
    ]


def _catalog(settings: Config, tree: Snapshot) -> tuple[dict[str, Service], list[Finding]]:
    """The services of the catalog, and what is wrong with entries, or for want of one."""
    known: dict[str, Service] = {}
    findings: list[Finding] = []
    for name in status.services(settings, tree):
        try:
            known[name] = catalog.lookup(tree, name)
        except ShiplaneError as refusal:
            file = "" if tree.get(catalog.path(name)) else catalog.path(name)
            findings += refused("catalog", refusal, service=name, file=file)
    return known, findings


def _unreadable(settings: Config, tree: Snapshot) -> Iterator[Finding]:
    """The pins, in a layout of somebody else's, that nobody can read."""
    for service in status.services(settings, tree):
        for name in settings.environments:
            try:
                pins.pin(tree, settings, name, service)
            except ShiplaneError as refusal:
                yield from refused("pin", refusal, service=service, environment=name)


def _cell(settings: Config, cell: Cell, result: Rendered, known: Mapping[str, Service]) -> list[Finding]:
    """What the policy says of one service in one environment."""
    at = {"service": cell.service, "environment": cell.environment}
    if isinstance(result, ShiplaneError):
        mend = "mend the chart and release it again, or the settings in values.yaml"
        problems = [replace(each, rule=_own_words(each), mend=each.mend or mend) for each in result.problems]
        return refused("renders", problems, file=cell.place, **at)
    context = context_of(settings, cell.environment, cell.service, known.get(cell.service))
    return list(inside_of(cell.place, judge(result, context)))


def context_of(settings: Config, environment: str, service: str, entry: Service | None) -> Context:
    """What shiplane.yaml and the catalog know of one service in one environment."""
    at, recipe = settings.environments[environment], settings.layout.render
    several = recipe is not None and recipe.whole  # what is rendered is not this service's alone
    return Context(
        service="" if several else service,
        environment=environment,
        namespace="" if several and "{service}" in at.namespace else at.namespace_of(service),
        registry=at.registry,
        owner=entry.owner if entry and not several else "",
        owner_label=settings.owner_label or OWNER_LABEL,
    )


def _own_words(problem: Problem) -> str:
    """What helm or kustomize, or the reader of what they render, says; that by the line of the rendered text."""
    place = f"{problem.place}: " if problem.place.startswith(("what helm renders", "what kustomize renders")) else ""
    return f"{place}{problem.rule}"


def _odd(settings: Config, tree: Snapshot) -> Iterator[Finding]:
    """Whatever is no plain file, and what Argo CD takes for settings of its own, outside the charts judged above."""
    roots = [settings.layout.folder(name, "") for name in settings.environments]
    for path, entry in tree.entries.items():
        below = next((path.removeprefix(root) for root in roots if path.startswith(root)), "")
        if below.split("/")[1:2] == ["chart"] and below.count("/") > 1:
            continue
        kind = "is a symbolic link" if entry.mode == LINK else "is no plain file"
        if entry.mode not in (FILE, EXECUTABLE, TREE):
            yield error("carried-tree", Place(file=printable(path)), f"{kind}: it is followed out of what was reviewed")
        elif path.rpartition("/")[2].lower().startswith(".argocd-source"):
            yield error("carried-tree", Place(file=printable(path)), "Argo CD would take its own settings from it")


def _below(root: Path, findings: list[Finding]) -> Iterator[Finding]:
    """`findings` with their files as they are reached from here."""
    above = os.fspath(root)
    for each in findings:
        file = each.place.file if above == "." or not each.place.file else f"{above}/{each.place.file}"
        yield replace(each, place=replace(each.place, file=printable(file)))
