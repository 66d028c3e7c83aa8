"""`gitops sweep`: every open pull request judged at once, whatever becomes of one of them."""

from __future__ import annotations

import json

import pytest

from generator import helm
from generator.errors import Problem, ShiplaneError
from gitops import desk
from gitops import sweep as sweeping
from gitops.forge.embedded import Embedded
from gitops.pull_request import PullRequest
from tests.gitops import forged, story
from tests.gitops.conftest import LaneOf
from tests.gitops.gated import Lane, staging_has_zero


@pytest.fixture
def lane(lane_of: LaneOf) -> Lane:
    """A lane in which a promotion to prod has much to wait for; that to staging is merged."""
    return lane_of(
        staging_has_zero,
        prod='{soak: 24h, approvals: {count: 1}, freeze: [{from: "fri 16:00", to: "mon 08:00", zone: UTC}]}',
    )


def states(lane: Lane, code: int = 0) -> dict[int, tuple[str, list[str]]]:
    """By number: the state, and the gates that do not pass."""
    items = json.loads(lane.run("sweep", "--json", code=code).stdout)["items"]
    return {each["number"]: (each["state"], [v["gate"] for v in each["standing"]]) for each in items}


def test_nothing_is_open(lane: Lane) -> None:
    done = lane.run("sweep")

    assert (done.stdout, done.stderr) == ("", "· no pull request is open\n")
    assert states(lane) == {}


def test_time_and_approvals_come_without_a_push(lane: Lane) -> None:
    lane.release("one")
    staging, prod = lane.promote("staging"), lane.promote("prod")

    assert states(lane) == {staging: ("passed", []), prod: ("waiting", ["soak", "approvals"])}
    lane.later(hours=24)
    assert states(lane)[prod] == ("waiting", ["approvals"])
    desk.approve(str(lane.repo), prod, "rev@acme.example")
    assert states(lane)[prod] == ("passed", [])
    assert f"#{prod}  passed    promote wallet to prod" in lane.run("sweep").stdout


def test_what_is_merged_counts_for_what_is_open(lane: Lane) -> None:
    lane.later(hours=24)
    prod = lane.promote("prod")
    hold = lane.number("hold", "wallet", "--env", "prod", "--reason", "INC-7: fees are wrong")
    lane.merge(hold, "rev")

    assert states(lane) == {prod: ("refused", ["hold", "approvals"])}
    assert "INC-7: fees are wrong" in lane.run("sweep").stdout


def test_all_that_is_wrong_with_one_is_on_its_line(lane: Lane) -> None:
    prod = lane.promote("prod")
    (line,) = lane.run("sweep").stdout.splitlines()

    assert line.startswith(f"#{prod}  waiting   promote wallet to prod: ")
    assert "soak: until" in line
    assert "approvals: 0 of 1" in line


def test_a_title_of_several_lines_is_one(lane: Lane) -> None:
    head = forged.commit(lane.repo, {"shiplane.yaml": b"version: 1\n"})
    forged.pushed(lane.repo, head, title="promote\x1b[31m wallet", branch="eve")
    (line,) = lane.run("sweep").stdout.splitlines()

    assert "\x1b" not in line


def test_one_that_is_made_wrong_is_refused_and_the_others_are_judged(lane: Lane) -> None:
    first = forged.commit(lane.repo, {"shiplane.yaml": b"version: 1\n"})
    head = forged.commit(lane.repo, {"shiplane.yaml": b"version: 2\n"}, base=first)
    bad = forged.pushed(lane.repo, head, branch="eve")
    prod = lane.promote("prod")

    assert states(lane) == {bad: ("refused", ["read"]), prod: ("waiting", ["soak", "approvals"])}


def test_one_that_nobody_can_judge_is_told_and_the_others_are_judged(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    prod = lane.promote("prod")
    hold = lane.number("hold", "wallet", "--env", "staging", "--reason", "INC-8: it is slow")

    def absent() -> None:
        raise ShiplaneError(Problem("helm", "not found on PATH"))

    monkeypatch.setattr(helm, "require", absent)

    assert states(lane, code=1) == {prod: ("unjudged", []), hold: ("waiting", ["approvals"])}
    assert f"#{prod}  unjudged  promote wallet to prod" in lane.run("sweep", code=1).stdout


def test_a_head_that_moves_meanwhile_is_judged_again(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    lane.later(hours=24)
    lane.promote("prod")
    other = lane.number("hold", "wallet", "--env", "staging", "--reason", "INC-8: it is slow")
    real = Embedded.result
    writers = [lambda: lane.run("hold", "wallet", "--env", "staging", "--reason", "INC-9: it is slower")]

    def result(self: Embedded, request: PullRequest) -> object:
        if writers and request.number == other:
            writers.pop()()
        return real(self, request)

    monkeypatch.setattr(Embedded, "result", result)
    found = sweeping.sweep(str(lane.repo))

    assert [each.state for each in found] == ["waiting", "waiting"]
    assert found[1].title == "hold wallet in staging: INC-9: it is slower"
    assert writers == []


def test_it_writes_nothing(lane: Lane) -> None:
    lane.promote("prod")
    before = story.git(lane.repo, "for-each-ref")
    lane.run("sweep")

    assert story.git(lane.repo, "for-each-ref") == before


def test_a_repository_that_is_not_there(lane: Lane) -> None:
    done = story.gitops("sweep", "--repo", f"{lane.repo}.none")

    assert done.returncode == 1
    assert done.stdout == ""
