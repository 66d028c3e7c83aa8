"""Pull requests as GitHub's GraphQL tells them, read into our own values: pure functions on its JSON.

What decides is what GitHub itself has authenticated: who opened, pushed, reviewed, merged, and when. Titles, bodies and
e-mail addresses in commits are anybody's; trailers of a commit are believed only as a part of the head that people
approve, whose id covers them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from generator.errors import ShiplaneError
from gitops import pins
from gitops.config import Config
from gitops.model import FILE, Entry, Move, Override, Release, Snapshot
from gitops.pull_request import PullRequest, Review
from gitops.result import together

TOGETHER = together("")
"""How the branches begin that set several pins at once."""
REQUESTER = "shiplane/requester"
"""The status on a head by which an App records who asked for it: the actor of the run that it works for."""
PLAN = "Shiplane-Plan"
"""The trailer of our commits that holds the draft's fingerprint."""
_ANYBODYS = "github-actions[bot]"  # whoever can push a workflow can speak with its voice
_BRANCH = re.compile(r"shiplane/pin/(?P<environment>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)")
_PIN = re.compile(
    r"^Shiplane-Pin: (?P<service>[a-z0-9-]+) (?P<environment>[a-z0-9-]+) (?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})"
    r" (?P<digest>sha256:[0-9a-f]{64}|-)(?: (?P<run>\d{1,16}))?$",
    re.MULTILINE,
)
_OVERRIDE = re.compile(r"^Shiplane-Override: (?P<gate>[a-z]+): (?P<reason>.+)$", re.MULTILINE)
_STATES = {"OPEN": "open", "CLOSED": "closed", "MERGED": "merged"}
Node = Mapping[str, Any]


def pin_trailer(move: Move) -> str:
    """A trailer for one of several pins, or for one whose files do not say it all: where they lie, or which run it is.

    It lists them, and keeps another pull request from setting them, too.
    """
    run = "" if move.run is None else f" {move.run}"
    return f"Shiplane-Pin: {move.service} {move.environment} {move.after.tag} {move.after.digest or '-'}{run}\n"


def _told(branch: str, message: str) -> tuple[Move, ...]:
    """The pins that a commit of ours says it sets; what they are is judged by what it changes."""
    at = place(branch)
    if at is None and not branch.startswith(TOGETHER):
        return ()
    found = ((each, each["digest"].removeprefix("-")) for each in _PIN.finditer(message))
    return tuple(
        Move(each["service"], each["environment"], None, Release(each["tag"], digest), _run(each["run"]))
        for each, digest in found
        if at in (None, (each["service"], each["environment"]))
    )


def _run(text: str | None) -> int | None:
    return int(text) if text else None


def pull_request(node: Node, move: Move | None = None, pushed_by: Iterable[str] = ()) -> PullRequest:
    """The value of one `pull` of queries.py, with its body and all its commits where these were asked for."""
    head = _head(node)
    moves = (move,) if move else _told(node["headRefName"], head["message"])
    return PullRequest(
        number=node["number"],
        url=node["url"],
        state=_STATES[node["state"]],
        title=node["title"],
        body=node.get("body") or "",
        branch=node["headRefName"],
        base=next((each["oid"] for each in head["parents"]["nodes"]), ""),
        head=node["headRefOid"],
        fingerprint=fingerprint(head["message"]),
        author=login(node["author"]),
        requester=_requester(node, head),
        committers=_committers(node, pushed_by),
        opened=moment(node["createdAt"]),
        move=next(iter(moves), None),
        beside=moves[1:],
        reviews=_reviews(node),
        merged=moment(node["mergedAt"]) if node["mergedAt"] else None,
        merge=node["mergeCommit"]["oid"] if node["mergeCommit"] and node["mergedAt"] else "",
        overrides=overrides(head["message"]),
        merging=node["autoMergeRequest"] is not None,
    )


def good(node: Node) -> bool:
    """Whether the last commit bears verify's word that it passes, whoever has said it."""
    status = _head(node).get("status") or {}
    return bool((status.get("context") or {}).get("state") == "SUCCESS")


