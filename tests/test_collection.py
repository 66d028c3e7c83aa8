"""Tests have the same names in every worker and every run: xdist refuses to start where they differ."""

from __future__ import annotations

import gzip

import pytest


def test_bytes_that_hold_the_time_are_not_part_of_a_name(request: pytest.FixtureRequest) -> None:
    early, late = gzip.compress(b"x", mtime=1), gzip.compress(b"x", mtime=2)
    named = [
        request.config.hook.pytest_make_parametrize_id(config=request.config, val=each, argname="data")
        for each in (early, late)
    ]
    assert named == ["data", "data"]
