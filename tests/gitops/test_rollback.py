"""`gitops rollback` and `gitops history`: where the way back leads, what it brings, and what it leaves held back."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys

import pytest

from generator.errors import ShiplaneError
from gitops import desk, holds, rollback
from gitops.apply import propose
from gitops.rollback import Past, Return
from tests.gitops import forged, story
from tests.gitops.conftest import LaneOf
from tests.gitops.gated import REGISTRY, Lane
from tests.gitops.story import CHART, tag

HOLD = "holds/prod/wallet.yaml"
VALUES = "environments/prod/wallet/values.yaml"


def past(letters: str) -> list[Past]:
    """What there was, the newest first, of its story in letters, the oldest first; each letter is a release."""
    return [Past(f"{at}", tag(each), (each,)) for at, each in reversed([*enumerate(letters)])]


def way(letters: str, steps: int = 1, to: str = "") -> str:
    """What is left and then the target, in letters."""
    asked = Return("wallet", "prod", steps, tag(to)[:9] if to else "")
    return "".join(each.identity[0] for each in rollback.way(past(letters), asked))


class TestWhereItLeads:
    @pytest.mark.parametrize(
        ("letters", "steps", "leads"),
        [
            ("ab", 1, "ba"),
            ("abc", 1, "cb"),
            ("abc", 2, "cba"),
            ("aba", 1, None),  # b was left for a: nothing is before a
            ("abac", 1, "ca"),
            ("abcb", 1, "ba"),
            ("abcba", 1, None),
            ("abcbd", 1, "db"),
            ("abcbd", 2, "dba"),
            ("aabb", 1, "ba"),
            ("a", 1, None),
            ("", 1, None),
            ("abc", 3, None),
        ],
    )
    def test_by_steps(self, letters: str, steps: int, leads: str | None) -> None:
        if leads:
            assert way(letters, steps) == leads
        else:
            with pytest.raises(ShiplaneError) as caught:
                way(letters, steps)
            assert caught.value.exit_code == 3

    @pytest.mark.parametrize(
        ("letters", "to", "leads"),
        [
            ("abc", "a", "cba"),
            ("abc", "b", "cb"),
            ("abac", "a", "ca"),
            ("abc", "c", "has not had it before"),
            ("abc", "d", "has not had it before"),
            ("aba", "b", "has left it for an older one"),
            ("abac", "b", "has left it for an older one"),
        ],
    )
    def test_by_name(self, letters: str, to: str, leads: str) -> None:
        if " " not in leads:
            assert way(letters, to=to) == leads
        else:
            with pytest.raises(ShiplaneError, match=leads):
                way(letters, to=to)

    def test_it_is_as_it_was_when_it_was_there_last(self) -> None:
        """Settings may have changed while it was there."""
        (_, goal) = rollback.way([Past("3", tag("b"), ("b",)), *past("aa")], Return("wallet", "prod"))

        assert goal.commit == "1"

    def test_one_tag_of_several_charts_is_the_newest_of_them(self) -> None:
        story_ = [Past(str(at), tag(i[0]), (i,)) for at, i in reversed([*enumerate(["a1", "a2", "b1"])])]

        assert rollback.way(story_, Return("wallet", "prod", 1, tag("a")[:7]))[-1].identity == ("a2",)

    def test_a_name_that_fits_several(self) -> None:
        story_ = [Past("2", "c" * 40, ("c",)), Past("1", "a" * 39 + "1", ("b",)), Past("0", "a" * 39 + "2", ("a",))]
        with pytest.raises(ShiplaneError, match="names several releases"):
            rollback.way(story_, Return("wallet", "prod", 1, "aaaaaaa"))


def prod_has_had_two(lane: Lane) -> None:
    """Two releases have come to prod, so that there is one to return to."""
    for word in ("one", "two"):
        lane.through(word)


class TestRollback:
    @pytest.fixture
    def lane(self, lane_of: LaneOf) -> Lane:
        return lane_of(prod_has_had_two, prod="{approvals: {count: 2, rollback: 1}}")

    def test_it_brings_back_what_was_there_and_holds_what_it_leaves(self, lane: Lane) -> None:
        before = story.content(lane.repo, "prod", "wallet", "main~1")
        assert tag("one") in (before["release.yaml"] or b"").decode()
        done = lane.run("rollback", "wallet", "--env", "prod", "--reason", "INC-7: fees")
        number = int(done.stdout.rpartition("#")[2])
        assert f"· roll back wallet in prod: {tag('two')[:7]} → {tag('one')[:7]}\n" in done.stderr
        request, _ = desk.shown(str(lane.repo), number)
        assert (
            "goes back in **prod** to what it has had there, byte for byte; what it leaves is held back."
            in request.body
        )
        assert lane.verdicts(number, 1)["approvals"][1].startswith("0 of 1")
        lane.merge(number, "rev")

        assert story.content(lane.repo, "prod", "wallet") == before
        held = holds.parsed(story.show(lane.repo, HOLD) or b"", HOLD)
        assert held == holds.Hold("rolled back: INC-7: fees", "dev@acme.example", (tag("two"),))
        assert (
            f"hold: wallet {tag('two')[:7]} is held back by"
            in lane.run("promote", "wallet", "--to", "prod", code=3).stderr
        )
        lane.release("three")
        lane.carry("staging")
        lane.carry("prod", "rev", "sue")
        assert lane.prod() == "three"
        assert story.show(lane.repo, HOLD) is not None

    def test_steps_and_names(self, lane: Lane) -> None:
        lane.through("three")
        names = ["one", "two", "three"]
        for words, to in ((["--steps", "2"], "one"), (["--to", tag("one")[:7]], "one"), (["--to", tag("two")], "two")):
            number = lane.number("rollback", "wallet", "--env", "prod", *words)
            assert lane.pinned("prod", "shiplane/pin/prod/wallet") == tag(to)
            assert names.index(to) < 2
        lane.merge(number, "rev")
        assert lane.prod() == "two"

    def test_back_twice(self, lane: Lane) -> None:
        lane.through("three")
        for to in ("two", "one"):
            lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")
            assert lane.prod() == to
        assert holds.parsed(story.show(lane.repo, HOLD) or b"", HOLD).tags == (tag("three"), tag("two"))
        assert "has had no release before this one" in lane.run("rollback", "wallet", "--env", "prod", code=3).stderr

    def test_never_to_what_was_left_for_an_older_one(self, lane: Lane) -> None:
        lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")
        words = ["rollback", "wallet", "--env", "prod"]

        told = lane.run(*words, "--to", tag("two"), code=3).stderr
        assert "wallet in prod has left it for an older one" in told
        assert "try: gitops unhold wallet --env prod, and bring it there again" in told
        assert "has had no release before this one" in lane.run(*words, code=3).stderr

    def test_asked_for_twice_it_is_one_pull_request(self, lane: Lane) -> None:
        numbers = {lane.number("rollback", "wallet", "--env", "prod") for _ in range(2)}

        assert len(numbers) == 1
        assert "is open with exactly this" in lane.run("rollback", "wallet", "--env", "prod").stderr

    def test_it_takes_the_place_of_a_promotion_that_waits(self, lane: Lane) -> None:
        lane.release("three")
        lane.carry("staging")
        number = lane.promote("prod")

        assert lane.number("rollback", "wallet", "--env", "prod") == number
        lane.merge(number, "rev")
        assert lane.prod() == "one"

    def test_a_dry_run_changes_nothing(self, lane: Lane) -> None:
        before = story.refs(lane.repo)
        done = lane.run("rollback", "wallet", "--env", "prod", "--dry-run")

        assert story.refs(lane.repo) == before
        assert "writes  environments/prod/wallet/release.yaml\n" in done.stdout
        assert f"writes  {HOLD}\n" in done.stdout

    def test_nothing_to_return_to(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        words = ["rollback", "wallet", "--env"]
        assert "wallet in prod: has never had a release" in lane.run(*words, "prod", code=3).stderr
        assert "wallet in dev: has had no release before this one" in lane.run(*words, "dev", code=3).stderr
        lane.release("one")
        assert "can go back 1 step at most" in lane.run(*words, "dev", "--steps", "2", code=3).stderr
        lane.merge(lane.number(*words, "dev"))
        assert lane.pinned("dev") == tag("zero")

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--steps", "0"], "--steps 0: expected 1 or more"),
            (["--to", "HEAD"], "--to HEAD: expected a release's tag"),
            (["--to", "abcdefa", "--steps", "2"], "--steps: is not taken together with --to"),
            (["--reason", "a\nb"], "must be one line"),
            (["--reason", "x" * 501], "must be one line"),
        ],
    )
    def test_mistakes(self, lane_of: LaneOf, words: list[str], told: str) -> None:
        assert told in lane_of().run("rollback", "wallet", "--env", "prod", *words, code=1).stderr

    def test_where_staging_went_back_too(self, lane_of: LaneOf) -> None:
        """It is a way back all the same: no soak, and the fewer approvals."""
        lane = lane_of(prod="{approvals: {count: 2, rollback: 1}, soak: 24h}")
        for word in ("one", "two"):
            lane.release(word)
            lane.carry("staging")
            lane.later(hours=24)
            lane.carry("prod", "rev", "sue")
        lane.merge(lane.number("rollback", "wallet", "--env", "staging"))
        lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")

        assert lane.prod() == "one"

    def test_a_whole_hold_does_not_stop_it_and_stays(self, lane: Lane) -> None:
        lane.merge(lane.number("hold", "wallet", "--env", "prod", "--reason", "INC-7"), "rev")
        before = story.show(lane.repo, HOLD)
        lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")

        assert (lane.prod(), story.show(lane.repo, HOLD)) == ("one", before)

    def test_what_is_held_by_its_name_is_not_returned_to(self, lane: Lane) -> None:
        words = ["hold", "wallet", "--env", "prod", "--reason", "leaks", "--release", tag("one")]
        lane.merge(lane.number(*words), "rev")

        assert (
            f"wallet {tag('one')[:7]} is held back by" in lane.run("rollback", "wallet", "--env", "prod", code=3).stderr
        )

    def test_when_all_branches_and_records_are_gone(self, lane: Lane) -> None:
        for ref in story.refs(lane.repo):
            if ref != "refs/heads/main":
                story.git(lane.repo, "update-ref", "-d", ref)
        lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")

        assert lane.prod() == "one"

    def test_past_a_source_that_has_moved(self, lane: Lane) -> None:
        entry = story.show(lane.repo, "services/wallet.yaml") or b""
        story.write(
            lane.repo,
            {
                "services/wallet.yaml": entry.replace(b'source: "acme/wallet"', b"source: acme/purse").replace(
                    b"source: acme/wallet", b"source: acme/purse"
                )
            },
        )
        lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")

        assert lane.prod() == "one"

    def test_a_chart_alone_goes_back_without_a_hold_that_would_hold_both(self, lane: Lane) -> None:
        changed = {**CHART, "templates/more.yaml": b"# more\n"}
        propose(str(lane.repo), [story.releasing("wallet", "two", 9, changed)])
        lane.carry("staging")
        lane.carry("prod", "rev", "sue")
        number = lane.number("rollback", "wallet", "--env", "prod")
        body = desk.shown(str(lane.repo), number)[0].body
        lane.merge(number, "rev")

        assert "to what it has had there, byte for byte. " in body
        assert "### Way back\nPromote it again.\n" in body
        assert "chart/templates/more.yaml" not in story.content(lane.repo, "prod", "wallet")
        assert story.show(lane.repo, HOLD) is None


STRICT = {
    **CHART,
    "values.schema.json": b'{"type": "object", "properties": {"limit": {"type": "integer"}}}',
}
"""A chart that wants a number where the one before it wanted text."""
LOOSE = {**CHART, "values.schema.json": b'{"type": "object", "properties": {"limit": {"type": "string"}}}'}


def set_limit(lane: Lane, limit: str) -> None:
    """Settings with this limit in all environments."""
    image = f"image:\n  repository: {REGISTRY}/acme/wallet\n"
    for environment in ("dev", "staging", "prod"):
        values = f"{image}limit: {limit}\n".encode()
        story.write(lane.repo, {f"environments/{environment}/wallet/values.yaml": values})


def settings_have_changed(lane: Lane) -> None:
    """Two releases have come to prod; the first one does not take what is set for the second."""
    set_limit(lane, '"1"')
    lane.release("one", LOOSE)
    lane.carry("staging")
    lane.carry("prod", "rev", "sue")
    set_limit(lane, '"2"')  # changed while it was there
    set_limit(lane, "3")
    lane.release("two", STRICT)
    lane.carry("staging")
    lane.carry("prod", "rev", "sue")


class TestSettings:
    @pytest.fixture
    def lane(self, lane_of: LaneOf) -> Lane:
        return lane_of(settings_have_changed, prod="{approvals: {count: 2, rollback: 1}}")

    def test_those_of_its_time_come_back_where_todays_do_not_suit(self, lane: Lane) -> None:
        done = lane.run("rollback", "wallet", "--env", "prod")
        number = int(done.stdout.rpartition("#")[2])
        assert "note    prod's settings go back too: today's do not suit that release" in done.stderr
        request, _ = desk.shown(str(lane.repo), number)
        assert "> prod's settings go back too: today's do not suit that release\n" in request.body
        assert lane.verdicts(number)["scope"][1].endswith(f"with settings of a person: {VALUES}")
        lane.merge(number, "rev")

        assert b"limit: 3\n" not in (story.show(lane.repo, VALUES) or b"")
        assert lane.prod() == "one"

    def test_todays_stay_where_they_suit(self, lane: Lane) -> None:
        set_limit(lane, '"4"')
        assert "settings go back" not in lane.run("rollback", "wallet", "--env", "prod").stderr

    def test_where_none_suits_nothing_is_opened(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        story.write(lane.repo, {"environments/dev/wallet/chart/values.schema.json": b'{"required": ["nothing"]}'})
        lane.release("one")
        before = story.refs(lane.repo)

        assert "the result does not render" in lane.run("rollback", "wallet", "--env", "dev", code=3).stderr
        assert story.refs(lane.repo) == before

    def test_settings_that_are_gone_or_nonsense_come_back_too(self, lane: Lane) -> None:
        story.write(lane.repo, {VALUES: b"limit: [\n"})
        lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")

        assert b"limit: " in (story.show(lane.repo, VALUES) or b"")

    def test_other_settings_make_it_a_change_like_any_other(self, lane: Lane) -> None:
        """Fewer approvals are for what prod has had, not for what is put in beside it."""
        lane.number("rollback", "wallet", "--env", "prod")
        head = story.git(lane.repo, "rev-parse", "shiplane/pin/prod/wallet")
        changed = story.git(lane.repo, "diff", "--name-only", "main", head).split()
        changes = {path: story.show(lane.repo, path, head) for path in changed}
        for more, count in ((b"", 1), (b"env: {FEES: none}\n", 2)):
            values = (changes[VALUES] or b"") + more
            number = forged.pushed(lane.repo, forged.commit(lane.repo, {**changes, VALUES: values}), f"people/{count}")
            assert lane.verdicts(number)["approvals"][1].startswith(f"0 of {count}")


class TestMigrations:
    HOOK = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\n  annotations: {%s}\n"

    @pytest.mark.parametrize(
        ("annotation", "warns"),
        [
            (b"argocd.argoproj.io/hook: PreSync", True),
            (b'"argocd.argoproj.io/hook": "PreSync"', True),
            (b"helm.sh/hook: pre-upgrade", True),
            (b'"helm.sh/hook": "pre-install,pre-upgrade"', True),
            (b"helm.sh/hook: test", False),
            (b"argocd.argoproj.io/hook: PostSync", False),
        ],
    )
    def test_one_that_ran_with_what_is_left_is_told(self, lane_of: LaneOf, annotation: bytes, warns: bool) -> None:
        lane = lane_of()
        lane.release("one", {**CHART, "templates/m.yaml": self.HOOK % annotation})
        done = lane.run("rollback", "wallet", "--env", "dev", "--dry-run")

        assert (f"{tag('one')[:7]} migrates before it starts in dev" in done.stdout) == warns

    def test_one_in_between_is_told_too(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        lane.release("one", {**CHART, "templates/m.yaml": self.HOOK % b"helm.sh/hook: pre-upgrade"})
        lane.release("two")

        assert "migrates" not in lane.run("rollback", "wallet", "--env", "dev", "--dry-run").stdout
        done = lane.run("rollback", "wallet", "--env", "dev", "--steps", "2", "--dry-run")
        assert f"{tag('one')[:7]} migrates before it starts" in done.stdout


WRITERS = 8
GITOPS = (sys.executable, "-c", "import sys; from gitops.commands.gitops import run; sys.exit(run())")


def test_eight_at_once_are_one_pull_request(lane_of: LaneOf) -> None:
    lane = lane_of()
    lane.release("one")
    argv = [*GITOPS, "rollback", "wallet", "--env", "dev", "--repo", str(lane.repo)]
    started = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(WRITERS)
    ]
    said = [process.communicate() for process in started]

    assert {process.returncode for process in started} == {0}, said
    assert {out for out, _ in said} == {f"{lane.repo.as_uri().removeprefix('file://')}#2\n"}
    lane.merge(2)
    assert lane.pinned("dev") == tag("zero")
    story.assert_sound(lane.repo)


class TestHistory:
    def moments(self, lane: Lane, *words: str) -> list[tuple[str, str, int | None]]:
        items = json.loads(lane.run("history", "wallet", "--json", *words).stdout)["items"]
        names = {tag(word): word for word in [*lane.runs, "zero"]}
        return [(each["environment"], names.get(each["tag"], each["tag"]), each["number"]) for each in items]

    def test_of_all_environments_in_the_order_in_which_it_landed(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        lane.through("one")
        lane.release("two")
        lane.merge(lane.number("rollback", "wallet", "--env", "dev"))

        assert self.moments(lane) == [
            ("dev", "one", 5),
            ("dev", "two", 4),
            ("prod", "one", 3),
            ("staging", "one", 2),
            ("dev", "one", 1),
            ("dev", "zero", None),
        ]
        assert self.moments(lane, "--env", "prod") == [("prod", "one", 3)]

    def test_what_hands_have_done_is_there_too(self, lane_of: LaneOf) -> None:
        """A squash, a commit by hand, a merge of a branch with several, a removal: each is one change that landed."""
        lane = lane_of()
        release = story.content(lane.repo, "dev", "wallet")["release.yaml"] or b""
        path = "environments/dev/wallet/release.yaml"

        def build(word: str) -> bytes:
            return release.replace(tag("zero").encode(), tag(word).encode())

        story.write(lane.repo, {path: build("one")}, message="Squash of #12 (#12)")
        head = forged.commit(lane.repo, {path: build("two")})
        head = forged.commit(lane.repo, {path: build("three")}, base=head)
        tree = story.git(lane.repo, "rev-parse", f"{head}^{{tree}}")
        merge = story.git(lane.repo, "commit-tree", tree, "-p", "main", "-p", head, "-m", "Merge by hand")
        story.git(lane.repo, "update-ref", "refs/heads/main", merge)
        story.write(lane.repo, {"environments/dev/wallet/values.yaml": b""}, message="Settings alone")
        story.write(lane.repo, {path: None}, message="Take it out")
        lane.runs |= dict.fromkeys(["one", "two", "three"], 0)
        done = lane.run("history", "wallet")

        assert self.moments(lane) == [
            ("dev", None, None), ("dev", "three", None), ("dev", "one", None), ("dev", "zero", None),
        ]  # fmt: skip
        assert [line.rpartition("  ")[2] for line in done.stdout.splitlines()] == [
            "Take it out", "Merge by hand", "Squash of #12 (#12)", "Found gitops",
        ]  # fmt: skip

    def test_as_people_read_it(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        lane.carry("staging")
        lane.carry("prod", "rev")
        done = lane.run("history", "wallet")
        stamp, zero = r"\d{4}-\d\d-\d\d \d\d:\d\d", tag("zero")[:7]

        lines = done.stdout.splitlines()
        assert re.fullmatch(
            rf"{stamp}  prod     {zero}  #2 by dev@acme.example, approved by rev@acme.example  "
            rf"Merge #2: promote wallet to prod: {zero}, its first release there",
            lines[0],
        )
        assert re.fullmatch(rf"{stamp}  staging  {zero}  #1 by dev@acme.example  Merge #1: .*", lines[1])
        assert re.fullmatch(rf"{stamp}  dev      {zero}  [0-9a-f]{{7}}  Found gitops", lines[2])

    def test_of_a_service_that_was_never_released(self, lane_of: LaneOf) -> None:
        done = lane_of().run("history", "purse")

        assert (done.stdout, done.stderr) == ("", "· purse has never been released\n")

    def test_of_an_environment_that_there_is_not(self, lane_of: LaneOf) -> None:
        assert "--env prd: no such environment" in lane_of().run("history", "wallet", "--env", "prd", code=1).stderr

    def test_two_thousand_commits_and_five_hundred_records_are_quick(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        story.deepen(lane.repo, 2000)
        lane.release("one")
        self.repeat_record(lane, 500)
        before = self.worked()
        items = self.moments(lane)

        assert items[0] == ("dev", "one", 1)
        assert self.worked() - before < 3  # a process for each record took a dozen

    def worked(self) -> float:
        """Seconds of a processor's work, of this process and of those that it has started: a busy machine adds none."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(each.ru_utime + each.ru_stime for each in used)

    def repeat_record(self, lane: Lane, times: int) -> None:
        """The record of the last merge, again and again, each on the one before."""
        ref = "refs/shiplane/pinned/shiplane/pin/dev/wallet"
        oid = story.git(lane.repo, "rev-parse", ref)
        message = story.git(lane.repo, "log", "-1", "--format=%B", ref)
        stream = []
        for number in range(2, times + 2):
            text = message.replace('"number": 1,', f'"number": {number},').replace('"merge": "', '"merge": "x').encode()
            parent = oid if number == 2 else f":{number - 1}"
            stream.append(
                b"commit refs/again\nmark :%d\ncommitter A <a@acme.example> 1767787200 +0000\ndata %d\n%s\nfrom %s\n"
                % (number, len(text), text, parent.encode())
            )
        story.git(lane.repo, "fast-import", "--quiet", "--date-format=raw", stdin=b"".join(stream))
        story.git(lane.repo, "update-ref", ref, story.git(lane.repo, "rev-parse", "refs/again"))
