"""Each chart test runs with both majors of helm."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found
