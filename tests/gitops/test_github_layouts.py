"""A layout of somebody else's on GitHub: its files do not say who pinned what by which run, so the pull requests do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops.catalog import Service, entry_yaml
from tests.gitops import story
from tests.gitops.github_double.lane import Lane, running
from tests.gitops.github_double.queue import enqueued, landed
from tests.gitops.story import show, tag
from tests.gitops.test_layouts import SHAPES
from tests.gitops.test_merge_queue import QUEUE, opened, swept
from tests.gitops.test_shared_files import NAMES
from tests.gitops.test_shared_files import SHAPES as SHARED

SHAPE = SHAPES["values"]
ONE, TWO, THREE = SHAPE.tags
SHOP = SHARED["kustomize"]
OLD, NEW, NEWER = tag("one"), tag("two"), tag("three")


@pytest.fixture(params=["person", "app"])
def lane(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lane]:
    prod = "{approvals: 1, soak: 1h, policy: false}"
    with ExitStack() as stack:
        made = running(tmp_path, monkeypatch, prod, SHAPE.layout, app=request.param == "app")
        lane = stack.enter_context(made)
        pinned = {SHAPE.file(name): SHAPE.said(SHAPE.text, name, ONE) for name in ("dev", "staging", "prod")}
        story.write(lane.world.repo, {**pinned, **SHAPE.beside("wallet")})
        yield lane


def release(lane: Lane, word: str, run: int, code: int = 0) -> str:
    return lane.run("release", "wallet", "--tag", word, "--run", run, code=code).stderr


def test_what_brought_a_pin_is_known_by_its_pull_request(lane: Lane) -> None:
    release(lane, TWO, 7)
    staging = lane.number("promote", "wallet", "--to", "staging")

    assert lane.number("promote", "wallet", "--to", "staging") == staging
    assert lane.verdicts(staging)["renders"][0] == "passed"
    lane.run("merge", staging, who="rev")
    prod = lane.number("promote", "wallet", "--to", "prod")
    assert (
        f"staging has had it since {lane.now[0]:%a %Y-%m-%d %H:%M} UTC, by #{staging}" in lane.verdicts(prod)["soak"][1]
    )
    lane.later(hours=1)
    assert lane.verdicts(prod)["soak"][0] == "passed"

    cells = json.loads(lane.run("status", "--json").stdout)["items"][0]["environments"]
    assert {name: cell["tag"] for name, cell in cells.items()} == {"dev": TWO, "staging": TWO, "prod": ONE}
    assert cells["prod"]["pull_request"] == prod
    assert cells["staging"]["since"] is not None
    assert cells["prod"]["since"] is None


def test_settings_that_people_write_beside_a_pin_did_not_bring_it(lane: Lane) -> None:
    release(lane, TWO, 7)
    path = SHAPE.file("dev")
    story.write(lane.world.repo, {path: (story.show(lane.world.repo, path) or b"") + b"\r\nmore: 1"})

    cells = json.loads(lane.run("status", "--json").stdout)["items"][0]["environments"]

    assert cells["dev"]["since"] is not None
    assert "superseded: dev has pinned v1.3.0 of run 7, newer than run 5" in release(lane, THREE, 5)


def test_nor_do_they_hide_since_when_it_is_there(lane: Lane) -> None:
    release(lane, TWO, 7)
    staging = lane.number("promote", "wallet", "--to", "staging")
    lane.run("merge", staging, who="rev")
    lane.later(hours=1)
    path = SHAPE.file("staging")
    story.write(lane.world.repo, {path: (story.show(lane.world.repo, path) or b"") + b"\r\nmore: 1"})

    state, why = lane.verdicts(lane.number("promote", "wallet", "--to", "prod"))["soak"]

    assert (state, why.endswith(f"by #{staging}")) == ("passed", True), why


def test_a_slow_old_build_that_lands_last_changes_nothing(lane: Lane) -> None:
    release(lane, TWO, 7)
    before = lane.world.head("main")

    assert "superseded: dev has pinned v1.3.0 of run 7, newer than run 5" in release(lane, THREE, 5)
    assert lane.world.head("main") == before
    release(lane, THREE, 8)
    assert story.show(lane.world.repo, SHAPE.file("dev")) == SHAPE.said(SHAPE.text, "dev", THREE)


def test_a_slow_old_build_does_not_replace_a_newer_one_that_waits(lane: Lane) -> None:
    text = (story.show(lane.world.repo, "shiplane.yaml") or b"").replace(b"merge: auto, ", b"")
    story.write(lane.world.repo, {"shiplane.yaml": text})
    release(lane, TWO, 7)

    assert "superseded: #1 pins v1.3.0 of run 7, newer than run 5" in release(lane, THREE, 5)


@pytest.fixture(params=["person", "app"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lane]:
    """Three services beside each other in one overlay of each environment."""
    prod = "{approvals: 1, soak: 1h, policy: false}"
    with ExitStack() as stack:
        made = running(tmp_path, monkeypatch, prod, SHOP.layout, app=request.param == "app")
        lane = stack.enter_context(made)
        files = {SHOP.file(name): SHOP.said(name, **dict.fromkeys(NAMES, OLD)) for name in ("dev", "staging", "prod")}
        entries = {
            f"services/{name}.yaml": entry_yaml(Service(name, "payments", f"acme/{name}", f"acme/{name}", "standard"))
            for name in NAMES
        }
        story.write(lane.world.repo, {**files, **entries})
        yield lane


def test_services_in_one_file_have_pull_requests_and_times_of_their_own(shop: Lane) -> None:
    for run, (name, word) in enumerate((("wallet", NEW), ("ledger", NEW), ("wallet", NEWER)), 7):
        shop.run("release", name, "--tag", word, "--run", run)
    wallet = shop.number("promote", "wallet", "--to", "staging")
    ledger = shop.number("promote", "ledger", "--to", "staging")
    assert "superseded: dev has pinned" in shop.run("release", "wallet", "--tag", NEW, "--run", 8).stderr

    shop.run("merge", wallet, who="rev")
    shop.later(hours=1)
    assert {state for state, _ in shop.verdicts(ledger).values()} == {"passed"}
    shop.run("merge", ledger, who="rev")

    soak = {name: shop.verdicts(shop.number("promote", name, "--to", "prod"))["soak"] for name in ("wallet", "ledger")}
    assert soak["wallet"][0] == "passed"
    assert soak["wallet"][1].endswith(f"by #{wallet}")
    assert soak["ledger"][0] == "waiting"
    assert soak["ledger"][1].endswith(f"by #{ledger}")
    rows = {each["service"]: each["environments"] for each in json.loads(shop.run("status", "--json").stdout)["items"]}
    assert {name: rows[name]["staging"]["tag"] for name in NAMES} == {"wallet": NEWER, "ledger": NEW, "rates": OLD}
    assert rows["wallet"]["staging"]["since"] < rows["ledger"]["staging"]["since"]
    assert rows["rates"]["staging"]["since"] is None
    assert show(shop.world.repo, SHOP.file("staging")) == SHOP.said("staging", ledger=NEW, wallet=NEWER, rates=OLD)


def test_what_has_been_released_long_ago_is_known_behind_many_changes_of_the_others(shop: Lane) -> None:
    shop.run("release", "wallet", "--tag", NEW, "--run", 1)
    for number in range(15):
        pinned = {"ledger": tag(f"ledger {number}"), "wallet": NEW, "rates": OLD}
        story.write(shop.world.repo, {SHOP.file("dev"): SHOP.said("dev", **pinned)})

    rows = {each["service"]: each["environments"] for each in json.loads(shop.run("status", "--json").stdout)["items"]}

    assert rows["wallet"]["dev"]["since"] is not None
    assert rows["ledger"]["dev"]["since"] is None


def test_neighbours_in_the_merge_queue_land_one_after_another(shop: Lane) -> None:
    """What stands on a change of the same file waits for that: it may be about any service in it."""
    for name, word in (("ledger", NEW), ("rates", NEWER)):
        shop.run("release", name, "--tag", word)
    numbers = [shop.number("promote", name, "--to", "staging") for name in ("ledger", "rates")]
    for number in numbers:
        shop.approve(number, "rev")
    first, below = enqueued(shop.world, numbers[0])
    second = enqueued(shop.world, numbers[1], on=below)[0].removeprefix(QUEUE)
    first = first.removeprefix(QUEUE)

    found = swept(shop)
    assert found[first] == ("passed", "")
    assert found[second][0] == "waiting"
    landed(shop.world, QUEUE + first)
    assert swept(shop) == {second: ("passed", "")}
    landed(shop.world, QUEUE + second)

    pins = {**dict.fromkeys(NAMES, OLD), "ledger": NEW, "rates": NEWER}
    assert story.show(shop.world.repo, SHOP.file("staging")) == SHOP.said("staging", **pins)


def test_a_state_that_is_passed_through_while_the_catalog_does_not_know_the_service(shop: Lane) -> None:
    story.write(shop.world.repo, {f"services/{name}.yaml": None for name in NAMES if name != "wallet"})
    path, known = SHOP.file("staging"), "services/wallet.yaml"
    there, entry = (story.show(shop.world.repo, each) or b"" for each in (path, known))
    evil = SHOP.said("staging", **{**dict.fromkeys(NAMES, OLD), "wallet": NEWER})
    number = opened(shop, "people/through", {path: evil, known: None}, {path: there, known: entry, "notes": b"x"})
    shop.approve(number, "rev")
    branch, _ = enqueued(shop.world, number, "rebase")

    state, why = swept(shop)[branch.removeprefix(QUEUE)]

    assert state == "refused"
    assert "passes through a state of wallet in staging" in why