def login(actor: Node | None) -> str:
    """A person's login, or that of an App with `[bot]`, as REST has it; empty where the account is gone."""
    if actor is None:
        return ""
    name = str(actor["login"])
    return f"{name}[bot]" if actor.get("__typename") == "Bot" and not name.endswith("[bot]") else name


def speaks_for_itself(who: str) -> bool:
    """Whether `who` is an App of somebody's own, in whose name nobody else's workflow can speak."""
    return who.endswith("[bot]") and who != _ANYBODYS


def moment(text: str) -> datetime:
    """A time as GitHub writes it, ISO 8601."""
    return datetime.fromisoformat(text)


def fingerprint(message: str) -> str:
    """What our commit says it was planned as; empty for a commit of anybody else's."""
    found = re.search(rf"^{PLAN}: ([0-9a-f]{{64}})$", message, re.MULTILINE)
    return found[1] if found else ""


def overrides(message: str) -> tuple[Override, ...]:
    """The gates that a head asks to open: approving that head is approving these, since its id covers them."""
    return tuple(Override(each["gate"], each["reason"]) for each in _OVERRIDE.finditer(message))


def place(branch: str) -> tuple[str, str] | None:
    """(service, environment) of a branch that pins a release; None for any other."""
    found = _BRANCH.fullmatch(branch)
    return (found["service"], found["environment"]) if found else None


def moved(config: Config, service: str, environment: str, release: Node | None, origin: Node | None) -> Move | None:
    """What these files pin there; None where they are not there, or say nonsense."""
    if environment not in config.environments:
        return None
    folder = config.layout.folder(environment, service)
    texts = {"release.yaml": release, "origin.yaml": origin}
    entries = {f"{folder}/{name}": Entry(FILE, "", _text(blob)) for name, blob in texts.items() if blob}
    try:
        pin = pins.pin(Snapshot("", entries), config, environment, service)
    except ShiplaneError:
        return None
    return Move(service, environment, None, pin.release, pin.origin.run) if pin else None


def _text(blob: Node) -> bytes:
    return (blob.get("text") or "").encode()


def _head(node: Node) -> Node:
    """The last commit; a closed pull request may have none left."""
    nodes = node["commits"]["nodes"]
    return dict(nodes[-1]["commit"]) if nodes else {"message": "", "parents": {"nodes": []}, "status": None}


def _requester(node: Node, head: Node) -> str:
    """Who asked for it: whom the App that wrote the very head has recorded there, else the person who opened it.

    Empty where an App opened it and did not say, or where it is one in whose name any workflow can speak. Whoever
    opened it is the author besides: on a person's pull request any App's word can only bar one more.
    """
    author = login(node["author"])
    told = (head["status"] or {}).get("context") or {"creator": None, "description": ""}
    by = login(told["creator"])
    if not author.endswith("[bot]"):
        return str(told["description"] or author) if speaks_for_itself(by) else author
    return str(told["description"] or "") if by == author and speaks_for_itself(by) else ""


def _committers(node: Node, pushed_by: Iterable[str]) -> tuple[str, ...]:
    """Everybody whose work is in it: who pushed, and whom its commits name, by login where GitHub knows the address."""
    commits = [each["commit"] for each in (node.get("all") or node["commits"])["nodes"]]
    people = [who for each in commits for who in (*each["authors"]["nodes"], each["committer"]) if who]
    named = [who["user"]["login"] if who["user"] else (who["email"] or "").lower() for who in people]
    return tuple(dict.fromkeys([*pushed_by, *filter(None, named)]))


def _reviews(node: Node) -> tuple[Review, ...]:
    return tuple(
        Review(login(each["author"]), (each["commit"] or {}).get("oid", ""), moment(each["submittedAt"]))
        for each in node["latestOpinionatedReviews"]["nodes"]
        if each["state"] == "APPROVED" and each["submittedAt"]
    )
