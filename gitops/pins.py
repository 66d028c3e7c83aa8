"""release.yaml and origin.yaml: what an environment records of a service, written and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.document import read
from gitops.config import Config
from gitops.model import Origin, Pin, Release, Snapshot

TAG = r"^[0-9a-f]{40}$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
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
        "source": {"type": "string"},
        "chart": {"type": "string"},
        "run": {"type": "integer", "minimum": 0},
        "proved": {"type": "boolean"},
    },
}


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
    folder = config.layout.folder(environment, service)
    release, origin = (snapshot.get(f"{folder}/{name}") for name in ("release.yaml", "origin.yaml"))
    if release is None:
        return None
    image = read(release.data or b"", f"{folder}/release.yaml", _RELEASE).data["image"]
    told = read(origin.data or b"", f"{folder}/origin.yaml", _ORIGIN).data if origin else {}
    return Pin(
        Release(image["tag"], image["digest"]),
        Origin(told.get("source", ""), told.get("chart", ""), told.get("run"), told.get("proved", False)),
        identity(snapshot, config, environment, service),
    )


def identity(snapshot: Snapshot, config: Config, environment: str, service: str) -> tuple[str, ...]:
    """The object ids of all that is carried: equal ids mean the same release, whatever the environment."""
    folder = config.layout.folder(environment, service)
    entries = (snapshot.get(f"{folder}/{name}") for name in config.layout.carries)
    return tuple(entry.oid if entry else "" for entry in entries)
