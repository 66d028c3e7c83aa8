"""`promote`: the command."""

from __future__ import annotations

import click

from generator.commands.main import main
from gitops.commands import options


@click.command()
@click.argument("services", metavar="SERVICE...", nargs=-1, required=True)
@click.option("--to", required=True, metavar="ENV", help="The environment to promote into.")
@click.option("--from", "source", metavar="ENV", help="The environment to promote from. [default: the one before]")
@click.option("--override", "overrides", multiple=True, metavar="GATE", help="Ask the break-glass team to open it.")
@click.option("--reason", metavar="TEXT", help="Why a gate is to be overridden.")
@options.repo
@options.anew
@options.dry_run
@options.as_json
def promote(
    services: tuple[str, ...],
    to: str,
    source: str | None,
    overrides: tuple[str, ...],
    reason: str | None,
    repo: str | None,
    anew: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open the pull request that carries exactly what was tested one environment further, or update it.

    One pull request for each SERVICE. Its address is printed; run again, it is the same one.
    """
    from gitops.apply import propose
    from gitops.promote import asked

    requests = asked(services, to, source, overrides, reason)
    tip, outcomes = propose(options.repository(repo), requests, dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)


def run() -> int:
    """The script `promote`."""
    return main(promote)
