"""What the forge itself asks of a merge into the default branch, and where a pull request stands with it: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.errors import Problem

VERIFY = "shiplane/verify"
"""The status that verify posts on the head of a pull request."""
RUN = "github-actions[bot]"
"""Whoever acts by the token of a run of GitHub Actions: what it opens or pushes starts no workflow by itself."""
PASSED, RUNNING, FAILED = "passed", "running", "failed"
"""What a status or a check says."""


@dataclass(frozen=True)
class Rule:
    """One rule that holds on the default branch: GitHub's `type` and parameters, and the number of its ruleset."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ruleset: int = 0


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A ruleset, in force or not; `bypass` are those whom it does not hold, as far as the token is told."""

    number: int
    name: str
    enforcement: str
    bypass: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """The newest word of a status or a check on a head; `app` is the number of the App that said it, 0 unknown."""

    context: str
    state: str
    by: str
    app: int = 0


@dataclass(frozen=True)
class Standing:
    """Where an open pull request stands with the rules.

    `state` is GitHub's `mergeStateStatus` and `decision` its `reviewDecision`, in small letters, empty where there is
    none. `owners`: a code owner's review is still asked for; `asked` are all whose review is. `unsigned` are commits
    without a signature that GitHub has verified. `words` and `suites` (App and conclusion) are None where they cannot
    be read.
    """

    state: str
    draft: bool = False
    conflict: bool = False
    decision: str = ""
    owners: bool = False
    asked: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    words: tuple[Word, ...] | None = ()
    suites: tuple[tuple[str, str], ...] | None = ()


@dataclass(frozen=True)
class Protection:
    """How a repository is guarded, as far as the token can see: what cannot be read is None, and told in `unread`.

    `me` is who the token is, `lacks` what it may not do. `owners` are mistakes in CODEOWNERS, None where there is no
    such file; `verify` is the state of verify's workflow, empty where there is none.
    """

    host: str
    slug: str
    me: str
    rules: tuple[Rule, ...] | None = ()
    rulesets: tuple[Ruleset, ...] | None = ()
    owners: tuple[str, ...] | None = ()
    verify: str | None = "active"
    lacks: tuple[str, ...] = ()
    auto_merge: bool = True
    merge_commits: bool = True
    archived: bool = False
    standing: Standing | None = None
    unread: tuple[Problem, ...] = ()

    def of(self, kind: str) -> list[Rule]:
        """The rules of this kind that hold."""
        return [each for each in self.rules or () if each.kind == kind]

    def required(self) -> dict[str, frozenset[int]]:
        """The statuses that the rules ask for, each with the Apps from which alone they are taken (0: from anybody)."""
        found: dict[str, frozenset[int]] = {}
        for rule in self.of("required_status_checks"):
            for each in rule.parameters.get("required_status_checks", ()):
                app = each.get("integration_id") or 0
                found[each["context"]] = found.get(each["context"], frozenset()) | {app}
        return found

    def gh(self, call: str) -> str:
        """A call of the API by GitHub's own command; `{}` in it is the repository."""
        host = "" if self.host == "github.com" else f"--hostname {self.host} "
        return f"gh api {host}{call.replace('{}', f'repos/{self.slug}')}"
