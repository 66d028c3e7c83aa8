"""`promote`: the command."""

from __future__ import annotations

from typing import BinaryIO, NoReturn

import click

from generator.commands.main import leave, main
from gitops.commands import options


@click.command()
@click.argument("services", metavar="SERVICE...", nargs=-1, required=True)
@click.option("--to", required=True, metavar="ENV", help="The environment to promote into.")
@click.option("--from", "source", metavar="ENV", help="The environment to promote from. [default: the one before]")
@click.option("--together", is_flag=True, help="One pull request for all of them.")
@click.option("--with-values", "values", type=click.File("rb"), metavar="FILE", help="Settings that go with it.")
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
    together: bool,
    values: BinaryIO | None,
    overrides: tuple[str, ...],
    reason: str | None,
    repo: str | None,
    anew: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open the pull request that carries exactly what was tested one environment further, or update it.

    One pull request for each SERVICE. Its address is printed; run again, it is the same one. The settings in
    --with-values take the place of the environment's.
    """
    settings = (str(values.name), values.read()) if values else None
    with options.copied(repo) as copy:
        from gitops.apply import propose
        from gitops.promote import asked

        requests = asked(services, to, source, overrides, reason, settings)
        tip, outcomes = propose(copy, requests, dry_run=dry_run, anew=anew, as_one=together)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)


def run() -> NoReturn:
    """The script `promote`."""
    leave(main(promote))
