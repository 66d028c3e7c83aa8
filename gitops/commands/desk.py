"""`gitops prs`, `show`, `approve`, `merge`, `close`: the review desk's commands."""

from __future__ import annotations

import click

from generator.commands.main import say, show, show_json
from gitops.commands import options


@click.command()
@options.repo
@options.as_json
def prs(repo: str | None, as_json: bool) -> None:
    """List the open pull requests."""
    from gitops.desk import pull_requests

    requests = pull_requests(options.repository(repo))
    if as_json:
        show_json("shiplane/prs/1", [options.item(request) for request in requests])
        return
    for request in requests:
        show(f"#{request.number}  {request.title}  by {request.requester}")
    if not requests:
        say("no pull request is open")


@click.command(name="show")
@click.argument("number", type=int)
@options.repo
@options.as_json
def show_one(number: int, repo: str | None, as_json: bool) -> None:
    """Show pull request NUMBER as its reviewer reads it."""
    from gitops.desk import shown

    request, verdict = shown(options.repository(repo), number)
    if as_json:
        show_json("shiplane/prs/1", [{**options.item(request), "body": request.body}])
        return
    show(f"# {request.title}\n\n#{request.number} {request.state}, asked for by {request.requester}\n\n{request.body}")
    if verdict:
        say(f"{verdict.gate}: {'passed' if verdict.passed else 'waiting'}: {verdict.why}")


@click.command()
@click.argument("number", type=int)
@options.who
@options.repo
def approve(number: int, who: str | None, repo: str | None) -> None:
    """Approve the present head of pull request NUMBER."""
    from gitops import desk

    request = desk.approve(options.repository(repo), number, who)
    say(f"#{number} {request.head[:7]} is approved by {', '.join(r.who for r in request.reviews)}")


@click.command()
@click.argument("number", type=int)
@click.option("--head", metavar="SHA", help="Merge only if this is (the start of) its head.")
@options.who
@options.repo
def merge(number: int, head: str | None, who: str | None, repo: str | None) -> None:
    """Merge pull request NUMBER, if the gates pass."""
    from gitops import desk

    request = desk.merge(options.repository(repo), number, who, head)
    say(f"#{number} is merged: {request.title}")
    show(request.merge)


@click.command()
@click.argument("number", type=int)
@options.who
@options.repo
def close(number: int, who: str | None, repo: str | None) -> None:
    """Close pull request NUMBER without merging."""
    from gitops import desk

    desk.close(options.repository(repo), number, who)
    say(f"#{number} is closed")
