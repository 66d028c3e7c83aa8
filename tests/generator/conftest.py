"""The command run in a folder of its own, without helm unless the test names one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.commands.main import main
from generator.commands.newservice import newservice

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _no_helm(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(home / "no-helm"))


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the test, and empty."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(work: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("wallet", "--dry-run", ...)`: newservice in `work`; its exit code, stdout and stderr."""

    def run(*argv: str | os.PathLike[str]) -> tuple[int, str, str]:
        code = main(newservice, [os.fspath(each) for each in argv])
        return code, *capsys.readouterr()

    return run
