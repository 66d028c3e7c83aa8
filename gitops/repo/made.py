"""What this copy has made itself and the remote may not have yet, read back."""

from __future__ import annotations

from collections.abc import Mapping

from gitops.model import TREE
from gitops.repo import Repository
from gitops.repo.text import exported


def files(repository: Repository, tree: str) -> Mapping[str, tuple[str, bytes]]:
    """The files of a tree that is whole in this copy, by path: their modes and their bytes."""
    entries = {path: each for path, each in repository.listing(None, tree).entries.items() if each.mode != TREE}
    names = "".join(f"{oid}\n" for oid in {each.oid for each in entries.values()})
    held = exported(repository._git("cat-file", "--batch", stdin=names.encode()))
    return {path: (each.mode, held[each.oid]) for path, each in entries.items()}
