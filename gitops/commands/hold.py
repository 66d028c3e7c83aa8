"""`gitops hold` and `gitops unhold`: the commands."""

from __future__ import annotations

import click

from gitops.commands import options

environment: options.Decorator = click.option("--env", "environment", required=True, metavar="ENV", help="Where.")


@click.command()
@click.argument("service")
@environment
@click.option("--reason", required=True, metavar="TEXT", help="Why: whoever is held up reads it.")
@click.option("--release", "tag", metavar="SHA", help="Hold this release back alone. [default: every one]")
@options.repo
@options.anew
@options.dry_run
@options.as_json
def hold(
    service: str,
    environment: str,
    reason: str,
    tag: str | None,
    repo: str | None,
    anew: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open the pull request that holds SERVICE back: while it stands, nothing is promoted there."""
    with options.copied(repo) as copy:
        from gitops.apply import propose
        from gitops.hold import asked

        tip, outcomes = propose(copy, [asked(service, environment, reason, tag)], dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)


@click.command()
@click.argument("service")
@environment
@options.repo
@options.anew
@options.dry_run
@options.as_json
def unhold(service: str, environment: str, repo: str | None, anew: bool, dry_run: bool, as_json: bool) -> None:
    """Open the pull request that lifts the hold on SERVICE; it asks for the environment's own approvals."""
    with options.copied(repo) as copy:
        from gitops.apply import propose
        from gitops.hold import lifting

        tip, outcomes = propose(copy, [lifting(service, environment)], dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)
