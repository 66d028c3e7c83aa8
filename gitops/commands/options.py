"""Options that several commands share, and what they print alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.commands.main import say, show, show_json
from generator.errors import Problem, ShiplaneError

if TYPE_CHECKING:
    from gitops.apply import Outcome
    from gitops.model import PullRequest

Decorator = Callable[[Any], Any]

repo: Decorator = click.option(
    "--repo",
    metavar="ADDRESS",
    help="The GitOps repository: an address or a path. [default: $SHIPLANE_REPO, or around you]",
)
dry_run: Decorator = click.option("--dry-run", is_flag=True, help="Show the plan; change nothing anywhere.")
as_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Results as JSON on stdout.")
anew: Decorator = click.option("--replace", "anew", is_flag=True, help="Update a pull request though it is approved.")
who: Decorator = click.option("--as", "who", metavar="E-MAIL", help="Act as this person. [default: git's user.email]")


def repository(named: str | None) -> str:
    """The address of the GitOps repository: `--repo`, else SHIPLANE_REPO, else the clone around us, by its `origin`."""
    from gitops.repo.source import origin_of

    given = named or os.environ.get("SHIPLANE_REPO")
    if given:
        folder = Path(given)
        return origin_of(folder) if (folder / "shiplane.yaml").is_file() else given
    here = Path.cwd()
    found = next((each for each in (here, *here.parents) if (each / "shiplane.yaml").is_file()), None)
    if found is None:
        mend = "cd into a clone of it, or name it: --repo ADDRESS"
        raise ShiplaneError(Problem("--repo", "which GitOps repository? there is no shiplane.yaml here or above", mend))
    return origin_of(found)


def tell(tip: str, outcomes: Sequence[Outcome], *, dry_run: bool, as_json: bool) -> None:
    """The plan as talk (the result of a dry run: on stdout), then one address for each pull request."""
    from gitops.model import Draft

    talk = show if dry_run and not as_json else say
    talk(tip)
    requests = []
    for outcome in outcomes:
        if not isinstance(outcome.plan, Draft):
            talk(outcome.plan.reason)
            if outcome.request:
                number = outcome.request.number
                say(f"#{number} is open and would change that again; to close it: gitops close {number}")
            continue
        talk(outcome.plan.title)
        for step in outcome.plan.steps:
            talk(step)
        if outcome.request:
            requests.append(outcome.request)
            if outcome.unchanged:
                say(f"#{outcome.request.number} is open with exactly this")
    if as_json:
        show_json("shiplane/prs/1", [item(request) for request in requests])
    else:
        for request in requests:
            say(f"#{request.number} {request.state}") if request.state == "merged" else None
            show(request.url)


def item(request: PullRequest) -> dict[str, object]:
    """One pull request, for programs (`shiplane/prs/1`)."""
    move = request.move
    return {
        "number": request.number,
        "url": request.url,
        "state": request.state,
        "title": request.title,
        "branch": request.branch,
        "head": request.head,
        "author": request.author,
        "requester": request.requester,
        "approved_by": list(request.approvers()),
        "opened": request.opened.isoformat(),
        "merged": request.merged and request.merged.isoformat(),
        "service": move and move.service,
        "environment": move and move.environment,
        "tag": move and move.after.tag,
        "digest": move and move.after.digest,
    }
