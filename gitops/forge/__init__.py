"""The two small ports to where pull requests live, in our own words; each forge returns our own values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gitops.commits import Compared
from gitops.model import Draft, PullRequest

COMPARED = 250
"""Commits of a comparison that are read at most: what one page of GitHub's holds."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A pull request cannot be merged: these paths changed on both sides."""

    number: int
    paths: tuple[str, ...]


class PullRequests(Protocol):
    """Opens, updates, closes and merges pull requests. None means: another writer was first, plan again."""

    def find(self, branches: Sequence[str]) -> dict[str, PullRequest]:
        """The open pull request of each of `branches` that has one."""
        ...

    def put(self, drafts: Sequence[tuple[Draft, PullRequest | None]], actor: str) -> list[PullRequest] | None:
        """Open each draft, or update the open pull request beside it; merge at once where the draft asks so."""
        ...

    def close(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Close without merging; the branch is deleted."""
        ...

    def merge(self, request: PullRequest, actor: str) -> PullRequest | Conflict | None:
        """Merge `request` if its head is still the one that `request` names."""
        ...


class Facts(Protocol):
    """What a forge knows about pull requests, in one batched read."""

    def open(self) -> list[PullRequest]:
        """Every open pull request, oldest first, with its reviews."""
        ...

    def merged(self, environments: Sequence[str]) -> dict[tuple[str, str], PullRequest]:
        """The pull request that last set the pin of (service, environment), for every service of `environments`."""
        ...

    def compare(self, source: str, old: str, new: str) -> Compared | None:
        """The commits of the repository `source` (owner/name) that `new` has and `old` lacks; `missing`: the reverse.

        Of many the newest `COMPARED`, each with its whole message: what breaks is ours to tell (gitops/commits.py).
        None where nobody can read it: no such repository, no permission, a commit that it does not know.
        """
        ...


def now_to_text(moment: datetime) -> str:
    """A moment as records hold it: ISO 8601, in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
