"""`gitops doctor`: the command."""

from __future__ import annotations

import click

from generator.commands.main import say, show, show_json
from gitops.commands import options


@click.command()
@click.argument("number", type=int, required=False)
@options.repo
@options.as_json
def doctor(number: int | None, repo: str | None, as_json: bool) -> int:
    """Tell why pull request NUMBER does not merge; without it, what keeps promotions from starting.

    Each finding has a name that never changes (docs/doctor.md), the evidence, and what to do about it. Ends with 0 when
    nothing is found, 1 where time or people can mend it, 3 when a gate refuses.
    """
    from gitops.doctor import examine
    from gitops.doctor.finding import items

    report = examine(options.repository(repo), number)
    if as_json:
        show_json("shiplane/doctor/1", items(report.findings))
    else:
        for finding in report.findings:
            for line in finding.lines:
                show(line)
    for note in report.notes:
        say(note)
    if not report.findings and number is None:
        say("nothing found")
    return report.code
