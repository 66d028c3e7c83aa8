"""Applications: each runs its own service, in its own environment, from this repository, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.errors import ShiplaneError
from gitops import catalog
from gitops.check.told import error, refused
from gitops.config import Config, Environment
from gitops.model import EXECUTABLE, FILE, TREE, Snapshot
from gitops.policy.finding import Finding, Place, dotted, safe
from gitops.policy.objects import Object, Path
from gitops.policy.reading import read

_READ = (".yaml", ".yml", ".json", ".jsonnet")
"""What Argo CD takes from a folder of manifests ("Directory")."""
_DECIDING = ("project", "source", "sources", "destination")
"""The keys of its spec by which an Application runs this and not another thing, here and not elsewhere."""


def findings(config: Config, snapshot: Snapshot, services: Mapping[str, catalog.Service]) -> Iterator[Finding]:
    """What is wrong with the files that the environments' parents apply; `services` are those of the catalog."""
    for environment in config.environments.values():
        folder = f"apps/{environment.name}/"
        for path in sorted(snapshot.entries):
            name = path.removeprefix(folder)
            if path.startswith(folder) and "/" not in name and name.endswith(_READ):
                yield from _file(config, snapshot, environment, path, services)


def _file(
    config: Config, snapshot: Snapshot, environment: Environment, path: str, services: Mapping[str, catalog.Service]
) -> Iterator[Finding]:
    stem, _, suffix = path.rpartition("/")[2].rpartition(".")
    entry = snapshot.entries[path]
    if entry.mode not in (FILE, EXECUTABLE) or entry.mode == TREE:
        return  # told where all that is no plain file is
    try:
        found = read(entry.data or b"", path)
        expected = _expected(config, snapshot, environment, services[stem]) if stem in services else None
    except ShiplaneError as refusal:
        yield from refused("application", refusal, service=stem, environment=environment.name)
        return
    kinds = [(each.group, each.kind) for each in found]
    if kinds != [("argoproj.io", "Application")] or suffix != "yaml":
        told = f"must hold one Application and nothing else: it is applied with the rights of {environment.name}-apps"
        place = Place(file=path, service=stem, environment=environment.name)
        yield error("application", place, told, "one file SERVICE.yaml for each Application")
        return
    yield from _application(found[0], environment, stem, expected)


def _application(
    found: Object, environment: Environment, service: str, expected: Mapping[str, Any] | None
) -> Iterator[Finding]:
    def told(path: Path, message: str, fix: str) -> Finding:
        place = Place(found.kind, found.namespace, safe(found.name), "", dotted(path), found.file, found.line(path))
        return error("application", place, message, fix)

    name, project = f"{service}-{environment.name}", found.get("spec", "project")
    if found.name != name:
        yield told(("metadata", "name"), f"is called {safe(found.name)}", f"call it {name}")
    if project != environment.name:
        yield told(
            ("spec", "project"),
            f"its project is {safe(project)}, not its environment's",
            f"project: {environment.name}",
        )
    if expected is None:
        fix = f"gitops onboard {service} --source OWNER/REPOSITORY --image REPOSITORY, or take it away"
        yield told((), f"runs {safe(service)}, which the catalog does not know: nothing says what it may run", fix)
        return
    for path in _differing([found.get("spec", key) for key in _DECIDING], [expected.get(key) for key in _DECIDING]):
        where: Path = ("spec", _DECIDING[int(path[0])], *path[1:])
        if where != ("spec", "project"):
            rule = f"is not as defaults/{environment.name}/application.yaml has it: it points elsewhere"
            yield told(where, rule, "take the default's, or change the default for all")


def _expected(
    config: Config, snapshot: Snapshot, environment: Environment, service: catalog.Service
) -> Mapping[str, Any]:
    """The spec that a first release would write today."""
    folder = f"defaults/{environment.name}/"
    bare = Snapshot("", {path: entry for path, entry in snapshot.entries.items() if path.startswith(folder)})
    written = catalog.starting_changes(bare, config, environment, service)[0].content
    found = read(written if isinstance(written, bytes) else b"", f"{folder}application.yaml")
    spec = found[0].get("spec") if found else None
    return spec if isinstance(spec, Mapping) else {}


def _differing(one: Any, other: Any, path: Path = ()) -> Iterator[Path]:
    """The places at which two values differ, as deep as they are alike around them."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted(one.keys() | other.keys()):
            yield from _differing(one.get(key), other.get(key), (*path, key))
    elif _rows(one) and _rows(other) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _differing(mine, theirs, (*path, index))
    elif one != other:
        yield path


def _rows(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
