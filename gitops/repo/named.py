"""Commits by the names that people give them: a branch, a tag, a full id."""

from __future__ import annotations

import re

from generator.errors import Problem, ShiplaneError, given
from gitops.repo import Repository
from gitops.repo.git import GitFailed

_ID = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$))[A-Za-z0-9_][A-Za-z0-9_./+-]{0,200}")


def commit(repository: Repository, name: str, option: str) -> str:
    """The id of the commit that `name` stands for; brings it, with its trees, into this copy.

    Raises ShiplaneError, placed at `option`, where the repository has none.
    """
    mend = "a branch, a tag, or a commit's full id (40 hex digits)"
    if _ID.fullmatch(name):
        try:
            repository.fetch(name, depth=1)
            return _commit(repository, name)
        except GitFailed as failure:
            raise ShiplaneError(Problem(given(option, name), f"no such commit: {failure.reason}", mend)) from None
    refs = (f"refs/heads/{name}", f"refs/tags/{name}")
    found = next((ref for ref in refs if _NAME.fullmatch(name) and repository.fetch_one(ref, depth=1)), None)
    if found is None:
        raise ShiplaneError(Problem(given(option, name), "names no commit of this repository", mend))
    return _commit(repository, found)


def _commit(repository: Repository, name: str) -> str:
    return repository._git("rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()
