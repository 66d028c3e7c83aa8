"""A layout of somebody else's on GitHub: its files do not say who pinned what by which run, so the pull requests do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gitops import story
from tests.gitops.github_double.lane import Lane, running
from tests.gitops.test_layouts import SHAPES

SHAPE = SHAPES["values"]
ONE, TWO, THREE = SHAPE.tags


@pytest.fixture(params=["person", "app"])
def lane(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lane]:
    prod = "{approvals: 1, soak: 1h, policy: false}"
    with ExitStack() as stack:
        made = running(tmp_path, monkeypatch, prod, SHAPE.layout, app=request.param == "app")
        lane = stack.enter_context(made)
        pinned = {SHAPE.file(name): SHAPE.said(SHAPE.text, name, ONE) for name in ("dev", "staging", "prod")}
        story.write(lane.world.repo, {**pinned, **SHAPE.beside("wallet")})
        yield lane


def release(lane: Lane, word: str, run: int, code: int = 0) -> str:
    return lane.run("release", "wallet", "--tag", word, "--run", run, code=code).stderr


def test_what_brought_a_pin_is_known_by_its_pull_request(lane: Lane) -> None:
    release(lane, TWO, 7)
    staging = lane.number("promote", "wallet", "--to", "staging")

    assert lane.number("promote", "wallet", "--to", "staging") == staging
    assert lane.verdicts(staging)["renders"][0] == "passed"
    lane.run("merge", staging, who="rev")
    prod = lane.number("promote", "wallet", "--to", "prod")
    assert (
        f"staging has had it since {lane.now[0]:%a %Y-%m-%d %H:%M} UTC, by #{staging}" in lane.verdicts(prod)["soak"][1]
    )
    lane.later(hours=1)
    assert lane.verdicts(prod)["soak"][0] == "passed"

    cells = json.loads(lane.run("status", "--json").stdout)["items"][0]["environments"]
    assert {name: cell["tag"] for name, cell in cells.items()} == {"dev": TWO, "staging": TWO, "prod": ONE}
    assert cells["prod"]["pull_request"] == prod
    assert cells["staging"]["since"] is not None
    assert cells["prod"]["since"] is None


def test_settings_that_people_write_beside_a_pin_did_not_bring_it(lane: Lane) -> None:
    release(lane, TWO, 7)
    path = SHAPE.file("dev")
    story.write(lane.world.repo, {path: (story.show(lane.world.repo, path) or b"") + b"\r\nmore: 1"})

    cells = json.loads(lane.run("status", "--json").stdout)["items"][0]["environments"]

    assert cells["dev"]["since"] is not None
    assert "superseded: dev has pinned v1.3.0 of run 7, newer than run 5" in release(lane, THREE, 5)


def test_a_slow_old_build_that_lands_last_changes_nothing(lane: Lane) -> None:
    release(lane, TWO, 7)
    before = lane.world.head("main")

    assert "superseded: dev has pinned v1.3.0 of run 7, newer than run 5" in release(lane, THREE, 5)
    assert lane.world.head("main") == before
    release(lane, THREE, 8)
    assert story.show(lane.world.repo, SHAPE.file("dev")) == SHAPE.said(SHAPE.text, "dev", THREE)


def test_a_slow_old_build_does_not_replace_a_newer_one_that_waits(lane: Lane) -> None:
    text = (story.show(lane.world.repo, "shiplane.yaml") or b"").replace(b"merge: auto, ", b"")
    story.write(lane.world.repo, {"shiplane.yaml": text})
    release(lane, TWO, 7)

    assert "superseded: #1 pins v1.3.0 of run 7, newer than run 5" in release(lane, THREE, 5)
