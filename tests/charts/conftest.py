"""Each chart test runs with both majors of helm, and for both charts where they are to agree."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.charts.golden import SERVICE, WORKER, Render, objects


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=[SERVICE, WORKER], ids=lambda chart: chart.name)
def chart(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def render(helm: Path, chart: Path, tmp_path: Path) -> Render:
    """Renders each chart with each helm."""
    return partial(objects, helm, tmp_path, chart=chart)
