"""Who may let a pull request through, and how many of them it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops.config import Config
from gitops.gates.approvals import Asked, Eased, approvals, asked
from gitops.pull_request import PullRequest, Review
from tests.gitops.literal import lane

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HEAD, OLDER = "a" * 40, "b" * 40
LANE = lane("""\
  dev: {merge: auto, cluster: a, registry: registry.acme.example}
  staging: {from: dev, cluster: b, gates: {approvals: 1}}
  prod-eu: {from: staging, cluster: c, gates: {approvals: 2}}
  prod-us: {from: staging, cluster: d, gates: {approvals: 3}}
""")


def request(*approved_by: str | Review, **facts: Any) -> PullRequest:
    """A pull request that bot@acme.example opened for ann@acme.example, with the approvals of these people."""
    reviews = tuple(each if isinstance(each, Review) else Review(each, HEAD, NOW) for each in approved_by)
    known = {"author": "bot@acme.example", "requester": "ann@acme.example", "committers": ("cy@acme.example",), **facts}
    return PullRequest(1, "x#1", "open", "t", "", "b", OLDER, HEAD, "f", opened=NOW, reviews=reviews, **known)


@pytest.mark.parametrize(
    ("reviews", "counted"),
    [
        pytest.param([], [], id="nobody"),
        pytest.param(["eve@acme.example"], ["eve@acme.example"], id="somebody"),
        pytest.param(["bot@acme.example"], [], id="author"),
        pytest.param(["ann@acme.example"], [], id="requester"),
        pytest.param(["cy@acme.example"], [], id="committer"),
        pytest.param(["Ann@Acme.example"], [], id="requester-in-another-case"),
        pytest.param([" ann@acme.example "], [], id="requester-with-spaces"),
        pytest.param(["renovate[bot]@users.acme.example"], [], id="bot"),
        pytest.param(["49699333+dependabot[BOT]@users.acme.example"], [], id="bot-in-another-case"),
        pytest.param(["renovate[bot]"], [], id="bot-without-an-address"),
        pytest.param([""], [], id="nameless"),
        pytest.param([Review("eve@acme.example", OLDER, NOW)], [], id="an-older-head"),
        pytest.param(["eve@acme.example", "eve@acme.example"], ["eve@acme.example"], id="twice"),
        pytest.param(["eve@acme.example", "EVE@acme.example"], ["eve@acme.example"], id="twice-in-another-case"),
        pytest.param(
            ["eve@acme.example", "ann@acme.example", "dan@acme.example"],
            ["eve@acme.example", "dan@acme.example"],
            id="mixed",
        ),
        pytest.param(
            [Review("eve@acme.example", OLDER, NOW), Review("eve@acme.example", HEAD, NOW)],
            ["eve@acme.example"],
            id="again-after-an-update",
        ),
    ],
)
def test_whose_approval_counts(reviews: list[str | Review], counted: list[str]) -> None:
    assert list(request(*reviews).approvers()) == counted


def test_the_case_of_an_author_does_not_matter_either() -> None:
    facts = {"author": "Bot@Acme.example", "requester": "ANN@acme.example", "committers": ("CY@ACME.EXAMPLE",)}

    assert request("bot@acme.example", "ann@acme.example", "cy@acme.example", **facts).approvers() == ()


@pytest.mark.parametrize(
    ("paths", "needed"),
    [
        (["environments/dev/wallet/release.yaml"], 0),
        (["environments/dev/wallet/values.yaml"], 0),
        (["holds/staging/wallet.yaml"], 1),
        (["environments/prod-eu/wallet/chart/values.yaml"], 2),
        (["environments/dev/wallet/release.yaml", "environments/prod-us/wallet/release.yaml"], 3),
        (["holds/prod-eu/wallet.yaml"], 2),
        (["services/wallet.yaml"], 1),
        (["README.md"], 1),
        (["environments/dev/wallet/release.yaml", "README.md"], 1),
        (["environments/development/wallet/release.yaml"], 1),
        (["environments/dev"], 0),
        (["environments/prod-us"], 3),
        (["environments"], 1),
        (["environments/prod-eu2/wallet"], 1),
        ([], 1),
    ],
)
def test_the_strictest_of_all_touched_places_decides(paths: list[str], needed: int) -> None:
    assert max(each.count for each in asked(LANE, paths)) == needed


@pytest.mark.parametrize(
    "path",
    [
        "shiplane.yaml",
        "shiplane.yaml/x",
        ".github/CODEOWNERS",
        ".github/workflows/verify.yaml",
        "apps/dev/wallet.yaml",
        "apps/prod-us/wallet.yaml",
        "apps",
        "bootstrap/root.yaml",
        "defaults/dev/application.yaml",
        "projects/dev.yaml",
    ],
)
def test_what_decides_about_all_environments_asks_for_what_each_of_them_asks(path: str) -> None:
    """An Application in apps/dev can be told to deploy to prod, and shiplane.yaml what prod asks for."""
    assert {each.count for each in asked(LANE, [path])} == {0, 1, 2, 3}


def test_an_application_as_the_defaults_give_it_is_its_environments() -> None:
    eased = Eased(starts=frozenset({"apps/dev/wallet.yaml"}))

    assert asked(LANE, ["apps/dev/wallet.yaml"], eased) == [Asked(0)]
    assert max(each.count for each in asked(LANE, ["apps/dev/ledger.yaml"], eased)) == 3


def test_a_hold_that_is_set_asks_for_one_and_lifted_for_what_its_environment_asks() -> None:
    path = "holds/prod-us/wallet.yaml"

    assert asked(LANE, [path], Eased(holds=frozenset({path}))) == [Asked(1)]
    assert asked(LANE, [path]) == [Asked(3)]


TEAMED = lane("""  dev: {merge: auto, cluster: a, registry: registry.acme.example}
  prod: {from: dev, cluster: c, gates: {approvals: {count: 2, teams: [sre], rollback: 1}}}
