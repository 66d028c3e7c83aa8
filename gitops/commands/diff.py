"""`gitops diff`: the command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from generator.commands.main import say, show, show_json
from generator.errors import Problem, ShiplaneError, printable
from gitops.commands import options

if TYPE_CHECKING:
    from gitops.comparison import Comparison

_COLOURS = {"- ": "red", "+ ": "green", "! ": "yellow"}


@click.command()
@click.argument("services", metavar="[SERVICE]...", nargs=-1)
@click.option("--to", metavar="ENV", help="What promoting SERVICE to this environment would change.")
@click.option("--from", "source", metavar="ENV", help="Promoted from here. [default: the one before]")
@click.option("--pr", "number", type=int, metavar="N", help="What this pull request changes.")
@click.option("--base", metavar="REF", help="Compare with this branch, tag or commit. [default: the default branch]")
@click.option("--head", metavar="REF", help="What this branch, tag or commit changes.")
@options.repo
@options.as_json
def diff(
    services: tuple[str, ...],
    to: str | None,
    source: str | None,
    number: int | None,
    base: str | None,
    head: str | None,
    repo: str | None,
    as_json: bool,
) -> None:
    """Show what changes in the cluster, resource by resource: by a promotion, a pull request, or between commits.

    Dangers come first; the image and its version's labels are folded, secrets are hidden.
    """
    ways = [bool(services or to), number is not None, head is not None]
    if sum(ways) != 1 or (bool(services) != bool(to)) or (source and not to) or (base and not head):
        raise ShiplaneError(Problem("gitops diff", "say what to compare, in one way", "\n".join(_WAYS)))
    with options.copied(repo) as copy:
        from gitops import comparison

        if to is not None:
            found = comparison.of_promotion(copy, services, to, source)
        elif number is not None:
            found = comparison.of_request(copy, number)
        else:
            found = comparison.of_commits(copy, base, str(head))
    if as_json:
        show_json("shiplane/diff/1", comparison.items(found))
    else:
        _tell(found)
    if problems := [problem for each in found.changes for problem in each.problems]:
        raise ShiplaneError(problems)


_WAYS = ("gitops diff SERVICE --to ENV", "gitops diff --pr N", "gitops diff --base REF --head REF")


def _tell(found: Comparison) -> None:
    from gitops.messages import terminal

    differs = False
    for each in found.changes:
        if each.difference and (each.difference.resources or each.difference.dangers):
            differs = True
            for line in terminal.lines(each.name, each.difference):
                show(_coloured(line))
        elif each.untold:
            differs = True
            say(printable(f"{each.name}: could not be told: {' '.join(each.untold.split())}"))
    if found.others:
        differs = True
        say(f"files change that are not rendered: {', '.join(map(printable, found.others))}")
    if not differs and not any(each.problems for each in found.changes):
        say("nothing changes in the cluster")


def _coloured(line: str) -> str:
    """In colours, which click drops where stdout is no terminal; none where NO_COLOR is set (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return line
    if not line.startswith((" ", *_COLOURS)):
        return click.style(line, bold=True)
    colour = _COLOURS.get(line[:2])
    return click.style(line, fg=colour) if colour else line
