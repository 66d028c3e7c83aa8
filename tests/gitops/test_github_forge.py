"""What only GitHub's forge has to do: heads of several commits, new trees, large teams, comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops.apply import entered, load, propose
from gitops.commits import Commit
from gitops.forge.github.forge import GitHub
from gitops.model import EXECUTABLE, FILE, Entry
from gitops.release import Chart, asked
from tests.gitops import story
from tests.gitops.github_double import ground
from tests.gitops.github_double.ground import environment
from tests.gitops.github_double.lane import Lane, LaneOf, running


@pytest.fixture
def lane_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaneOf]:
    with ExitStack() as stack:

        def make(prod: str = "{approvals: 1}", more: str = "", *, app: bool = False) -> Lane:
            return stack.enter_context(running(tmp_path, monkeypatch, prod, more, app=app))

        yield make


def updated_by_the_button(lane: Lane, number: int, who: str) -> str:
    """GitHub's "Update branch": the default branch is merged into the pull request's."""
    world, pull = lane.world, lane.world.pull(number)
    before = world.heads()
    tip = str(world.head("main"))
    made = world.merged(pull.head, tip, f"Merge branch 'main' into {pull.branch}", world.people[who])
    assert made
    story.git(world.repo, "update-ref", f"refs/heads/{pull.branch}", made)
    world.moved(world.people[who], before)
    return made


@pytest.mark.parametrize("app", [False, True], ids=["person", "app"])
def test_a_branch_that_was_brought_up_to_date_is_judged_and_its_pusher_barred(lane_of: LaneOf, app: bool) -> None:
    lane = lane_of(app=app)
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    story.write(lane.world.repo, {"notes/other": b"x\n"})
    head = updated_by_the_button(lane, number, "eve")
    lane.approve(number, "eve")

    found = lane.verdicts(number)
    assert (found["order"][0], found["scope"][0], found["approvals"][0]) == ("passed", "passed", "waiting")
    assert lane.number("promote", "wallet", "--to", "prod") == number  # planned anew, on what is there now
    assert lane.world.pull(number).head != head
    lane.approve(number, "rev")
    assert lane.verdicts(number)["approvals"][0] == "passed"


def test_a_chart_that_github_has_not_yet_arrives_byte_for_byte(lane_of: LaneOf) -> None:
    lane = lane_of(app=True)
    chart = {
        **{path: Entry(FILE, "", data) for path, data in story.CHART.items()},
        "files/icon.png": Entry(FILE, "", b"\x89PNG\0\xff\xfe"),
        "files/run.sh": Entry(EXECUTABLE, "", b"#!/bin/sh\r\n"),
        "files/ünïcode.txt": Entry(FILE, "", "é\n".encode()),
        "files/empty": Entry(FILE, "", b""),
    }
    request = asked("wallet", story.tag("one"), story.digest("one"), 2, None, Chart("chart", chart, True))
    with environment(lane.as_ci()):
        propose(lane.double.url, [request])

    folder = "environments/dev/wallet/chart"
    held = story.git(lane.world.repo, "ls-tree", "-r", "-z", "--name-only", f"main:{folder}").rstrip("\0").split("\0")
    assert {path: story.show(lane.world.repo, f"{folder}/{path}") for path in held} == {
        path: entry.data for path, entry in chart.items()
    }
    line = story.git(lane.world.repo, "ls-tree", "main", "environments/dev/wallet/chart/files/run.sh")
    assert line.startswith(EXECUTABLE)
    story.assert_sound(lane.world.repo)


def test_an_app_takes_a_hold_away(lane_of: LaneOf) -> None:
    lane = lane_of(app=True)
    for words in (("hold", "--reason", "INC-7: fees are wrong"), ("unhold",)):
        number = lane.number(words[0], "wallet", "--env", "staging", *words[1:])
        lane.approve(number, "rev")
        lane.run("merge", number, who="rev")

    assert story.show(lane.world.repo, "holds/staging/wallet.yaml") is None
    assert story.show(lane.world.repo, "shiplane.yaml")


def test_an_app_rolls_back_to_a_tree_of_the_past(lane_of: LaneOf) -> None:
    lane = lane_of(app=True)
    old, new = story.CHART, {**story.CHART, "templates/more.yaml": b"# more\n"}
    for word, run, chart in (("one", 2, old), ("two", 3, new)):
        with environment(lane.as_ci()):
            propose(lane.double.url, [story.releasing("wallet", word, run, chart)])
    number = lane.number("rollback", "wallet", "--env", "dev")
    lane.run("merge", number, who="rev")

    assert "chart/templates/more.yaml" not in story.content(lane.world.repo, "dev", "wallet")


def test_a_team_of_many_is_read_to_its_end(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: {count: 1, teams: [sre]}}")
    people = [f"person-{number}" for number in range(150)]
    for login in people:
        lane.world.person(login)
    lane.world.teams["sre"] = people
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "sue")
    assert lane.verdicts(number)["approvals"][0] == "waiting"
    lane.approve(number, "person-149")

    assert lane.verdicts(number)["approvals"] == ("passed", "1 needed, given by sue, person-149")


def test_people_whom_shiplane_yaml_names_are_not_asked_for(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: {count: 1, teams: [ops]}}", "teams: {ops: [Rev]}\n")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "rev")

    assert lane.verdicts(number)["approvals"][0] == "passed"
    assert [seen.path for seen in lane.world.log if "/teams/" in seen.path] == []


def test_the_sources_commits_come_by_one_comparison(lane_of: LaneOf) -> None:
    lane = lane_of()
    old = str(lane.world.head("main"))
    first = story.write(lane.world.repo, {"a": b"1\n"}, message="feat: one\n\nBREAKING CHANGE: all of it")
    second = story.write(lane.world.repo, {"a": b"2\n"}, message="two")
    with environment(ground.by_token(lane.double, "ghp_dev")), entered(lane.double.url) as repository:
        forge = GitHub(repository, load(repository))
        there, back = forge.compare("acme/gitops", old, second), forge.compare("acme/gitops", second, old)

        assert there
        assert [(each.sha, each.subject, each.breaking) for each in there.commits] == [
            (second, "two", False),
            (first, "feat: one", True),
        ]
        assert there.commits[0] == Commit(second, "two", "Ann")
        assert (there.total, there.missing) == (2, 0)
        assert back
        assert (back.commits, back.total, back.missing) == ((), 0, 2)
        assert forge.compare("acme/other", old, second) is None
        assert forge.compare("acme/gitops", old, "f" * 40) is None


def test_a_pull_request_into_another_branch_is_not_ours_to_judge(lane_of: LaneOf) -> None:
    lane = lane_of()
    number = lane.number("promote", "wallet", "--to", "staging")
    story.git(lane.world.repo, "branch", "other", "main")
    lane.world.pull(number).base = "other"

    assert f"#{number}: no such pull request" in lane.run("verify", number, code=1).stderr
    assert "no pull request is open" in lane.run("prs").stderr
