"""A work tree as a snapshot: what git would hold of it, links and all, so that the core judges both alike."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from generator.errors import Problem, ShiplaneError, printable
from gitops.model import EXECUTABLE, FILE, TREE, Entry, Snapshot

LINK, OTHER = "120000", "000000"
_LARGEST = 16 * 1024 * 1024


def snapshot(root: Path, paths: Iterable[str]) -> Snapshot:
    """What lies at `paths` below `root`, and all below them. No link is followed, and only plain files are read.

    Raises ShiplaneError for a file too large to be anything that belongs there.
    """
    entries: dict[str, Entry] = {}
    waiting = [path for path in paths if os.path.lexists(root / path)]
    while waiting:
        path = waiting.pop()
        entries[path] = entry = _entry(root / path)
        if entry.mode == TREE:
            waiting += [f"{path}/{below.name}" for below in (root / path).iterdir()]
    return Snapshot("", dict(sorted(entries.items())))


def listing(root: Path) -> Snapshot:
    """All that lies below `root`, but for git's own folder, without the bytes of any file. No link is followed."""
    entries: dict[str, Entry] = {}
    waiting = [each.name for each in root.iterdir() if each.name != ".git"]
    while waiting:
        path = waiting.pop()
        entries[path] = entry = Entry(_mode((root / path).lstat()), "")
        if entry.mode == TREE:
            waiting += [f"{path}/{below.name}" for below in (root / path).iterdir()]
    return Snapshot("", dict(sorted(entries.items())))


def filled(root: Path, tree: Snapshot, paths: Iterable[str]) -> Snapshot:
    """`tree` with the bytes of the plain files at `paths`; raises ShiplaneError for one that is too large."""
    return Snapshot("", {**tree.entries, **{path: _entry(root / path) for path in paths}})


def _mode(status: os.stat_result) -> str:
    if stat.S_ISDIR(status.st_mode):
        return TREE
    if not stat.S_ISREG(status.st_mode):
        return LINK if stat.S_ISLNK(status.st_mode) else OTHER
    return EXECUTABLE if status.st_mode & 0o100 else FILE


def _entry(place: Path) -> Entry:
    status = place.lstat()
    mode = _mode(status)
    if mode not in (FILE, EXECUTABLE):
        return Entry(mode, "")
    if status.st_size > _LARGEST:
        raise ShiplaneError(Problem(printable(str(place)), f"is larger than {_LARGEST} bytes"))
    data = place.read_bytes()
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return Entry(mode, oid, data)
