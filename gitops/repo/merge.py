"""A three-way merge of trees, without a work tree."""

from __future__ import annotations

from gitops.model import EXECUTABLE, FILE
from gitops.repo import Repository
from gitops.repo.git import GitFailed
from gitops.repo.text import exported

_NOBODY = {f"GIT_{who}_{what}": "shiplane" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def merged(repository: Repository, ours: str, theirs: str, base: str) -> tuple[str, tuple[str, ...]]:
    """The tree of a three-way merge and the paths in conflict (then the tree is not to be used).

    `base` is the common ancestor, which a shallow copy cannot see: both trees are set on top of it.
    """
    git = repository._git
    ours, theirs = (
        git("commit-tree", repository.tree_of(side), "-p", base, environment=_NOBODY).decode().strip()
        for side in (ours, theirs)
    )
    try:
        out = git("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    except GitFailed as failure:
        if failure.status != 1:
            raise
        _, *paths = failure.stdout.decode("utf-8", "replace").split("\0")
        return "", tuple(path for path in paths if path)
    tree = out.decode().split("\0")[0].strip()
    _keep(repository, tree, ours, theirs)
    return tree, ()


def _keep(repository: Repository, tree: str, ours: str, theirs: str) -> None:
    """Read the files that the merge itself has made: no remote has them, so nobody could fetch them later."""
    made = {*repository.changed(ours, tree)} & {*repository.changed(theirs, tree)}
    entries = repository.listing([*made], tree).entries if made else {}
    plain = [entries[path].oid for path in made if path in entries and entries[path].mode in (FILE, EXECUTABLE)]
    if plain:
        read = repository._git("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in plain).encode())
        repository._read.update(exported(read))
