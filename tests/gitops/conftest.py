"""What tests of the lane get: a repository with gates, at a clock that they set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops import clock
from gitops.kustomize import run
from tests.gitops import story
from tests.gitops.gated import Lane, configuration

LaneOf = Callable[..., Lane]


@pytest.fixture
def kustomize() -> None:
    """For tests that build with kustomize, or kubectl: a visible skip where there is neither."""
    if not run.find():
        pytest.skip(run.MISSING)


@pytest.fixture
def lane_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaneOf:
    """Makes a lane: `lane_of(prod="{soak: 24h}")`, in which dev has the build `zero`."""

    def make(**gates: str) -> Lane:
        extra = {"shiplane.yaml": configuration(**gates)}
        lane = Lane(story.repository(tmp_path / "gitops.git", released={"wallet": "zero"}, extra=extra))
        monkeypatch.setattr(clock, "now", lambda: lane.now)
        return lane

    return make
