"""What GitHub refuses, puts off or loses on the way: understood, and told in our words with the way out."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gitops.forge.github import wire
from gitops.forge.github.wire import _limit
from tests.gitops import story
from tests.gitops.github_double import ground
from tests.gitops.github_double.ground import environment
from tests.gitops.github_double.lane import Lane, running
from tests.gitops.github_double.world import Fault, Pull, Status

Ours = Callable[..., Lane]
OPEN = {"approvals": "{approvals: 1}"}


@pytest.fixture
def lane_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ours]:
    monkeypatch.setattr(wire, "_PAUSE", 0.01)
    with ExitStack() as stack:

        def make(*, app: bool = False, prod: str = "{approvals: 1}") -> Lane:
            return stack.enter_context(running(tmp_path, monkeypatch, prod, app=app))

        yield make


@pytest.fixture(params=["person", "app"])
def lane(request: pytest.FixtureRequest, lane_of: Ours) -> Lane:
    return lane_of(app=request.param == "app")


def on(verb: str, end: str) -> Callable[[str, str], bool]:
    return lambda method, path: method == verb and path.endswith(end)


def fault(lane: Lane, verb: str, end: str, status: int, message: str, **more: Any) -> None:
    lane.world.faults.append(Fault(on(verb, end), status, {"message": message}, **more))


def opened(lane: Lane) -> list[Pull]:
    return [pull for pull in lane.world.pulls if pull.state == "open"]


def to_prod(lane: Lane) -> int:
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    return lane.number("promote", "wallet", "--to", "prod")


def test_nobody_is_logged_in(lane_of: Ours) -> None:
    lane = lane_of()
    story.git(lane.world.repo, "config", "http.receivepack", "true")
    lane.double.world.tokens[""] = lane.world.people["dev"]  # a public repository: git reads it without a word
    with environment({"GITHUB_SERVER_URL": lane.double.server, "PATH": "/nonexistent"} | only_git()):
        done = story.gitops("prs", "--repo", lane.double.url)

    assert (done.returncode, done.stdout) == (1, "")
    assert "gh auth login" in done.stderr


def only_git() -> dict[str, str]:
    """A PATH without gh."""
    import os

    return {"PATH": os.environ["PATH"]}


def test_a_bad_token_is_told_as_that(lane_of: Ours) -> None:
    lane = lane_of()
    lane.world.tokens["ghp_readable"] = lane.world.people["dev"]
    with environment(ground.by_token(lane.double, "ghp_readable")):
        fault(lane, "POST", "/graphql", 401, "Bad credentials", times=1)
        done = story.gitops("promote", "wallet", "--to", "staging", "--repo", lane.double.url)

    assert done.returncode == 1
    assert "does not take this token: Bad credentials" in done.stderr
    assert "ghp_readable" not in done.stderr
    with environment(ground.by_token(lane.double, "ghp_unknown")):
        done = story.gitops("promote", "wallet", "--to", "staging", "--repo", lane.double.url)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    assert "ghp_unknown" not in done.stderr


def test_a_permission_that_is_missing_is_named(lane_of: Ours) -> None:
    lane = lane_of(app=True)
    lane.world.apps["1234"]["permissions"]["contents"] = "read"

    done = lane.run("promote", "wallet", "--to", "staging", code=1)

    assert "is not allowed: Resource not accessible by integration" in done.stderr
    assert "contents=write" in done.stderr
    assert lane.world.pulls == []


def test_a_person_who_may_not_write_is_told(lane_of: Ours) -> None:
    lane = lane_of()
    lane.world.person("guest", may="read")

    done = lane.run("promote", "wallet", "--to", "staging", who="guest", code=1)

    assert "cannot be written" in done.stderr
    assert lane.world.pulls == []


def test_an_app_that_is_not_installed_is_told(lane_of: Ours) -> None:
    lane = lane_of(app=True)
    lane.world.apps["1234"]["installed"] = False

    assert "the App is not installed" in lane.run("prs", code=1).stderr


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"SHIPLANE_GITHUB_APP_ID": ""}, "SHIPLANE_GITHUB_APP_ID: is not the id of an App"),
        ({"SHIPLANE_GITHUB_APP_KEY": "secret-words"}, "SHIPLANE_GITHUB_APP_KEY: is not a private key in PEM"),
        (
            {"SHIPLANE_GITHUB_APP_KEY": "-----BEGIN PRIVATE KEY-----\nsecret-words\n-----END PRIVATE KEY-----"},
            "SHIPLANE_GITHUB_APP_KEY: is not a private key that signs",
        ),
        (
            {"SHIPLANE_GITHUB_APP_KEY": "", "SHIPLANE_GITHUB_APP_KEY_FILE": "/nonexistent"},
            "cannot be read: No such file",
        ),
    ],
)
def test_a_key_that_is_none_is_told_and_not_shown(lane_of: Ours, variables: dict[str, str], told: str) -> None:
    lane = lane_of(app=True)
    with environment({**lane.as_ci(), **variables}):
        done = story.gitops("prs", "--repo", lane.double.url)

    assert done.returncode == 1
    assert told in done.stderr
    assert "secret-words" not in done.stderr


def test_a_key_comes_from_a_file_too(lane_of: Ours, tmp_path: Path) -> None:
    lane = lane_of(app=True)
    key = tmp_path / "key.pem"
    key.write_text(ground.key()[0])
    variables = {**lane.as_ci(), "SHIPLANE_GITHUB_APP_KEY_FILE": str(key)}
    del variables["SHIPLANE_GITHUB_APP_KEY"]
    with environment(variables):
        assert story.gitops("prs", "--repo", lane.double.url).returncode == 0


def test_gh_knows_the_token(lane_of: Ours, tmp_path: Path) -> None:
    lane = lane_of()
    host = lane.double.server.removeprefix("http://")
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\n[ "$*" = "auth token --hostname {host}" ] && echo ghp_dev\n')
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    with environment({"PATH": f"{gh.parent}:{only_git()['PATH']}"}):
        done = story.gitops("promote", "wallet", "--to", "staging", "--repo", lane.double.url)

    assert done.returncode == 0, done
    assert lane.world.pulls[0].author.login == "dev"


def test_the_environments_token_goes_to_no_other_host(lane_of: Ours) -> None:
    lane = lane_of()
    with environment({"GITHUB_TOKEN": "ghp_dev"} | only_git()):
        done = story.gitops("prs", "--repo", lane.double.url)

    assert done.returncode == 1
    assert {seen.login for seen in lane.world.log} == {""}


@pytest.mark.parametrize("status", [500, 502, 503])
def test_what_github_could_not_do_is_tried_again(lane: Lane, status: int) -> None:
    fault(lane, "POST", "/graphql", status, "oops", times=2)
    fault(lane, "POST", "/pulls", status, "oops", times=3)

    lane.number("promote", "wallet", "--to", "staging")
    assert len(opened(lane)) == 1


def test_what_github_cannot_do_at_all_is_told_and_taken_up_later(lane: Lane) -> None:
    fault(lane, "POST", "/pulls", 503, "oops", times=99)
    done = lane.run("promote", "wallet", "--to", "staging", code=1)
    assert "answered 503" in done.stderr
    assert "try the same command again" in done.stderr
    lane.world.faults.clear()

    lane.number("promote", "wallet", "--to", "staging")
    assert len(lane.world.pulls) == 1


def test_an_answer_that_is_lost_after_the_pull_request_was_opened_makes_no_second_one(lane: Lane) -> None:
    fault(lane, "POST", "/pulls", 502, "oops", done=True)

    number = lane.number("promote", "wallet", "--to", "staging")
    assert [pull.number for pull in lane.world.pulls] == [number]


def test_one_that_another_run_has_opened_meanwhile_is_found(lane: Lane) -> None:
    lane.number("promote", "wallet", "--to", "staging")
    pull = lane.world.pulls[0]
    pull.fork = True  # as if it were not there yet when it is looked for
    told = [{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for acme:x."}]
    lane.world.faults.append(Fault(on("POST", "/pulls"), 422, {"message": "Validation Failed", "errors": told}))

    lane.run("promote", "wallet", "--to", "staging")
    assert len(opened(lane)) == 2  # the second attempt has opened it, and did not fail


def test_a_base_that_moved_while_it_is_merged_is_merged_all_the_same(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "staging")
    fault(lane, "PUT", "/merge", 405, "Base branch was modified. Review and try the merge again.", times=2)

    lane.run("merge", number, who="rev")
    assert lane.world.pull(number).state == "merged"


def test_rules_of_github_are_told_as_such(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "staging")
    lane.world.required_reviews = 1

    done = lane.run("merge", number, who="rev", code=3)
    assert "GitHub's rules: At least 1 approving review is required" in done.stderr
    assert f"try: gitops doctor {number}" in done.stderr


def test_dev_merges_by_auto_merge_once_its_checks_have_passed(lane: Lane) -> None:
    lane.world.required_contexts = ["shiplane/verify"]
    with environment(lane.as_ci()):
        request = story.release_of(lane.double.url, "wallet", "one", 2).request
    assert request
    assert (request.state, request.merging) == ("open", True)
    with environment(lane.as_ci()):
        assert story.release_of(lane.double.url, "wallet", "one", 2).unchanged

    lane.verdicts(request.number)
    assert lane.world.pull(request.number).state == "merged"


def test_auto_merge_is_off_again_when_a_gate_has_a_word_against_it(lane: Lane) -> None:
    lane.world.required_contexts = ["shiplane/verify"]
    with environment(lane.as_ci()):
        request = story.release_of(lane.double.url, "wallet", "one", 2).request
    assert request
    assert lane.world.pull(request.number).auto
    closed = '{freeze: [{from: "2026-01-01 00:00", to: "2027-01-01 00:00", zone: UTC}]}'
    config = story.show(lane.world.repo, "shiplane.yaml") or b""
    frozen = config.replace(b"dev: {merge: auto,", b"dev: {merge: auto, gates: %s," % closed.encode())
    story.write(lane.world.repo, {"shiplane.yaml": frozen})

    with environment(lane.as_ci()):
        again = story.release_of(lane.double.url, "wallet", "one", 2).request
    assert again
    assert (again.number, again.merging) == (request.number, False)
    assert not lane.world.pull(request.number).auto


def test_dev_merges_at_once_where_auto_merge_is_off(lane: Lane) -> None:
    lane.world.auto_merge = False

    lane.release("one", 2)


def test_where_nothing_merges_by_itself_and_a_check_is_missing_it_stays_open(lane: Lane) -> None:
    lane.world.auto_merge = False
    lane.world.required_contexts = ["shiplane/verify"]
    with environment(lane.as_ci()):
        request = story.release_of(lane.double.url, "wallet", "one", 2).request
        assert request
        assert request.state == "open"
        lane.world.required_contexts = []
        again = story.release_of(lane.double.url, "wallet", "one", 2).request
    assert again
    assert (again.number, again.state) == (request.number, "merged")


def test_the_eighty_first_write_of_a_minute_waits_as_long_as_it_is_told(lane: Lane) -> None:
    lane.world.most_writes, lane.world.retry_after = 1, 1

    lane.number("promote", "wallet", "--to", "staging")
    assert len(opened(lane)) == 1
    if lane.app:  # a person writes by git, and opens with one request
        assert 429 in [seen.status for seen in lane.world.log]


def test_a_limit_that_lasts_is_told(lane_of: Ours) -> None:
    lane = lane_of()
    told = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    fault(lane, "POST", "/pulls", 403, told, headers={"Retry-After": "3600"})

    done = lane.run("promote", "wallet", "--to", "staging", code=1)
    assert "takes no more requests from us for 3600 s" in done.stderr


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        (429, {"retry-after": "7"}, "", 7),
        (403, {"retry-after": "7"}, "You have exceeded a secondary rate limit.", 7),
        (403, {}, "You have triggered an abuse detection mechanism.", 60),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "API rate limit exceeded for x.", 1),
        (403, {}, "Resource not accessible by integration", None),
        (200, {}, "", None),
    ],
)
def test_limits_are_known_by_their_signs(
    status: int, headers: dict[str, str], message: str, wait: float | None
) -> None:
    assert _limit(status, headers, {"message": message}) == wait


def test_graphql_tells_its_limit_in_an_answer_of_its_own() -> None:
    assert _limit(200, {}, {"errors": [{"type": "RATE_LIMITED", "message": "x"}]}) == 60


def test_a_branch_that_a_killed_run_left_is_taken_up_and_a_strangers_is_not(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "staging")
    branch = lane.world.pull(number).branch
    ground.api(lane.double, "rev", "PATCH", f"pulls/{number}", {"state": "closed"})
    assert lane.number("promote", "wallet", "--to", "staging") == number + 1

    lane.run("close", number + 1, who="rev")
    story.git(lane.world.repo, "branch", branch, "main")
    story.write(lane.world.repo, {"notes": b"mine\n"}, branch)
    done = lane.run("promote", "wallet", "--to", "staging", code=1)
    assert "without a pull request, and is not ours" in done.stderr
    assert story.show(lane.world.repo, "notes", branch) == b"mine\n"


def test_a_forks_branch_of_the_same_name_is_not_ours(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "staging")
    lane.world.pull(number).fork = True

    assert "comes from a fork" in lane.run("verify", number, code=3).stderr
    with environment(lane.as_ci()):
        fresh = story.promotion(lane.double.url, "wallet").request
    assert fresh
    assert fresh.number != number


def test_an_approval_by_whoever_asked_ci_for_it_does_not_count(lane_of: Ours) -> None:
    lane = lane_of(app=True)
    number = to_prod(lane)
    assert lane.world.pull(number).author.login == "shiplane[bot]"
    lane.approve(number, "dev")
    assert lane.verdicts(number)["approvals"][0] == "waiting"

    head = lane.world.pull(number).head
    for who in ("eve", "github-actions[bot]"):  # nobody else can say who asked
        creator = lane.world.people[who]
        lane.world.statuses.append(Status(head, "shiplane/requester", "success", "eve", creator, lane.world.now()))
    lane.approve(number, "rev")
    told = "no approval counts: nobody has recorded who asked for it"
    assert lane.verdicts(number)["approvals"] == ("waiting", told)
    lane.run("promote", "wallet", "--to", "prod")  # says it again, over what others have said
    assert lane.verdicts(number)["approvals"] == ("passed", "1 needed, given by rev")


NOT_COUNTED = ": not counted are author, requester, committers, bots and older heads"


def test_whoever_has_ci_update_a_persons_pull_request_does_not_count_either(lane_of: Ours) -> None:
    lane = lane_of()
    number = to_prod(lane)
    lane.release("one", 2)
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    with environment(ground.by_app(lane.double, "eve")):
        done = story.gitops("promote", "wallet", "--to", "prod", "--repo", lane.double.url)
    assert done.stdout.endswith(f"/pull/{number}\n")
    assert lane.world.pull(number).author.login == "dev"

    lane.approve(number, "eve")
    assert lane.verdicts(number)["approvals"] == ("waiting", "0 of 1" + NOT_COUNTED)


def test_where_nobody_recorded_who_asked_no_approval_counts(lane_of: Ours) -> None:
    lane = lane_of(app=True)
    number = to_prod(lane)
    lane.world.statuses.clear()
    lane.approve(number, "rev")
    assert lane.verdicts(number)["approvals"][0] == "waiting"

    lane.run("promote", "wallet", "--to", "prod")  # records it, on the same head
    assert lane.verdicts(number)["approvals"][0] == "passed"


def test_an_app_that_may_set_no_status_opens_it_and_no_approval_counts(lane_of: Ours) -> None:
    lane = lane_of(app=True)
    del lane.world.apps["1234"]["permissions"]["statuses"]
    number = to_prod(lane)
    assert "does not say who asked for it" in lane.run("promote", "wallet", "--to", "prod").stderr
    lane.approve(number, "rev")

    with environment(ground.by_token(lane.double, "ghp_ci")):
        done = story.gitops("verify", str(number), "--repo", lane.double.url)
    assert "nobody has recorded who asked for it" in done.stdout


def test_one_who_pushed_under_anothers_name_does_not_count(lane: Lane) -> None:
    number = to_prod(lane)
    pull = lane.world.pull(number)
    before = lane.world.heads()
    tree = story.git(lane.world.repo, "rev-parse", f"{pull.head}^{{tree}}")
    forged = lane.world.commit(
        tree, [story.git(lane.world.repo, "rev-parse", f"{pull.head}^")], "x", lane.world.people["sam"]
    )
    story.git(lane.world.repo, "update-ref", f"refs/heads/{pull.branch}", forged)
    lane.world.moved(lane.world.people["eve"], before)

    lane.approve(number, "eve")
    assert lane.verdicts(number)["approvals"][0] == "waiting"
    with environment(lane.as_ci()):
        shown = json.loads(story.gitops("show", str(number), "--json", "--repo", lane.double.url).stdout)["items"][0]
    assert shown["approved_by"] == []


def test_who_pushed_is_waited_for_and_not_guessed(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    from gitops.forge.github import people

    monkeypatch.setattr(people, "_PAUSE", 0.01)
    number = to_prod(lane)
    lane.world.activity.clear()

    assert "GitHub has not told yet who pushed" in lane.run("verify", number, "--post", code=1).stderr


def test_an_apps_commit_is_signed_by_github_and_named_by_nobody(lane_of: Ours) -> None:
    lane = lane_of(app=True)
    with environment({**lane.as_ci(), "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nonexistent"}):
        import os

        for name in [each for each in os.environ if each.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
            del os.environ[name]
        done = story.gitops("promote", "wallet", "--to", "staging", "--repo", lane.double.url)

    assert done.returncode == 0, done
    head = lane.world.pulls[0].head
    assert story.git(lane.world.repo, "log", "-1", "--format=%an", head) == "shiplane[bot]"
    assert [seen for seen in lane.world.log if "receive-pack" in seen.path + seen.query] == []


def test_the_way_out_of_a_missing_approval_is_one_that_github_has(lane: Lane) -> None:
    number = to_prod(lane)

    told = lane.run("merge", number, who="rev", code=3).stderr
    hands = "shiplane[bot] or dev" if lane.app else "dev"
    url = f"https://github.test/acme/gitops/pull/{number}/files"
    assert f"try: review it there, as somebody else than {hands}: {url}\n" in told
    assert "gitops approve" not in told


def test_where_nobody_knows_who_asked_no_review_is_asked_for(lane_of: Ours) -> None:
    lane = lane_of(app=True)
    number = to_prod(lane)
    lane.world.statuses.clear()

    told = lane.run("merge", number, who="rev", code=3).stderr
    assert "no approval counts: nobody has recorded who asked for it" in told
    assert f"try: gitops close {number}, and ask for it again as a person" in told


def test_people_are_not_named_by_an_option(lane: Lane) -> None:
    number = to_prod(lane)

    assert "GitHub knows who acts" in lane.run("close", number, "--as", "ann@acme.example", who="rev", code=1).stderr
    assert "is approved on GitHub itself" in lane.run("approve", number, who="rev", code=1).stderr
    assert "by Argo CD's notifications" in lane.run("healthy", "wallet", "--env", "staging", who="rev", code=1).stderr
