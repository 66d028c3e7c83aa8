"""Options that several commands share, and what they print alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.commands.main import say, show, show_json
from generator.errors import Problem, ShiplaneError, given
from gitops.model import Draft, Nothing

if TYPE_CHECKING:
    from gitops.apply import Outcome
    from gitops.gates.verdict import Verdict
    from gitops.pull_request import PullRequest
    from gitops.repo.copy import Copy
    from gitops.sweep import Swept

Decorator = Callable[[Any], Any]

repo: Decorator = click.option(
    "--repo",
    metavar="ADDRESS",
    help="The GitOps repository: an address or a path. [default: $SHIPLANE_REPO, or around you]",
)
dry_run: Decorator = click.option("--dry-run", is_flag=True, help="Show the plan; change nothing anywhere.")
post: Decorator = click.option("--post", is_flag=True, help="Say it on GitHub too: a commit status, and one comment.")
as_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Results as JSON on stdout.")
anew: Decorator = click.option("--replace", "anew", is_flag=True, help="Update a pull request though it is approved.")
who: Decorator = click.option("--as", "who", metavar="E-MAIL", help="Act as this person. [default: git's user.email]")


def repository(named: str | None) -> str:
    """The address of the GitOps repository: `--repo`, else SHIPLANE_REPO, else the clone around us, by its `origin`.

    A clone that is named stands for its `origin` too: pull requests that were kept inside it would be seen by nobody.
    """
    from gitops.repo.source import origin_of

    if named is not None and not named.strip():
        raise ShiplaneError(Problem(given("--repo", named), "names no repository", "leave it out, or name one"))
    address = named or os.environ.get("SHIPLANE_REPO")
    if address:
        return origin_of(Path(address)) if os.path.lexists(Path(address, ".git")) else address
    here = Path.cwd()
    found = next((each for each in (here, *here.parents) if (each / "shiplane.yaml").is_file()), None)
    if found is None:
        mend = "cd into a clone of it, or name it: --repo ADDRESS"
        raise ShiplaneError(Problem("--repo", "which GitOps repository? there is no shiplane.yaml here or above", mend))
    return origin_of(found)


def copied(named: str | None) -> AbstractContextManager[Copy]:
    """The copy of `repository(named)`, under way: git waits for the server while what plans is still being loaded."""
    from gitops.forge.github import credentials
    from gitops.repo.copy import copying

    address = repository(named)
    return copying(address, credentials.access(address))


def tell(tip: str, outcomes: Sequence[Outcome], *, dry_run: bool, as_json: bool) -> None:
    """The plan as talk (the result of a dry run: on stdout), then one address for each pull request."""
    talk = show if dry_run and not as_json else say
    talk(tip)
    for outcome in outcomes:
        for line in _lines(outcome, dry_run):
            talk(line)
    settled = [(each.request, each.unchanged) for each in outcomes if each.request and isinstance(each.plan, Draft)]
    if as_json and dry_run:
        show_json("shiplane/plans/1", [_plan(outcome.plan) for outcome in outcomes])
    elif as_json:
        show_json("shiplane/prs/1", [{**item(request), "changed": not unchanged} for request, unchanged in settled])
    else:
        for request, _ in settled:
            show(request.url)


def _lines(outcome: Outcome, dry_run: bool) -> list[str]:
    """What is done, for a person; a dry run says which paths it would write, too."""
    plan, request = outcome.plan, outcome.request
    if isinstance(plan, Nothing):
        if request is None:
            return [plan.reason]
        number = request.number
        return [plan.reason, f"#{number} is open and would change that again; to close it: gitops close {number}"]
    told = [plan.title, *plan.steps]
    if dry_run:
        told += [f"writes  {change.path}" for change in plan.changes]
    if request and outcome.unchanged:
        told.append(f"#{request.number} is open with exactly this")
    if request and request.state == "merged":
        told.append(f"#{request.number} merged")
    if request and request.merging:
        told.append(f"#{request.number} merges by itself once its checks have passed")
    if request and not request.requester:
        told.append(f"#{request.number} does not say who asked for it: where approvals are asked for, none will count")
    return told


def _plan(plan: Draft | Nothing) -> dict[str, object]:
    """A plan for programs (`shiplane/plans/1`); `nothing` says why there is none."""
    draft = plan if isinstance(plan, Draft) else None
    move = draft and draft.move
    return {
        "title": draft and draft.title,
        "branch": draft and draft.branch,
        "service": move and move.service,
        "environment": move and move.environment,
        "tag": move and move.after.tag,
        "digest": (move and move.after.digest) or None,
        "beside": [each.service for each in draft.beside] if draft else [],
        "merges": bool(draft and draft.merge),
        "writes": [change.path for change in draft.changes] if draft else [],
        "nothing": plan.reason if isinstance(plan, Nothing) else None,
    }


def verdict_item(judged: PullRequest | Swept, verdict: Verdict) -> dict[str, object]:
    """What a gate says, for programs (`shiplane/verdicts/1`)."""
    return {
        "number": judged.number,
        "head": judged.head,
        "gate": verdict.gate,
        "state": verdict.state,
        "judged": verdict.judged,
        "why": verdict.why,
        "until": verdict.until and verdict.until.isoformat(),
        "places": list(verdict.places),
    }


def swept_item(swept: Swept) -> dict[str, object]:
    """What a sweep found of one pull request, for programs (`shiplane/sweep/1`); `problem` is why nobody knows.

    `queue` is the branch of the merge queue whose head was judged; null for the pull request itself.
    """
    return {
        "number": swept.number,
        "url": swept.url,
        "head": swept.head,
        "title": swept.title,
        "state": swept.state,
        "standing": [verdict_item(swept, each) for each in swept.standing],
        "problem": swept.problem or None,
        "queue": swept.branch or None,
    }


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
        "digest": (move and move.after.digest) or None,
        "beside": [each.service for each in request.beside],
    }
