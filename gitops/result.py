"""What a draft leads to: the files that helm would render after the merge, and what stood there before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from generator.errors import Problem, ShiplaneError
from gitops import built
from gitops.config import Config, Environment
from gitops.model import (
    EXECUTABLE,
    FILE,
    GONE,
    TREE,
    Change,
    Entry,
    Rendering,
    Snapshot,
    Unrendered,
)
from gitops.pull_request import PullRequest


def branch_of(environment: str, service: str) -> str:
    """The branch of the one pull request that may pin `service` in `environment`."""
    return f"shiplane/pin/{environment}/{service}"


def together(environment: str) -> str:
    """The branch of the one pull request that sets several pins of an environment at once."""
    return f"shiplane/together/{environment}"


def shared(request: PullRequest) -> bool:
    """Whether its branch is that of several pins, however many it has now."""
    return bool(request.move and (request.beside or request.branch == together(request.move.environment)))


def replaced(snapshot: Snapshot, changes: Iterable[Change]) -> tuple[str, ...]:
    """The ids of what the changes stand on; a path that does not exist yet gives an empty one."""
    entries = (snapshot.get(change.path) for change in changes)
    return tuple(entry.oid if entry else "" for entry in entries)


def applied(
    snapshot: Snapshot,
    changes: Iterable[Change],
    trees: Mapping[str, Mapping[str, Entry]],
    blobs: Mapping[str, Entry] | None = None,
) -> Snapshot:
    """`snapshot` once `changes` are made. `trees` and `blobs` are objects, by id, that it does not hold itself."""
    entries = dict(snapshot.entries)
    for change in changes:
        below = f"{change.path}/"
        for path in [path for path in entries if path == change.path or path.startswith(below)]:
            del entries[path]
        if change.mode == GONE:
            continue
        if isinstance(change.content, bytes):
            entries[change.path] = Entry(change.mode, blob_id(change.content), change.content)
            continue
        known = next(((path, each) for path, each in snapshot.entries.items() if each.oid == change.content), None)
        entry = known[1] if known else (blobs or {}).get(change.content, Entry(change.mode, change.content))
        entries[change.path] = replace(entry, mode=change.mode)
        if change.mode == TREE:
            files = snapshot.files(known[0]) if known else trees.get(change.content, {})
            entries.update({f"{below}{path}": entry for path, entry in files.items()})
    return Snapshot(snapshot.tip, entries)


def blob_id(data: bytes) -> str:
    """The id that git gives a file with these bytes, in a repository of SHA-1."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def rendering(
    snapshot: Snapshot,
    config: Config,
    to: Environment,
    service: str,
    changes: Iterable[Change],
    chart: Mapping[str, Entry],
) -> Rendering | Unrendered:
    """What helm gets once `changes` are merged: `chart`, then values.yaml and release.yaml as they will be.

    In a layout of somebody else's what `layout.render` says, of a snapshot that lists all of its commit (see
    gather.py). Raises ShiplaneError where one of these is a link: Argo CD would follow it, to what nobody has rendered.
    """
    if not config.layout.own:
        return built.rendering(snapshot, config, to, service)
    folder = config.layout.folder(to.name, service)
    written = {change.path: _content(snapshot, change) for change in changes}
    values = []
    for name in ("values.yaml", "release.yaml"):
        path = f"{folder}/{name}"
        entry = snapshot.get(path)
        if path not in written and entry and entry.mode not in (FILE, EXECUTABLE):
            raise ShiplaneError(Problem(path, "is not a regular file", "write the settings themselves there"))
        values.append((name, written.get(path, snapshot.data(path)) or b""))
    return Rendering(
        service,
        to.name,
        to.namespace_of(service),
        to.kubernetes,
        {path: (entry.mode, entry.data or b"") for path, entry in chart.items()},
        tuple(values),
    )


def _content(snapshot: Snapshot, change: Change) -> bytes:
    """The bytes of a change; those of an object that is carried are read where the snapshot has it."""
    if isinstance(change.content, bytes):
        return change.content
    known = (
        entry.data for entry in snapshot.entries.values() if entry.oid == change.content and entry.data is not None
    )
    return next(known, b"")
