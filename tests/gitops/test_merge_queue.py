"""GitHub's merge queue: what it is about to land is judged as its pull requests are, on what it stands on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gitops import verify
from tests.gitops import story
from tests.gitops.github_double.ground import environment
from tests.gitops.github_double.lane import Lane, LaneOf, running
from tests.gitops.github_double.queue import METHODS, enqueued, landed, put
from tests.gitops.github_double.world import Fault

QUEUE = "gh-readonly-queue/main/"


@pytest.fixture
def lane_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaneOf]:
    with ExitStack() as stack:
        yield lambda prod="{approvals: 1}", more="": stack.enter_context(
            running(tmp_path, monkeypatch, prod, more, app=False)
        )


@pytest.fixture
def lane(lane_of: LaneOf) -> Lane:
    """wallet is in staging, so that it can go to prod, which asks for one approval."""
    return ready(lane_of())


def ready(lane: Lane) -> Lane:
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    return lane


def another(lane: Lane, name: str = "ledger") -> None:
    """A second service is known, and in dev."""
    tree = {path: ("100644", story.show(lane.world.repo, path) or b"") for path in ("shiplane.yaml",)}
    listed = story.git(lane.world.repo, "ls-tree", "-r", "--name-only", "main").splitlines()
    tree |= {path: ("100644", story.show(lane.world.repo, path) or b"") for path in listed}
    known = (story.show(lane.world.repo, "services/wallet.yaml") or b"").replace(b"wallet", name.encode())
    tree[f"services/{name}.yaml"] = ("100644", known)
    files = {path: data for path, (_, data) in story.pinned(tree, name, name).items()}
    story.write(lane.world.repo, {**files, f"services/{name}.yaml": known})


def swept(lane: Lane, code: int = 0) -> dict[str, tuple[str, str]]:
    """What a sweep says of each entry of the queue, by its branch below the queue's own folder: state, and why not."""
    with environment(lane.as_ci("ci")):
        done = story.gitops("sweep", "--post", "--json", "--repo", lane.double.url)
    assert done.returncode == code, done
    items = [each for each in json.loads(done.stdout)["items"] if each["queue"]]
    return {each["queue"].removeprefix(QUEUE): (each["state"], told(each)) for each in items}


def told(item: dict[str, Any]) -> str:
    return item["problem"] or "; ".join(f"{each['gate']}: {each['why']}" for each in item["standing"])


def posted(lane: Lane, head: str) -> tuple[str, str]:
    """The word that stands on a commit."""
    found = lane.world.word(head, "shiplane/verify")
    return (found.state, str(found.description)) if found else ("", "")


def commits(lane: Lane, number: int, *changes: dict[str, bytes | None], message: str = "By hand") -> None:
    """Put commits of dev's on a pull request's branch."""
    pull, before = lane.world.pull(number), lane.world.heads()
    for each in changes:
        story.write(lane.world.repo, each, pull.branch, message)
    lane.world.moved(lane.world.people["dev"], before)


def opened(lane: Lane, branch: str, *changes: dict[str, bytes | None], who: str = "dev") -> int:
    """The number of a pull request by hand: a branch of these commits."""
    before = lane.world.heads()
    story.git(lane.world.repo, "branch", branch, "main")
    for each in changes:
        story.write(lane.world.repo, each, branch)
    lane.world.moved(lane.world.people[who], before)
    body = {"head": branch, "base": "main", "title": branch, "body": ""}
    return lane.world.open(lane.world.people[who], body).number


@pytest.mark.parametrize("method", METHODS)
def test_what_lands_passes_as_its_pull_request_does(lane: Lane, method: str) -> None:
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "rev")
    branch, head = enqueued(lane.world, number, method)

    assert swept(lane) == {branch.removeprefix(QUEUE): ("passed", "")}
    assert posted(lane, head) == ("success", "nothing stands against it")
    landed(lane.world, branch)
    assert story.content(lane.world.repo, "prod", "wallet")
    assert swept(lane) == {}


