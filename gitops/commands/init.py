"""`gitops init`: the command."""

from __future__ import annotations

from pathlib import Path

import click

from generator.commands.main import say, show


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--remote", metavar="ADDRESS", help="Where it will live. [default: a bare repository beside it, DIR.git]")
@click.option("--owner", default="platform", show_default=True, metavar="TEAM", help="The team that administers it.")
@click.option("--shiplane", metavar="ACTION", help="Which Shiplane judges: OWNER/REPOSITORY@COMMIT # VERSION.")
@click.option("--app-id", type=int, default=0, metavar="ID", help="The GitHub App that posts the status of verify.")
def init(folder: Path, remote: str | None, owner: str, shiplane: str | None, app_id: int) -> None:
    """Make a new GitOps repository in DIR: three environments, projects, defaults and the rules of review."""
    from gitops.found import found

    found(folder, remote, owner, shiplane=shiplane, app_id=app_id)
    say(f"{folder}: one commit on main; read {folder}/README.md")
    if remote:
        say(f"next: git -C {folder} push -u origin main")
    else:
        say(f"its forge is {folder}.git; next: gitops onboard SERVICE --source OWNER/REPOSITORY --image REPOSITORY")
    show(str(folder))
