"""`gitops rollback`: the command."""

from __future__ import annotations

import click

from gitops.commands import options


@click.command()
@click.argument("service")
@click.option("--env", "environment", required=True, metavar="ENV", help="The environment that goes back.")
@click.option("--to", "tag", metavar="SHA", help="Back to this release. [default: the last one that was kept]")
@click.option("--steps", type=int, default=1, show_default=True, metavar="N", help="So many releases back.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is told by the hold on what is left.")
@options.repo
@options.anew
@options.dry_run
@options.as_json
def rollback(
    service: str,
    environment: str,
    tag: str | None,
    steps: int,
    reason: str,
    repo: str | None,
    anew: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open the pull request that returns ENV to a release that it has had, with all that it carries.

    It passes freezes and soak times, and holds the release that is left back.
    """
    with options.copied(repo) as copy:
        from gitops.journey import roll_back
        from gitops.rollback import asked

        request = asked(service, environment, steps, tag, reason)
        tip, outcomes = roll_back(copy, request, dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)
