"""`gitops retire`: the command."""

from __future__ import annotations

import click

from gitops.commands import options


@click.command()
@click.argument("service")
@click.option("--env", "environment", metavar="ENV", help="Take it out of this one alone. [default: all, in order]")
@options.repo
@options.anew
@options.dry_run
@options.as_json
def retire(service: str, environment: str | None, repo: str | None, anew: bool, dry_run: bool, as_json: bool) -> None:
    """Open the next pull request that takes SERVICE out again: the last environment first, the catalog entry last.

    In each environment its Application goes first, then its files. Run it again after each merge, until nothing is
    left.
    """
    with options.copied(repo) as copy:
        from gitops.apply import propose
        from gitops.retire import asked

        tip, outcomes = propose(copy, [asked(service, environment)], dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)
