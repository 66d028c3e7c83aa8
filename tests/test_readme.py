"""The README is held to the product: its list of commands to the real help, its first hour to a real run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from generator.commands.newservice import newservice
from gitops.commands.gitops import gitops
from gitops.commands.promote import promote
from gitops.config import load

README = Path(__file__).parent.parent / "README.md"


def commands() -> Iterator[tuple[str, click.Command]]:
    yield "newservice", newservice
    yield "promote", promote
    for name, command in gitops.commands.items():
        if command is not promote:
            yield f"gitops {name}", command


def in_brief(name: str, command: click.Command) -> str:
    """A command as the README lists it: its synopsis, then the first sentence of its help."""
    parts = [name]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            parts.append(parameter.make_metavar(click.Context(command)))
        elif isinstance(parameter, click.Option) and not parameter.hidden:
            option = max(parameter.opts, key=len)
            value = "" if parameter.is_flag else f" {parameter.make_metavar(click.Context(command))}"
            many = "..." if parameter.multiple else ""
            parts.append(f"{option}{value}" if parameter.required else f"[{option}{value}]{many}")
    sentence = (command.help or "").split("\n\n")[0].replace("\n", " ")
    return f"`{' '.join(parts)}`  \n{sentence}\n"


def test_the_list_of_commands_is_the_real_help() -> None:
    expected = "\n".join(in_brief(*each) for each in commands())
    found = README.read_text().split("<!-- commands -->\n")[1].split("<!-- /commands -->")[0]

    assert found == expected


def test_every_option_says_what_it_does() -> None:
    silent = [
        f"{name} {parameter.opts[0]}"
        for name, command in commands()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]

    assert silent == []


def test_the_first_hour_runs_as_it_stands(tmp_path: Path, helm4: Path) -> None:
    block = re.search(r"<!-- first hour -->\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on PATH: the first hour is written for a shell")
    scripts = Path(__file__).parent.parent / ".venv" / "bin"
    path = os.pathsep.join([str(scripts), str(helm4.parent), os.environ["PATH"]])

    done = subprocess.run(
        [bash, "-euo", "pipefail", "-c", block[1]],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "refused, with exit code 3" in done.stdout
    pinned = next(line for line in done.stdout.splitlines() if line.startswith("wallet "))
    assert len(set(re.findall(r"\b[0-9a-f]{7}\b", pinned))) == 1
    assert len(re.findall(r"\b[0-9a-f]{7}\b", pinned)) == 3


def test_the_gates_are_settings_that_are_understood() -> None:
    block = re.search(r"<!-- gates -->\n```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None

    gates = load(block[1].encode()).environments["prod"].gates

    assert (gates.approvals, gates.rollback, gates.signature, gates.policy) == (2, 1, True, True)
