"""Which folders are built from certain paths, without following every one: of thousands few name any of them.

A kustomization without escapes and tags holds the last name of every path that it refers to, letter by letter, unless
that path ends in dots: so most files are told apart by their bytes alone, and only the others are read as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from gitops.kustomize.closure import NAMES, named
from gitops.model import EXECUTABLE, FILE, Snapshot

# a reference, or a part of one, that a dot or two end: what it leads to is called as its own text does not say
_DOTS = re.compile(rb"(?<![A-Za-z0-9_.-])\.{1,2}(/\.{1,2})*/?(?![A-Za-z0-9_./-])|[^./\s]/+\.{1,2}(?![A-Za-z0-9_.-])")

_ODD = re.compile(rb"[\\!\x80-\xff]")
_PLAIN = re.compile(r"[A-Za-z0-9._+=,@~-]+")  # what YAML writes in one way alone, unless it is escaped


def kustomizations(snapshot: Snapshot) -> list[str]:
    """Every kustomization that is a plain file; their bytes are what `folders` looks at."""
    return [
        path
        for path, entry in snapshot.entries.items()
        if path.rpartition("/")[2] in NAMES and entry.mode in (FILE, EXECUTABLE)
    ]


def folders(snapshot: Snapshot, changed: Collection[str]) -> frozenset[str]:
    """The folders with a kustomization that takes in one of the `changed` paths, or a folder that does.

    What cannot be read, and could do so, counts.
    """
    files = {path.rpartition("/")[0]: snapshot.data(path) or b"" for path in kustomizations(snapshot)}
    odd = {folder for folder, data in files.items() if _ODD.search(data) or _DOTS.search(data)}
    found = {path.rpartition("/")[0] for path in changed if path.rpartition("/")[2] in NAMES}
    reached, new = {*changed}, {*changed, *found}
    refers: dict[str, frozenset[str] | None] = {}
    while new:
        names = {path.rpartition("/")[2] for path in new} - {""}
        words = [name.encode() for name in names]
        whole = all(map(_PLAIN.fullmatch, names))
        likely = odd | {each for each, data in files.items() if not whole or any(word in data for word in words)}
        reached |= new
        for folder in likely - refers.keys():
            refers[folder] = named(snapshot, folder)
        new = {
            folder
            for folder, paths in refers.items()
            if folder not in found and (paths is None or not reached.isdisjoint(paths))
        }
        found |= new
    return frozenset(found)
