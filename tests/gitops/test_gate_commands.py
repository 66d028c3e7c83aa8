"""The gates as people meet them: hold, soak, freeze, overrides, teams, the hotfix path, verify and why."""

from __future__ import annotations

import json

import pytest

from generator.errors import ShiplaneError
from gitops import desk, holds
from tests.gitops import forged, story
from tests.gitops.conftest import LaneOf
from tests.gitops.gated import Lane, configuration, staging_has_zero
from tests.gitops.story import REVIEWER, tag

HOLD = "holds/prod/wallet.yaml"


def two_waits_for_prod(lane: Lane) -> None:
    """prod has one release, and staging the next."""
    lane.through("one")
    lane.release("two")
    lane.carry("staging")


def refused(lane: Lane, number: int) -> str:
    """What a merge is refused with."""
    with pytest.raises(ShiplaneError) as caught:
        desk.merge(str(lane.repo), number, None, None)
    assert caught.value.exit_code == 3
    return str(caught.value)


class TestRules:
    @pytest.fixture
    def lane(self, lane_of: LaneOf) -> Lane:
        return lane_of(prod="{approvals: 1}")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (b"version: 2\n", "shiplane.yaml"),
            (b"version: 1\nenvironments: {prod: {cluster: x, gates: {approval: 1}}}\n", "shiplane.yaml"),
            (None, "not found on the default branch"),
            (("120000", b"other.yaml"), "not found on the default branch"),
        ],
    )
    def test_what_nobody_could_read_would_end_every_judgement(self, lane: Lane, text: forged.Change, told: str) -> None:
        head = forged.commit(lane.repo, {"shiplane.yaml": text})
        number = forged.pushed(lane.repo, head, "people/rules", ("rev@acme.example", "sue@acme.example"), move=None)

        state, why = lane.verdicts(number)["rules"]
        assert (state, told in why) == ("refused", True)

    def test_what_can_be_read_passes(self, lane: Lane) -> None:
        head = forged.commit(lane.repo, {"shiplane.yaml": configuration(prod="{approvals: 2}")})
        number = forged.pushed(lane.repo, head, "people/rules", ("rev@acme.example",), move=None)

        assert lane.verdicts(number)["rules"][0] == "passed"


