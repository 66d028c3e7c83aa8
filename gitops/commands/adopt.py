"""`gitops adopt`: the command."""

from __future__ import annotations

import click

from generator.commands.main import say, show, show_json


@click.command()
@click.argument("where", metavar="[DIR|URL]", default=".")
@click.option("--write", is_flag=True, help="Write shiplane.yaml and the catalog into the work tree, for review.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on stdout.")
def adopt(where: str, write: bool, as_json: bool) -> None:
    """Read a repository and propose how Shiplane would see it: services, environments, pins, and what stays unread.

    It changes nothing by itself, and what it assumes it says.
    """
    from gitops import adopting
    from gitops.adopt import told

    made = adopting.adopted(where)
    if write:
        adopting.write(where, made)
    if as_json:
        show_json("shiplane/adoption/1", told.items(made))
    else:
        show(told.text(made))
        for path, data in made.files.items() if not write else ():
            show(f"\n# {path}\n{data.decode().rstrip()}")
    if write:
        say(f"wrote   {', '.join(made.files)}")
        say("then    look at each, commit them on a branch, and have that reviewed")
