"""Labels on pull requests: those that shiplane.yaml names, on GitHub, and no word of them where it names none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops.forge.github import wire
from gitops.labels import labels
from gitops.model import Move
from tests.gitops.github_double.lane import Lane, running
from tests.gitops.github_double.world import Fault
from tests.gitops.literal import A

Ours = Callable[..., Lane]
WANTED = 'labels: [shiplane, "to {environment}", "{service}"]\n'


@pytest.fixture(params=["person", "app"])
def lane_of(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ours]:
    monkeypatch.setattr(wire, "_PAUSE", 0.01)
    with ExitStack() as stack:

        def make(more: str = WANTED) -> Lane:
            app = request.param == "app"
            return stack.enter_context(running(tmp_path, monkeypatch, "{approvals: 1}", more, app=app))

        yield make


def asked(lane: Lane) -> int:
    """How often labels were put on anything."""
    return sum(seen.path.endswith("/labels") for seen in lane.world.log)


def test_a_promotion_has_the_labels_that_are_wanted(lane_of: Ours) -> None:
    lane = lane_of()
    number = lane.number("promote", "wallet", "--to", "staging")
    assert lane.world.pull(number).labels == ["shiplane", "to staging", "wallet"]

    assert lane.number("promote", "wallet", "--to", "staging") == number
    assert asked(lane) == 1  # what is there is not put again


def test_without_any_in_shiplane_yaml_none_is_put(lane_of: Ours) -> None:
    lane = lane_of("")
    number = lane.number("promote", "wallet", "--to", "staging")

    assert lane.world.pull(number).labels == []
    assert asked(lane) == 0


def test_what_pins_nothing_has_those_that_name_no_pin(lane_of: Ours) -> None:
    lane = lane_of()
    number = lane.number("hold", "wallet", "--env", "prod", "--reason", "INC-7")

    assert lane.world.pull(number).labels == ["shiplane"]


def test_a_release_that_merges_at_once_has_them(lane_of: Ours) -> None:
    lane = lane_of()
    lane.release("one", 2)

    assert lane.world.pulls[-1].labels == ["shiplane", "to dev", "wallet"]


@pytest.mark.parametrize("done", [True, False])
def test_interrupted_before_they_were_put_the_next_run_puts_them(lane_of: Ours, done: bool) -> None:
    lane = lane_of()
    refusal = {"message": "Resource not accessible by integration"}
    lane.world.faults = [Fault(lambda verb, path: path.endswith("/labels"), 403, refusal, done=done)]
    lane.run("promote", "wallet", "--to", "staging", code=1)
    assert len(lane.world.pulls) == 1

    number = lane.number("promote", "wallet", "--to", "staging")
    assert len(lane.world.pulls) == 1
    assert lane.world.pull(number).labels == ["shiplane", "to staging", "wallet"]


def test_one_that_somebody_else_has_put_stays_and_case_does_not_matter(lane_of: Ours) -> None:
    lane = lane_of()
    number = lane.number("promote", "wallet", "--to", "staging")
    lane.world.pull(number).labels = ["Shiplane", "urgent", "to staging", "wallet"]

    lane.run("promote", "wallet", "--to", "staging")
    assert lane.world.pull(number).labels == ["Shiplane", "urgent", "to staging", "wallet"]
    assert asked(lane) == 1


def test_those_of_several_pins() -> None:
    moves = [Move(each, "prod", None, A) for each in ("ledger", "wallet")]

    assert labels(["x", "{environment}", "{service} up"], moves) == ("x", "prod", "ledger up", "wallet up")
    assert labels(["x", "{service}"], []) == ("x",)
    assert labels([], moves) == ()
