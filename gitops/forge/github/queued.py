"""The branches of the merge queue, read by git."""

from __future__ import annotations

from gitops.queue import ROOT, Entry, entry
from gitops.repo import Repository
from gitops.repo.git import GitFailed
from gitops.repo.past import first_parents

_OURS = "refs/queue/"
_DEEPEST = 128  # commits of a branch that are looked at: more stand in no queue that waits for judgements


def entries(repository: Repository) -> list[Entry]:
    """Every branch of the queue into the default branch, by its name; one fetch, which brings no contents of files."""
    theirs = f"refs/heads/{ROOT}{repository.branch}/"
    try:
        repository.fetch(f"+{theirs}*:{_OURS}*", depth=_DEEPEST)
    except GitFailed as failure:
        if failure.status == 1 and not failure.stderr.strip():  # there is no such branch
            return []
        raise
    found = repository.refs(_OURS)
    return [
        entry(f"{ROOT}{repository.branch}/{ref.removeprefix(_OURS)}", repository.branch, first_parents(repository, oid))
        for ref, oid in sorted(found.items())
    ]