""")
SRE = {"sre": frozenset({"eve@acme.example", "dan@acme.example"})}


@pytest.mark.parametrize(
    ("reviews", "back", "told"),
    [
        (["eve@acme.example", "dan@acme.example"], False, "2 needed, given by"),
        (["eve@acme.example", "flo@acme.example"], False, "1 of 2 from sre: "),
        (["Eve@Acme.example", "DAN@acme.example"], False, "2 needed"),
        (["eve@acme.example"], True, "1 needed"),
        (["flo@acme.example"], True, "0 of 1 from sre"),
        (["ann@acme.example"], True, "0 of 1 from sre"),
    ],
)
def test_teams(reviews: list[str], back: bool, told: str) -> None:
    verdict = approvals(TEAMED, request(*reviews), ["environments/prod/x"], Eased(back=back), SRE)

    assert verdict.why.startswith(told)


def test_a_team_that_nobody_knows_approves_nothing() -> None:
    assert not approvals(TEAMED, request("eve@acme.example"), ["environments/prod/x"]).passed


def test_the_layout_says_where_an_environment_lies() -> None:
    other = Config(LANE.environments, type(LANE.layout)("deploy/{environment}/svc/{service}"))

    assert [each.count for each in asked(other, ["deploy/prod-us/svc/wallet/release.yaml"])] == [3]
    assert [each.count for each in asked(other, ["environments/prod-us/wallet/release.yaml"])] == [1]


@pytest.mark.parametrize(
    ("path", "reviews", "passed", "why"),
    [
        ("environments/dev/x", [], True, "none needed"),
        ("environments/staging/x", [], False, "0 of 1: "),
        ("environments/staging/x", ["eve@acme.example"], True, "1 needed, given by eve@acme.example"),
        ("environments/prod-eu/x", ["eve@acme.example"], False, "1 of 2: "),
        ("environments/prod-eu/x", ["eve@acme.example", "ann@acme.example"], False, "1 of 2: "),
        ("environments/prod-eu/x", ["eve@acme.example", "dan@acme.example"], True, "2 needed, given by eve@"),
        ("environments/dev/x", ["eve@acme.example"], True, "none needed"),
    ],
)
def test_the_verdict(path: str, reviews: list[str], passed: bool, why: str) -> None:
    verdict = approvals(LANE, request(*reviews), [path])

    assert (verdict.gate, verdict.passed) == ("approvals", passed)
    assert verdict.why.startswith(why)
