"""What will be placed, decided before anything is: the rendered files and the record of how they came to be."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator import __version__
from generator.blueprint import Blueprint
from generator.render import OURS
from generator.tree import PLAIN, File, Tree

LOCK, BASE = f"{OURS}/lock.yaml", f"{OURS}/base.tar.gz"
_HEAD = (
    "# How newservice wrote this repository: commit it and leave it as it is.\n"
    "# With it, and with the files as rendered in base.tar.gz, a later blueprint can be merged with your changes.\n"
)


@dataclass(frozen=True)
class Plan:
    """One service to be placed: `files` by path, the records among them; `proved` says that helm accepted the chart."""

    service: str
    blueprint: str
    version: str
    proved: bool
    files: Tree


def plan(name: str, blueprint: Blueprint, answers: Mapping[str, Any], rendered: Tree, *, proved: bool) -> Plan:
    """The plan for the service `name`; the same input gives the same bytes."""
    lock = File(PLAIN, _lock(name, blueprint, answers, rendered, proved).encode())
    files = {**rendered, LOCK: lock, BASE: File(PLAIN, archive(rendered))}
    return Plan(name, blueprint.name, blueprint.version, proved, dict(sorted(files.items())))


def archive(files: Tree) -> bytes:
    """`files` as a .tar.gz that depends on their paths, modes and bytes alone."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, (mode, data) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    zipped = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=zipped, mtime=0) as out:
        out.write(packed.getvalue())
    return zipped.getvalue()


def _lock(name: str, blueprint: Blueprint, answers: Mapping[str, Any], rendered: Tree, proved: bool) -> str:
    import yaml

    record = {
        "service": name,
        "blueprint": blueprint.name,
        "version": blueprint.version,
        "digest": blueprint.digest,
        "generator": __version__,
        "proved": proved,
        "answers": dict(answers),
        "files": {path: hashlib.sha256(file.data).hexdigest() for path, file in sorted(rendered.items())},
    }
    return _HEAD + yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=10**6)
