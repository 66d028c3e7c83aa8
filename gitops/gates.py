"""Gates: the rules that a pull request must pass, as pure functions of facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitops.config import Config
from gitops.model import PullRequest


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says: `passed` or not, and why, in one sentence."""

    gate: str
    passed: bool
    why: str


def approvals_needed(config: Config, paths: Iterable[str]) -> int:
    """The most approvals that any of the changed paths asks for.

    A path of an environment (its pins, its Applications, its holds) asks for what the environment asks for; every other
    path is the administrators' and asks for one.
    """
    return max((_asked(config, path) for path in paths), default=1)


def approvals(config: Config, request: PullRequest, paths: Iterable[str]) -> Verdict:
    """Whether enough people approved the present head: see `PullRequest.approvers` for who counts."""
    needed, by = approvals_needed(config, paths), request.approvers()
    if len(by) >= needed:
        return Verdict("approvals", True, f"{needed} needed, given by {', '.join(by)}" if needed else "none needed")
    given = f"{len(by)} of {needed}"
    return Verdict("approvals", False, f"{given}: not counted are author, requester, committers, bots and older heads")


def _asked(config: Config, path: str) -> int:
    for environment in config.environments.values():
        roots = (config.layout.folder(environment.name, ""), f"apps/{environment.name}/", f"holds/{environment.name}/")
        if f"{path}/".startswith(roots):  # a file can stand where the folder was
            return environment.approvals
    return 1
