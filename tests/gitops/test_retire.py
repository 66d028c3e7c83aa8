"""`gitops retire`: the way out of the lane, one reviewed step at a time, and what verify says of other ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from gitops import desk, retire
from gitops.catalog import Service, entry_yaml
from gitops.config import load
from gitops.initial import ENVIRONMENTS, initial_tree
from gitops.model import FILE, GONE, Draft, Entry, Nothing, Snapshot
from gitops.retire import Retiring
from tests.gitops import forged, story
from tests.gitops.gated import Lane, configuration
from tests.gitops.story import show

PROD = "environments/prod/wallet"


@pytest.fixture
def lane(tmp_path: Path) -> Lane:
    """wallet runs everywhere; prod asks for two approvals."""
    tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
    tree["services/wallet.yaml"] = (
        FILE,
        entry_yaml(Service("wallet", "payments", "acme/wallet", "acme/wallet", "standard")),
    )
    files = {
        path: data for name in ENVIRONMENTS for path, (_, data) in story.pinned(tree, "wallet", "one", name).items()
    }
    extra = {**files, "shiplane.yaml": configuration("{approvals: 2}")}
    return Lane(story.repository(tmp_path / "gitops.git", extra=extra))


def refused(lane: Lane, number: int) -> str:
    with pytest.raises(ShiplaneError) as caught:
        desk.merge(str(lane.repo), number, None, None)
    assert caught.value.exit_code == 3
    return str(caught.value)


def next_step(lane: Lane, *approved_by: str) -> list[str]:
    """The next pull request, merged: what it has changed."""
    before = story.git(lane.repo, "rev-parse", "main")
    lane.merge(lane.number("retire", "wallet"), *approved_by)
    return story.git(lane.repo, "diff", "--name-status", "--no-renames", before, "main").splitlines()


def test_a_service_leaves_the_last_environment_first_and_the_catalog_last(lane: Lane) -> None:
    seen = [next_step(lane, "rev", "sue", "sam") for _ in range(7)]

    for step, name in ((0, "prod"), (2, "staging"), (4, "dev")):
        assert sorted(seen[step]) == [f"A\tholds/{name}/wallet.yaml", f"D\tapps/{name}/wallet.yaml"]
        assert {line.split("\t")[1].removeprefix(f"environments/{name}/wallet/") for line in seen[step + 1]} == {
            *story.SERVICE_FILES
        }
    assert sorted(seen[6]) == [
        *(f"D\tholds/{name}/wallet.yaml" for name in ("dev", "prod", "staging")),
        "D\tservices/wallet.yaml",
    ]
    assert "nothing is left of wallet" in lane.run("retire", "wallet").stderr
    assert "wallet" not in story.git(lane.repo, "ls-tree", "-r", "--name-only", "main")


def test_the_same_command_again_is_the_same_pull_request(lane: Lane) -> None:
    number = lane.number("retire", "wallet")

    assert lane.number("retire", "wallet") == number
    assert lane.number("retire", "wallet", "--env", "prod") == number


def test_the_pull_request_warns_and_says_what_argo_cd_does(lane: Lane) -> None:
    number = lane.number("retire", "wallet")

    told = lane.run("show", number).stdout

    assert "> [!CAUTION]\n> **This takes wallet out of prod.**" in told
    assert "prunes the Application `wallet-prod`" in told
    assert "What runs stays, and nobody looks after it" in told  # no finalizer in its file
    assert "*Confirm Pruning* on the parent of prod" in told


def test_an_application_with_a_finalizer_takes_down_what_runs(lane: Lane) -> None:
    path = "apps/prod/wallet.yaml"
    data = (show(lane.repo, path) or b"").replace(
        b"  namespace: argocd\n", b"  namespace: argocd\n  finalizers: [resources-finalizer.argocd.argoproj.io]\n", 1
    )
    story.write(lane.repo, {path: data})

    told = lane.run("show", lane.number("retire", "wallet")).stdout

    assert "**All that wallet runs in prod is deleted with it**" in told


def test_each_environment_asks_for_its_own_approvals_and_for_one_at_least(lane: Lane) -> None:
    number = lane.number("retire", "wallet")
    assert "approvals: 0 of 2" in refused(lane, number)
    lane.merge(number, "rev", "sue")
    number = lane.number("retire", "wallet")
    assert "approvals: 0 of 2" in refused(lane, number)
    lane.merge(number, "rev", "sue")

    for _ in range(4):  # staging, which asks for none by itself, and dev, where releases merge at once
        number = lane.number("retire", "wallet")
        assert "approvals: 0 of 1" in refused(lane, number)
        lane.merge(number, "rev")

    assert "approvals: 0 of 2" in refused(lane, lane.number("retire", "wallet"))  # it lifts the hold in prod


def test_nothing_brings_it_back_while_it_leaves(lane: Lane) -> None:
    lane.release("two")
    lane.carry("staging", "rev")
    next_step(lane, "rev", "sue")

    assert "hold: wallet is held back" in lane.run("promote", "wallet", "--to", "prod", code=3).stderr
    assert show(lane.repo, "apps/prod/wallet.yaml") is None

    for _ in range(4):
        next_step(lane, "rev", "sue")
    with pytest.raises(ShiplaneError, match="retired: it is being taken out"):
        lane.release("three")


def test_no_environment_is_left_before_those_promoted_from_it(lane: Lane) -> None:
    done = lane.run("retire", "wallet", "--env", "staging", code=3)

    assert "--env staging: prod, promoted from staging, has wallet still" in done.stderr
    assert "try: gitops retire wallet --env prod" in done.stderr


def test_one_environment_alone(lane: Lane) -> None:
    for _ in range(2):
        lane.merge(lane.number("retire", "wallet", "--env", "prod"), "rev", "sue")

    done = lane.run("retire", "wallet", "--env", "prod")

    assert done.stdout == ""
    assert "prod has nothing of wallet: it is retired there" in done.stderr
    assert lane.pinned("staging")


def test_a_dry_run_says_what_would_go(lane: Lane) -> None:
    before = story.refs(lane.repo)

    done = lane.run("retire", "wallet", "--dry-run")

    assert "retire wallet from prod: its Application" in done.stdout
    assert "removes apps/prod/wallet.yaml" in done.stdout
    assert "writes  apps/prod/wallet.yaml" in done.stdout
    assert story.refs(lane.repo) == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["retire", "../x"], 1, "is a name, not a path"),
        (["retire", "wallet", "--env", "prd"], 1, "no such environment"),
        (["retire", "purse"], 0, "nothing is left of purse"),
    ],
)
def test_what_is_not_there(lane: Lane, words: list[str], code: int, told: str) -> None:
    assert told in lane.run(*words, code=code).stderr


class TestByHand:
    """The same changes as anybody could push them."""

    def judged(self, lane: Lane, changes: dict[str, forged.Change]) -> dict[str, tuple[str, str]]:
        reviews = ("rev@acme.example", "sue@acme.example", "sam@acme.example")
        return lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, changes), reviews=reviews))

    def test_both_at_once_pass_where_nothing_comes_after(self, lane: Lane) -> None:
        """The revert of a first release is this."""
        verdicts = self.judged(lane, {"apps/prod/wallet.yaml": None, PROD: None})

        assert {state for state, _ in verdicts.values()} == {"passed"}
        assert verdicts["order"][1] == "takes wallet out of prod, and no environment after it has it"

    def test_files_before_the_application_are_refused(self, lane: Lane) -> None:
        verdicts = self.judged(lane, {PROD: None})

        assert verdicts["scope"] == ("refused", "takes wallet out of prod, where apps/prod/wallet.yaml still is")

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"apps/staging/wallet.yaml": None}, "prod, promoted from staging, has it still: apps/prod/wallet.yaml"),
            ({"services/wallet.yaml": None}, "out of the catalog, and dev has it still: apps/dev/wallet.yaml"),
            (
                {"apps/dev/wallet.yaml": None, "environments/dev/wallet": None},
                "staging, promoted from dev, has it still",
            ),
        ],
    )
    def test_out_of_order_is_refused(self, lane: Lane, changes: dict[str, forged.Change], told: str) -> None:
        state, why = self.judged(lane, changes)["order"]

        assert state == "refused"
        assert told in why

    @pytest.mark.parametrize("path", ["shiplane.yaml", "apps/prod/ledger.yaml", "environments/dev/wallet/values.yaml"])
    def test_it_changes_nothing_besides(self, lane: Lane, path: str) -> None:
        state, why = self.judged(lane, {"apps/prod/wallet.yaml": None, PROD: None, path: b"x: 1\n"})["scope"]

        assert state == "refused"
        assert f"changes more: {path}" in why

    def test_an_application_that_goes_elsewhere_is_everybodys(self, lane: Lane) -> None:
        """apps/dev may hold one that runs in prod's cluster: who answers for prod is asked, too."""
        path = "apps/dev/ledger.yaml"
        evil = (show(lane.repo, "apps/dev/wallet.yaml") or b"").replace(b'"eks-dev"', b'"eks-prod"')
        story.write(lane.repo, {path: evil})
        head = forged.commit(lane.repo, {path: None})

        verdicts = lane.verdicts(forged.pushed(lane.repo, head, reviews=("rev@acme.example",)))

        assert verdicts["approvals"][1].startswith("1 of 2")


FORKED = b"""\
version: 1
environments:
  dev: {merge: auto, cluster: a, registry: registry.acme.example}
  prod-eu: {from: staging, cluster: b}
  staging: {from: dev, cluster: c}
  prod-us: {from: staging, cluster: d}
"""


def test_a_lane_that_forks_is_left_from_its_ends() -> None:
    config = load(FORKED)
    assert [each.name for each in retire.order(config)] == ["prod-eu", "prod-us", "staging", "dev"]
    here = {f"apps/{name}/wallet.yaml": Entry("100644", name, b"x") for name in config.environments}

    draft = retire.plan(config, Snapshot("tip", here), Retiring("wallet", "prod-us", "ann@acme.example"))

    assert isinstance(draft, Draft)
    assert draft.branch == "shiplane/retire/prod-us/wallet"
    assert [(change.path, change.mode == GONE) for change in draft.changes] == [
        ("apps/prod-us/wallet.yaml", True),
        ("holds/prod-us/wallet.yaml", False),
    ]
    assert "What becomes of what runs cannot be told" in draft.body  # its Application says nothing that can be read
    nothing = retire.plan(config, Snapshot("tip"), Retiring("wallet"))
    assert isinstance(nothing, Nothing)
