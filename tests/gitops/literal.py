"""Snapshots written down in a test: the entries, and the very object ids, that git would have for the same files."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from gitops import config
from gitops.catalog import Service, entry_yaml
from gitops.config import Config
from gitops.draft import drafted as draft_of
from gitops.model import (
    EXECUTABLE,
    FILE,
    TREE,
    Change,
    Draft,
    Entry,
    Origin,
    Release,
    Snapshot,
)
from gitops.pins import origin_yaml, release_yaml
from gitops.proposals import Plan
from gitops.step import NOTHING_SEEN, Step
from tests.gitops.trees import new

NOW = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)
"""A Wednesday."""
A, B, C = (Release(f"{letter * 40}", f"sha256:{letter * 64}") for letter in "abc")
"""Three releases."""
WALLET = Service("wallet", "payments", "acme/wallet", "acme/wallet", "critical")
CHART = {
    "Chart.yaml": b"apiVersion: v2\nname: wallet\nversion: 1.4.0\n",
    "templates/service.yaml": b"kind: Service\n",
}


def blob(data: bytes, mode: str = FILE) -> Entry:
    """A file."""
    return Entry(mode, _id(b"blob", data), data)


def tree_id(files: Mapping[str, Entry]) -> str:
    """The id that git gives the tree of `files`."""
    below: dict[str, dict[str, Entry]] = {}
    entries = []
    for path, entry in files.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = entry
        else:
            entries.append((entry.mode, name, entry.oid))
    entries += [(TREE, name, tree_id(each)) for name, each in below.items()]
    entries.sort(key=lambda each: f"{each[1]}/" if each[0] == TREE else each[1])
    lines = [(f"{mode.lstrip('0')} {name}\0".encode("utf-8", "surrogateescape"), oid) for mode, name, oid in entries]
    return _id(b"tree", b"".join(line + bytes.fromhex(oid) for line, oid in lines))


def snapshot(files: Mapping[str, bytes | Entry]) -> Snapshot:
    """What a commit with these files holds: they, and every folder above them."""
    entries = {path: content if isinstance(content, Entry) else blob(content) for path, content in files.items()}
    folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    for folder in folders:
        inside = {path[len(folder) + 1 :]: e for path, e in entries.items() if path.startswith(f"{folder}/")}
        entries[folder] = Entry(TREE, tree_id({path: e for path, e in inside.items() if e.mode != TREE}))
    return Snapshot("5c1e0d7" + "0" * 33, entries)


def pinned(
    environment: str,
    release: Release,
    *,
    service: Service = WALLET,
    run: int | None = 7,
    version: str = "1.4.0",
    proved: bool = True,
    chart: Mapping[str, bytes] | None = None,
) -> dict[str, bytes | Entry]:
    """The machine's files of one environment."""
    folder = f"environments/{environment}/{service.name}"
    files = chart or {**CHART, "Chart.yaml": CHART["Chart.yaml"].replace(b"1.4.0", version.encode())}
    return {
        f"{folder}/release.yaml": release_yaml(release),
        f"{folder}/origin.yaml": origin_yaml(Origin(service.source, version, run, proved)),
        **{f"{folder}/chart/{path}": data for path, data in files.items()},
    }


@functools.cache
def _new() -> dict[str, bytes]:
    return new(forge="embedded")


def founded(*services: Service) -> dict[str, bytes | Entry]:
    """A new GitOps repository that knows `services`."""
    return {**_new(), **{f"services/{each.name}.yaml": entry_yaml(each) for each in services}}


def lane(text: str = "") -> Config:
    """The configuration of a new repository, or of `text` as its environments."""
    return config.load(f"version: 1\nenvironments:\n{text}".encode() if text else _new()["shiplane.yaml"])


def chart(files: Mapping[str, bytes] | None = None) -> dict[str, Entry]:
    """A chart's files with their ids; one whose name ends in .sh is executable."""
    return {path: blob(data, EXECUTABLE if path.endswith(".sh") else FILE) for path, data in (files or CHART).items()}


def drafted(plan: Plan) -> Draft:
    """The draft of a plan, before anybody has looked beyond git and the clock."""
    draft = draft_of([(plan, NOTHING_SEEN)]) if isinstance(plan, Step) else plan
    assert isinstance(draft, Draft)
    return draft


def _id(kind: bytes, data: bytes) -> str:
    return hashlib.sha1(kind + b" %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def merged(before: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """What the default branch holds once `changes` are merged: bytes are written, objects are copied by their ids."""
    files: dict[str, bytes | Entry] = {path: e for path, e in before.entries.items() if e.mode != TREE}
    for change in changes:
        inside = [path for path in files if path == change.path or path.startswith(f"{change.path}/")]
        for path in inside:
            del files[path]
        if isinstance(change.content, bytes):
            files[change.path] = blob(change.content, change.mode)
        elif change.mode == TREE:
            (copied, *_) = [path for path, e in before.entries.items() if e.mode == TREE and e.oid == change.content]
            files.update({f"{change.path}/{path}": entry for path, entry in before.files(copied).items()})
        else:
            files[change.path] = next(e for e in before.entries.values() if e.oid == change.content)
    return snapshot(files)
