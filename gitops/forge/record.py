"""A pull request of the embedded forge as text: the message of the commit that its ref names."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from generator.errors import Problem, ShiplaneError, given
from gitops.model import Move, Override, Release
from gitops.pull_request import PullRequest, Review

_VERSION = 1
_PERSON = re.compile(r"[^\s<>@\x00-\x1f\x7f]{1,200}@[^\s<>@\x00-\x1f\x7f]{1,200}")
_LAST_YEAR = 2999  # behind it, adding a soak could leave the calendar


def address(who: str) -> str:
    """The e-mail address by which records name a person; raises ShiplaneError for anything else."""
    if not _PERSON.fullmatch(who.strip()):
        raise ShiplaneError(Problem(given("--as", who), "expected an e-mail address, as ann@acme.example"))
    return who.strip().lower()


def written(request: PullRequest, event: str) -> str:
    """The message: its first line says what happened (`git log` of the ref is the audit trail), then the facts."""
    move = request.move
    facts: dict[str, Any] = {
        "shiplane": _VERSION,
        "number": request.number,
        "state": request.state,
        "title": request.title,
        "branch": request.branch,
        "base": request.base,
        "head": request.head,
        "fingerprint": request.fingerprint,
        "author": request.author,
        "requester": request.requester,
        "committers": list(request.committers),
        "opened": _text(request.opened),
        "merged": request.merged and _text(request.merged),
        "merge": request.merge,
        "reviews": [{"who": r.who, "head": r.head, "at": _text(r.at)} for r in request.reviews],
        "overrides": [{"gate": each.gate, "reason": each.reason} for each in request.overrides],
        "healthy": request.healthy and _text(request.healthy),
        "move": move and _pinned(move),
        "beside": [_pinned(each) for each in request.beside],
    }
    return f"{event}\n\n{json.dumps(facts, indent=1)}\n"


def parsed(message: str, url: str, oid: str) -> PullRequest:
    """The pull request in such a message, without its body.

    Raises ShiplaneError, naming the record's commit `oid`, for one that is damaged or of a newer version.
    """
    place = f"{url}: record {oid[:7]}"
    try:
        facts = json.loads(message.partition("\n\n")[2])
        if facts["shiplane"] != _VERSION:
            rule = f"is a record of version {facts['shiplane']}; this Shiplane reads version {_VERSION}"
            raise ShiplaneError(Problem(place, rule, "install a newer Shiplane"))
        if facts["state"] not in ("open", "closed", "merged"):
            raise ValueError(facts["state"])
        return PullRequest(
            number=int(facts["number"]),
            url=f"{url}#{int(facts['number'])}",
            state=facts["state"],
            title=facts["title"],
            body="",
            branch=facts["branch"],
            base=facts["base"],
            head=facts["head"],
            fingerprint=facts["fingerprint"],
            author=facts["author"],
            requester=facts["requester"],
            committers=tuple(facts["committers"]),
            opened=_moment(facts["opened"]),
            merged=_moment(facts["merged"]) if facts["merged"] else None,
            merge=facts["merge"],
            reviews=tuple(Review(r["who"], r["head"], _moment(r["at"])) for r in facts["reviews"]),
            move=_move(facts["move"]),
            beside=tuple(move for each in facts.get("beside", ()) if (move := _move(each))),
            overrides=tuple(Override(each["gate"], each["reason"]) for each in facts.get("overrides", ())),
            healthy=_moment(facts["healthy"]) if facts.get("healthy") else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        rule = f"is a damaged pull request record ({type(error).__name__})"
        raise ShiplaneError(Problem(place, rule, f"in a mirror clone of it: git log {oid}")) from None


def _pinned(move: Move) -> dict[str, Any]:
    return {
        "service": move.service,
        "environment": move.environment,
        "before": move.before and [move.before.tag, move.before.digest],
        "after": [move.after.tag, move.after.digest],
        "run": move.run,
    }


def _move(raw: dict[str, Any] | None) -> Move | None:
    if raw is None:
        return None
    before = Release(*raw["before"]) if raw["before"] else None
    return Move(raw["service"], raw["environment"], before, Release(*raw["after"]), raw.get("run"))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if moment.year > _LAST_YEAR:
        raise ValueError(text)
    return moment