class TestHold:
    @pytest.fixture
    def lane(self, lane_of: LaneOf) -> Lane:
        return lane_of(two_waits_for_prod, prod="{approvals: 2}")

    def test_set_with_one_approval_and_lifted_with_the_environments(self, lane: Lane) -> None:
        number = lane.number("hold", "wallet", "--env", "prod", "--reason", "INC-7: fees | are `wrong`")
        assert "approvals: 0 of 1" in refused(lane, number)
        lane.merge(number, "rev")
        assert lane.verdicts(number) == {}
        held = holds.parsed(story.show(lane.repo, HOLD) or b"", HOLD)
        assert held == holds.Hold("INC-7: fees | are `wrong`", "dev@acme.example")
        assert "wallet is held back as a whole by dev@acme.example: INC-7" in lane.why()["hold"]
        assert "hold: wallet is held back" in lane.run("promote", "wallet", "--to", "prod", code=3).stderr

        number = lane.number("unhold", "wallet", "--env", "prod")
        assert "approvals: 0 of 2" in refused(lane, number)
        desk.approve(str(lane.repo), number, "rev@acme.example")
        assert "approvals: 1 of 2" in refused(lane, number)
        lane.merge(number, "sue")
        assert story.show(lane.repo, HOLD) is None
        lane.carry("prod", "rev", "sue")
        assert lane.prod() == "two"

    def test_one_release_is_held_and_another_passes(self, lane: Lane) -> None:
        words = ["hold", "wallet", "--env", "prod", "--reason", "leaks", "--release"]
        lane.merge(lane.number(*words, tag("two")), "rev")
        assert (
            f"wallet {tag('two')[:7]} is held back by" in lane.run("promote", "wallet", "--to", "prod", code=3).stderr
        )
        lane.release("three")
        lane.carry("staging")
        lane.carry("prod", "rev", "sue")
        assert lane.prod() == "three"

    def test_what_is_held_only_grows_until_it_is_lifted(self, lane: Lane) -> None:
        """A hold of one release in place of that of another, or of all, would let these go."""
        words = ["hold", "wallet", "--env", "prod", "--reason"]
        lane.merge(lane.number(*words, "leaks", "--release", tag("two")), "rev")
        lane.merge(lane.number(*words, "burns", "--release", tag("one")), "rev")
        held = holds.parsed(story.show(lane.repo, HOLD) or b"", HOLD)
        assert held == holds.Hold("burns; before that: leaks", "dev@acme.example", (tag("two"), tag("one")))
        lane.merge(lane.number(*words, "listing"), "rev")
        assert holds.parsed(story.show(lane.repo, HOLD) or b"", HOLD).tags == ()
        done = lane.run(*words, "more", "--release", tag("one"))
        assert (done.stdout, "is held back already, as a whole: listing" in done.stderr) == ("", True)

    def test_it_is_the_one_that_is_merged(self, lane: Lane) -> None:
        """A hold that is still a pull request holds nothing."""
        lane.number("hold", "wallet", "--env", "prod", "--reason", "x")
        lane.carry("prod", "rev", "sue")

        assert lane.prod() == "two"

    def test_a_hold_that_comes_after_the_promotion_is_opened_still_holds(self, lane: Lane) -> None:
        number = lane.promote("prod")
        lane.merge(lane.number("hold", "wallet", "--env", "prod", "--reason", "wait"), "rev")
        for who in ("rev", "sue"):
            desk.approve(str(lane.repo), number, f"{who}@acme.example")

        assert "hold: wallet is held back" in refused(lane, number)
        assert lane.verdicts(number, 3)["hold"][0] == "refused"

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--reason", " "], "say why"),
            (["--reason", "x" * 501], "one line of at most 500"),
            (["--reason", "x\ny"], "one line of at most 500"),
            (["--reason", "x", "--release", "abc1234"], "a full commit SHA"),
            (["--reason", "x", "--release", "HEAD"], "a full commit SHA"),
        ],
    )
    def test_mistakes(self, lane: Lane, words: list[str], told: str) -> None:
        assert told in lane.run("hold", "wallet", "--env", "prod", *words, code=1).stderr

    def test_what_is_not_there(self, lane: Lane) -> None:
        assert "no such environment" in lane.run("hold", "wallet", "--env", "prd", "--reason", "x", code=1).stderr
        assert "not in the catalog" in lane.run("unhold", "purse", "--env", "prod", code=1).stderr
        assert "is a name, not a path" in lane.run("unhold", "../x", "--env", "prod", code=1).stderr
        assert "has no hold" in lane.run("unhold", "wallet", "--env", "prod").stderr


class TestSoak:
    def test_without_health(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod="{soak: 24h}")
        number = lane.promote("prod")
        desk.approve(str(lane.repo), number, REVIEWER)
        lane.later(hours=23, minutes=59)
        assert "soak: until Thu 2026-01-08 12:00 UTC: staging has had it since Wed 2026-01-07 12:00" in refused(
            lane, number
        )
        assert lane.verdicts(number, 1)["soak"][0] == "waiting"
        lane.later(minutes=1)
        assert lane.verdicts(number, 0)["soak"][0] == "passed"
        lane.merge(number)
        assert lane.prod() == "zero"

    def test_with_health(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod="{soak: 24h, health: true}")
        number = lane.promote("prod")
        lane.later(hours=48)
        assert lane.verdicts(number, 1)["soak"][1].startswith("nobody has found it healthy yet")
        assert "2026-01-09 12:00 UTC, by #1" in lane.run("healthy", "wallet", "--env", "staging").stderr
        lane.later(hours=1)
        lane.run("healthy", "wallet", "--env", "staging")  # the first time counts
        lane.later(hours=22)
        assert lane.verdicts(number, 1)["soak"][1].startswith("until Sat 2026-01-10 12:00 UTC")
        lane.later(hours=1)
        desk.approve(str(lane.repo), number, REVIEWER)
        lane.merge(number)

    def test_replaced_too_early(self, lane_of: LaneOf) -> None:
        """The pull request carries what staging had for an hour; asked for again, it carries what it has now."""
        lane = lane_of(staging_has_zero, prod="{soak: 24h}")
        number = lane.promote("prod")
        lane.later(hours=1)
        lane.release("one")
        lane.carry("staging")
        lane.later(hours=48)
        assert "and replaced it Wed 2026-01-07 13:00 UTC, too early" in lane.verdicts(number, 3)["soak"][1]
        assert lane.why().keys() == {"outdated", "soak", "approvals"}
        assert lane.promote("prod") == number
        assert lane.verdicts(number, 1).keys() - {"approvals"} == {
            "scope",
            "order",
            "tree",
            "parity",
            "soak",
            "freeze",
            "hold",
            "renders",
            "policy",
        }
        assert lane.verdicts(number)["soak"][0] == "passed"

    def test_replaced_before_anybody_found_it_healthy(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod="{health: true}")
        number = lane.promote("prod")
        lane.release("one")
        lane.carry("staging")
        lane.run("healthy", "wallet", "--env", "staging")

        assert "before it was found healthy" in lane.verdicts(number, 3)["soak"][1]

    def test_back_to_an_older_release_the_time_begins_again(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod="{soak: 24h}")
        lane.later(days=7)
        lane.release("one")
        lane.carry("staging")
        lane.later(hours=1)
        lane.merge(lane.number("rollback", "wallet", "--env", "staging"))
        assert lane.pinned("staging") == tag("zero")
        lane.later(hours=1)

        assert lane.verdicts(lane.promote("prod"), 1)["soak"][1].startswith("until Thu 2026-01-15 13:00 UTC")

    def test_what_staging_has_from_nobodys_pull_request_is_not_promoted(self, lane_of: LaneOf) -> None:
        lane = lane_of(prod="{soak: 24h}")
        files = {p: d for p, d in story.content(lane.repo, "dev", "wallet").items() if p != "values.yaml"}
        story.write(lane.repo, {f"environments/staging/wallet/{path}": data for path, data in files.items()})

        assert (
            "soak: nobody knows since when staging has it"
            in lane.run("promote", "wallet", "--to", "prod", code=3).stderr
        )

    def test_nothing_was_ever_brought_there(self, lane_of: LaneOf) -> None:
        told = lane_of().run("healthy", "wallet", "--env", "prod", code=1).stderr

        assert "no pull request of Shiplane has brought a release of it to prod" in told

    @pytest.mark.parametrize("service", ["../x", "x:refs/heads/main", "*", ""])
    def test_no_service_is_called_so(self, lane_of: LaneOf, service: str) -> None:
        lane = lane_of()
        for words in (["healthy", service, "--env", "prod"], ["history", service], ["why", service]):
            assert lane.run(*words, code=1).stderr.startswith(f'error: service "{service}": ')