def test_no_queue_costs_one_request_and_says_nothing(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "prod")
    with environment(lane.as_ci("ci")):
        done = story.gitops("sweep", "--repo", lane.double.url)

    (line,) = done.stdout.splitlines()
    assert line.startswith(f"#{number}  waiting")


def test_a_merge_puts_it_into_the_queue(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "rev")
    lane.world.queue = True

    done = lane.run("merge", number, who="rev")
    assert (done.stdout.endswith(f"/pull/{number}\n"), "is in the merge queue" in done.stderr) == (True, True)
    ((branch, (state, _)),) = swept(lane).items()
    assert state == "passed"
    landed(lane.world, QUEUE + branch)
    assert "is merged" in lane.run("merge", number, who="rev").stderr


def test_what_waits_for_people_leaves_the_queue_at_once(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "prod")
    branch, head = enqueued(lane.world, number)

    assert swept(lane)[branch.removeprefix(QUEUE)][0] == "waiting"
    state, why = posted(lane, head)
    assert (state, why[:53]) == ("failure", "queue it again when that has passed: approvals: 0 of ")


def test_a_freeze_that_begins_while_it_is_queued(lane_of: LaneOf) -> None:
    lane = ready(lane_of('{approvals: 1, freeze: [{from: "fri 16:00", to: "mon 08:00", zone: UTC}]}'))  # now: wednesday
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "rev")
    branch, head = enqueued(lane.world, number)
    assert swept(lane)[branch.removeprefix(QUEUE)] == ("passed", "")
    lane.later(hours=52.5)

    state, why = swept(lane)[branch.removeprefix(QUEUE)]
    assert (state, why) == ("waiting", "freeze: until Mon 2026-01-12 08:00 UTC")
    assert posted(lane, head)[0] == "failure"


def test_a_hold_that_is_merged_while_it_is_queued(lane: Lane) -> None:
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "rev")
    branch, head = enqueued(lane.world, number)
    assert swept(lane)[branch.removeprefix(QUEUE)] == ("passed", "")
    story.write(lane.world.repo, {"holds/prod/wallet.yaml": b'reason: "INC-7"\nwho: "sue"\n'})

    state, why = swept(lane)[branch.removeprefix(QUEUE)]
    assert (state, "and main is at" in why) == ("waiting", True)  # the queue builds it again, on what main is now
    assert posted(lane, head)[0] == "pending"
    branch, head = enqueued(lane.world, number)
    assert "hold" in swept(lane)[branch.removeprefix(QUEUE)][1]
    assert posted(lane, head)[0] == "failure"


@pytest.mark.parametrize("behind", [0, 1], ids=["alone", "with another behind it"])
def test_health_is_found_on_commits_that_are_older_than_their_merge(lane_of: LaneOf, behind: int) -> None:
    """The queue makes its commits when it builds an entry, and merges them once they have passed."""
    lane = lane_of("{approvals: 1, health: true}")
    number = lane.number("promote", "wallet", "--to", "staging")
    other = opened(lane, "people/notes", {"notes": b"x\n"})
    lane.approve(other, "rev")
    first, below = enqueued(lane.world, number)
    second, _ = enqueued(lane.world, other, on=below)
    swept(lane)
    lane.later(hours=2)
    for branch in (first, second)[: 1 + behind]:
        landed(lane.world, branch)
    lane.later(minutes=5)
    prod = lane.number("promote", "wallet", "--to", "prod")
    assert lane.verdicts(prod)["soak"][0] == "waiting"
    lane.healthy("staging")
    lane.later(hours=1)

    assert lane.verdicts(prod)["soak"][0] == "passed"


