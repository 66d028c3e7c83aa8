"""The whole lane on GitHub, by the commands that people and CI run; the double is GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gitops import story
from tests.gitops.github_double.ground import environment
from tests.gitops.github_double.lane import PROD, Lane, LaneOf, running


@pytest.fixture(params=["person", "app"])
def lane_of(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaneOf]:
    with ExitStack() as stack:

        def make(prod: str = PROD) -> Lane:
            return stack.enter_context(running(tmp_path, monkeypatch, prod, app=request.param == "app"))

        yield make


def test_a_release_goes_all_the_way_to_prod(lane_of: LaneOf) -> None:
    lane = lane_of()
    lane.release("one", 2)
    staging = lane.number("promote", "wallet", "--to", "staging")
    assert lane.verdicts(staging)["approvals"][0] == "passed"
    lane.run("merge", staging, who="rev")
    prod = lane.number("promote", "wallet", "--to", "prod")

    waiting = lane.verdicts(prod)
    assert (waiting["soak"][0], waiting["approvals"][0]) == ("waiting", "waiting")
    lane.later(hours=1)
    lane.healthy("staging", by="eve")  # a person's word on health is none
    assert "nobody has found it healthy" in lane.verdicts(prod)["soak"][1]
    lane.healthy("staging")
    lane.later(hours=23)
    assert lane.verdicts(prod)["soak"][0] == "waiting"
    lane.later(hours=1)
    assert lane.verdicts(prod)["soak"][0] == "passed"
    lane.approve(prod, "rev", "sue")
    assert lane.verdicts(prod)["approvals"] == (
        "waiting",
        "1 of 2 from sre: not counted are author, requester, committers, bots and older heads",
    )
    assert "approvals" in lane.run("merge", prod, who="rev", code=3).stderr
    lane.approve(prod, "sam")
    assert {state for state, _ in lane.verdicts(prod).values()} == {"passed"}
    lane.run("merge", prod, who="rev")

    status = json.loads(lane.run("status", "--json").stdout)["items"][0]["environments"]
    assert [status[each]["tag"] for each in ("dev", "staging", "prod")] == [story.tag("one")] * 3
    assert status["prod"]["since"] == lane.now[0].isoformat()
    history = json.loads(lane.run("history", "wallet", "--env", "prod", "--json").stdout)["items"]
    assert [(each["number"], each["requester"], each["tag"]) for each in history] == [(prod, "dev", story.tag("one"))]
    assert set(history[0]["approved_by"]) == {"rev", "sue", "sam"}
    assert lane.world.heads().keys() == {"refs/heads/main"}


def test_asked_again_it_is_the_same_one_and_nothing_is_written(lane_of: LaneOf) -> None:
    lane = lane_of()
    number = lane.number("promote", "wallet", "--to", "staging")
    before = len(lane.world.log)

    assert lane.number("promote", "wallet", "--to", "staging") == number
    assert [seen.verb for seen in lane.world.log[before:] if seen.kind == "rest" and "/repos/" in seen.path] == (
        ["GET"] if lane.app else []
    )
    assert [seen.query for seen in lane.world.log[before:] if "receive-pack" in seen.query] == []


def test_whoever_may_see_it_is_shown_what_a_pull_request_changes_and_what_could_be_adopted(lane_of: LaneOf) -> None:
    lane = lane_of()
    number = lane.number("promote", "wallet", "--to", "staging")

    assert "ConfigMap/wallet" in lane.run("diff", "--pr", number).stdout
    assert "ConfigMap/wallet" in lane.run("diff", "wallet", "--to", "staging").stdout
    with environment(lane.as_ci()):
        adopted = story.gitops("adopt", lane.double.url)
    assert "cannot be read" not in adopted.stderr


def test_what_is_newer_updates_it_and_what_was_approved_is_spared(lane_of: LaneOf) -> None:
    lane = lane_of()
    number = lane.number("promote", "wallet", "--to", "staging")
    lane.release("one", 2)
    assert lane.number("promote", "wallet", "--to", "staging") == number
    assert lane.world.pull(number).title.endswith(f"{story.tag('one')[:7]}, its first release there")
    lane.approve(number, "rev")
    lane.release("two", 3)

    assert "is approved" in lane.run("promote", "wallet", "--to", "staging", code=1).stderr
    assert lane.number("promote", "wallet", "--to", "staging", "--replace") == number
    assert lane.verdicts(number)["order"][0] == "passed"


def test_hold_why_prs_show_rollback_and_close(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1}")
    for word, run in (("one", 2), ("two", 3)):
        lane.release(word, run)
        lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    hold = lane.number("hold", "wallet", "--env", "prod", "--reason", "INC-7: fees are wrong")
    assert "held back by | `dev`" in lane.world.pull(hold).body
    lane.approve(hold, "rev")
    lane.run("merge", hold, who="rev")

    causes = json.loads(lane.run("why", "wallet", "--env", "prod", "--json").stdout)["items"]
    assert [each["cause"] for each in causes if each["state"] != "passed"][-1] == "hold"
    back = lane.number("rollback", "wallet", "--env", "staging")
    assert story.tag("one")[:7] in lane.world.pull(back).title
    assert f"#{back}  roll back wallet" in lane.run("prs").stdout
    shown = lane.run("show", back)
    assert "asked for by dev" in shown.stdout
    assert "order" in shown.stderr
    lane.run("close", back, who="rev")
    assert "no pull request is open" in lane.run("prs").stderr
    assert "no such pull request" in lane.run("show", 99, code=1).stderr


def test_onboarding(lane_of: LaneOf) -> None:
    lane = lane_of()
    number = lane.number("onboard", "ledger", "--source", "acme/ledger", "--image", "acme/ledger")

    assert lane.verdicts(number)["approvals"][0] == "waiting"
    lane.approve(number, "rev")
    lane.run("merge", number, who="rev")
    assert story.show(lane.world.repo, "services/ledger.yaml")


def test_a_break_glass_team_of_github_opens_a_gate(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1, soak: 24h, override: {gates: [soak], team: glass}}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod", "--override", "soak", "--reason", "INC-7: stuck")

    lane.approve(number, "rev")
    assert "waits for an approval from glass" in lane.verdicts(number)["soak"][1]
    lane.approve(number, "gil")
    state, why = lane.verdicts(number)["soak"]
    assert (state, why.startswith("overridden by gil of glass: INC-7: stuck.")) == ("passed", True)
    lane.run("merge", number, who="rev")


def test_verify_posts_a_status_and_keeps_one_comment(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")

    def said() -> list[tuple[str, str]]:
        words = [each for each in lane.world.statuses if each.context == "shiplane/verify"]
        assert {each.sha for each in words} == {lane.world.pull(number).head}
        return [(each.state, str(each.description)) for each in words]

    lane.verdicts(number)
    lane.approve(number, "rev")
    lane.verdicts(number)
    lane.verdicts(number)

    told = "approvals: 0 of 1: not counted are author, requester, committers, bots and older heads"
    assert said() == [("pending", told), ("success", "nothing stands against it")]
    (comment,) = lane.world.comments
    assert "| approvals | ✅ | `1 needed, given by rev` |" in comment["body"]


def test_a_sweep_says_on_each_what_has_changed_and_nothing_twice(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")

    def swept() -> list[str]:
        with environment(lane.as_ci("ci")):
            done = story.gitops("sweep", "--post", "--repo", lane.double.url)
        assert done.returncode == 0, done.stderr
        head = lane.world.pull(number).head
        return [s.state for s in lane.world.statuses if (s.sha, s.context) == (head, "shiplane/verify")]

    assert swept() == ["pending"]
    assert swept() == ["pending"]
    lane.approve(number, "rev")
    assert swept() == ["pending", "success"]
    assert swept() == ["pending", "success"]
    assert len(lane.world.comments) == 1


def test_a_sweep_knows_as_verify_does_who_had_a_hand_in_it(lane_of: LaneOf) -> None:
    """Who has pushed stands in no list of pull requests, and neither do commits below the head."""
    lane = lane_of("{approvals: 1}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    pull, before = lane.world.pull(number), lane.world.heads()
    tree = story.git(lane.world.repo, "rev-parse", f"{pull.head}^{{tree}}")
    made = lane.world.commit(tree, [str(lane.world.head("main"))], "x", lane.world.people["dev"])
    story.git(lane.world.repo, "update-ref", f"refs/heads/{pull.branch}", made)
    lane.world.moved(lane.world.people["eve"], before)
    lane.approve(number, "eve")

    assert swept(lane, number) == ["waiting", "pending"]


def test_a_sweep_refuses_a_forks_and_says_so(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.world.pull(number).fork = True
    lane.approve(number, "rev")

    assert swept(lane, number) == ["refused", "error"]


@pytest.mark.parametrize("way", ["closed", "elsewhere"])
def test_what_nobody_judges_any_more_keeps_no_good_word(lane_of: LaneOf, way: str) -> None:
    """It could be opened again in a freeze, and be merged before the next run."""
    lane = lane_of("{approvals: 1}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "rev")
    pull = lane.world.pull(number)
    assert swept(lane, number) == ["passed", "success"]
    if way == "closed":
        pull.state = "closed"
    else:
        story.git(lane.world.repo, "branch", "other", "main")
        pull.base = "other"

    assert swept(lane, number) == ["", "pending"]
    pull.state, pull.base = "open", "main"
    assert swept(lane, number) == ["passed", "success"]


def test_a_head_that_another_one_has_too_keeps_the_word_of_that(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    pull = lane.world.pull(number)
    story.git(lane.world.repo, "branch", "people/same", pull.head)
    body = {"head": "people/same", "base": "main", "title": "the same", "body": ""}
    same = lane.world.open(lane.world.people["dev"], body)
    same.state = "closed"
    lane.approve(number, "rev")

    assert swept(lane, number) == ["passed", "success"]
    assert swept(lane, number) == ["passed", "success"]


def swept(lane: Lane, number: int) -> list[str]:
    """What a sweep says of a pull request, and what stands on its head on GitHub afterwards."""
    with environment(lane.as_ci("ci")):
        done = story.gitops("sweep", "--post", "--json", "--repo", lane.double.url)
    states = [each["state"] for each in json.loads(done.stdout)["items"] if each["number"] == number]
    word = lane.world.word(lane.world.pull(number).head, "shiplane/verify")
    return [*(states or [""]), word.state if word else ""]


def test_a_word_of_somebody_else_does_not_keep_ours_away(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.verdicts(number)
    ours = lane.world.statuses[-1]
    forged = replace(ours, state="success", creator=lane.world.people["rev"])
    lane.world.statuses.append(forged)

    lane.verdicts(number)

    newest = lane.world.word(lane.world.pull(number).head, "shiplane/verify")
    assert newest
    assert (newest.state, newest.creator) == ("pending", ours.creator)


def test_what_cannot_be_judged_is_said_to_be_so(lane_of: LaneOf) -> None:
    lane = lane_of()
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.verdicts(number)
    lane.approve(number, "sue")
    del lane.world.teams["sre"]

    with environment(lane.as_ci("ci")):
        done = story.gitops("verify", str(number), "--post", "--repo", lane.double.url)

    assert done.returncode == 1
    assert "GitHub shows no such team" in done.stderr
    word = lane.world.word(lane.world.pull(number).head, "shiplane/verify")
    assert word
    assert (word.state, word.description) == ("error", "cannot be judged: GitHub shows no such team")
    assert "could not be judged" in lane.world.comments[0]["body"]


def test_many_are_released_and_carried_by_one_pull_request(lane_of: LaneOf, tmp_path: Path) -> None:
    lane = lane_of("{approvals: 1, soak: 1h}")
    number = lane.number("onboard", "ledger", "--source", "acme/ledger", "--image", "acme/ledger")
    lane.approve(number, "rev")
    lane.run("merge", number, who="rev")
    releases = {}
    for name in ("wallet", "ledger"):
        source = story.source(tmp_path / name)
        releases[name] = {"tag": source.tag, "digest": story.digest(name), "chart": f"{name}/chart", "run": 7}
    listed = tmp_path / "releases.json"
    listed.write_text(json.dumps(releases))

    lane.run("release", "--from-file", listed)
    assert [pull.branch for pull in lane.world.pulls[1:]] == ["shiplane/together/dev"]
    assert lane.world.pulls[1].state == "merged"
    assert "pinned in dev already" in lane.run("release", "--from-file", listed).stderr
    staging = lane.number("promote", "wallet", "ledger", "--to", "staging", "--together")
    assert lane.number("promote", "wallet", "ledger", "--to", "staging", "--together") == staging
    assert "together with others" in lane.run("promote", "wallet", "--to", "staging", code=1).stderr
    assert {state for state, _ in lane.verdicts(staging).values()} == {"passed"}
    lane.run("merge", staging, who="rev")

    prod = lane.number("promote", "ledger", "--to", "prod")
    assert f"by #{staging}" in lane.verdicts(prod)["soak"][1]
    for name in ("wallet", "ledger"):
        history = json.loads(lane.run("history", name, "--env", "staging", "--json").stdout)["items"]
        assert [(each["number"], each["tag"]) for each in history] == [(staging, releases[name]["tag"])]


def test_who_asks_for_a_release_does_not_say_that_it_is_well(lane_of: LaneOf) -> None:
    lane = lane_of()
    lane.release("one", 2)
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    prod = lane.number("promote", "wallet", "--to", "prod")
    author = lane.world.pulls[1].author
    lane.world.people[author.login] = author
    lane.later(hours=1)
    lane.healthy("staging", by=author.login)

    assert "nobody has found it healthy" in lane.verdicts(prod)["soak"][1]


def test_the_links_of_a_body_lead_to_the_server_that_the_repository_is_on(lane_of: LaneOf) -> None:
    lane = lane_of()
    body = lane.world.pull(lane.number("promote", "wallet", "--to", "staging")).body

    assert f"({lane.double.server}/acme/wallet/commit/" in body
    assert "https://github.com" not in body


def test_health_is_found_however_much_lands_after_it(lane_of: LaneOf) -> None:
    """Argo CD's word stands on the commit that it has synced, and others' commits come by the hundred."""
    lane = lane_of("{approvals: 1, health: true}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    prod = lane.number("promote", "wallet", "--to", "prod")
    lane.healthy("staging")
    lane.later(hours=1)
    lane.busy(230)

    assert lane.verdicts(prod)["soak"][0] == "passed"


def test_health_of_a_release_before_the_last_one_is_found_too(lane_of: LaneOf) -> None:
    """prod takes what staging has had; what landed in staging's later days tells nothing of the days before."""
    lane = lane_of("{approvals: 1, health: true}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    prod = lane.number("promote", "wallet", "--to", "prod")
    lane.healthy("staging")
    lane.later(hours=1)
    lane.release("one", 2)
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    lane.later(hours=1)
    lane.busy(120)

    assert lane.verdicts(prod)["soak"][0] == "passed"