class TestFreeze:
    GATES = "{freeze: [{from: 'wed 11:00', to: 'wed 16:00', zone: Europe/London, reason: listing day}]}"

    def test_promote_opens_and_waits(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod=self.GATES)
        done = lane.run("promote", "wallet", "--to", "prod")
        assert "freeze    ⏳  until Wed 2026-01-07 16:00 Europe/London: listing day" in done.stderr
        body = json.loads(lane.run("show", 2, "--json").stdout)["items"][0]["body"]
        assert "| freeze | ⏳ | until Wed 2026-01-07 16:00 Europe/London: listing day |" in body
        desk.approve(str(lane.repo), 2, REVIEWER)
        assert "freeze: until Wed 2026-01-07 16:00" in refused(lane, 2)
        assert lane.verdicts(2, 1)["freeze"][0] == "waiting"
        lane.later(hours=4)
        lane.merge(2)
        assert lane.prod() == "zero"

    def test_a_rollback_passes(self, lane_of: LaneOf) -> None:
        lane = lane_of(prod=self.GATES)
        lane.later(days=-1)
        lane.through("one")
        lane.through("two")
        lane.later(days=1)
        number = lane.number("rollback", "wallet", "--env", "prod")
        assert lane.verdicts(number, 1)["freeze"] == (
            "passed",
            "a way back does not wait until Wed 2026-01-07 16:00 Europe/London: listing day",
        )
        lane.merge(number, "rev")
        assert lane.prod() == "one"

    def test_into_an_environment_that_merges_by_itself(self, lane_of: LaneOf) -> None:
        """It waits as a pull request that people merge later."""
        lane = lane_of(staging=self.GATES)
        staging = story.show(lane.repo, "shiplane.yaml") or b""
        story.write(lane.repo, {"shiplane.yaml": staging.replace(b"eks-staging,", b"eks-staging, merge: auto,")})
        assert "merged" not in lane.run("promote", "wallet", "--to", "staging").stderr
        lane.later(hours=4)
        lane.merge(1)
        assert lane.pinned("staging") == tag("zero")


