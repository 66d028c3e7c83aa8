"""Which paths may be changed at all: what some readers of a tree would follow, miss or take for another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitops import carried
from gitops.model import EXECUTABLE, FILE, Snapshot, above

Wrong = tuple[str, str]
"""A path, and what is wrong about it."""


def wrong(head: Snapshot, changed: Iterable[str], charts: tuple[str, ...]) -> Iterator[Wrong]:
    """What must not be merged wherever it lies: `head` is all of the result, and of `charts` the gate tree judges.

    Argo CD reads no application of a repository in which one link leads out of it, follows links inside of it, and
    fetches submodules; and a folder that is a link to another environment's makes both the same.
    """
    left = [path for path in changed if path in head.entries and not path.startswith(charts)]
    for path in left:
        if (mode := head.entries[path].mode) not in (FILE, EXECUTABLE):
            yield path, f"is {carried.kind(mode)}"
        if path != ".gitattributes":  # that of the whole repository is its administrators'
            yield from ((path, rule) for rule in carried.misnamed(path))
    yield from _collisions(head, left)


def _collisions(head: Snapshot, changed: Iterable[str]) -> Iterator[Wrong]:
    """Names, of files and of folders, that some disks hold for one."""
    mine = {carried.folded(name): name for path in changed for name in above(path)}
    for name in head.entries:
        own = mine.get(carried.folded(name), name)
        if own != name:
            yield own, f"differs from {name} only in case, or in how Unicode spells it"
