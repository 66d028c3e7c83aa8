"""What lies a few levels below a folder, without all that lies deeper: of a thousand services no charts."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.model import TREE, Snapshot
from gitops.repo import Repository
from gitops.repo.text import exported, inside, listed


def near(repository: Repository, folders: Sequence[str], levels: int) -> Snapshot:
    """As `Repository.listing`, of what lies in `folders` and so many `levels` down; a folder may not be there."""
    git = repository._git
    found = last = listed(git("ls-tree", "-z", "--full-tree", repository.tip, "--", *(f"{each}/" for each in folders)))
    for _ in range(1, levels):
        trees = {path: entry.oid for path, entry in last.items() if entry.mode == TREE}
        asked = "".join(f"{oid}\n" for oid in dict.fromkeys(trees.values())).encode()
        read = exported(git("cat-file", "--batch", stdin=asked))
        last = {name: entry for path, oid in trees.items() for name, entry in inside(path, oid, read[oid]).items()}
        found = {**found, **last}
    return Snapshot(repository.tip, found)