def test_a_late_word_on_what_was_there_before_is_none_on_what_has_come(lane_of: LaneOf) -> None:
    lane = lane_of("{approvals: 1, health: true}")
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    lane.release("one", 2)
    before = str(lane.world.head("main"))
    number = lane.number("promote", "wallet", "--to", "staging")
    first, _ = enqueued(lane.world, number)
    swept(lane)
    lane.later(hours=2)
    landed(lane.world, first)
    lane.later(minutes=1)
    lane.healthy("staging", at=before)  # Argo CD had been busy with that one
    lane.later(hours=1)
    prod = lane.number("promote", "wallet", "--to", "prod")

    assert "nobody has found it healthy" in lane.verdicts(prod)["soak"][1]


def test_a_word_on_a_branch_that_has_nothing_of_it_is_none_on_what_has_come(lane_of: LaneOf) -> None:
    """Newer than the merge, and merged later: but what was found healthy there is what was there before."""
    lane = lane_of("{approvals: 1, health: true}")
    other = opened(lane, "people/notes", {"notes": b"x\n"})
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    lane.later(minutes=5)
    head = lane.world.commit(
        lane.world.git("rev-parse", "people/notes^{tree}"), ["people/notes"], "x", lane.world.people["dev"]
    )
    put(lane.world, "people/notes", head, "dev")
    lane.approve(other, "rev")
    lane.run("merge", other, who="rev")
    lane.healthy("staging", at=head)
    prod = lane.number("promote", "wallet", "--to", "prod")

    assert "nobody has found it healthy" in lane.verdicts(prod)["soak"][1]
    lane.healthy("staging")
    assert lane.verdicts(prod)["soak"][0] == "passed"


class TestStacked:
    def pair(self, lane: Lane, method: str = "merge") -> tuple[list[int], list[str], list[str]]:
        """wallet and ledger on their way to staging, the second on the first."""
        another(lane)
        lane.release("one", 2)
        numbers = [lane.number("promote", name, "--to", "staging") for name in ("wallet", "ledger")]
        first, below = enqueued(lane.world, numbers[0], method)
        second, above = enqueued(lane.world, numbers[1], method, below)
        return numbers, [first, second], [below, above]

    @pytest.mark.parametrize("method", METHODS)
    def test_each_is_judged_on_what_lands_before_it(self, lane: Lane, method: str) -> None:
        _, branches, heads = self.pair(lane, method)

        assert swept(lane) == {each.removeprefix(QUEUE): ("passed", "") for each in branches}
        assert [posted(lane, head)[0] for head in heads] == ["success", "success"]
        for branch in branches:
            landed(lane.world, branch)
        for name in ("wallet", "ledger"):
            assert story.content(lane.world.repo, "staging", name)["release.yaml"]

    def test_none_passes_on_one_that_does_not(self, lane: Lane) -> None:
        numbers, branches, _ = self.pair(lane)
        commits(lane, numbers[0], {"environments/staging/wallet/chart/templates/more.yaml": b"# more\n"})
        below = enqueued(lane.world, numbers[0])[1]
        above = enqueued(lane.world, numbers[1], on=below)
        lane.world.git("update-ref", "-d", f"refs/heads/{branches[1]}")

        found = swept(lane)
        assert found[branches[0].removeprefix(QUEUE)][0] == "refused"
        assert found[above[0].removeprefix(QUEUE)] == (
            "waiting",
            f"queue: stands on #{numbers[0]}, which does not pass",
        )
        assert [posted(lane, head)[0] for head in (below, above[1])] == ["failure", "pending"]

    @pytest.mark.parametrize(
        "path", ["shiplane.yaml", "services/ledger.yaml", "holds/prod/wallet.yaml", "defaults/prod/values.yaml"]
    )
    def test_rules_that_are_not_merged_are_no_rules(self, lane_of: LaneOf, path: str) -> None:
        """The first asks prod for fewer approvals, or changes what else decides; the second has as many as that."""
        lane = ready(lane_of("{approvals: 2}"))
        config = story.show(lane.world.repo, "shiplane.yaml") or b""
        texts = {
            "shiplane.yaml": config.replace(b"{approvals: 2}", b"{approvals: 1}"),
            "services/ledger.yaml": (story.show(lane.world.repo, "services/wallet.yaml") or b""),
            "holds/prod/wallet.yaml": b'reason: "INC-7"\nwho: "sue"\n',
            "defaults/prod/values.yaml": b"{}\n",
        }
        rules = opened(lane, "people/rules", {path: texts[path]})
        lane.approve(rules, "rev")
        lane.approve(rules, "sue")
        number = lane.number("promote", "wallet", "--to", "prod")
        lane.approve(number, *(["rev"] if path == "shiplane.yaml" else ["rev", "sue"]))
        first, below = enqueued(lane.world, rules)
        second, above = enqueued(lane.world, number, on=below)

        found = swept(lane)
        assert found[first.removeprefix(QUEUE)][0] == "passed"
        state, why = found[second.removeprefix(QUEUE)]
        assert (state, why.startswith("queue: stands on a change of ")) == ("waiting", True)
        assert posted(lane, above)[0] == "pending"
        landed(lane.world, first)
        state, why = swept(lane)[second.removeprefix(QUEUE)]  # now these are main's own
        assert (state, why.partition(":")[0]) == (("refused", "hold") if path.startswith("holds/") else ("passed", ""))

    def test_a_service_does_not_go_on_from_where_it_has_not_come_yet(self, lane: Lane) -> None:
        lane.release("one", 2)
        staging = lane.number("promote", "wallet", "--to", "staging")
        _, below = enqueued(lane.world, staging)
        forged = opened(lane, "people/prod", {"environments/prod/wallet/release.yaml": b"x"})
        there, here = (f"environments/{each}/wallet" for each in ("staging", "prod"))
        names = ("release.yaml", "origin.yaml")
        files = {f"{here}/{name}": story.show(lane.world.repo, f"{there}/{name}", below) for name in names}
        commits(lane, forged, files)
        lane.approve(forged, "rev")
        branch, head = enqueued(lane.world, forged, on=below)

        assert swept(lane)[branch.removeprefix(QUEUE)] == (
            "waiting",
            "queue: stands on a change of wallet, by which it is judged: until that is merged",
        )
        assert posted(lane, head)[0] == "pending"


