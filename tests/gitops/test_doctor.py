"""What doctor finds on the embedded forge, how it compares rules, and that its page lists all that it finds."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ShiplaneError
from gitops import clock, initial
from gitops.doctor import finding, ruleset
from gitops.doctor.finding import Finding, Report
from gitops.protection import Protection, Rule, Ruleset
from tests.conftest import ROOT
from tests.gitops import story
from tests.gitops.literal import NOW
from tests.gitops.trees import new

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
WHO = ("--as", "rev@acme.example")


def configuration(prod: str = "{approvals: 1}") -> bytes:
    return f"""\
version: 1
forge: embedded
environments:
  dev: {{merge: auto, cluster: eks-dev, registry: {REGISTRY}, kubernetes: "1.33"}}
  staging: {{from: dev, cluster: eks-staging}}
  prod: {{from: staging, cluster: eks-prod, gates: {prod}}}
""".encode()


def made(tmp_path: Path, prod: str = "{approvals: 1}") -> Path:
    return story.repository(
        tmp_path / "gitops.git", released={"wallet": "zero"}, extra={"shiplane.yaml": configuration(prod)}
    )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return made(tmp_path)


def doctor(repo: Path | str, *words: object, code: int | None = None) -> dict[str, dict[str, Any]]:
    done = story.gitops("doctor", *map(str, words), "--json", "--repo", str(repo))
    assert done.stdout, done
    found = {each["name"]: each for each in json.loads(done.stdout)["items"]}
    assert done.returncode == (code if code is not None else int(bool(found))), done
    return found


def opened(repo: Path, to: str = "staging") -> int:
    done = story.gitops("promote", "wallet", "--to", to, "--repo", str(repo))
    assert done.returncode == 0, done
    return int(done.stdout.strip().rpartition("#")[2])


def merged(repo: Path, number: int, code: int = 0) -> None:
    assert story.gitops("merge", str(number), *WHO, "--repo", str(repo)).returncode == code


def test_a_sound_repository_has_nothing_and_what_was_not_asked_is_told(repo: Path) -> None:
    done = story.gitops("doctor", "--repo", str(repo))

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "· not asked here: checks, signatures, code owners, rulesets and auto-merge; "
        "the embedded forge has none of them\n"
        "· nothing found\n"
    )


def test_what_nothing_stands_against_merges(repo: Path) -> None:
    number = opened(repo)

    assert doctor(repo, number) == {}
    merged(repo, number)
    assert doctor(repo, number) == {}


def test_an_approval_is_missing(repo: Path) -> None:
    merged(repo, opened(repo))
    number = opened(repo, "prod")
    merged(repo, number, code=3)

    told = doctor(repo, number)["approvals"]
    assert told["state"] == "waiting"
    assert told["mend"] == [f"gitops approve {number}, by somebody else than dev@acme.example"]
    assert story.gitops("approve", str(number), *WHO, "--repo", str(repo)).returncode == 0
    assert doctor(repo, number) == {}
    merged(repo, number)


def test_both_sides_changed_the_same(repo: Path) -> None:
    number = opened(repo)
    story.write(repo, {"environments/staging/wallet/release.yaml": b"image: {tag: x}\n"})
    merged(repo, number, code=3)

    found = doctor(repo, number, code=3)
    assert found.keys() == {"conflict"}
    assert found["conflict"]["mend"] == [
        f"gitops close {number}, and ask for it again: it is planned on what is there now"
    ]


def test_a_gate_refuses_and_another_waits_until_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [NOW]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    freeze = '{from: "wed 00:00", to: "fri 08:00", zone: Europe/London, reason: a launch}'
    repo = made(tmp_path, f"{{approvals: 1, freeze: [{freeze}]}}")
    merged(repo, opened(repo))
    number = opened(repo, "prod")
    hold = b"reason: INC-7\nwho: sue@acme.example\n"
    story.write(repo, {"holds/prod/wallet.yaml": hold})

    found = doctor(repo, number, code=3)
    assert [*found] == ["freeze", "hold", "approvals"]
    assert found["freeze"]["mend"] == ["wait until Fri 2026-01-09 08:00 UTC"]
    assert found["hold"]["state"] == "refused"
    assert found["hold"]["mend"] == ["gitops unhold wallet --env prod"]
    assert doctor(repo, code=3).keys() == {"hold", "freeze"}
    story.write(repo, {"holds/prod/wallet.yaml": None})
    now[0] += timedelta(days=3)
    assert doctor(repo) == {}
    assert doctor(repo, number).keys() == {"approvals"}


def test_a_service_that_the_catalog_does_not_know(repo: Path) -> None:
    number = opened(repo)
    story.write(repo, {"services/wallet.yaml": None})
    merged(repo, number, code=3)

    found = doctor(repo, number, code=3)
    assert next(iter(found)) == "unknown-service"
    assert "read" not in found
    told = doctor(repo)["unknown-service"]
    assert told["why"].startswith("wallet is pinned in dev, and the catalog does not know it")
    assert told["mend"][0] == "gitops onboard wallet --source OWNER/REPOSITORY --image REPOSITORY"


def test_a_service_that_was_never_released_is_told_and_is_no_finding(repo: Path) -> None:
    entry = story.git(repo, "show", "main:services/wallet.yaml").encode()
    story.write(repo, {"services/ledger.yaml": entry})

    assert doctor(repo) == {}
    assert "· ledger: known, and never released\n" in story.gitops("doctor", "--repo", str(repo)).stderr


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("shiplane.yaml", b"version: 2\n", "unreadable-config"),
        ("services/wallet.yaml", b"owner: 1\n", "unreadable-service"),
        ("environments/dev/wallet/release.yaml", b"image: {tag: latest}\n", "unreadable-pin"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(repo: Path, path: str, text: bytes, name: str) -> None:
    story.write(repo, {path: text})

    found = doctor(repo)
    assert found.keys() == {name}
    assert path in found[name]["why"]


def test_a_name_that_is_none_is_no_part_of_a_command(repo: Path) -> None:
    pin = story.git(repo, "show", "main:environments/dev/wallet/release.yaml").encode()
    origin = story.git(repo, "show", "main:environments/dev/wallet/origin.yaml").encode()
    folder = "environments/dev/$(touch planted)"
    story.write(repo, {f"{folder}/release.yaml": pin, f"{folder}/origin.yaml": origin, f"{folder}/chart/x": b"x"})

    told = doctor(repo)["unknown-service"]
    assert "$(touch planted) is pinned in dev" in told["why"]
    assert told["mend"][0] == "gitops onboard SERVICE --source OWNER/REPOSITORY --image REPOSITORY"


def test_a_hold_that_cannot_be_read_holds(repo: Path) -> None:
    story.write(repo, {"holds/prod/wallet.yaml": b"why: not\n"})

    assert "the file cannot be read" in doctor(repo, code=3)["hold"]["why"]


def test_a_default_branch_that_is_not_there(repo: Path, tmp_path: Path) -> None:
    story.git(repo, "symbolic-ref", "HEAD", "refs/heads/trunk")

    assert doctor(repo)["default-branch"]["why"].endswith("has no commit on its default branch")
    assert doctor(tmp_path / "nowhere.git").keys() == {"no-access"}


def test_what_was_merged_and_nobody_found_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [NOW]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    repo = made(tmp_path, "{approvals: 1, health: true}")
    number = opened(repo)
    merged(repo, number)
    assert doctor(repo) == {}
    now[0] += timedelta(hours=3)

    told = doctor(repo)["never-synced"]
    assert told["why"].startswith(
        f"wallet in staging was merged 3 h ago, by #{number}, and has never been found healthy"
    )
    assert told["mend"][1] == "gitops healthy wallet --env staging, once it runs well"
    assert doctor(repo, number).keys() == {"never-synced"}
    assert story.gitops("healthy", "wallet", "--env", "staging", "--repo", str(repo)).returncode == 0
    assert doctor(repo) == {}


def test_without_helm_nobody_can_judge_and_that_is_no_verdict(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = opened(repo)
    monkeypatch.setenv("SHIPLANE_HELM", "/nonexistent/helm")

    found = doctor(repo, number)
    assert found.keys() == {"unjudged"}
    assert found["unjudged"]["state"] == "wrong"


# how rules are compared

OURS = ruleset.wanted(new(app_id=7)[ruleset.PATH])


def guarded(rules: list[Rule]) -> list[str]:
    found = Protection("github.com", "acme/gitops", "root", tuple(rules), (Ruleset(3, "main", "active"),))
    return [each.name for each in ruleset.findings(OURS, found)]


def changed(kind: str, **parameters: Any) -> list[Rule]:
    return [Rule(each.kind, {**each.parameters, **parameters}) if each.kind == kind else each for each in OURS]


def test_our_own_rules_are_as_ours() -> None:
    assert guarded(OURS) == []
    assert guarded([*OURS, Rule("required_signatures")]) == []


@pytest.mark.parametrize("kind", [each.kind for each in OURS])
def test_each_rule_is_missed(kind: str) -> None:
    left = [each for each in OURS if each.kind != kind]

    assert guarded(left) == ["ruleset-differs", *(["status-not-required"] if kind.endswith("checks") else [])]


@pytest.mark.parametrize(
    ("kind", "key", "value", "weaker"),
    [
        ("pull_request", "require_code_owner_review", False, True),
        ("pull_request", "dismiss_stale_reviews_on_push", None, True),
        ("pull_request", "allowed_merge_methods", ["squash"], True),
        ("pull_request", "allowed_merge_methods", None, True),
        ("pull_request", "allowed_merge_methods", [], True),
        ("pull_request", "require_last_push_approval", True, False),
        ("pull_request", "required_approving_review_count", 3, False),
        ("pull_request", "required_approving_review_count", None, True),
        ("pull_request", "required_review_thread_resolution", True, False),
        ("required_status_checks", "strict_required_status_checks_policy", True, False),
    ],
)
def test_what_is_stricter_is_as_good(kind: str, key: str, value: Any, weaker: bool) -> None:
    assert guarded(changed(kind, **{key: value})) == (["ruleset-differs"] if weaker else [])


@pytest.mark.parametrize(
    ("host", "call", "repo"),
    [
        ("github.com", "gh api -X PATCH repos/acme/gitops -F x=true", "acme/gitops"),
        (
            "ghe.acme.example",
            "gh api --hostname ghe.acme.example -X PATCH repos/acme/gitops -F x=true",
            "ghe.acme.example/acme/gitops",
        ),
    ],
)
def test_the_way_out_is_a_command_for_the_server_that_it_is_on(host: str, call: str, repo: str) -> None:
    found = Protection(host, "acme/gitops", "root")

    assert found.gh("-X PATCH {} -F x=true") == call
    assert found.repo == repo


def test_what_cannot_be_seen_is_not_judged() -> None:
    assert [*ruleset.findings(OURS, Protection("github.com", "acme/gitops", "root", None))] == []


def test_without_a_file_of_its_own_init_s_ruleset_is_the_measure() -> None:
    wanted = ruleset.wanted(initial.ruleset())

    assert [each.kind for each in wanted] == [each.kind for each in OURS]
    assert guarded([]) == ["unprotected"]


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"rules": [1]}', b'{"rules": 5}', b"\xff"])
def test_what_is_no_ruleset_is_refused_by_its_place(text: bytes) -> None:
    with pytest.raises(ShiplaneError, match="is no ruleset as GitHub takes it"):
        ruleset.wanted(text)


# how it ends, and what the page says


@pytest.mark.parametrize(
    ("states", "code"),
    [((), 0), (("waiting",), 1), (("wrong", "waiting"), 1), (("waiting", "refused", "wrong"), 3)],
)
def test_how_it_ends(states: tuple[str, ...], code: int) -> None:
    assert Report(tuple(Finding("x", "y", state=each) for each in states)).code == code


def test_nothing_in_a_finding_acts_on_a_terminal() -> None:
    told = [*Finding("x", "why\x1b[2J", "do\nthat\x07", ("seen\r",)).lines]

    assert told == ["! x: why\\x1b[2J", "    seen\\r", "    try: do", "    try: that\\x07"]


def test_the_page_lists_every_finding_once() -> None:
    source = "".join(path.read_text() for path in Path(finding.__file__).parent.glob("*.py"))
    names = set(re.findall(r'(?<![.\w])(?:Finding|of)\(\s*"([a-z-]+)"', source)) | {
        "default-branch",
        "no-access",
        "unjudged",
        "read",
    }
    page = (ROOT / "docs" / "doctor.md").read_text()
    listed = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)

    assert sorted(listed) == sorted(names)
