"""What tests of the lane get: a repository with gates, at a clock that they set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops import clock
from gitops.kustomize import run
from tests.gitops.gated import Lane, Start, begun

LaneOf = Callable[..., Lane]


@pytest.fixture
def kustomize() -> None:
    """For tests that build with kustomize, or kubectl: a visible skip where there is neither."""
    if not run.find():
        pytest.skip(run.MISSING)


@pytest.fixture
def lane_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaneOf:
    """Makes a lane: `lane_of(prod="{soak: 24h}")`, in which dev has the build `zero`.

    `lane_of(start, ...)` makes one that `start` has led further: that is done once, and copied for each test.
    """

    def make(start: Start | None = None, /, **gates: str) -> Lane:
        lane = begun(tmp_path / "gitops.git", start, gates)
        monkeypatch.setattr(clock, "now", lambda: lane.now)
        return lane

    return make
