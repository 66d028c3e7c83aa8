"""The one effect of `newservice`: a tree on disk, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from generator import tree
from generator.errors import Problem, ShiplaneError, printable
from generator.tree import File, Tree

_NAMED = 3  # entries of a folder in the way that a message names


def in_the_way(target: Path) -> list[Problem]:
    """Why nothing can be placed at `target`: it is there already, or the folder for it is not."""
    shown = printable(str(target))
    if os.path.lexists(target):
        mend = "choose another name, another place (--output DIR), or move it away"
        return [Problem(shown, f"is there already: {_described(target)}", mend)]
    if not target.parent.is_dir():
        parent = printable(str(target.parent))
        return [Problem(f"--output {parent}", "is not a folder", f"mkdir -p {parent}")]
    return []


def taken(shared: Tree, root: Path) -> list[Problem]:
    """Why `shared` cannot be placed at `root`: other files are there. The same ones are no hindrance."""
    there = tree.found(root, shared)
    mend = "move it away, or choose another name"
    odd = [path for path, file in there.items() if file != shared[path]]
    return [Problem(printable(str(root / path)), "is there already, and is another file", mend) for path in odd]


def place(files: Tree, target: Path, shared: Tree | None = None, root: Path | None = None) -> None:
    """Write `files` beside `target` and rename them into place; whatever ends it early leaves nothing behind.

    `shared` are files at `root`, the repository around: each is placed before, by a rename of its own, so that whoever
    was killed in between begins anew and finds them there. Refuses a target that exists (ShiplaneError); a full disk or
    a missing right is told with what to do.
    """
    shared, root = shared or {}, root or target
    problems = in_the_way(target) + taken(shared, root)
    if problems:
        raise ShiplaneError(problems)
    beside = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    fresh = [root / path for path in shared if not (root / path).exists()]
    made: list[Path] = []
    try:
        _write(files, beside)
        for each in fresh:
            made += _placed(shared[each.relative_to(root).as_posix()], each)
        if os.path.lexists(target):  # rename would put it into the place of an empty folder
            raise ShiplaneError(in_the_way(target))
        os.rename(beside, target)  # noqa: PTH104 # the one step that makes it visible, named as the system names it
    except OSError as error:
        _remove(beside, made)
        mend = "nothing was placed; make room for it, or choose another place: --output DIR"
        raise ShiplaneError(Problem(printable(str(target)), f"cannot be written: {error.strerror}", mend)) from None
    except BaseException:  # ^C too
        _remove(beside, made)
        raise


def _placed(file: File, target: Path) -> list[Path]:
    """Write one file whole or not at all; what it made, the newest last: folders too."""
    missing = [each for each in reversed([target, *target.parents]) if not each.exists()]
    for folder in missing[:-1]:
        folder.mkdir()
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(file.data)
        beside.chmod(file.mode)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return missing


def _write(files: Tree, folder: Path) -> None:
    """The modes are set, not asked for: a umask must not make two services differ."""
    folders = {folder, *(folder / parent for path in files for parent in Path(path).parents)}
    for each in sorted(folders):
        each.mkdir()
        each.chmod(0o755)
    for path, (mode, data) in files.items():
        target = folder / path
        target.write_bytes(data)
        target.chmod(mode)


def _remove(folder: Path, made: Sequence[Path]) -> None:
    """A second ^C must not stop the cleaning. A folder that somebody else has put something into stays."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for each in reversed(made):
            with contextlib.suppress(OSError):
                each.rmdir() if each.is_dir() else each.unlink()
    finally:
        signal.signal(signal.SIGINT, before)


def _described(path: Path) -> str:
    if path.is_symlink():
        return f"a symbolic link to {printable(str(path.readlink()))}"
    if not path.is_dir():
        return "a file"
    found = sorted(each.name for each in path.iterdir())
    named = ", ".join(map(printable, found[:_NAMED]))
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"a folder with {named}{more}" if found else "an empty folder"
