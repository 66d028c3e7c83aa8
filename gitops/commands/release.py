"""`gitops release`: the command."""

from __future__ import annotations

from pathlib import Path

import click

from generator.errors import Problem, ShiplaneError, given, printable
from gitops.commands import options


@click.command()
@click.argument("service")
@click.option("--tag", required=True, metavar="SHA", help="The image's tag: the full commit SHA it was built from.")
@click.option("--digest", metavar="sha256:...", help="The image's digest, as the registry gave it.")
@click.option("--chart", metavar="DIR", help="The chart's folder in the service's repository, where one is carried.")
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
    digest: str | None,
    chart: str | None,
    run: int | None,
    to: str | None,
    repo: str | None,
    anew: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Pin what CI built: image tag, digest and the chart as it was committed at that tag.

    A layout of somebody else's carries no chart, and a digest only where it has a key for one.
    """
    from gitops.apply import propose
    from gitops.release import Chart, asked, mistakes
    from gitops.repo.source import chart_at

    wrong = [*mistakes(service, tag, digest or "", run, bare=chart is None), *_no_folder(chart)]
    if wrong:
        raise ShiplaneError(wrong)
    carried = None
    if chart is not None:
        files, proved = chart_at(Path(chart), tag)
        carried = Chart(printable(chart), files, proved)
    request = asked(service, tag, digest or "", run, to, carried)
    tip, outcomes = propose(options.repository(repo), [request], dry_run=dry_run, anew=anew)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)


def _no_folder(chart: str | None) -> list[Problem]:
    if chart is None:
        return []
    if not chart.strip() or not Path(chart).is_dir():
        return [Problem(given("--chart", chart), "is no folder", "name the folder that holds Chart.yaml")]
    return []