def test_what_cannot_be_told_passes_nothing_that_lies_on_it(lane: Lane) -> None:
    _, branches, heads = TestStacked().pair(lane)
    told = {"message": "No commit found for SHA"}
    lane.world.faults.append(Fault(lambda verb, path: verb == "POST" and path.endswith(heads[0]), 422, told, times=9))

    found = swept(lane, code=1)
    assert found[branches[0].removeprefix(QUEUE)][0] == "unjudged"
    assert found[branches[1].removeprefix(QUEUE)][0] == "waiting"
    assert [posted(lane, head)[0] for head in heads] == ["", "pending"]


def test_a_bug_of_ours_leaves_no_older_word(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    number = lane.number("promote", "wallet", "--to", "prod")
    lane.approve(number, "rev")
    _, head = enqueued(lane.world, number)
    swept(lane)
    assert posted(lane, head)[0] == "success"
    monkeypatch.setattr(verify, "landing", None)
    with environment(lane.as_ci("ci")):
        done = story.gitops("sweep", "--post", "--repo", lane.double.url)

    assert done.returncode == 70
    assert posted(lane, head)[0] == "error"


class TestHostile:
    def promotion(self, lane: Lane) -> tuple[int, str]:
        """A promotion that passes, and main's tip."""
        number = lane.number("promote", "wallet", "--to", "prod")
        lane.approve(number, "rev")
        return number, str(lane.world.head("main"))

    @pytest.mark.parametrize(
        "name",
        ["main/evil", "main/pr-0-{tip}", "main/pr-{number}", "main/pr-{number}-{tip}-x", "main/x/pr-{number}-{tip}"],
    )
    def test_a_name_that_the_queue_does_not_give(self, lane: Lane, name: str) -> None:
        number, tip = self.promotion(lane)
        branch, head = enqueued(lane.world, number)
        lane.world.git("update-ref", "-d", f"refs/heads/{branch}")
        put(lane.world, f"gh-readonly-queue/{name.format(number=number, tip=tip)}", head, "eve")

        ((state, why),) = swept(lane).values()
        assert (state, why.endswith("is no name that the queue gives")) == ("refused", True)
        assert posted(lane, head)[0] == "failure"

    def test_a_name_that_would_write_to_a_terminal(self, lane: Lane) -> None:
        number, _ = self.promotion(lane)
        _, head = enqueued(lane.world, number)
        put(lane.world, "gh-readonly-queue/main/pr-1\u202e\u2066", head, "eve")
        with environment(lane.as_ci("ci")):
            done = story.gitops("sweep", "--repo", lane.double.url)

        assert "\u202e" not in done.stdout + done.stderr
        assert "\u2066" not in done.stdout + done.stderr

    @pytest.mark.parametrize("method", METHODS)
    def test_more_than_its_pull_request(self, lane: Lane, method: str) -> None:
        number, tip = self.promotion(lane)
        branch, honest = enqueued(lane.world, number, method)
        more = story.write(lane.world.repo, {"environments/prod/wallet/values.yaml": b"{}\n"}, branch)
        tree = lane.world.git("rev-parse", f"{more}^{{tree}}")
        parents = lane.world.git("rev-parse", f"{honest}^@").split()
        head = lane.world.commit(tree, parents, "Merge", lane.world.people["eve"])
        put(lane.world, branch, head, "eve")

        state, why = swept(lane)[branch.removeprefix(QUEUE)]
        assert (state, why) == (
            "refused",
            f"queue: is not what #{number} makes of {tip[:7]}: environments/prod/wallet/values.yaml differs",
        )
        assert posted(lane, head)[0] == "failure"

    def test_a_base_of_somebodys_own(self, lane: Lane) -> None:
        """The pull request is honest; what it is set on is not, and would come along."""
        number, _ = self.promotion(lane)
        story.git(lane.world.repo, "branch", "people/evil", "main")
        evil = story.write(lane.world.repo, {"shiplane.yaml": b"version: 1\n"}, "people/evil")
        branch, head = enqueued(lane.world, number, on=evil)

        assert swept(lane)[branch.removeprefix(QUEUE)][0] == "waiting"
        assert posted(lane, head)[0] == "pending"

    def test_a_base_that_is_the_tip_in_its_name_alone(self, lane: Lane) -> None:
        number, tip = self.promotion(lane)
        story.git(lane.world.repo, "branch", "people/evil", "main")
        evil = story.write(lane.world.repo, {"shiplane.yaml": b"version: 1\n"}, "people/evil")
        branch, head = enqueued(lane.world, number, on=evil)
        lane.world.git("update-ref", "-d", f"refs/heads/{branch}")
        put(lane.world, f"{QUEUE}pr-{number}-{tip}", head, "eve")

        assert swept(lane)[f"pr-{number}-{tip}"][0] == "refused"
        assert posted(lane, head)[0] == "failure"

    def test_another_commit_as_the_one_that_is_merged(self, lane: Lane) -> None:
        number, _ = self.promotion(lane)
        branch, honest = enqueued(lane.world, number)
        tree, base = lane.world.git("rev-parse", f"{honest}^{{tree}}"), lane.world.git("rev-parse", f"{honest}^")
        other = lane.world.commit(tree, [base], "x", lane.world.people["eve"])
        head = lane.world.commit(tree, [base, other], "Merge", lane.world.people["eve"])
        put(lane.world, branch, head, "eve")

        assert swept(lane)[branch.removeprefix(QUEUE)] == (
            "refused",
            f"queue: merges another commit than the head of #{number}",
        )

    def test_a_head_that_was_pushed_over_since(self, lane: Lane) -> None:
        number, _ = self.promotion(lane)
        branch, head = enqueued(lane.world, number)
        commits(lane, number, {"environments/prod/wallet/values.yaml": b"{}\n"})

        assert swept(lane)[branch.removeprefix(QUEUE)][0] == "refused"
        assert posted(lane, head)[0] == "failure"

    @pytest.mark.parametrize("state", ["closed", "unknown"])
    def test_a_pull_request_that_is_not_open(self, lane: Lane, state: str) -> None:
        number, tip = self.promotion(lane)
        branch, head = enqueued(lane.world, number)
        if state == "closed":
            lane.world.pull(number).state = "closed"
        else:
            lane.world.git("update-ref", "-d", f"refs/heads/{branch}")
            branch = f"{QUEUE}pr-99-{tip}"
            put(lane.world, branch, head, "eve")

        why = f"#{number} is closed" if state == "closed" else "there is no #99"
        assert swept(lane)[branch.removeprefix(QUEUE)] == ("refused", f"queue: {why}")
        assert posted(lane, head)[0] == "failure"

    def test_the_head_of_a_pull_request_gets_no_other_word(self, lane: Lane) -> None:
        """Else the word on an entry would be the word on another pull request, which has the same head."""
        number, _ = self.promotion(lane)
        branch, head = enqueued(lane.world, number)
        put(lane.world, "people/eve", head, "eve")
        body = {"head": "people/eve", "base": "main", "title": "mine", "body": ""}
        mine = lane.world.open(lane.world.people["eve"], body).number

        found = swept(lane)
        assert found[branch.removeprefix(QUEUE)] == ("refused", "queue: names a commit that is not the queue's own")
        assert lane.world.pull(mine).head == head
        assert posted(lane, head)[0] != "success"

    def test_two_names_for_one_commit(self, lane: Lane) -> None:
        number, tip = self.promotion(lane)
        other = opened(lane, "people/other", {"notes": b"x\n"})
        branch, head = enqueued(lane.world, number)
        put(lane.world, f"{QUEUE}pr-{other}-{tip}", head, "eve")

        assert {state for state, _ in swept(lane).values()} == {"refused"}
        assert posted(lane, head)[0] == "failure"
        assert branch

    def test_a_state_that_is_passed_through(self, lane: Lane) -> None:
        """Rebased, its commits are main's states: what a place has had may go on from there."""
        folder = "environments/staging/wallet/release.yaml"
        honest = story.show(lane.world.repo, folder) or b""
        evil = honest.replace(story.tag("zero").encode(), story.tag("evil").encode())
        number = opened(lane, "people/through", {folder: evil}, {folder: honest, "notes": b"x\n"})
        lane.approve(number, "rev")
        branch, head = enqueued(lane.world, number, "rebase")

        assert swept(lane)[branch.removeprefix(QUEUE)] == (
            "refused",
            "queue: passes through a state of wallet in staging that nobody has judged",
        )
        assert posted(lane, head)[0] == "failure"

    def test_several_commits_of_settings_and_notes_are_rebased(self, lane: Lane) -> None:
        number = opened(lane, "people/notes", {"notes": b"1\n"}, {"notes": b"2\n"}, {"more": b"3\n"})
        lane.approve(number, "rev")
        branch, head = enqueued(lane.world, number, "rebase")

        assert swept(lane)[branch.removeprefix(QUEUE)] == ("passed", "")
        assert posted(lane, head)[0] == "success"

    def test_what_cannot_be_judged_is_no_pass(self, lane: Lane) -> None:
        number, _ = self.promotion(lane)
        branch, head = enqueued(lane.world, number)
        assert swept(lane)[branch.removeprefix(QUEUE)] == ("passed", "")
        lane.world.activity.clear()  # nobody tells any more who has pushed

        assert swept(lane, code=1)[branch.removeprefix(QUEUE)][0] == "unjudged"
        assert posted(lane, head)[0] == "error"
