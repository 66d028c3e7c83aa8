"""Reads other repositories on this disk: the service whose chart is released, and the clone that somebody stands in."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from generator.errors import Problem, ShiplaneError
from gitops.commits import Commit, Compared
from gitops.model import EXECUTABLE, FILE, Entry
from gitops.repo.git import GitFailed, git
from gitops.repo.text import exported, listed


def chart_at(folder: Path, commit: str) -> tuple[Mapping[str, Entry], bool]:
    """The files of the chart in `folder`, with their bytes, and whether they are proved.

    In a git repository: what `commit` holds there, whatever the work tree looks like now. Elsewhere: what lies on disk,
    which nobody can prove. Raises ShiplaneError when the folder or the commit is not there.
    """
    if not folder.is_dir():
        raise ShiplaneError(Problem(f"--chart {folder}", "is no folder"))
    try:
        prefix = git(str(folder), "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").rstrip("\n")
    except GitFailed:
        return _on_disk(folder) if (folder / "Chart.yaml").is_file() else {}, False
    rule = f"commit {commit[:7]} is not in this repository, or has no such folder"
    unknown = ShiplaneError(Problem(f"--chart {folder}", rule, f"git fetch origin {commit}"))
    try:
        kind = git(str(folder), "cat-file", "-t", commit)
        entries = listed(git(str(folder), "ls-tree", "-r", "-z", "--full-tree", f"{commit}:{prefix}"))
    except GitFailed:
        raise unknown from None
    if kind != b"commit\n":  # a tree has an id too: no image is built from one
        raise unknown
    names = "".join(f"{entry.oid}\n" for entry in entries.values() if entry.mode != "160000")
    blobs = exported(git(str(folder), "cat-file", "--batch", stdin=names.encode()))
    return {path: Entry(entry.mode, entry.oid, blobs.get(entry.oid)) for path, entry in entries.items()}, True


def _on_disk(folder: Path) -> Mapping[str, Entry]:
    """Every file as git would see it; a symbolic link stays one, so that the check of carried trees refuses it.

    Raises ShiplaneError where there is more than a chart can hold, before it is read: it may be a whole disk.
    """
    from gitops.carried import MOST_BYTES, MOST_FILES  # 30 ms, and most come here for the address of a clone

    files: dict[str, Entry] = {}
    size = 0
    for root, folders, names in os.walk(folder):
        for name in sorted([*names, *(each for each in folders if Path(root, each).is_symlink())]):
            path = Path(root, name)
            found = path.lstat()
            mode = found.st_mode
            size += found.st_size
            if len(files) >= MOST_FILES or size > MOST_BYTES:
                rule = f"over {MOST_FILES} files or {MOST_BYTES} bytes: more than a chart may hold"
                raise ShiplaneError(Problem(f"--chart {folder}", rule))
            if stat.S_ISREG(mode):
                entry = Entry(EXECUTABLE if mode & stat.S_IXUSR else FILE, "", path.read_bytes())
            else:
                entry = Entry("120000" if stat.S_ISLNK(mode) else "000000", "")
            files[path.relative_to(folder).as_posix()] = entry
    return files


def origin_of(folder: Path) -> str:
    """The address that `folder`'s clone calls `origin`; raises ShiplaneError where there is none."""
    try:
        url = git(str(folder), "remote", "get-url", "origin").decode("utf-8", "replace").strip()
    except GitFailed as failure:
        mend = "git remote add origin ADDRESS, or name the repository: --repo ADDRESS"
        raise ShiplaneError(Problem(str(folder), f"has no remote called origin: {failure.reason}", mend)) from None
    local = Path(folder, url)
    return str(local.resolve()) if "://" not in url and local.is_dir() else url


def compared(source: str, old: str, new: str, most: int) -> Compared | None:
    """The commits of `source` (owner/name) that `new` has and `old` lacks, the newest `most` of them with their texts.

    Read from a clone on this disk: in the folder that SHIPLANE_SOURCES names, as owner/name or as name. None where
    there is none, or where it has not both commits.
    """
    root = os.environ.get("SHIPLANE_SOURCES")
    folders = [Path(root, source), Path(root, source.rpartition("/")[2])] if root else []
    clone = next((str(each) for each in folders if each.is_dir()), None)
    if clone is None:
        return None
    try:
        missing, total = git(clone, "rev-list", "--left-right", "--count", f"{old}...{new}", "--").split()
        found = git(clone, "rev-list", f"--max-count={most}", f"{old}..{new}", "--")
        texts = exported(git(clone, "cat-file", "--batch", stdin=found))
    except GitFailed:
        return None
    commits = tuple(_commit(oid, texts[oid]) for oid in found.decode("ascii").split())
    return Compared(commits, int(total), int(missing))


def _commit(oid: str, data: bytes) -> Commit:
    head, _, message = data.decode("utf-8", "replace").partition("\n\n")
    author = next((line for line in head.splitlines() if line.startswith("author ")), "")
    return Commit(oid, message, author.removeprefix("author ").rpartition(" <")[0])
