"""What doctor finds on GitHub: each trouble is really there on the double, which then refuses the merge, or is not."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gitops.apply import propose
from gitops.forge.github import wire
from tests.gitops import story
from tests.gitops.github_double import ground, rules
from tests.gitops.github_double.ground import environment
from tests.gitops.github_double.lane import Lane, running
from tests.gitops.github_double.world import Run
from tests.gitops.trees import new

MAIN, SIGNED = ".github/rulesets/main.json", ".github/rulesets/signed.json"
OWNERS = b"*  @acme/platform\n/apps/\n/environments/\n/environments/prod/  @acme/platform\n"
"""As init writes it, but for `apps/`: a first promotion would ask for the administrators everywhere."""
HEALTH = new()["notifications/health.yaml"].replace(b"ID: 0", b"ID: 7")
PROD = "{approvals: 1, health: true, soak: 1h}"
Ours = Callable[..., Lane]


def ruleset(name: str = MAIN, **statuses: int | None) -> dict[str, Any]:
    """Our own ruleset, with these statuses required besides, each from an App or from anybody."""
    found: dict[str, Any] = json.loads(new(app_id=1234)[name])
    for context, app in statuses.items():
        more = {"context": context} if app is None else {"context": context, "integration_id": app}
        parameters(found, "required_status_checks")["required_status_checks"].append(more)
    return found


def parameters(found: Mapping[str, Any], kind: str) -> dict[str, Any]:
    told: dict[str, Any] = next(each["parameters"] for each in found["rules"] if each["type"] == kind)
    return told


@pytest.fixture
def lane_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ours]:
    """A lane on a repository that is guarded as `gitops init` wants it, with an App as CI."""
    monkeypatch.setattr(wire, "_PAUSE", 0.01)
    with ExitStack() as stack:

        def make(*, app: bool = True, prod: str = PROD, guard: bool = True) -> Lane:
            lane = stack.enter_context(running(tmp_path, monkeypatch, prod, app=app))
            world = lane.world
            world.person("root", may="admin")
            world.person("guest", may="read")
            world.teams["platform"] = ["sue", "sam"]
            world.apps["1234"]["permissions"] |= {"checks": "read", "actions": "read"}
            files = {MAIN: new(app_id=1234)[MAIN], ".github/CODEOWNERS": OWNERS, "notifications/health.yaml": HEALTH}
            story.write(world.repo, files)
            if guard:
                world.protect(ruleset())
            return lane

        yield make


@pytest.fixture
def lane(lane_of: Ours) -> Lane:
    return lane_of()


def doctor(lane: Lane, *words: object, who: str = "root", code: int | None = None) -> dict[str, dict[str, Any]]:
    """The findings by name; the exit code is 1 where there are some, unless told."""
    with environment(ground.by_token(lane.double, f"ghp_{who}") if who else lane.as_ci("dev")):
        done = story.gitops("doctor", *map(str, words), "--json", "--repo", lane.double.url)
    assert done.stdout, done
    told = json.loads(done.stdout)
    assert told["schema"] == "shiplane/doctor/1"
    found = {each["name"]: each for each in told["items"]}
    assert done.returncode == (code if code is not None else int(bool(found))), done
    return found


def refused(lane: Lane, number: int, who: str = "rev") -> str:
    """What GitHub says to somebody who presses the button; empty where it merges."""
    with pytest.raises(AssertionError) as told:
        ground.api(lane.double, who, "PUT", f"pulls/{number}/merge", {"sha": lane.world.pull(number).head})
    return str(told.value)


def merges(lane: Lane, number: int) -> None:
    ground.api(lane.double, "rev", "PUT", f"pulls/{number}/merge", {"sha": lane.world.pull(number).head})
    assert lane.world.pull(number).state == "merged"


def staging(lane: Lane, *, verified: bool = True, who: str = "") -> int:
    """A promotion to staging, which no approval is asked for; judged, unless told."""
    lane.run("promote", "wallet", "--to", "staging", who=who)
    number = lane.world.pulls[-1].number
    if verified:
        lane.verdicts(number)
    return number


def to_prod(lane: Lane) -> int:
    """A promotion to prod that waits for nothing but people."""
    number = staging(lane)
    merges(lane, number)
    lane.healthy("staging")
    lane.later(hours=2)
    lane.run("promote", "wallet", "--to", "prod")
    return lane.world.pulls[-1].number


def released(lane: Lane) -> None:
    """A release into dev, which merges by itself."""
    with environment(lane.as_ci()):
        propose(lane.double.url, [story.releasing("wallet", "one", 2)])


# a sound repository


def test_a_sound_repository_has_nothing(lane: Lane) -> None:
    done = lane.run("doctor", who="root")

    assert done.stdout == ""
    assert done.stderr == "· nothing found\n"
    assert doctor(lane, who="") == {}  # the App, too


def test_what_nothing_stands_against_merges(lane: Lane) -> None:
    number = staging(lane)

    done = lane.run("doctor", number, who="rev")
    assert (done.stdout, done.stderr) == ("", f"· nothing stands against #{number}: gitops merge {number}\n")
    merges(lane, number)


# the pull request


def test_verify_has_said_nothing_yet(lane: Lane) -> None:
    number = staging(lane, verified=False)

    assert "shiplane/verify" in refused(lane, number)
    found = doctor(lane, number)
    assert found.keys() == {"verify-silent"}
    assert f"gitops verify {number} --post, as the App" in found["verify-silent"]["mend"]
    lane.verdicts(number)
    assert doctor(lane, number) == {}


def test_verify_has_said_so_before_the_approval_came(lane: Lane) -> None:
    number = to_prod(lane)
    lane.verdicts(number)
    assert doctor(lane, number).keys() == {"approvals", "code-owner-missing"}

    lane.approve(number, "sue")
    assert "shiplane/verify" in refused(lane, number)
    assert doctor(lane, number).keys() == {"verify-outdated"}
    lane.verdicts(number)
    assert doctor(lane, number) == {}
    merges(lane, number)


def checked(lane: Lane, app: int | None = None) -> None:
    """Workflows of the repository run a check, `build`, which the rules ask for."""
    lane.world.checks = ["build"]
    lane.world.rulesets[0] |= ruleset(build=app)


def test_workflows_wait_for_an_approval_where_a_runs_own_token_opened_it(lane: Lane) -> None:
    checked(lane)
    number = staging(lane, who="github-actions[bot]")
    assert '"build' in refused(lane, number)

    found = doctor(lane, number)
    assert found.keys() == {"checks-awaiting-approval"}
    told = found["checks-awaiting-approval"]
    assert "since github-actions[bot] has opened or pushed it" in told["why"]
    assert told["evidence"] == ["build: required, and not there"]
    assert told["mend"][0].endswith(f"/pull/{number}: Approve workflows to run")
    assert "SHIPLANE_GITHUB_APP_ID" in told["mend"][2]

    for suite in lane.world.suites:  # somebody presses the button
        suite.conclusion = "success"
    lane.world.runs.append(Run(lane.world.pull(number).head, "build", "github-actions"))
    assert doctor(lane, number) == {}
    merges(lane, number)


def test_checks_never_start_where_a_runs_own_token_pushed_the_head(lane: Lane) -> None:
    checked(lane)
    lane.world.held = False
    number = staging(lane, who="github-actions[bot]")
    assert '"build' in refused(lane, number)

    found = doctor(lane, number)
    assert found.keys() == {"checks-never-start"}
    assert "no check suite on its head" in found["checks-never-start"]["evidence"]
    assert found["checks-never-start"]["mend"][0] == (f"gh pr close {number} && gh pr reopen {number}, as a person")

    for state in ("closed", "open"):  # that mend helps
        ground.api(lane.double, "rev", "PATCH", f"pulls/{number}", {"state": state})
    assert doctor(lane, number) == {}
    merges(lane, number)


def test_an_apps_own_workflows_run(lane: Lane) -> None:
    checked(lane)
    number = staging(lane)

    assert doctor(lane, number) == {}
    merges(lane, number)


@pytest.mark.parametrize(
    ("conclusion", "name"), [("failure", "check-failed"), ("cancelled", "check-failed"), (None, "check-running")]
)
def test_a_check_has_not_passed(lane: Lane, conclusion: str | None, name: str) -> None:
    checked(lane)
    number = staging(lane)
    lane.world.runs[-1].conclusion = conclusion

    assert '"build' in refused(lane, number)
    found = doctor(lane, number)
    assert found.keys() == {name}
    assert found[name]["evidence"] == ["said by github-actions"]
    lane.world.runs[-1].conclusion = "neutral"
    assert doctor(lane, number) == {}
    merges(lane, number)


def test_a_check_that_nobody_runs(lane: Lane) -> None:
    lane.world.rulesets[0] |= ruleset(lint=None)
    number = staging(lane)

    assert '"lint' in refused(lane, number)
    assert doctor(lane, number)["check-missing"]["why"].startswith("nobody has reported lint on ")


def test_a_check_of_another_app_than_the_rules_name(lane: Lane) -> None:
    checked(lane, app=99)
    number = staging(lane)

    assert '"build' in refused(lane, number)
    found = doctor(lane, number)
    assert found.keys() == {"check-of-another-app"}
    assert "comes from App 15368, and the rules take it from App 99 alone" in found["check-of-another-app"]["why"]
    lane.world.rulesets[0] |= ruleset(build=15368)
    assert doctor(lane, number) == {}


def test_a_persons_word_where_the_rules_take_the_apps(lane: Lane) -> None:
    number = staging(lane, verified=False)
    lane.run("verify", number, "--post", who="ci")
    assert "shiplane/verify" in refused(lane, number)

    found = doctor(lane, number)
    assert found.keys() == {"check-of-another-app"}
    told = found["check-of-another-app"]
    assert told["why"] == "shiplane/verify comes from ci, a person, and the rules take it from App 1234 alone"
    lane.verdicts(number)
    assert doctor(lane, number) == {}
    merges(lane, number)


def test_unsigned_commits_where_the_rules_take_signed_ones(lane: Lane) -> None:
    lane.world.protect(ruleset(SIGNED))
    number = staging(lane, who="dev")
    assert "verified signatures" in refused(lane, number)

    found = doctor(lane, number)
    assert found.keys() == {"signature-missing"}
    told = found["signature-missing"]
    assert told["why"] == "1 of its commits is not signed, and the rules take only signed ones"
    assert told["evidence"] == [f"{lane.world.pull(number).head[:7]}: no signature that GitHub has verified"]
    assert told["mend"][0].startswith("git config --global commit.gpgsign true")

    lane.run("close", number, who="dev")
    number = staging(lane)  # the App's: GitHub signs what it writes
    assert doctor(lane, number) == {}
    merges(lane, number)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed: nothing can be signed")
def test_a_person_who_signs_is_not_told_to(lane: Lane, tmp_path: Path) -> None:
    lane.world.protect(ruleset(SIGNED))
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in (("commit.gpgsign", "true"), ("gpg.format", "ssh"), ("user.signingkey", str(key))):
        story.git(tmp_path, "config", "--global", name, value)
    number = staging(lane, who="dev")

    assert doctor(lane, number) == {}
    merges(lane, number)


def test_a_code_owner_has_not_agreed(lane: Lane) -> None:
    number = to_prod(lane)
    lane.approve(number, "rev")  # one more person, and no owner
    lane.verdicts(number)
    assert "code owner" in refused(lane, number)

    found = doctor(lane, number)
    assert found.keys() == {"code-owner-missing"}
    assert found["code-owner-missing"]["evidence"] == ["asked: @acme/platform"]
    lane.approve(number, "sam")
    assert doctor(lane, number) == {}
    merges(lane, number)


def test_a_review_is_missing_or_stands_against_it(lane: Lane) -> None:
    parameters(lane.world.rulesets[0], "pull_request")["required_approving_review_count"] = 1
    number = staging(lane)
    assert "approving review" in refused(lane, number)
    assert doctor(lane, number).keys() == {"review-missing"}

    ground.api(lane.double, "eve", "POST", f"pulls/{number}/reviews", {"event": "REQUEST_CHANGES"})
    assert doctor(lane, number).keys() == {"changes-requested"}
    lane.approve(number, "eve")
    assert doctor(lane, number) == {}


def test_a_conversation_is_open_where_the_rules_ask_for_its_end(lane: Lane) -> None:
    number = staging(lane)
    lane.world.pull(number).threads = [True, False]
    assert doctor(lane, number) == {}  # nobody asks

    parameters(lane.world.rulesets[0], "pull_request")["required_review_thread_resolution"] = True
    assert "conversation" in refused(lane, number)
    found = doctor(lane, number)
    assert found.keys() == {"threads-unresolved"}
    assert found["threads-unresolved"]["evidence"] == ["1 open"]
    lane.world.pull(number).threads = [True, True]
    assert doctor(lane, number) == {}


def test_behind_where_the_rules_ask_for_the_newest(lane: Lane) -> None:
    checks = parameters(lane.world.rulesets[0], "required_status_checks")
    checks["strict_required_status_checks_policy"] = True
    number = staging(lane)
    assert doctor(lane, number) == {}

    story.write(lane.world.repo, {"README.md": b"# newer\n"})
    assert "not up to date" in refused(lane, number)
    found = doctor(lane, number)
    assert found.keys() == {"behind"}
    assert found["behind"]["mend"][0] == f"gh pr update-branch {number}"
    lane.world.pull(number).threads = [False]
    parameters(lane.world.rulesets[0], "pull_request")["required_review_thread_resolution"] = True
    assert rules.state(lane.world, lane.world.pull(number)) == "BLOCKED"
    assert doctor(lane, number).keys() == {"behind", "threads-unresolved"}
    lane.world.pull(number).threads = [True]
    checks["strict_required_status_checks_policy"] = False
    assert doctor(lane, number) == {}
    merges(lane, number)


def test_an_updated_branch_is_not_behind(lane: Lane) -> None:
    checks = parameters(lane.world.rulesets[0], "required_status_checks")
    checks["strict_required_status_checks_policy"] = True
    number = staging(lane)
    tip = story.write(lane.world.repo, {"README.md": b"# newer\n"})
    pull, before = lane.world.pull(number), lane.world.heads()
    updated = lane.world.merged(pull.head, tip, f"Merge branch 'main' into {pull.branch}", lane.world.people["eve"])
    story.git(lane.world.repo, "update-ref", f"refs/heads/{pull.branch}", str(updated))
    lane.world.moved(lane.world.people["eve"], before)
    lane.verdicts(number)

    assert doctor(lane, number) == {}
    merges(lane, number)


def test_both_sides_changed_the_same(lane: Lane) -> None:
    number = staging(lane)
    story.write(lane.world.repo, {"environments/staging/wallet/release.yaml": b"image: {tag: x}\n"})

    assert "not mergeable" in refused(lane, number)
    found = doctor(lane, number, code=3)
    assert found.keys() == {"conflict"}
    assert found["conflict"]["state"] == "refused"
    assert found["conflict"]["evidence"] == ["environments/staging/wallet/release.yaml"]


def test_what_merges_by_itself_waits_where_auto_merge_is_off(lane: Lane) -> None:
    lane.world.auto_merge = False
    released(lane)
    number = lane.world.pulls[-1].number
    lane.verdicts(number)
    assert lane.world.pull(number).state == "open"  # verify has passed it, and nobody presses the button

    found = doctor(lane, number)
    assert found.keys() == {"auto-merge-off"}
    host = lane.double.server.removeprefix("http://")
    mend = f"gh api --hostname {host} -X PATCH repos/acme/gitops -F allow_auto_merge=true"
    assert found["auto-merge-off"]["mend"] == [mend]
    assert doctor(lane).keys() == {"auto-merge-off"}
    lane.world.auto_merge = True
    assert doctor(lane, number).keys() == {"auto-merge-not-on"}
    released(lane)  # that mend helps: nothing is left to wait for
    assert lane.world.pull(number).state == "merged"


@pytest.mark.parametrize(
    ("name", "says"), [("draft", "a draft"), ("merge-commits-off", "Merge commits are not allowed")]
)
def test_what_no_pull_request_passes(lane: Lane, name: str, says: str) -> None:
    number = staging(lane)
    lane.world.pull(number).draft = name == "draft"
    lane.world.merge_commits = name != "merge-commits-off"

    assert says in refused(lane, number)
    assert doctor(lane, number).keys() == {name}
    assert doctor(lane).keys() == ({name} if name != "draft" else set())


def test_an_archived_repository(lane: Lane) -> None:
    lane.world.archived = True

    assert doctor(lane).keys() == {"archived"}


def test_gates_are_told_with_the_moment_at_which_they_clear(lane_of: Ours) -> None:
    freeze = '{from: "wed 00:00", to: "fri 08:00", zone: Europe/London, reason: a launch}'
    gates = f"{{approvals: 1, soak: 24h, freeze: [{freeze}], override: {{gates: [soak], team: glass}}}}"
    lane = lane_of(prod=gates)
    merges(lane, staging(lane))
    lane.run("promote", "wallet", "--to", "prod")
    number = lane.world.pulls[-1].number
    lane.verdicts(number)

    found = doctor(lane, number)
    assert found.keys() == {"soak", "freeze", "approvals", "code-owner-missing"}
    assert found["soak"]["until"] == "2026-01-08T12:00:00+00:00"
    assert found["soak"]["mend"] == [
        "wait until Thu 2026-01-08 12:00 UTC",
        "promote wallet --to prod --override soak --reason ..., and an approval from glass",
    ]
    assert found["freeze"]["until"] == "2026-01-09T08:00:00+00:00"
    assert found["approvals"]["mend"] == [
        f"review it there, as somebody else than shiplane[bot] or dev: https://github.test/acme/gitops/pull/{number}/files"
    ]
    assert doctor(lane).keys() == {"freeze"}  # of the repository: no promotion to prod merges now
    lane.later(hours=48)
    lane.approve(number, "sue")
    lane.verdicts(number)
    assert doctor(lane, number) == {}
    assert doctor(lane) == {}


def test_rules_that_nobody_can_see_are_told_as_such(lane: Lane) -> None:
    number = staging(lane)
    lane.world.required_contexts = ["classic"]
    lane.world.protect({**ruleset(SIGNED), "rules": [{"type": "required_linear_history"}]})

    assert "classic" in refused(lane, number)
    found = doctor(lane, number)
    assert found.keys() == {"blocked"}
    assert sorted(found["blocked"]["evidence"]) == [
        "not looked at: the rule required_linear_history",
        "shiplane/requester: passed, by shiplane[bot]",
        "shiplane/verify: passed, by shiplane[bot]",
    ]


def test_a_closed_one_and_one_that_never_was(lane: Lane) -> None:
    number = staging(lane)
    lane.run("close", number, who="dev")

    assert doctor(lane, number).keys() == {"closed"}
    assert "no such pull request" in lane.run("doctor", 99, who="dev", code=1).stderr


def test_a_fork_is_refused(lane: Lane) -> None:
    number = staging(lane)
    lane.world.pull(number).fork = True

    assert "comes from a fork" in doctor(lane, number, code=3)["read"]["why"]


# the token


def test_a_person_who_may_only_read(lane: Lane) -> None:
    found = doctor(lane, who="guest")

    assert found.keys() == {"permission-missing"}
    assert found["permission-missing"]["why"].startswith("guest may not do what a promotion needs")
    with environment(ground.by_token(lane.double, "ghp_guest")):  # and so it is
        assert story.gitops("promote", "wallet", "--to", "staging", "--repo", lane.double.url).returncode == 1
    assert doctor(lane, staging(lane), who="guest") == {}  # that is no reason for anybody else's to wait


def test_an_app_without_a_permission(lane: Lane) -> None:
    del lane.world.apps["1234"]["permissions"]["statuses"]
    lane.world.apps["1234"]["permissions"]["pull_requests"] = "read"

    told = doctor(lane, who="")["permission-missing"]
    assert (
        told["why"] == "shiplane[bot] may not do what a promotion needs: it lacks pull_requests: write, statuses: write"
    )
    assert told["evidence"] == [
        "pull_requests: write: no pull request can be opened",
        "statuses: write: who asked cannot be recorded, so nobody's approval will count",
    ]
    assert doctor(lane, who="root") == {}


def test_the_token_of_a_run(lane: Lane) -> None:
    assert doctor(lane, who="github-actions[bot]").keys() == {"workflow-token"}


def test_what_the_token_may_not_see_is_told_as_such(lane: Lane) -> None:
    checked(lane)
    for name in ("checks", "actions"):
        del lane.world.apps["1234"]["permissions"][name]
    lane.world.held = False
    number = staging(lane, who="github-actions[bot]")

    assert doctor(lane, number, who="").keys() == {"blocked"}  # GitHub says so, and why cannot be seen
    told = lane.run("doctor", number, code=1).stderr
    assert "/check-runs" in told
    assert "give the token or the App what it needs: checks=read" in told
    assert "actions=read" in lane.run("doctor").stderr


def test_nobody_is_logged_in(lane: Lane) -> None:
    with environment({"GITHUB_SERVER_URL": lane.double.server}):
        done = story.gitops("doctor", "--json", "--repo", lane.double.url)

    assert done.returncode == 1
    assert [each["name"] for each in json.loads(done.stdout)["items"]] == ["no-access"]


# the repository


def test_an_unguarded_branch(lane_of: Ours) -> None:
    lane = lane_of(guard=False)
    found = doctor(lane)
    host = lane.double.server.removeprefix("http://")
    call = f"gh api --hostname {host} repos/acme/gitops/rulesets"
    assert found.keys() == {"unprotected"}
    assert found["unprotected"]["mend"] == [f"{call} --input {MAIN}"]

    made = lane.world.protect({**ruleset(), "enforcement": "evaluate"})
    found = doctor(lane)
    assert found["unprotected"]["evidence"] == ["the ruleset main is there, and is evaluate"]
    put = call.replace("repos", "--method PUT repos")
    assert found["unprotected"]["mend"] == [f"{put}/{made['id']} --input {MAIN}"]


def test_without_an_app_the_way_out_says_what_to_write_first(lane_of: Ours) -> None:
    lane = lane_of(guard=False)
    story.write(lane.world.repo, {MAIN: new()[MAIN]})

    first = doctor(lane)["unprotected"]["mend"][0]
    assert first == f"put the ID of the App verify in place of the 0 at integration_id in {MAIN}; then"


def test_a_ruleset_that_asks_for_less(lane: Lane) -> None:
    weaker = lane.world.rulesets[0]
    weaker["rules"] = [each for each in weaker["rules"] if each["type"] != "deletion"]
    parameters(weaker, "pull_request")["dismiss_stale_reviews_on_push"] = False
    parameters(weaker, "pull_request")["allowed_merge_methods"] = ["merge", "squash"]

    found = doctor(lane)
    assert found.keys() == {"ruleset-differs"}
    assert found["ruleset-differs"]["evidence"] == [
        "deletion: there is no such rule",
        'pull_request: allowed_merge_methods is ["merge", "squash"], and should be ["merge"]',
        "pull_request: dismiss_stale_reviews_on_push is false, and should be true",
    ]


def test_a_ruleset_that_asks_for_the_same_in_another_place_is_as_good(lane: Lane) -> None:
    whole = lane.world.rulesets.pop()
    whole["rules"][2]["parameters"]["required_approving_review_count"] = 2
    for number, rule in enumerate(whole["rules"]):
        lane.world.protect({**whole, "id": 100 + number, "name": f"part {number}", "rules": [rule]})

    assert doctor(lane) == {}


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("status-not-required", [{"context": "build"}]),
        ("status-unpinned", [{"context": "shiplane/verify"}]),
        ("status-of-another-app", [{"context": "shiplane/verify", "integration_id": 99}]),
    ],
)
def test_the_status_of_verify_is_not_as_it_should_be(lane: Lane, name: str, statuses: list[dict[str, Any]]) -> None:
    parameters(lane.world.rulesets[0], "required_status_checks")["required_status_checks"] = statuses

    assert doctor(lane).keys() == {name}


def test_whom_a_ruleset_does_not_hold_is_told_to_whoever_may_see_it(lane: Lane) -> None:
    lane.world.rulesets[0]["bypass_actors"] = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]

    assert doctor(lane)["ruleset-bypass"]["evidence"] == ["RepositoryRole 5"]
    assert doctor(lane, who="rev") == {}


def test_a_file_that_is_no_ruleset(lane: Lane) -> None:
    story.write(lane.world.repo, {MAIN: b'{"rules": 1}'})

    assert doctor(lane).keys() == {"ruleset-unreadable"}


def test_code_owners_whom_github_does_not_know(lane: Lane) -> None:
    story.write(lane.world.repo, {".github/CODEOWNERS": b"# who\n*  @acme/nobody\n"})
    told = doctor(lane)["code-owners-wrong"]
    assert told["evidence"] == [
        ".github/CODEOWNERS:2: Unknown owner: make sure @acme/nobody exists and has write access to the repository"
    ]

    story.write(lane.world.repo, {".github/CODEOWNERS": None})
    assert "there is no .github/CODEOWNERS" in doctor(lane)["code-owners-wrong"]["why"]


def test_nobody_posts_what_verify_says(lane: Lane) -> None:
    lane.world.workflow_states["verify.yaml"] = "disabled_inactivity"
    told = doctor(lane)["verify-off"]
    assert "disabled_inactivity" in told["why"]
    host = lane.double.server.removeprefix("http://")
    assert told["mend"] == [f"gh workflow enable verify.yaml --repo {host}/acme/gitops"]

    number = staging(lane, verified=False)
    assert doctor(lane, number).keys() == {"verify-off"}  # and not that ten minutes will mend it

    story.write(lane.world.repo, {".github/workflows/verify.yaml": None})
    assert "is not on the default branch" in doctor(lane)["verify-off"]["why"]


def test_verify_itself_fails(lane: Lane) -> None:
    lane.world.workflow_runs["verify.yaml"] = ["cancelled", "failure", "success"]
    number = staging(lane, verified=False)

    for words in ((), (number,)):
        found = doctor(lane, *words)
        assert found.keys() == {"verify-fails"}
        assert found["verify-fails"]["mend"] == ["read why: https://github.test/runs/1"]
    lane.world.workflow_runs["verify.yaml"].insert(0, "success")
    assert doctor(lane) == {}
    assert doctor(lane, number).keys() == {"verify-silent"}


def test_what_was_merged_and_never_found_healthy(lane: Lane) -> None:
    number = staging(lane)
    merges(lane, number)
    lane.later(minutes=59)
    assert doctor(lane) == {}  # a rollout takes its time
    assert doctor(lane, number) == {}

    lane.later(minutes=61)
    for words in ((), (number,)):
        found = doctor(lane, *words)
        assert found.keys() == {"never-synced"}
        told = found["never-synced"]
        assert told["why"] == (
            f"wallet in staging was merged 2 h ago, by #{number}, and has never been found healthy: "
            "prod will wait for it"
        )
        merge = lane.world.pull(number).merge
        assert told["evidence"] == [f"no good status shiplane/health/staging/wallet on {merge[:7]} or after it"]
        assert told["mend"][0] == "argocd app get wallet-staging: is it synced, and healthy?"
    lane.healthy("staging", by="eve")  # a person's word on health is none
    assert doctor(lane).keys() == {"never-synced"}
    lane.healthy("staging")
    assert doctor(lane) == {}
    assert doctor(lane, number) == {}


def test_nobody_asks_for_health_and_nothing_is_missed(lane_of: Ours) -> None:
    lane = lane_of(prod="{approvals: 1}")
    merges(lane, staging(lane))
    lane.later(hours=48)

    assert doctor(lane) == {}


def test_the_notifications_name_no_app(lane: Lane) -> None:
    story.write(lane.world.repo, {"notifications/health.yaml": new()["notifications/health.yaml"]})

    assert doctor(lane).keys() == {"health-unset"}


def test_as_a_person_reads_it(lane: Lane) -> None:
    parameters(lane.world.rulesets[0], "required_status_checks")["required_status_checks"].pop()
    lane.world.protect(ruleset(SIGNED))
    number = staging(lane, who="dev")

    head = lane.world.pull(number).head[:7]
    assert lane.run("doctor", number, who="rev", code=1).stdout == (
        "! signature-missing: 1 of its commits is not signed, and the rules take only signed ones\n"
        f"    {head}: no signature that GitHub has verified\n"
        "    try: git config --global commit.gpgsign true, with a key that GitHub knows; "
        f"then gitops close {number}, and ask for it again\n"
        "    try: an App of your own opens it: SHIPLANE_GITHUB_APP_ID and SHIPLANE_GITHUB_APP_KEY_FILE, "
        "docs/github.md as gitops init writes it; GitHub signs what it writes\n"
    )
    assert rules.state(lane.world, lane.world.pull(number)) == "BLOCKED"
