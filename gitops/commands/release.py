"""`gitops release`: the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.errors import Problem, ShiplaneError, given, printable
from gitops.commands import options

if TYPE_CHECKING:
    from gitops.release import Releasing


@click.command()
@click.argument("service", required=False)
@click.option(
    "--tag", metavar="SHA", help="Its tag: the full commit SHA it was built from; another layout says its own form."
)
@click.option(
    "--digest", metavar="sha256:...", help="The image's digest, as the registry gave it, where one is pinned."
)
@click.option("--chart", metavar="DIR", help="The chart's folder in the service's repository, where one is carried.")
@click.option(
    "--from-file",
    "listed",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Many at once: YAML or JSON, by service its tag, digest, chart and run.",
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
    service: str | None,
    tag: str | None,
    digest: str | None,
    chart: str | None,
    listed: Path | None,
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
    given = {"SERVICE": service, "--tag": tag, "--digest": digest, "--chart": chart}
    if listed is not None:
        if too_much := [name for name, value in given.items() if value is not None]:
            raise click.UsageError(f"--from-file names all of it: leave out {', '.join(too_much)}.")
    elif missing := [name for name in ("SERVICE", "--tag") if given[name] is None]:
        raise click.UsageError(f"Missing {', '.join(missing)}; or name many at once by --from-file.")
    with options.copied(repo) as copy:
        from gitops.apply import propose
        from gitops.release_file import requests

        found = requests(listed, run, to) if listed else [_asked(str(service), str(tag), digest, chart, run, to)]
        tip, outcomes = propose(copy, found, dry_run=dry_run, anew=anew, as_one=listed is not None)
    options.tell(tip, outcomes, dry_run=dry_run, as_json=as_json)


def _asked(service: str, tag: str, digest: str | None, chart: str | None, run: int | None, to: str | None) -> Releasing:
    from gitops.release import Chart, asked, mistakes
    from gitops.repo.source import chart_at

    wrong = [*mistakes(service, tag, digest or "", run, bare=chart is None), *_no_folder(chart)]
    if wrong:
        raise ShiplaneError(wrong)
    carried = None
    if chart is not None:
        files, proved = chart_at(Path(chart), tag)
        carried = Chart(printable(chart), files, proved)
    return asked(service, tag, digest or "", run, to, carried)


def _no_folder(chart: str | None) -> list[Problem]:
    if chart is None:
        return []
    if not chart.strip() or not Path(chart).is_dir():
        return [Problem(given("--chart", chart), "is no folder", "name the folder that holds Chart.yaml")]
    return []
