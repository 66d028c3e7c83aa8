"""`gitops history` and `gitops why`: the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.commands.main import say, show, show_json
from generator.errors import printable
from gitops.commands import options

if TYPE_CHECKING:
    from gitops.journey import Moment, Reason


@click.command()
@click.argument("service")
@click.option("--env", "environment", metavar="ENV", help="Of this environment alone.")
@options.repo
@options.as_json
def history(service: str, environment: str | None, repo: str | None, as_json: bool) -> None:
    """Tell what each environment has had of SERVICE, since when, by which pull request and by whom."""
    with options.copied(repo) as copy:
        from gitops import journey
        from gitops.model import Release

        config, moments = journey.history(copy, service, environment)
    if as_json:
        show_json("shiplane/history/1", [_moment(each) for each in moments])
        return
    width = max(map(len, config.environments))
    releases = [Release(each.tag, "").short or "–" for each in moments]
    longest = max(map(len, releases), default=0)
    for each, release in zip(moments, releases, strict=True):
        by = f"  #{each.request.number} by {each.request.requester}" if each.request else f"  {each.commit[:7]}"
        approved = (
            f", approved by {', '.join(each.request.approvers())}" if each.request and each.request.reviews else ""
        )
        told = f"{each.at:%Y-%m-%d %H:%M}  {each.environment:{width}}  {release:{longest}}{by}{approved}  {each.title}"
        show(printable(told))
    if not moments:
        say(f"{printable(service)} has never been released")


def _moment(each: Moment) -> dict[str, object]:
    request = each.request
    return {
        "environment": each.environment,
        "at": each.at.isoformat(),
        "commit": each.commit,
        "title": each.title,
        "tag": each.tag or None,
        "number": request and request.number,
        "requester": request and request.requester,
        "approved_by": list(request.approvers()) if request else [],
    }


@click.command()
@click.argument("service")
@click.option("--env", "environment", metavar="ENV", help="For this environment alone.")
@options.repo
@options.as_json
def why(service: str, environment: str | None, repo: str | None, as_json: bool) -> None:
    """Tell why SERVICE's next release is not in an environment: each cause by its name, and when it clears."""
    with options.copied(repo) as copy:
        from gitops import journey

        reasons = journey.why(copy, service, environment)
    if as_json:
        show_json("shiplane/why/1", [item for each in reasons for item in _causes(each)])
        return
    for each in reasons:
        told = f": #{each.request.number} is open, {each.request.title}" if each.request else ""
        show(printable(f"{each.environment}{told}"))
        for cause in each.causes:
            show(f"  {cause.line}")


def _causes(each: Reason) -> list[dict[str, object]]:
    """One entry for each cause (`shiplane/why/1`)."""
    return [
        {
            "environment": each.environment,
            "cause": cause.gate,
            "state": cause.state,
            "why": cause.why,
            "until": cause.until and cause.until.isoformat(),
            "number": each.request and each.request.number,
        }
        for cause in each.causes
    ]
