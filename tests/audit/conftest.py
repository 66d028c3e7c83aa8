"""What the audit's tests share: the programs that `make audit` sets up, each there or a visible skip."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.audit.go_tools import PINNED
from scripts.audit.judges import Bench
from tests.conftest import TOOLS


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """All programs that are there; a test that runs one that is not asks `need` first."""
    checkov = TOOLS / "checkov" / "bin"
    paths = {"checkov": checkov / "python", "shellcheck": checkov / "shellcheck"}
    paths |= {tool.name: TOOLS / "go" / f"{tool.name}-{tool.version}" for tool in PINNED}
    work = tmp_path / "bench"
    work.mkdir()
    return Bench({name: path for name, path in paths.items() if path.exists()}, work)
