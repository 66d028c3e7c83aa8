"""`gitops verify`: the command."""

from __future__ import annotations

import click

from generator.commands.main import show, show_json
from generator.errors import REFUSED
from gitops.commands import options

_WAITING = 1


@click.command()
@click.argument("number", type=int)
@options.post
@options.repo
@options.as_json
def verify(number: int, post: bool, repo: str | None, as_json: bool) -> int:
    """Judge pull request NUMBER by every gate, with the default branch's own rules.

    Ends with 0 when nothing stands against it, 1 while time or people are waited for, 3 when a gate refuses.
    """
    with options.copied(repo) as copy:
        from gitops import desk

        request, judgement = desk.shown(copy, number, post=post)
    verdicts = judgement.verdicts if judgement else ()
    if as_json:
        show_json("shiplane/verdicts/1", [options.verdict_item(request, each) for each in verdicts])
    else:
        show(f"#{request.number} {request.state} at {request.head[:7]}")
        for each in verdicts:
            show(each.line)
    if judgement is None or judgement.passed:
        return 0
    return REFUSED if judgement.refused else _WAITING
