"""`gitops prs`, `show`, `approve`, `merge`, `close`: the review desk's commands."""

from __future__ import annotations

import re

import click

from generator.commands.main import say, show, show_json
from generator.errors import Problem, ShiplaneError, given, printable
from gitops.commands import options


@click.command()
@options.repo
@options.as_json
def prs(repo: str | None, as_json: bool) -> None:
    """List the open pull requests."""
    with options.copied(repo) as copy:
        from gitops import desk

        requests = desk.pull_requests(copy)
    if as_json:
        show_json("shiplane/prs/1", [options.item(request) for request in requests])
        return
    for request in requests:
        show(printable(f"#{request.number}  {request.title}  by {request.requester}"))
    if not requests:
        say("no pull request is open")


@click.command(name="show")
@click.argument("number", type=int)
@options.repo
@options.as_json
def show_one(number: int, repo: str | None, as_json: bool) -> None:
    """Show pull request NUMBER as its reviewer reads it."""
    with options.copied(repo) as copy:
        from gitops import desk

        request, judgement = desk.shown(copy, number)
    if as_json:
        show_json("shiplane/prs/1", [{**options.item(request), "body": request.body}])
        return
    state = f"#{request.number} {request.state}, asked for by {request.requester}"
    for line in (f"# {request.title}", "", state, "", *request.body.splitlines()):
        show(printable(line))
    for verdict in judgement.verdicts if judgement else ():
        say(verdict.line)


@click.command()
@click.argument("number", type=int)
@click.option("--head", metavar="SHA", help="Approve only if this is (the start of) its head.")
@options.who
@options.repo
def approve(number: int, head: str | None, who: str | None, repo: str | None) -> None:
    """Approve pull request NUMBER as it is now, or only if it still has the head that was read."""
    expected = _expected(head)
    with options.copied(repo) as copy:
        from gitops import desk

        request = desk.approve(copy, number, who, expected)
    say(f"#{number} {request.head[:7]} is approved by {', '.join(request.approvers())}")


@click.command()
@click.argument("number", type=int)
@click.option("--head", metavar="SHA", help="Merge only if this is (the start of) its head.")
@options.who
@options.repo
def merge(number: int, head: str | None, who: str | None, repo: str | None) -> None:
    """Merge pull request NUMBER, if the gates pass; where GitHub merges by a queue, put it there."""
    expected = _expected(head)
    with options.copied(repo) as copy:
        from gitops import desk

        request = desk.merge(copy, number, who, expected)
    if request.state != "merged":
        say(f"#{number} is in the merge queue: it is merged once verify has passed it there")
        show(request.url)
        return
    say(f"#{number} is merged: {request.title}")
    show(request.merge)


@click.command()
@click.argument("number", type=int)
@options.who
@options.repo
def close(number: int, who: str | None, repo: str | None) -> None:
    """Close pull request NUMBER without merging."""
    with options.copied(repo) as copy:
        from gitops import desk

        desk.close(copy, number, who)
    say(f"#{number} is closed")


@click.command()
@click.argument("service")
@click.option("--env", "environment", required=True, metavar="ENV", help="Where it was found healthy.")
@options.who
@options.repo
def healthy(service: str, environment: str, who: str | None, repo: str | None) -> None:
    """Record that what ENV has pinned of SERVICE runs well, as Argo CD's notifications do on GitHub."""
    with options.copied(repo) as copy:
        from gitops import desk

        request = desk.healthy(copy, service, environment, who)
    since = f"{request.healthy:%Y-%m-%d %H:%M} UTC" if request.healthy else "now"
    say(f"{printable(service)} in {environment} is healthy since {since}, by #{request.number}")


def _expected(head: str | None) -> str | None:
    """`--head`, when it names a commit: an empty one would let any head through."""
    if head is not None and not re.fullmatch("[0-9a-f]{7,40}", head):
        raise ShiplaneError(Problem(given("--head", head), "expected a commit's id, or at least its 7 first digits"))
    return head
