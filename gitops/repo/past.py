"""What lies behind a commit: the changes of a few paths along the default branch, and the records of a pin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.repo import Repository
from gitops.repo.text import exported, inside, told
from gitops.repo.whole import bring


@dataclass(frozen=True, slots=True)
class Landing:
    """A commit of the default branch that changed one of the paths; `oids` are theirs from then on, empty for none."""

    commit: str
    at: datetime
    title: str
    oids: tuple[str, ...]


def landings(repository: Repository, paths: Sequence[str]) -> list[Landing]:
    """Every commit of the default branch's first parents that changed one of `paths`, the newest first.

    Brings the whole history once, commits and trees, no contents: a merge is the moment at which it landed, whatever
    the branch was called and however it was merged.
    """
    bring(repository)
    log = ("log", "--first-parent", "--no-patch", "--format=%H %ct %s", "-z")
    out = repository._git(*log, repository.tip, "--", *paths).decode("utf-8", "replace")
    found = [entry.split(" ", 2) for entry in out.split("\0") if entry]
    oids = _ids(repository, [(commit, path) for commit, *_ in found for path in paths])
    each = len(paths)
    return [
        Landing(commit, datetime.fromtimestamp(int(at), UTC), title, tuple(oids[index * each : (index + 1) * each]))
        for index, (commit, at, title) in enumerate(found)
    ]


def _ids(repository: Repository, places: Sequence[tuple[str, str]]) -> list[str]:
    """The id of what a commit has at a path, for each; empty where there is nothing.

    Told by the trees: whoever asks for a file by its name gets its id once it is here, and each of them is a fetch.
    """
    folders = dict.fromkeys(f"{commit}:{path.rpartition('/')[0]}" for commit, path in places)
    asked = "".join(f"{folder}\n" for folder in folders).encode("utf-8", "surrogateescape")
    trees = dict(zip(folders, told(repository._git("cat-file", "--batch", stdin=asked)), strict=True))
    known = {folder: inside(folder, *tree) if tree else {} for folder, tree in trees.items()}
    ids = []
    for commit, path in places:
        folder, _, name = path.rpartition("/")
        entry = known[f"{commit}:{folder}"].get(f"{commit}:{folder}/{name}")
        ids.append(entry.oid if entry else "")
    return ids


def messages(repository: Repository, commits: Iterable[str]) -> dict[str, str]:
    """The message of each of `commits`, however many, by one process."""
    names = "".join(f"{commit}\n" for commit in commits).encode()
    found = exported(repository._git("cat-file", "--batch", stdin=names)) if names else {}
    return {oid: data.decode("utf-8", "replace").partition("\n\n")[2] for oid, data in found.items()}


def lineage(repository: Repository, commit: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """`commit` and every commit that it stands on, as far as this copy has them: their parents and their messages."""
    out = repository._git("log", "-z", "--format=%H %P%n%B", commit).decode("utf-8", "replace")
    entries = [entry.partition("\n") for entry in out.split("\0") if entry]
    return {ids.split()[0]: (tuple(ids.split()[1:]), message) for ids, _, message in entries}


def first_parents(repository: Repository, commit: str) -> list[tuple[str, tuple[str, ...]]]:
    """`commit` and the first parents behind it, as far as this copy has them, each with all of its parents."""
    out = repository._git("log", "--first-parent", "--format=%H %P", commit).decode("ascii")
    return [(ids[0], tuple(ids[1:])) for ids in map(str.split, out.splitlines())]
