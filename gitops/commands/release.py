"""`gitops release`: the command."""

from __future__ import annotations

from pathlib import Path

import click

from gitops.commands import options


@click.command()
@click.argument("service")
@click.option("--tag", required=True, metavar="SHA", help="The image's tag: the full commit SHA it was built from.")
@click.option("--digest", required=True, metavar="sha256:...", help="The image's digest, as the registry gave it.")
@click.option(
    "--chart",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The chart's folder in the service's repository.",
)
@click.option(
    "--run",
    type=int,
    envvar="GITHUB_RUN_NUMBER",
    metavar="N",
    help="The CI run's number: releases are ordered by it. [default: $GITHUB_RUN_NUMBER]",
)
@click.option("--to", metavar="ENV", help="Where the release enters. [default: the one environment without a `from`]")
@options.repo
@options.anew
@options.dry_run
@options.as_json
def release(
    service: str,
    tag: str,
    digest: str,
    chart: Path,
    run: int | None,
    to: str | None,
    repo: str | None,
    anew: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Pin what CI built: image tag, digest and the chart as it was committed at that tag."""
    from gitops.apply import propose
    from gitops.release import Chart, asked, check
    from gitops.repo.source import chart_at

    check(service, tag, digest, run)
    files, proved = chart_at(chart, tag)
    request = asked(service, tag, digest, run, to, Chart(str(chart), files, proved))
    tip, outcomes = propose(options.repository(repo), [request], dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)
