"""GitHub's merge queue as values: which pull request a branch of it is to land, on what, and how.

A branch of the queue is named `gh-readonly-queue/<base>/pr-<number>-<commit>`: the commit is what it stands on, the tip
of <base> or the head of the entry before it, whose pull request lands first. It holds what lands: one merge, one
squashed commit, or the commits of the pull request set on one after another. GitHub keeps people from pushing to such a
branch only where the queue is on; so a name is a claim, and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitops.pull_request import PullRequest

ROOT = "gh-readonly-queue/"
"""How the names of the queue's branches begin (docs.github.com, "Managing a merge queue")."""
_NAME = re.compile(r"pr-([1-9][0-9]{0,9})-([0-9a-f]{40})")
Commit = tuple[str, tuple[str, ...]]
"""A commit and its parents."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A branch of the queue, and what its name claims: the `number` is 0 where it is none that the queue would give.

    `lands` are the commits that it would add to `base`, the newest first; empty where `base` is not below its `head`.
    """

    branch: str
    head: str
    number: int = 0
    base: str = ""
    lands: tuple[Commit, ...] = ()

    @property
    def between(self) -> tuple[str, ...]:
        """The commits that the default branch would pass on the way to its head."""
        return tuple(commit for commit, _ in self.lands[1:])


def entry(branch: str, into: str, line: Sequence[Commit]) -> Entry:
    """The entry that `branch` is; `line` is its head and the first parents behind it, as far as they are known."""
    head = line[0][0]
    found = _NAME.fullmatch(branch.removeprefix(f"{ROOT}{into}/"))
    if found is None:
        return Entry(branch, head)
    commits = [commit for commit, _ in line]
    end = commits.index(found[2]) if found[2] in commits else 0
    return Entry(branch, head, int(found[1]), found[2], tuple(line[:end]))


def misshapen(each: Entry, request: PullRequest) -> str:
    """Why what it would add is none of the three ways in which `request` can be merged; empty where it is one."""
    if not each.lands:
        return f"does not stand on {each.base[:7]}, as its name says"
    parents = [parents for _, parents in each.lands]
    if len(parents) == 1 and len(parents[0]) == 2:
        merged = parents[0] == (each.base, request.head)
        return "" if merged else f"merges another commit than the head of #{request.number}"
    if all(len(found) == 1 for found in parents):
        return ""
    return "is neither a merge, nor squashed, nor rebased"
