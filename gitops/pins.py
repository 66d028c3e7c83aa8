"""release.yaml and origin.yaml: what an environment records of a service, written and read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generator.document import read
from generator.errors import Problem, ShiplaneError, printable
from gitops import carried, catalog, keyed
from gitops.config import Config
from gitops.model import (
    EXECUTABLE,
    FILE,
    NO_CHART,
    Entry,
    Origin,
    Pin,
    Release,
    Snapshot,
)

TAG = r"^[0-9a-f]{40}$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
NEWEST = 2**53 - 1
"""The largest number of a CI run: every JSON reader holds it exactly."""
_SOURCE, _VERSION = re.compile(catalog.SOURCE), re.compile(carried.VERSION)
_HEAD = "# Written by Shiplane. Do not edit: release, promote or roll back instead.\n"
_RELEASE: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "image": {
            "type": "object",
            "additionalProperties": False,
            "required": ["tag", "digest"],
            "properties": {
                "tag": {"type": "string", "pattern": TAG},
                "digest": {"type": "string", "pattern": DIGEST},
            },
        }
    },
}
_ORIGIN: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["source", "chart", "proved"],
    "properties": {
        "source": {"type": "string", "pattern": catalog.SOURCE},
        "chart": {"type": "string", "pattern": carried.VERSION, "maxLength": 100},
        "run": {"type": "integer", "minimum": 0, "maximum": NEWEST},
        "proved": {"type": "boolean"},
    },
}


# Both as they are written below: a repository holds thousands of them, and a reader of YAML takes 0.5 ms for each.
_RELEASE_WRITTEN = re.compile(
    f'{re.escape(_HEAD)}image:\n  tag: "([0-9a-f]{{40}})"\n  digest: "(sha256:[0-9a-f]{{64}})"\n'
)
_ORIGIN_WRITTEN = re.compile(
    f'{re.escape(_HEAD)}source: "([!-~]+?)"\nchart: "([!-~]{{1,100}}?)"\n'
    r"(?:run: ([1-9][0-9]{0,14})\n)?proved: (true|false)\n"
)


def release_yaml(release: Release) -> bytes:
    """release.yaml: read by helm. Quoted, because helm reads a plain `12e4567` as a number."""
    return f'{_HEAD}image:\n  tag: "{release.tag}"\n  digest: "{release.digest}"\n'.encode()


def origin_yaml(origin: Origin) -> bytes:
    """origin.yaml: not read by helm."""
    run = "" if origin.run is None else f"run: {origin.run}\n"
    proved = str(origin.proved).lower()
    return f'{_HEAD}source: "{origin.source}"\nchart: "{origin.chart}"\n{run}proved: {proved}\n'.encode()


def pin(snapshot: Snapshot, config: Config, environment: str, service: str) -> Pin | None:
    """What `environment` records for `service`; None before its first release. Raises ShiplaneError on nonsense."""
    if not config.layout.own:
        return _keyed_pin(snapshot, config, environment, service)
    folder = config.layout.folder(environment, service)
    release, origin = f"{folder}/release.yaml", f"{folder}/origin.yaml"
    if snapshot.get(release) is None:
        return None
    return Pin(
        _release(snapshot.get(release), release),
        _origin(snapshot.get(origin), origin),
        identity(snapshot, config, environment, service),
    )


def tag(data: bytes) -> str:
    """The tag in a release.yaml; empty where it says nonsense."""
    try:
        return str(read(data, "release.yaml", _RELEASE).data["image"]["tag"])
    except ShiplaneError:
        return ""


def identity(snapshot: Snapshot, config: Config, environment: str, service: str) -> tuple[str, ...]:
    """All that is carried: equal ones mean the same release, whatever the environment.

    Object ids; of a file in which only some values are carried, what these say. Empty for what is not there. Raises
    ShiplaneError for a file in which readers differ on these values.
    """
    layout, place = config.layout, (service, environment)
    found = []
    for name, path in zip(layout.carries, layout.paths(environment, service), strict=True):
        entry = snapshot.get(path)
        if entry and name in layout.keys:
            found.append(keyed.state(layout, place, name, keyed.regular(entry, path)))
        else:
            found.append(entry.oid if entry else "")
    return tuple(found)


def paths(config: Config, environment: str, service: str) -> list[str]:
    """What is read of a service in an environment: all that it has there; of another layout what is carried."""
    if config.layout.own:
        return [config.layout.folder(environment, service)]
    return [*config.layout.paths(environment, service)]


def files(config: Config, environment: str, service: str) -> list[str]:
    """The files that say what is pinned."""
    if config.layout.own:
        folder = config.layout.folder(environment, service)
        return [f"{folder}/release.yaml", f"{folder}/origin.yaml"]
    return [config.layout.path(environment, service, name) for name in config.layout.keys]


def _keyed_pin(snapshot: Snapshot, config: Config, environment: str, service: str) -> Pin | None:
    """The pin in files of another layout: what does not stand there is what the catalog says, or nothing."""
    layout, place = config.layout, (service, environment)
    paths = {name: layout.path(environment, service, name) for name in layout.keys}
    if not all(snapshot.get(path) for path in paths.values()):
        return None
    found = {
        name: keyed.values(layout, place, name, keyed.regular(snapshot.get(path), path)) for name, path in paths.items()
    }
    release = keyed.release(layout, place, found)
    if release is None:
        return None
    try:
        source = catalog.lookup(snapshot, service).source
    except ShiplaneError:  # a table needs no catalog
        source = ""
    return Pin(release, Origin(source, NO_CHART, None, False), identity(snapshot, config, environment, service))


def _release(entry: Entry | None, path: str) -> Release:
    if written := _RELEASE_WRITTEN.fullmatch(_text(entry)):
        return Release(*written.groups())
    image = _read(entry, path, _RELEASE)["image"]
    return Release(image["tag"], image["digest"])


def _origin(entry: Entry | None, path: str) -> Origin:
    if written := _ORIGIN_WRITTEN.fullmatch(_text(entry)):
        source, chart, run, proved = written.groups()
        if _SOURCE.fullmatch(source) and _VERSION.fullmatch(chart):
            return Origin(source, chart, int(run) if run else None, proved == "true")
    told = _read(entry, path, _ORIGIN)
    return Origin(told["source"], told["chart"], told.get("run"), told["proved"])


def _text(entry: Entry | None) -> str:
    """The text of a regular file; empty for anything else."""
    return (entry.data or b"").decode("ascii", "replace") if entry and entry.mode in (FILE, EXECUTABLE) else ""


def _read(entry: Entry | None, path: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The file's data; the way out of any nonsense is its own history."""
    place = printable(path)
    mend = f"bring back the last good one: git log -- {place}"
    if entry is None or entry.mode not in (FILE, EXECUTABLE):
        raise ShiplaneError(Problem(place, "is not there" if entry is None else "is not a regular file", mend))
    try:
        return read(entry.data or b"", place, schema).data
    except ShiplaneError as error:
        *before, last = error.problems
        raise ShiplaneError([*before, replace(last, mend=mend)], error.exit_code) from None
