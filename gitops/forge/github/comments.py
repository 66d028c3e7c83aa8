"""verify's own word on GitHub: a commit status, which rules can ask for, and one comment, which people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.errors import printable
from gitops.forge.github.wire import Wire
from gitops.protection import VERIFY
from gitops.pull_request import PullRequest

_MARK = "<!-- shiplane:verify -->"
_PAGE = 100
_MOST_PAGES = 30
_LONGEST = 140  # characters of a status's description that GitHub takes
_MOST = 65_000  # characters of a comment: it takes 65,536
_STATES = {"passed": "success", "waiting": "pending", "refused": "failure"}


def report(wire: Wire, slug: str, request: PullRequest, me: str, state: str, summary: str, text: str) -> None:
    """Post the status on the head that was judged, then write the comment, or write it anew where it says otherwise.

    The status comes first: it decides, and a comment that fails must not leave an older one standing.
    """
    mark(wire, slug, request.head, me, state, summary, request.url)
    keep(wire, slug, request.number, me, text)


def keep(wire: Wire, slug: str, number: int, me: str, text: str) -> None:
    """Write the one comment that is ours, or write it anew where it says otherwise."""
    body = f"{_MARK}\n{text}"
    body = body if len(body) <= _MOST else f"{body[:_MOST]}\n…"
    ours = _ours(wire, slug, number, me)
    if ours is None:
        # not tried twice: one that was written after all would stand there twice
        wire.rest("POST", f"/repos/{slug}/issues/{number}/comments", {"body": body}, again=False)
    elif ours["body"] != body:
        wire.rest("PATCH", f"/repos/{slug}/issues/comments/{int(ours['id'])}", {"body": body})


def mark(wire: Wire, slug: str, commit: str, me: str, state: str, summary: str, url: str) -> None:
    """Post the status on a commit.

    What stands there already is not said again: GitHub takes 1,000 statuses of a commit and context, and a schedule
    would use them up (docs.github.com, "Create a commit status").
    """
    told = printable(summary)
    told = told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"
    status = {"state": _STATES.get(state, "error"), "context": VERIFY, "description": told}
    if url:
        status["target_url"] = url
    if not _stands(wire, slug, commit, me, status):
        wire.rest("POST", f"/repos/{slug}/statuses/{commit}", status)


def _stands(wire: Wire, slug: str, head: str, me: str, status: Mapping[str, str]) -> bool:
    """Whether the newest word of this context is ours, and the same; one far below many others is said again."""
    told = wire.rest("GET", f"/repos/{slug}/commits/{head}/statuses?per_page={_PAGE}")
    for newest in told:
        if newest["context"] == status["context"]:
            by = (newest["creator"] or {}).get("login")
            return bool(by == me and all(newest[key] == status[key] for key in ("state", "description")))
    return False


def _ours(wire: Wire, slug: str, number: int, me: str) -> Any | None:
    """The comment that we have written before; another's with our mark in it is another's."""
    for page in range(1, _MOST_PAGES):
        told = wire.rest("GET", f"/repos/{slug}/issues/{number}/comments?per_page={_PAGE}&page={page}")
        for each in told:
            if each["user"] and each["user"]["login"] == me and (each["body"] or "").startswith(_MARK):
                return each
        if len(told) < _PAGE:
            return None
    return None