class TestOverride:
    GATES = "{soak: 24h, override: {gates: [soak, hold], team: glass}}"
    ASK = ("--override", "soak", "--reason", "INC-7: deposits | are `stuck`, @acme/sre")

    @pytest.fixture
    def lane(self, lane_of: LaneOf) -> Lane:
        return lane_of(staging_has_zero, prod=self.GATES)

    def test_it_counts_with_an_approval_from_the_break_glass_team(self, lane: Lane) -> None:
        number = lane.promote("prod", *self.ASK)
        desk.approve(str(lane.repo), number, REVIEWER)
        assert lane.verdicts(number, 1)["approvals"][0] == "passed"
        assert "(an override waits for an approval from glass)" in refused(lane, number)
        lane.merge(number, "gil")
        assert lane.prod() == "zero"

    def test_what_it_says_once_it_counts(self, lane: Lane) -> None:
        number = lane.promote("prod", *self.ASK)
        desk.approve(str(lane.repo), number, "gil@acme.example")
        state, why = lane.verdicts(number, 0)["soak"]

        assert state == "passed"
        assert why.startswith(f"overridden by gil@acme.example of glass: {self.ASK[3]}. It said: until Thu 2026-01-08")

    def test_a_reviewer_reads_it(self, lane: Lane) -> None:
        body = json.loads(lane.run("show", lane.promote("prod", *self.ASK), "--json").stdout)["items"][0]["body"]

        assert (
            "> [!CAUTION]\n> **soak** is to be overridden: `INC-7: deposits ¦ are ´stuck´, @acme/sre`\n"
            "> An approval by somebody of glass lets it through.\n"
        ) in body

    def test_whoever_asks_does_not_grant(self, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{role}_EMAIL", "gil@acme.example")
        number = lane.promote("prod", *self.ASK)
        with pytest.raises(ShiplaneError, match="is its author and requester and committer"):
            desk.approve(str(lane.repo), number, "Gil@acme.example")
        desk.approve(str(lane.repo), number, REVIEWER)

        assert "an override waits for an approval from glass" in refused(lane, number)

    @pytest.mark.parametrize("frozen", [False, True], ids=["time-passes", "in-the-same-second"])
    def test_asked_after_the_approval(self, lane: Lane, frozen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """What gil approved had no override in it; not even a commit of the same second can stand in for it."""
        if frozen:
            for role in ("AUTHOR", "COMMITTER"):
                monkeypatch.setenv(f"GIT_{role}_DATE", "1767787200 +0000")
        number = lane.promote("prod")
        desk.approve(str(lane.repo), number, "gil@acme.example")
        told = lane.run("promote", "wallet", "--to", "prod", *self.ASK, code=1).stderr
        assert "is approved, and this would replace what was approved" in told

        assert lane.promote("prod", *self.ASK, "--replace") == number
        assert lane.verdicts(number, 1)["approvals"][0] == "waiting"
        assert "an override waits" in refused(lane, number)

    def test_asked_for_later_it_is_no_more_the_same_pull_request(self, lane: Lane) -> None:
        number = lane.promote("prod")
        assert lane.promote("prod", *self.ASK) == number
        desk.approve(str(lane.repo), number, "gil@acme.example")
        lane.merge(number)
        assert lane.prod() == "zero"

    def test_a_hold(self, lane: Lane) -> None:
        lane.later(days=2)
        lane.merge(lane.number("hold", "wallet", "--env", "prod", "--reason", "listing"), "rev")
        lane.run("promote", "wallet", "--to", "prod", *self.ASK, code=3)
        number = lane.promote("prod", "--override", "hold", "--reason", "INC-8")
        assert lane.verdicts(number, 3)["hold"][0] == "refused"
        lane.merge(number, "gil")
        assert lane.prod() == "zero"

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--override", "freeze", "--reason", "x"], "prod lets these be overridden: soak, hold"),
            (["--override", "approvals", "--reason", "x"], "prod lets these be overridden: soak, hold"),
            (["--override", "soak"], "say why"),
            (["--override", "soak", "--reason", " "], "say why"),
            (["--override", "soak", "--reason", "x\nShiplane-Override: hold: y"], "must be one line"),
            (["--reason", "x"], "with --override GATE"),
        ],
    )
    def test_mistakes(self, lane: Lane, words: list[str], told: str) -> None:
        assert told in lane.run("promote", "wallet", "--to", "prod", *words, code=1).stderr


