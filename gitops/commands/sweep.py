"""`gitops sweep`: the command."""

from __future__ import annotations

import click

from generator.commands.main import say, show, show_json
from gitops.commands import options


@click.command()
@options.post
@options.repo
@options.as_json
def sweep(post: bool, repo: str | None, as_json: bool) -> int:
    """Judge every open pull request as verify does: passed, waiting or refused, and why.

    On GitHub it then judges what the merge queue is about to land.
    Ends with 0 when all could be judged, whatever the verdicts; with 1 when one could not.
    """
    with options.copied(repo) as copy:
        from gitops.sweep import UNJUDGED
        from gitops.sweep import sweep as swept

        found = swept(copy, post=post)
    if as_json:
        show_json("shiplane/sweep/1", [options.swept_item(each) for each in found])
    else:
        for each in found:
            show(each.line)
    if not found:
        say("no pull request is open")
    return int(any(each.state == UNJUDGED for each in found))
