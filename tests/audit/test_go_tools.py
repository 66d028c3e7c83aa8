"""Go programs are built from what is pinned, or not used; where nothing can build them, that is told and no fault."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.audit import go_tools
from scripts.audit.findings import AuditError
from scripts.audit.go_tools import GoTool, NotRunError, program
from tests.conftest import TOOLS

MODULE, VERSION = "acme.example/hello", "v1.0.0"
HELLO = GoTool("hello", MODULE, VERSION, "0" * 64)


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module proxy of files that serves one module."""
    if shutil.which("go") is None:
        pytest.skip("no go")
    folder = tmp_path / "proxy" / MODULE / "@v"
    folder.mkdir(parents=True)
    _publish(folder, "1.21")
    settings = {"GOPROXY": f"file://{tmp_path}/proxy", "GOTOOLCHAIN": "local", "GOMODCACHE": str(tmp_path / "modules")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return folder


def _publish(folder: Path, needs: str) -> None:
    mod = f"module {MODULE}\n\ngo {needs}\n"
    (folder / "list").write_text(f"{VERSION}\n")
    (folder / f"{VERSION}.info").write_text(f'{{"Version": "{VERSION}"}}')
    (folder / f"{VERSION}.mod").write_text(mod)
    with zipfile.ZipFile(folder / f"{VERSION}.zip", "w") as archive:
        archive.writestr(f"{MODULE}@{VERSION}/go.mod", mod)
        archive.writestr(f"{MODULE}@{VERSION}/main.go", "package main\n\nfunc main() {}\n")


def test_a_program_is_built_once_and_only_from_what_is_pinned(
    proxy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "go"
    with pytest.raises(
        AuditError, match=f"hello {VERSION}: built from [0-9a-f]{{64}}, expected 0+: not used"
    ) as refused:
        program(HELLO, folder)
    assert list(folder.iterdir()) == []

    pinned = replace(HELLO, modules=str(refused.value).split("built from ")[1][:64])
    built = program(pinned, folder)
    assert [path.name for path in folder.iterdir()] == [f"hello-{VERSION}"]
    subprocess.run([built], check=True)

    monkeypatch.setenv("PATH", str(tmp_path))  # no go any more
    assert program(pinned, folder) == built


def test_a_go_that_is_too_old_is_no_fault(proxy: Path, tmp_path: Path) -> None:
    _publish(proxy, "1.999")

    with pytest.raises(NotRunError, match=r"requires go >= 1\.999"):
        program(HELLO, tmp_path / "go")


def test_a_module_that_is_not_served_is_told(proxy: Path, tmp_path: Path) -> None:
    (proxy / f"{VERSION}.zip").unlink()

    with pytest.raises(AuditError, match=f"go install {MODULE}@{VERSION}: "):
        program(HELLO, tmp_path / "go")


def test_without_go_it_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotRunError, match=r"^no go$"):
        program(HELLO, tmp_path / "go")


@pytest.mark.parametrize("tool", go_tools.PINNED, ids=lambda tool: tool.name)
def test_what_is_there_is_what_is_pinned(tool: GoTool) -> None:
    go, built = shutil.which("go"), TOOLS / "go" / f"{tool.name}-{tool.version}"
    if go is None or not built.is_file():
        pytest.skip(f"{tool.name} is not there: make audit sets it up")

    assert go_tools.modules(go, built) == tool.modules