class TestLanes:
    def test_approvals_count_from_the_teams_that_are_named(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod="{approvals: {count: 2, teams: [sre]}}")
        number = lane.promote("prod")
        for who in ("rev", "gil", "sue"):
            desk.approve(str(lane.repo), number, f"{who}@acme.example")
        assert "approvals: 1 of 2 from sre" in refused(lane, number)
        lane.merge(number, "sam")
        assert lane.prod() == "zero"

    def test_a_hotfix_comes_past_staging(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, hotfix="hotfix: dev, ", prod="{soak: 1h}")
        lane.later(hours=1)
        lane.carry("prod", "rev")
        lane.release("fix")
        number = lane.promote("prod", "--from", "dev")
        assert lane.verdicts(number, 1)["order"][1] == (
            "dev has pinned this very release, past staging, as prod allows for hotfixes"
        )
        assert lane.verdicts(number)["soak"][1].startswith("until Wed 2026-01-07 14:00 UTC: dev has had it since")
        lane.later(hours=1)
        lane.merge(number, "rev")
        assert lane.prod() == "fix"

    def test_a_hotfix_that_staging_has_too(self, lane_of: LaneOf) -> None:
        """The time it had in staging counts, whichever of the two it is promoted from."""
        lane = lane_of(hotfix="hotfix: dev, ", prod="{soak: 1h}")
        lane.release("fix")
        lane.carry("staging")
        lane.later(hours=1)
        lane.merge(lane.promote("prod", "--from", "dev"), "rev")
        assert lane.prod() == "fix"

    def test_nothing_comes_past_staging_by_itself(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        assert (
            "prod is promoted from staging"
            in lane.run("promote", "wallet", "--to", "prod", "--from", "dev", code=1).stderr
        )

    def test_what_comes_from_several_waits_for_all(self, lane_of: LaneOf) -> None:
        lane = lane_of(more="  perf: {from: dev, cluster: eks-perf, gates: {approvals: 0}}\n")
        joined = (story.show(lane.repo, "shiplane.yaml") or b"").replace(
            b"prod: {from: staging", b"prod: {from: [staging, perf]"
        )
        defaults = {
            f"defaults/perf/{n}": story.show(lane.repo, f"defaults/dev/{n}")
            for n in ("application.yaml", "values.yaml")
        }
        story.write(lane.repo, {"shiplane.yaml": joined, **defaults})
        lane.carry("staging")
        number = lane.promote("prod")
        assert lane.verdicts(number, 1)["order"] == ("waiting", "perf must have it too: promote it there")
        lane.carry("perf")
        lane.merge(number, "rev")
        assert lane.prod() == "zero"
        lane.release("one")
        lane.carry("perf")
        assert lane.promote("prod", "--from", "perf") > number
        assert lane.why()["order"] == "staging must have it too: promote it there"

    def test_each_region_waits_for_itself(self, lane_of: LaneOf) -> None:
        us = "  prod-us: {from: staging, cluster: eks-us, gates: {freeze: [{from: '11:00', to: '13:00', zone: UTC}]}}\n"
        lane = lane_of(more=us)
        for name in ("application.yaml", "values.yaml"):
            data = story.show(lane.repo, f"defaults/prod/{name}")
            story.write(lane.repo, {f"defaults/prod-us/{name}": data})
        lane.carry("staging")
        lane.carry("prod", "rev")
        number = lane.promote("prod-us")
        desk.approve(str(lane.repo), number, REVIEWER)
        assert "freeze: until" in refused(lane, number)
        lane.later(hours=1)
        lane.merge(number)
        assert lane.pinned("prod") == lane.pinned("prod-us") == tag("zero")


class TestVerify:
    def test_its_exit_codes(self, lane_of: LaneOf) -> None:
        lane = lane_of()
        number = lane.promote("staging")
        done = lane.run("verify", number)
        assert done.stdout.splitlines()[1:] == [
            "scope     ✓  only wallet in staging",
            "order     ✓  dev has pinned this very release",
            "tree      ✓  regular files alone, and nothing that Argo CD or git would take settings from",
            "parity    ✓  one digest for this tag everywhere, from the registry and repository that are its own",
            "soak      –  staging asks for none",
            "freeze    –  staging has no windows",
            "hold      ✓  none is set",
            "renders   ✓  by helm, with staging's settings as they will be",
            "approvals –  none needed",
        ]
        lane.merge(number)
        assert lane.run("verify", number).stdout.startswith(f"#{number} merged at ")
        number = lane.promote("prod")
        assert "approvals ⏳  0 of 1: not counted are" in lane.run("verify", number, code=1).stdout
        lane.merge(lane.number("hold", "wallet", "--env", "prod", "--reason", "x"), "rev")
        assert "hold      ✗  wallet is held back" in lane.run("verify", number, code=3).stdout
        assert "no such pull request" in lane.run("verify", 99, code=1).stderr

    def test_json(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod="{soak: 1h}")
        number = lane.promote("prod")
        answer = json.loads(lane.run("verify", number, "--json", code=1).stdout)
        (soak,) = [each for each in answer["items"] if each["gate"] == "soak"]

        assert answer["schema"] == "shiplane/verdicts/1"
        assert soak == {
            "number": number,
            "head": story.git(lane.repo, "rev-parse", "shiplane/pin/prod/wallet"),
            "gate": "soak",
            "state": "waiting",
            "why": "until Wed 2026-01-07 13:00 UTC: staging has had it since Wed 2026-01-07 12:00 UTC, by #1",
            "until": "2026-01-07T13:00:00+00:00",
            "places": [],
            "judged": True,
        }

    def test_without_helm_nothing_is_judged(self, lane_of: LaneOf, monkeypatch: pytest.MonkeyPatch) -> None:
        lane = lane_of()
        number = lane.promote("staging")
        monkeypatch.setenv("SHIPLANE_HELM", "/nowhere/helm")

        assert "helm: not found" in lane.run("verify", number, code=1).stderr

    def test_settings_by_themselves(self, lane_of: LaneOf) -> None:
        """They are read, rendered, and name no other image; nothing else of a pin is asked of them."""
        lane = lane_of(staging_has_zero)
        path = "environments/staging/wallet/values.yaml"
        good = story.show(lane.repo, path) or b""
        for data, state, told in (
            (good + b"more: 1\n", "passed", "by helm"),
            (good.replace(b"/acme/wallet", b"/acme/ledger"), "refused", "acme/ledger, not"),
            (good + b"\tx", "refused", "is not YAML"),
            (b"image: [\n", "refused", "is not YAML"),
            (None, "refused", "is no file"),
        ):
            head = forged.commit(lane.repo, {path: data})
            number = forged.pushed(lane.repo, head, f"people/{len(told)}-{state}", move=None)
            found = lane.verdicts(number)
            assert found.keys() == {"scope", "settings", "renders", "approvals"}
            assert any(each[0] == state and told in each[1] for each in found.values()), (data, found)


class TestWhy:
    def test_each_cause_has_its_name(self, lane_of: LaneOf) -> None:
        lane = lane_of(prod="{soak: 1h}")
        command = "gitops release wallet --to dev --tag SHA --digest sha256:... --chart DIR"
        assert lane.why("dev") == {"entrance": f"releases enter the lane at dev: {command}"}
        assert lane.why("prod") == {"order": "staging has no release of wallet that could be carried on"}
        assert lane.why("staging") == {"not-asked": "nobody has asked for it: promote wallet --to staging"}
        number = lane.promote("staging")
        assert lane.why("staging") == {"unmerged": f"nothing stands against it: gitops merge {number}"}
        lane.release("one")
        assert lane.why("staging").keys() == {"outdated", "unmerged"}
        lane.promote("staging")
        lane.merge(number)
        assert lane.why("staging")["there"].startswith("nothing to promote: staging has")
        assert lane.why("prod").keys() == {"not-asked", "soak"}
        lane.promote("prod")
        assert lane.why("prod").keys() == {"soak", "approvals"}
        lane.merge(lane.number("hold", "wallet", "--env", "prod", "--reason", "x"), "rev")
        assert lane.why("prod").keys() == {"soak", "approvals", "hold"}
        story.write(lane.repo, {"environments/prod/wallet/release.yaml": b"nonsense"})
        assert "unreadable" in lane.why("prod")

    def test_as_people_read_it(self, lane_of: LaneOf) -> None:
        lane = lane_of(staging_has_zero, prod="{soak: 1h}")
        lane.promote("prod")

        assert lane.run("why", "wallet").stdout == (
            f"""\
dev
  entrance  ✓  releases enter the lane at dev: gitops release wallet --to dev --tag SHA --digest sha256:... --chart DIR
staging
  there     ✓  nothing to promote: staging has {tag("zero")[:7]} of wallet already
prod: #2 is open, promote wallet to prod: {tag("zero")[:7]}, its first release there
  soak      ⏳  until Wed 2026-01-07 13:00 UTC: staging has had it since Wed 2026-01-07 12:00 UTC, by #1
  approvals ⏳  0 of 1: not counted are author, requester, committers, bots and older heads
"""
        )

    def test_an_unknown_service(self, lane_of: LaneOf) -> None:
        assert "purse: is not in the catalog" in lane_of().run("why", "purse", code=1).stderr
