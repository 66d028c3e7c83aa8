"""The refs of the embedded forge's pull requests: what one that changes writes into them, and its record."""

from __future__ import annotations

from dataclasses import replace

from gitops.forge.record import written
from gitops.forge.refs import Refs, numbered, opened, pinned
from gitops.model import FILE, Change
from gitops.pull_request import PullRequest
from gitops.repo import Repository, Update
from gitops.repo.text import Build
from gitops.result import branch_of, shared


def body(text: str) -> Build:
    """What makes the tree of a record."""
    return [Change("body.md", FILE, text.encode())], None


def record(
    repository: Repository, refs: Refs, request: PullRequest, event: str, actor: str, existing: PullRequest | None
) -> str:
    """The id of a new record of `request`, after what `actor` has done; `existing` is it as it was before."""
    tree = repository.build([body(request.body)])[0]
    parents = [refs.known[opened(request.branch)]] if existing else []
    if request.state == "merged" and not shared(request):
        before = refs.known.get(pinned(request.branch))
        parents += [before] if before else []  # a pin's history is a chain of the records that set it
    at_once = " and merged" if event != "merged" and request.state == "merged" else ""
    return repository.commit(parents, written(request, f"#{request.number} {event}{at_once} by {actor}"), tree)


def moves(
    repository: Repository, refs: Refs, request: PullRequest, record: str, existing: PullRequest | None
) -> list[Update]:
    """The refs of one pull request, from what they are to what `request` and its `record` make them."""
    is_open = request.state == "open"
    branch = request.branch
    old = refs.known[opened(branch)] if existing else None
    found = [
        Update(numbered(request.number), old, record),
        Update(opened(branch), old, record if is_open else None),
        Update(f"refs/heads/{branch}", existing.head if existing else None, request.head if is_open else None),
    ]
    return [*found, *_pins(repository, refs, request, record)] if request.state == "merged" else found


def _pins(repository: Repository, refs: Refs, request: PullRequest, record: str) -> list[Update]:
    """The records of the pins that were set; of several each has its own, and so a history of its own."""
    if not shared(request):
        ref = pinned(request.branch)
        return [Update(ref, refs.known.get(ref), record)] if request.move else []
    found = []
    for move in request.moves:
        branch = branch_of(move.environment, move.service)
        before = refs.known.get(pinned(branch))
        alone = written(
            replace(request, branch=branch, move=move, beside=()),
            f"#{request.number} has set {move.service} in {move.environment}",
        )
        own = repository.commit([before] if before else [], alone, repository.tree_of(record))
        found.append(Update(pinned(branch), before, own))
    return found
