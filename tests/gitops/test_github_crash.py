"""A run that ends anywhere between two requests leaves what the same command, run again, completes: invariant 1."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.forge.github import wire
from tests.gitops import story
from tests.gitops.github_double.ground import environment
from tests.gitops.github_double.lane import Lane, running
from tests.gitops.github_double.world import Fault


def _after(last: int) -> Callable[[str, str], bool]:
    """Whether a request comes later than the first `last` of those that are not just reads."""
    counted = itertools.count()

    def later(verb: str, path: str) -> bool:
        return verb != "GET" and "access_tokens" not in path and next(counted) >= last

    return later


def _released(lane: Lane) -> None:
    """What CI runs; an error is its own to bear."""
    with environment(lane.as_ci()):
        story.release_of(lane.double.url, "wallet", "one", 2)


@pytest.mark.parametrize("done", [False, True], ids=["not-done", "done-unanswered"])
@pytest.mark.parametrize("app", [False, True], ids=["person", "app"])
def test_a_release_that_ended_at_any_request_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: bool, done: bool
) -> None:
    """Every request to the API in its turn is the last that GitHub answers; GraphQL's queries are among them."""
    monkeypatch.setattr(wire, "_PAUSE", 0.001)
    ended = 0
    for last in range(20):
        with running(tmp_path / str(last), monkeypatch, "{approvals: 1}", app=app) as lane:
            lane.world.faults = [Fault(_after(last), 500, {"message": "gone"}, times=10_000, done=done)]
            before = lane.world.head("main")
            try:
                _released(lane)
                died = False
            except Exception:  # whatever it was, it is told by exit codes elsewhere
                died = True
            lane.world.faults = []
            assert lane.world.head("main") == before or [p.state for p in lane.world.pulls] == ["merged"]

            _released(lane)

            assert len(lane.world.pulls) == 1, last
            assert lane.world.pulls[0].state == "merged", last
            release = story.content(lane.world.repo, "dev", "wallet")["release.yaml"]
            assert release
            assert story.tag("one").encode() in release
            story.assert_sound(lane.world.repo)
            if not died:
                break
            ended += 1
    else:
        pytest.fail("it never came through")
    assert ended >= (4 if app else 3)
