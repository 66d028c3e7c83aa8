"""Trees of files as values: read whole, and told apart from what may not be in one."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from generator.errors import Problem, ShiplaneError, printable

PLAIN, PROGRAM = 0o644, 0o755
"""The two modes that a file may have; git knows no others."""
OURS = ".newservice"
"""The folder of the generator's own records; no layer writes there."""
LARGEST = 64 * 1024 * 1024
"""Bytes of a rendered service at most, all its files together; what is larger is not ours and not read."""
LEFT_BY_PIP = "__pycache__"
"""A folder that is no part of any tree: pip compiles what looks like Python, blueprints too."""


class File(NamedTuple):
    """One file: its mode (`PLAIN` or `PROGRAM`) and its bytes."""

    mode: int
    data: bytes


Tree = dict[str, File]
"""Files by their path: relative, with slashes, sorted."""


def read(folder: Path, shown: str = "") -> Tree:
    """All files below `folder`; refuses links and whatever else is no file. `shown` names the folder in messages."""
    tree: Tree = {}
    problems: list[Problem] = []
    if folder.is_symlink():
        raise ShiplaneError(Problem(printable(shown or str(folder)), "is a symbolic link", "put the folder there"))
    for path, entry in _entries(folder, ""):
        if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
            kind = "a symbolic link" if entry.is_symlink() else "neither a file nor a folder"
            place = printable(f"{shown or folder}/{path}")
            problems.append(Problem(place, f"is {kind}, and only plain files travel", "put the file itself there"))
            continue
        mode = PROGRAM if entry.stat().st_mode & 0o100 else PLAIN
        tree[path] = File(mode, Path(entry.path).read_bytes())
    if problems:
        raise ShiplaneError(problems)
    return tree


def found(folder: Path, paths: Iterable[str]) -> Tree:
    """Those of `paths` that are there below `folder`; no link is followed.

    What is no plain file, lies behind a link or is too large to be ours has the mode 0 and no bytes.
    """
    tree: Tree = {}
    for path in sorted(paths):
        above = [folder / parent for parent in PurePosixPath(path).parents]
        target = folder / path
        try:
            status = target.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        plain = stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST
        if not plain or any(each.is_symlink() for each in above if each != folder):
            tree[path] = File(0, b"")
        else:
            tree[path] = File(PROGRAM if status.st_mode & 0o100 else PLAIN, target.read_bytes())
    return tree


def unsafe(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The paths that may not be written, with the rule: out of the tree, into git's own, twice, or file and folder."""
    seen: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")
        if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(parts):
            yield path, "leads out of the service's folder"
        elif ".git" in path.casefold().split("/"):
            yield path, "lies in git's own folder"
        elif not path.isprintable():
            yield path, "is no printable name"
        elif path.casefold() in seen:
            yield path, f"is the same as {seen[path.casefold()]} where case does not count"
        seen.setdefault(path.casefold(), path)
    for path in list(seen.values()):
        for above in PurePosixPath(path.casefold()).parents:
            if str(above) in seen:
                yield path, f"lies below {seen[str(above)]}, which is a file"


def digest(trees: Mapping[str, Tree]) -> str:
    """`sha256:...` over named trees: names, paths, modes and bytes, whatever the order or the place on disk."""
    total = hashlib.sha256()
    for name, tree in sorted(trees.items()):
        for path, (mode, data) in sorted(tree.items()):
            total.update(f"{name}/{path}\0{mode:o}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return f"sha256:{total.hexdigest()}"


def _entries(folder: Path, above: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name == LEFT_BY_PIP:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path), f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry
