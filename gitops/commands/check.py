"""`gitops check`: the command."""

from __future__ import annotations

import click

from generator.commands.main import say, show, show_json


@click.command()
@click.argument("path", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations of GitHub's workflows.",
)
def check(path: str | None, form: str) -> int:
    """Judge a GitOps repository, a chart, or any manifests by the policy: what lies on disk now, not a commit.

    PATH is a GitOps repository's work tree (then every service is rendered in every environment), a folder of
    manifests and charts, a file, or - for standard input. [default: the repository around you, or this folder]

    docs/policy.md explains the rules. Ends with 1 where one of them finds an error.
    """
    import sys
    from datetime import UTC, datetime

    from gitops import check as checking
    from gitops.check import manifests, report
    from gitops.policy.reading import LARGEST

    if path == "-":
        data = sys.stdin.buffer.read(LARGEST + 1)
        done = manifests.piped(data, checking.STDIN)
    else:
        done = checking.judged(checking.nearest() if path is None else path, datetime.now(UTC).date())
    if form == "json":
        show_json("shiplane/findings/1", report.items(done.findings))
    elif done.findings:
        show((report.github if form == "github" else report.text)(done.findings))
    for note in done.notes:
        say(note)
    say(f"{done.objects} objects judged: {report.counted(done.findings)}")
    return int(done.fails)
