"""Several services by one pull request, and settings that go with a promotion: opened, judged, merged, remembered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gitops import clock, desk
from gitops.apply import propose
from gitops.forge.embedded import Embedded
from gitops.pull_request import PullRequest
from gitops.repo import opened
from tests.gitops import story
from tests.gitops.conftest import LaneOf
from tests.gitops.gated import Lane, configuration
from tests.gitops.story import CHART, tag

SERVICES = ("ledger", "wallet")
VALUES = "environments/staging/wallet/values.yaml"


@pytest.fixture
def lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lane:
    """A lane with two services in dev, and a third that nobody has released."""
    extra = {"shiplane.yaml": configuration(prod="{soak: 1h}")}
    released = dict.fromkeys(SERVICES, "zero")
    lane = Lane(story.repository(tmp_path / "gitops.git", known=(*SERVICES, "fees"), released=released, extra=extra))
    monkeypatch.setattr(clock, "now", lambda: lane.now)
    return lane


def together(lane: Lane, to: str, *words: str) -> int:
    return lane.number("promote", *SERVICES, "--to", to, "--together", *words)


def shown(lane: Lane, number: int) -> PullRequest:
    return desk.shown(str(lane.repo), number)[0]


def status(lane: Lane) -> dict[str, Any]:
    items = json.loads(lane.run("status", "--json").stdout)["items"]
    return {each["service"]: each["environments"] for each in items}


def test_one_pull_request_takes_all_of_them(lane: Lane) -> None:
    number = together(lane, "staging")
    request = shown(lane, number)

    assert request.title == "promote 2 services to staging: ledger, wallet"
    assert request.branch == "shiplane/together/staging"
    assert [(move.service, move.environment) for move in request.moves] == [(each, "staging") for each in SERVICES]
    assert lane.verdicts(number, 0)["scope"] == ("passed", "only ledger in staging, wallet in staging")
    assert [status(lane)[each]["staging"]["pull_request"] for each in SERVICES] == [number, number]

    lane.merge(number, "rev")

    for each in SERVICES:
        there, here = (story.content(lane.repo, name, each) for name in ("dev", "staging"))
        assert {name: data for name, data in here.items() if name != "values.yaml"} == {
            name: data for name, data in there.items() if name != "values.yaml"
        }
        history = json.loads(lane.run("history", each, "--env", "staging", "--json").stdout)["items"]
        assert [(moment["tag"], moment["number"]) for moment in history] == [(tag("zero"), number)]
    story.assert_sound(lane.repo)


def test_the_same_again_is_the_same(lane: Lane) -> None:
    number = together(lane, "staging")
    head = shown(lane, number).head

    assert together(lane, "staging") == number
    assert shown(lane, number).head == head
    again = lane.run("promote", *SERVICES, "--to", "staging", "--together")
    assert again.stderr.endswith("is open with exactly this\n")


def test_another_choice_updates_the_same_one(lane: Lane) -> None:
    number = together(lane, "staging")

    assert lane.number("promote", "ledger", "--to", "staging", "--together") == number
    assert [move.service for move in shown(lane, number).moves] == ["ledger"]
    lane.merge(number, "rev")
    assert lane.pinned("staging") == ""


def test_one_pin_has_one_pull_request(lane: Lane) -> None:
    alone = lane.promote("staging")
    refused = lane.run("promote", *SERVICES, "--to", "staging", "--together", code=1).stderr
    assert f"#{alone}: by itself carries wallet already" in refused
    assert f"gitops close {alone}" in refused

    lane.run("close", alone)
    number = together(lane, "staging")
    assert (
        f"#{number}: together with others carries wallet already"
        in lane.run("promote", "wallet", "--to", "staging", code=1).stderr
    )
    assert len(json.loads(lane.run("prs", "--json").stdout)["items"]) == 1


def test_what_is_there_already_is_left_out(lane: Lane) -> None:
    lane.carry("staging", "rev")
    done = lane.run("promote", *SERVICES, "--to", "staging", "--together")

    assert "· nothing to promote: staging has" in done.stderr
    number = int(done.stdout.rpartition("#")[2])
    assert [move.service for move in shown(lane, number).moves] == ["ledger"]


def test_one_that_cannot_go_stops_all(lane: Lane) -> None:
    done = lane.run("promote", *SERVICES, "fees", "--to", "staging", "--together", code=3)

    assert "dev has no release of fees" in done.stderr
    assert json.loads(lane.run("prs", "--json").stdout)["items"] == []


def test_each_pin_waits_for_itself_and_is_remembered_by_itself(lane: Lane) -> None:
    lane.merge(together(lane, "staging"), "rev")
    lane.later(minutes=50)
    lane.release("one")
    again = lane.promote("staging")
    lane.merge(again, "rev")
    lane.later(minutes=20)
    number = together(lane, "prod")

    soaks = [each for each in lane.run("verify", number, code=1).stdout.splitlines() if each.startswith("soak")]
    assert ["✓" in each for each in soaks] == [True, False]
    assert f"by #{again}" in soaks[1]
    assert "**2 services** go from **staging** to **prod**" in shown(lane, number).body
    lane.later(minutes=50)
    lane.merge(number, "rev")
    lane.run("healthy", "ledger", "--env", "prod")

    with opened(str(lane.repo)) as repository:
        forge = Embedded(repository)
        ledger, wallet = (forge.history(each, "prod") for each in SERVICES)
    assert [each.number for each in (*ledger, *wallet)] == [number, number]
    assert (ledger[0].healthy is not None, wallet[0].healthy) == (True, None)


def test_a_pin_alone_after_several_together_keeps_its_history(lane: Lane) -> None:
    first = together(lane, "staging")
    lane.merge(first, "rev")
    lane.release("one")
    second = lane.promote("staging")
    lane.merge(second, "rev")
    lane.release("two")
    lane.runs["ledger"] = 9
    propose(str(lane.repo), [story.releasing("ledger", "three", 9)])
    third = together(lane, "staging")
    lane.merge(third, "rev")

    with opened(str(lane.repo)) as repository:
        forge = Embedded(repository)
        numbers = {each: [one.number for one in forge.history(each, "staging")] for each in SERVICES}
        last = {place[0]: one.number for place, one in forge.merged(["staging"]).items()}
    assert numbers == {"wallet": [third, second, first], "ledger": [third, first]}
    assert last == dict.fromkeys(SERVICES, third)


def test_why_knows_the_pull_request_of_several(lane: Lane) -> None:
    number = together(lane, "staging")

    assert lane.why("staging") == {"unmerged": f"nothing stands against it: gitops merge {number}"}
    lane.release("one")
    assert "outdated" in lane.why("staging")


def test_a_moved_chart_of_any_of_them_is_a_conflict(lane: Lane) -> None:
    number = together(lane, "staging")
    story.write(lane.repo, {"environments/staging/ledger/chart/x.yaml": b"x\n"})

    assert lane.verdicts(number, 3).keys() == {"conflict"}


class TestSettings:
    @pytest.fixture
    def values(self, lane: Lane, tmp_path: Path) -> Path:
        lane.carry("staging", "rev")
        dev = "environments/dev/wallet/values.yaml"
        story.write(lane.repo, {dev: (story.show(lane.repo, dev) or b"") + b"more: 1\n"})
        asks = b"{{ if not .Values.more }}{{ fail `say more` }}{{ end }}\n"
        lane.release("one", {**CHART, "templates/more.yaml": asks})
        file = tmp_path / "values.yaml"
        file.write_bytes((story.show(lane.repo, VALUES) or b"") + b"more: 'a: b'\n")
        return file

    def test_they_go_with_the_promotion(self, lane: Lane, values: Path) -> None:
        assert "say more" in lane.run("promote", "wallet", "--to", "staging", code=3).stderr
        number = lane.promote("staging", "--with-values", values)
        body = shown(lane, number).body

        assert f"### Settings that go with it: `{VALUES}`\n```diff\n+ more: a: b\n```\n" in body
        assert lane.verdicts(number, 0)["scope"][1].endswith(f"with settings of a person: {VALUES}")
        lane.merge(number, "rev")
        assert story.show(lane.repo, VALUES) == values.read_bytes()

    def test_those_that_are_there_already_are_no_change(self, lane: Lane, values: Path) -> None:
        story.write(lane.repo, {VALUES: values.read_bytes()})
        number = lane.promote("staging", "--with-values", values)

        assert "### Settings" not in shown(lane, number).body

    def test_in_place_of_the_defaults(self, lane: Lane, values: Path) -> None:
        text = values.read_bytes().replace(b"acme/wallet", b"acme/ledger")
        values.write_bytes(text)
        number = lane.number("promote", "ledger", "--to", "staging", "--with-values", values)
        body = shown(lane, number).body

        assert "- `apps/staging/ledger.yaml`\n" in body
        assert "- `environments/staging/ledger/values.yaml`" not in body
        assert "```diff\n+ image.repository: " in body  # there was nothing before
        lane.merge(number, "rev")
        assert story.content(lane.repo, "staging", "ledger")["values.yaml"] == text

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (b"a: b: c\n", "is not YAML"),
            (b"a: 1\na: 2\n", "stands here twice"),
            (b"- a\n", "must be a mapping"),
            (b"token: " + b"AKIA" + b"IOSFODNN7EXAMPLE\n", ":1: holds "),
            (b"\xff", "is not UTF-8"),
            (b"x: &a 1\ny: *a\n", "an alias is not followed"),
        ],
    )
    def test_what_is_no_settings_is_refused(self, lane: Lane, values: Path, text: bytes, told: str) -> None:
        values.write_bytes(text)
        done = lane.run("promote", "wallet", "--to", "staging", "--with-values", values, code=1)

        assert re.search(rf"--with-values .*{re.escape(told)}", done.stderr)
        assert "IOSFODNN" not in done.stderr

    def test_another_image_is_refused(self, lane: Lane, values: Path) -> None:
        values.write_bytes(values.read_bytes().replace(b"acme/wallet", b"evil/wallet"))

        refused = lane.run("promote", "wallet", "--to", "staging", "--with-values", values, code=3).stderr
        assert "parity: image.repository is" in refused

    def test_they_are_of_one_service(self, lane: Lane, values: Path) -> None:
        words = ("promote", *SERVICES, "--to", "staging", "--with-values", values)

        assert "are the settings of one service" in lane.run(*words, code=1).stderr

    def test_by_themselves_they_are_no_promotion(self, lane: Lane, values: Path) -> None:
        lane.merge(lane.promote("staging", "--with-values", values), "rev")
        values.write_bytes(values.read_bytes() + b"x: 1\n")
        done = lane.run("promote", "wallet", "--to", "staging", "--with-values", values)

        assert "settings by themselves are a pull request of your own" in done.stderr


def test_releases_too_enter_together_and_merge_at_once(lane: Lane) -> None:
    numbers = []
    for run, word in ((2, "one"), (3, "two")):
        requests = [story.releasing(each, word, run) for each in SERVICES]
        (outcome,) = propose(str(lane.repo), requests, as_one=True)[1]
        assert outcome.request
        assert outcome.request.state == "merged"
        numbers.append(outcome.request.number)

    with opened(str(lane.repo)) as repository:
        forge = Embedded(repository)
        histories = [[(one.number, one.moves) for one in forge.history(each, "dev")] for each in SERVICES]
    for service, history in zip(SERVICES, histories, strict=True):
        assert [number for number, _ in history] == [*reversed(numbers)]
        assert [(move.service, move.after.tag) for _, moves in history for move in moves] == [
            (service, tag("two")),
            (service, tag("one")),
        ]
    assert lane.pinned("dev") == tag("two")
    story.assert_sound(lane.repo)


def test_a_lane_of_one_service_needs_no_togetherness(lane_of: LaneOf) -> None:
    lane = lane_of()
    number = lane.promote("staging", "--together")

    assert shown(lane, number).title.startswith("promote wallet to staging: ")
    lane.merge(number, "rev")
    assert lane.pinned("staging") == tag("zero")
    with opened(str(lane.repo)) as repository:
        assert [each.number for each in Embedded(repository).history("wallet", "staging")] == [number]
    lane.run("healthy", "wallet", "--env", "staging")
