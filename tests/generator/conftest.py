"""The command run in a folder of its own, without helm unless the test names one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
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


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount program here: a full disk cannot be shown")
    if done.returncode != 0:
        pytest.skip(f"may not mount a small file system: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
