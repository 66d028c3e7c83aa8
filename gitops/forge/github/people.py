"""Who did what, as GitHub itself has authenticated it, and what is said on a pull request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

from generator.errors import Problem, ShiplaneError
from gitops.forge.github.reading import REQUESTER, speaks_for_itself
from gitops.forge.github.wire import Refused, Wire
from gitops.pull_request import PullRequest

_PAGE = 100
_MOST_PAGES = 50
_TRIES = 4  # of a question that GitHub answers a moment later
_PAUSE = 0.5  # seconds before the second one; it doubles


def pushed_by(wire: Wire, slug: str, request: PullRequest) -> tuple[str, ...]:
    """Everybody who has pushed to the branch since it was made; commits name whom their authors like.

    Raises ShiplaneError where GitHub does not tell it: then nobody knows whose approval counts.
    """
    path = f"/repos/{slug}/activity?ref={quote(f'refs/heads/{request.branch}')}&per_page={_PAGE}"
    told = wire.rest("GET", path)
    for attempt in range(_TRIES):
        if told and told[0]["after"] == request.head:
            break
        time.sleep(_PAUSE * 2**attempt)  # it comes a moment after the push
        told = wire.rest("GET", path)
    else:
        rule = f"GitHub has not told yet who pushed {request.head[:7]}"
        raise ShiplaneError(Problem(request.url, rule, "try the same command again in a minute"))
    kinds = [each["activity_type"] for each in told]
    since = told[: kinds.index("branch_creation") + 1] if "branch_creation" in kinds else told
    if len(since) == _PAGE or any(each["actor"] is None for each in since):
        rule = "was pushed to too often, or by an account that is gone, to know by whom"
        raise ShiplaneError(Problem(request.url, rule, f"gitops close {request.number}, and open it again"))
    return tuple(dict.fromkeys(str(each["actor"]["login"]) for each in since))


def record(wire: Wire, slug: str, head: str, app: str, actor: str) -> str:
    """Record on `head` who asked for it; answers with whom a reader will believe.

    Only an App can: a status tells who made it, and in the App's own name nobody else can speak. Outside of a run
    nobody is known but the App itself, and nothing is recorded; nor is it where its token may set no statuses.
    """
    if not speaks_for_itself(app) or actor == app:
        return ""
    body = {"state": "success", "context": REQUESTER, "description": actor}
    try:
        wire.rest("POST", f"/repos/{slug}/statuses/{head}", body)
    except Refused as refusal:
        if refusal.status == 403:
            return ""
        raise
    return actor


def members(wire: Wire, owner: str, team: str) -> Iterator[str]:
    """The logins of a team's people, those of the teams below it too."""
    organisation, slash, name = team.rpartition("/")
    mend = f"list its people under teams in shiplane.yaml, or let the token read members of {organisation or owner}"
    missing = ("GitHub shows no such team", mend)
    for page in range(1, _MOST_PAGES):
        path = f"/orgs/{organisation if slash else owner}/teams/{name}/members?per_page={_PAGE}&page={page}"
        told = wire.rest("GET", path, missing=missing)
        yield from (str(each["login"]) for each in told)
        if len(told) < _PAGE:
            return
