"""`gitops onboard`: the command."""

from __future__ import annotations

import click

from gitops.commands import options


@click.command()
@click.argument("service")
@click.option("--source", required=True, metavar="OWNER/REPOSITORY", help="Where its source lies on GitHub.")
@click.option("--source-id", metavar="ID", help="That repository's number: signatures of another one do not count.")
@click.option("--image", required=True, metavar="REPOSITORY", help="Its image's repository inside the registry.")
@click.option("--owner", default="platform", show_default=True, metavar="TEAM", help="The team that owns it.")
@click.option(
    "--tier",
    type=click.Choice(["standard", "critical"]),
    default="standard",
    show_default=True,
    help="How much depends on it.",
)
@options.repo
@options.anew
@options.dry_run
@options.as_json
def onboard(
    service: str,
    source: str,
    source_id: str | None,
    image: str,
    owner: str,
    tier: str,
    repo: str | None,
    anew: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open the reviewed pull request that makes SERVICE known: its catalog entry."""
    with options.copied(repo) as copy:
        from gitops.apply import propose
        from gitops.onboard import asked

        request = asked(service, source, image, owner, tier, source_id)
        tip, outcomes = propose(copy, [request], dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)
