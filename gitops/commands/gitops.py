"""`gitops`: the group of all commands."""

from __future__ import annotations

from typing import NoReturn

import click

from generator.commands.main import leave, main
from gitops.commands import desk
from gitops.commands.adopt import adopt
from gitops.commands.check import check
from gitops.commands.diff import diff
from gitops.commands.doctor import doctor
from gitops.commands.history import history, why
from gitops.commands.hold import hold, unhold
from gitops.commands.init import init
from gitops.commands.onboard import onboard
from gitops.commands.promote import promote
from gitops.commands.release import release
from gitops.commands.retire import retire
from gitops.commands.rollback import rollback
from gitops.commands.status import status
from gitops.commands.sweep import sweep
from gitops.commands.verify import verify


@click.group()
@click.version_option(package_name="shiplane")
def gitops() -> None:
    """Take services through the lane by reviewed pull requests against an Argo CD repository."""


for command in (
    init, adopt, onboard, release, promote, status, diff, history, why, doctor, rollback, hold, unhold, retire, verify,
    sweep, check,
    desk.prs, desk.show_one, desk.approve, desk.merge, desk.close, desk.healthy,
):  # fmt: skip
    gitops.add_command(command)


def run() -> NoReturn:
    """The script `gitops`."""
    leave(main(gitops))
