"""How a repository on GitHub is guarded: its rules, settings and checks, each read by itself.

What the token may not read is no error: it is told as what was not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generator.errors import Problem, printable
from gitops.forge.github import queries
from gitops.forge.github.wire import Refused, Wire
from gitops.protection import FAILED, PASSED, RUNNING, Protection, Rule, Ruleset, Standing, Word
from gitops.pull_request import PullRequest

_PAGE = 100
_READERS = ("READ", "TRIAGE")
_STATES = {"success": PASSED, "pending": RUNNING}
_GOOD = ("success", "neutral", "skipped")
"""Conclusions of a check that a rule takes ("About status checks")."""
_NO_WRITE = ("contents: write", "pull_requests: write")


class _Reader:
    """GET below the repository; what is denied is kept in `unread`."""

    def __init__(self, wire: Wire, slug: str) -> None:
        self._wire, self._slug = wire, slug
        self.unread: list[Problem] = []

    def get(self, path: str, missing: Any = None) -> Any:
        """The answer; `missing` where there is nothing, None where the token may not see it."""
        try:
            return self._wire.rest("GET", f"/repos/{self._slug}/{path}")
        except Refused as refusal:
            if refusal.status == 404 and missing is not None:
                return missing
            if refusal.status not in (403, 404):
                raise
            self.unread.append(refusal.problems[0])
            return None


def protection(
    wire: Wire,
    at: Mapping[str, str],
    host: str,
    branch: str,
    lacks: Sequence[str],
    request: PullRequest | None,
) -> Protection:
    """What guards `branch`, and, for an open `request`, where it stands; `lacks` are permissions an App has not."""
    slug = f"{at['owner']}/{at['name']}"
    reader = _Reader(wire, slug)
    told = wire.graphql(queries.GUARDED, at)
    settings = told["repository"]
    rules = reader.get(f"rules/branches/{branch}?per_page={_PAGE}")
    whole = request is None
    return Protection(
        host=host,
        slug=slug,
        me=str(told["viewer"]["login"]),
        rules=None if rules is None else tuple(map(_rule, rules)),
        rulesets=_rulesets(reader) if whole else (),
        owners=_owners(reader) if whole else (),
        verify=_workflow(reader) if whole else "active",
        lacks=_NO_WRITE if settings["viewerPermission"] in _READERS else tuple(lacks),
        auto_merge=bool(settings["autoMergeAllowed"]),
        merge_commits=bool(settings["mergeCommitAllowed"]),
        archived=bool(settings["isArchived"]),
        standing=_standing(wire, at, reader, request) if request else None,
        unread=tuple(dict.fromkeys(reader.unread)),
    )


def _rule(told: Any) -> Rule:
    return Rule(told["type"], told.get("parameters") or {}, told.get("ruleset_id") or 0)


def _rulesets(reader: _Reader) -> tuple[Ruleset, ...] | None:
    """Those for branches, in force or not; who may bypass one is told only to whoever may change it."""
    told = reader.get(f"rulesets?per_page={_PAGE}&targets=branch")
    if told is None:
        return None
    found = []
    for each in told:
        more = reader.get(f"rulesets/{int(each['id'])}") if each["enforcement"] == "active" else {}
        bypass = tuple(f"{by['actor_type']} {by['actor_id'] or ''}".rstrip() for by in _actors(more))
        found.append(Ruleset(each["id"], printable(each["name"]), each["enforcement"], bypass))
    return tuple(found)


def _actors(ruleset: Any) -> list[Any]:
    return list((ruleset or {}).get("bypass_actors") or ())


def _owners(reader: _Reader) -> tuple[str, ...] | None:
    """What is wrong in CODEOWNERS, a line each; None where there is no such file, or nobody may see it."""
    told = reader.get("codeowners/errors", missing={"errors": None})
    if told is None:
        return ()  # it is among what could not be read
    if told["errors"] is None:
        return None
    return tuple(printable(f"{each['path']}:{each['line']}: {_first(each)}") for each in told["errors"])


def _first(error: Any) -> str:
    kind, more = error["kind"], error.get("suggestion")
    return f"{kind}: {more}" if more else str(kind)


def _workflow(reader: _Reader) -> str | None:
    told = reader.get("actions/workflows/verify.yaml", missing={"state": ""})
    return None if told is None else str(told["state"])


def _standing(wire: Wire, at: Mapping[str, str], reader: _Reader, request: PullRequest) -> Standing:
    node = wire.graphql(queries.STANDING, {**at, "number": request.number})["repository"]["pullRequest"]
    asked = reader.get(f"pulls/{request.number}/requested_reviewers") or {"teams": [], "users": []}
    teams = [f"@{at['owner']}/{each['slug']}" for each in asked["teams"]]
    signed = ((each["commit"]["oid"], each["commit"]["signature"]) for each in node["commits"]["nodes"])
    suites = reader.get(f"commits/{request.head}/check-suites?per_page={_PAGE}")
    return Standing(
        state=node["mergeStateStatus"].lower(),
        draft=bool(node["isDraft"]),
        conflict=node["mergeable"] == "CONFLICTING",
        decision=(node["reviewDecision"] or "").lower(),
        owners=any(each["asCodeOwner"] for each in node["reviewRequests"]["nodes"]),
        asked=(*teams, *(f"@{each['login']}" for each in asked["users"])),
        unsigned=tuple(oid for oid, signature in signed if not (signature and signature["isValid"])),
        words=_words(reader, request.head),
        suites=None if suites is None else tuple(map(_suite, suites["check_suites"])),
    )


def _suite(told: Any) -> tuple[str, str]:
    return str((told["app"] or {}).get("slug") or ""), str(told["conclusion"] or "")


def _words(reader: _Reader, head: str) -> tuple[Word, ...] | None:
    """The newest of each status and check; None where either cannot be read: what is there may not be all."""
    statuses = reader.get(f"commits/{head}/statuses?per_page={_PAGE}")
    runs = reader.get(f"commits/{head}/check-runs?per_page={_PAGE}")
    if statuses is None or runs is None:
        return None
    found = {each["name"]: _run(each) for each in runs["check_runs"]}
    for each in reversed(statuses):  # GitHub tells the newest first
        by = (each["creator"] or {}).get("login", "")
        found[each["context"]] = Word(each["context"], _STATES.get(each["state"], FAILED), by)
    return tuple(found.values())


def _run(told: Any) -> Word:
    app = told["app"] or {}
    good = PASSED if told["conclusion"] in _GOOD else FAILED
    state = good if told["status"] == "completed" else RUNNING
    return Word(told["name"], state, str(app.get("slug") or ""), int(app.get("id") or 0))
