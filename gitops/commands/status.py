"""`gitops status`: the command."""

from __future__ import annotations

import click

from generator.commands.main import say, show, show_json
from gitops.commands import options


@click.command()
@options.repo
@options.as_json
def status(repo: str | None, as_json: bool) -> None:
    """Show every service's pin in every environment: since when, behind or not, and the open pull request."""
    with options.copied(repo) as copy:
        from gitops import clock
        from gitops import status as table
        from gitops.apply import survey

        config, rows = survey(copy)
    if as_json:
        show_json("shiplane/status/1", table.items(rows))
        return
    show(table.table(config, rows, clock.now()))
    for problem in dict.fromkeys(cell.problem for row in rows for cell in row.cells.values() if cell.problem):
        say(problem)
    if not rows:
        say("no service is known yet; to add one: gitops onboard SERVICE")
