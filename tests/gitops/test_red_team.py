"""Attacks on prod by pull requests that no command of ours has made: each is refused by name, and prod stays.

The branches and records are built by git's plumbing, as anybody with a clone could push them. docs/security.md has the
table; its last column names the tests here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ShiplaneError
from gitops import clock, desk
from gitops.catalog import Service, entry_yaml
from gitops.holds import Hold, hold_yaml
from gitops.initial import initial_tree
from gitops.model import FILE, TREE, Override
from gitops.pull_request import Review
from tests.gitops import forged, story
from tests.gitops.gated import Lane, configuration
from tests.gitops.literal import NOW
from tests.gitops.story import digest, git, tag

PROD, STAGING = "environments/prod/wallet", "environments/staging/wallet"
HOLD = "holds/prod/wallet.yaml"
PEOPLE = ("rev@acme.example", "sue@acme.example", "sam@acme.example")
LINK, SUBMODULE = "120000", "160000"
LARGE = bytes(11 * 1024 * 1024)
Changes = Mapping[str, forged.Change]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """wallet and ledger in all environments: dev has `two`, staging `one`, prod `zero`; nothing of purse yet."""
    tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
    for name in ("wallet", "ledger", "purse"):
        entry = entry_yaml(Service(name, "payments", f"acme/{name}", f"acme/{name}", "standard"))
        tree[f"services/{name}.yaml"] = (FILE, entry)
    files: dict[str, tuple[str, bytes]] = {}
    for environment, word in (("dev", "two"), ("staging", "one"), ("prod", "zero")):
        for name in ("wallet", "ledger"):
            files |= story.pinned(tree, name, word, environment)
    files |= story.pinned(tree, "purse", "one", "staging")
    files[HOLD] = (FILE, hold_yaml(Hold("leaks", "ann@acme.example", (tag("two"), tag("three")))))
    extra = {path: data for path, (_, data) in files.items()} | {"shiplane.yaml": configuration()}
    return story.repository(tmp_path_factory.mktemp("red") / "made.git", ("wallet", "ledger", "purse"), extra=extra)


@pytest.fixture
def repo(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "gitops.git"))


def oid(repo: Path, path: str, commit: str = "main") -> str:
    return git(repo, "rev-parse", f"{commit}:{path}")


def promotion(repo: Path, source: str = STAGING, target: str = PROD) -> dict[str, forged.Change]:
    """What an honest promotion changes: object ids, and nothing else."""
    names = ((FILE, "release.yaml"), (FILE, "origin.yaml"), (TREE, "chart"))
    return {f"{target}/{name}": (mode, oid(repo, f"{source}/{name}")) for mode, name in names}


def attacked(repo: Path, changes: Changes, **facts: Any) -> int:
    """The number of a pull request that adds these changes to an honest promotion; everybody has approved it."""
    head = forged.commit(repo, {**promotion(repo), **changes})
    return forged.pushed(repo, head, reviews=PEOPLE, **facts)


def against(repo: Path, number: int) -> dict[str, str]:
    """What `verify` says against a pull request, by gate; merging it is refused, and prod stays as it was."""
    before = git(repo, "rev-parse", "main")
    verdicts = Lane(repo).verdicts(number)
    with pytest.raises(ShiplaneError) as caught:
        desk.merge(str(repo), number, None, None)
    assert caught.value.exit_code == 3
    assert git(repo, "rev-parse", "main") == before
    assert all(why.isprintable() for _, why in verdicts.values())
    return {gate: why for gate, (state, why) in verdicts.items() if state != "passed"}


def test_an_honest_promotion_passes(repo: Path) -> None:
    """The attacks below differ from this in what they attack, and in nothing else."""
    number = attacked(repo, {})

    assert {state for state, _ in Lane(repo).verdicts(number, 0).values()} == {"passed"}
    desk.merge(str(repo), number, None, None)
    assert Lane(repo).pinned("prod") == tag("one")


@dataclass(frozen=True)
class Attack:
    """What is added to an honest promotion, the gate that refuses it, and what it names."""

    changes: Changes | Callable[[Path], Changes]
    gate: str
    told: str


RELEASE = f'image:\n  tag: "{tag("one")}"\n  digest: "{digest("evil")}"\n'.encode()
EVIL = b"image:\n  repository: evil.example/wallet\n"
ATTACKS = {
    # pins something else
    "another-release": Attack(lambda repo: promotion(repo, "environments/dev/wallet"), "order", "release.yaml differ"),
    "another-service": Attack(
        lambda repo: promotion(repo, "environments/staging/ledger"), "order", "origin.yaml differ"
    ),
    "digest": Attack({f"{PROD}/release.yaml": RELEASE}, "parity", "staging has pinned"),
    "digest-by-order": Attack({f"{PROD}/release.yaml": RELEASE}, "order", f"{PROD}/release.yaml differ"),
    "moving-tag": Attack({f"{PROD}/release.yaml": b"image: {tag: latest, digest: x}\n"}, "parity", "release.yaml:1"),
    "more-values": Attack({f"{PROD}/release.yaml": RELEASE + b"env: {FEES: none}\n"}, "parity", "env: is not known"),
    "chart": Attack({f"{PROD}/chart/templates/cm.yaml": b"kind: Secret\n"}, "order", f"{PROD}/chart differ"),
    "chart-and-more": Attack({f"{PROD}/chart/templates/x.yaml": b"kind: Pod\n"}, "order", f"{PROD}/chart differ"),
    "chart-for-another": Attack(lambda repo: {f"{PROD}/chart": (TREE, oid(repo, "services"))}, "tree", "is no chart"),
    "origin": Attack(
        {f"{PROD}/origin.yaml": b"source: eve/x\nchart: 0.1.0\nproved: true\n"}, "parity", "comes from eve/x"
    ),
    "a-second-pin": Attack(
        lambda repo: promotion(repo, "environments/dev/ledger", "environments/prod/ledger"), "order", "ledger in prod"
    ),
    "a-part-only": Attack({f"{PROD}/chart": None}, "tree", "is no chart"),
    # changes more than it pins
    **{
        f"edits-{path.replace('/', '-')}": Attack({path: b"x: 1\n"}, "scope", path)
        for path in (
            "shiplane.yaml",
            ".github/CODEOWNERS",
            ".github/workflows/verify.yaml",
            "defaults/prod/application.yaml",
            "services/wallet.yaml",
            "services/ledger.yaml",
            "projects/prod.yaml",
            "bootstrap/root.yaml",
            "apps/prod/wallet.yaml",
            "apps/prod/another.yaml",
            "apps/dev/wallet.yaml",
            "environments/prod/ledger/values.yaml",
            "environments/staging/wallet/values.yaml",
            "environments/prod/wallet/more.yaml",
            "environments/prod/more.yaml",
            "holds/prod/ledger.yaml",
            "holds/staging/wallet.yaml",
            "README.md",
        )
    },
    "deletes-an-application": Attack({"apps/prod/wallet.yaml": None}, "scope", "apps/prod/wallet.yaml"),
    "deletes-settings": Attack({f"{PROD}/values.yaml": None}, "parity", f"{PROD}/values.yaml: is no file"),
    "deletes-another-service": Attack({"environments/prod/ledger": None}, "scope", "takes ledger out of prod"),
    "hidden-by-a-rename": Attack(
        lambda repo: {
            "environments/prod/ledger/values.yaml": None,
            f"{PROD}/values.yaml": story.show(repo, "environments/prod/ledger/values.yaml"),
        },
        "scope",
        "environments/prod/ledger/values.yaml",
    ),
    "a-hold-deleted": Attack({HOLD: None}, "scope", HOLD),
    "a-hold-narrowed": Attack({HOLD: hold_yaml(Hold("x", "eve", (tag("two"),)))}, "scope", HOLD),
    # settings of a person, which come along openly
    "another-registry": Attack({f"{PROD}/values.yaml": EVIL}, "parity", "image.repository is evil.example/wallet"),
    "another-registry-by-an-alias": Attack(
        {f"{PROD}/values.yaml": b"x: &x evil.example/wallet\nimage: {repository: *x}\n"}, "parity", "an alias is not"
    ),
    "settings-that-the-chart-refuses": Attack({f"{PROD}/values.yaml": b"image: []\n"}, "parity", "must be text"),
    # what readers of a tree see differently
    "case": Attack({"environments/prod/Wallet/release.yaml": RELEASE}, "scope", "differs from environments/prod/"),
    "case-of-an-environment": Attack({"environments/Prod/wallet/release.yaml": RELEASE}, "scope", "only in case"),
    "case-of-a-root": Attack({"Apps/prod/wallet.yaml": b"x: 1\n"}, "scope", "only in case"),
    "case-of-settings": Attack({f"{PROD}/Values.yaml": EVIL}, "scope", "only in case"),
    "link": Attack({f"{PROD}/more.yaml": (LINK, b"../../../services/wallet.yaml")}, "scope", "a symbolic link"),
    "link-out-of-the-repository": Attack({"docs/x": (LINK, b"/etc/passwd")}, "scope", "docs/x is a symbolic link"),
    "link-for-settings": Attack({f"{PROD}/values.yaml": (LINK, b"../../staging/wallet/values.yaml")}, "scope", "link"),
    "link-for-a-release": Attack({f"{PROD}/release.yaml": (LINK, b"../../dev/wallet/release.yaml")}, "scope", "link"),
    "link-for-a-chart": Attack({f"{PROD}/chart": (LINK, b"../../dev/wallet/chart")}, "scope", "link"),
    "link-in-a-chart": Attack({f"{PROD}/chart/x": (LINK, b"/etc/passwd")}, "tree", "chart/x is a symbolic link"),
    "link-for-an-application": Attack({"apps/prod/x.yaml": (LINK, b"../dev/wallet.yaml")}, "scope", "a symbolic link"),
    "submodule": Attack({"vendor/x": (SUBMODULE, "1" * 40)}, "scope", "vendor/x is a submodule"),
    "submodule-in-a-chart": Attack({f"{PROD}/chart/charts/x": (SUBMODULE, "1" * 40)}, "tree", "a submodule"),
    "submodule-for-a-chart": Attack(
        lambda repo: {f"{PROD}/chart": (SUBMODULE, oid(repo, f"{STAGING}/chart"))}, "scope", "a submodule"
    ),
    "argocd-source-in-a-chart": Attack({f"{PROD}/chart/.argocd-source.yaml": b"helm: {}\n"}, "tree", "Argo CD would"),
    "argocd-source-beside-it": Attack({f"{PROD}/.argocd-source-wallet-prod.yaml": b"x"}, "scope", "Argo CD would take"),
    "gitattributes": Attack({f"{PROD}/.gitattributes": b"* ident\n"}, "scope", "git would take its own settings"),
    "newline": Attack({"environments/prod/wal\nlet/x": b"x"}, "scope", "wal\\nlet/x a file name must be printable"),
    "newline-in-a-chart": Attack({f"{PROD}/chart/x\n✓ all gates": b"x"}, "tree", "must be printable"),
    "terminal": Attack({"docs/\x1b[2J": b"x"}, "scope", "docs/\\x1b[2J a file name must be printable"),
    "no-text": Attack({"docs/\udcff": b"x"}, "scope", "must be printable"),
    "backslash": Attack({"docs\\x": b"x"}, "scope", "without a backslash"),
    "pathspec": Attack({":!environments": b"x"}, "scope", ":!environments"),
    "pathspec-magic": Attack({":(glob)**/x": b"x"}, "scope", ":(glob)**/x"),
    "a-tree-for-a-file": Attack(
        {f"{PROD}/release.yaml": None, f"{PROD}/release.yaml/x": b"x"}, "parity", "regular file"
    ),
    "a-tree-for-settings": Attack(
        {f"{PROD}/values.yaml": None, f"{PROD}/values.yaml/x": b"x"}, "scope", f"{PROD}/values.yaml is a folder"
    ),
    "a-tree-for-the-configuration": Attack(
        {"shiplane.yaml": None, "shiplane.yaml/x": b"x"}, "scope", "shiplane.yaml is a folder"
    ),
    "a-tree-for-a-hold": Attack({HOLD: None, f"{HOLD}/x": b"x"}, "scope", HOLD),
    "a-file-for-a-chart": Attack({f"{PROD}/chart": b"x"}, "tree", "is no chart"),
    # more than anybody can look at
    "too-many-files": Attack({f"{PROD}/chart/f/{n}": b"" for n in range(1001)}, "tree", "over 1000 files"),
    "too-large": Attack({f"{PROD}/chart/big": LARGE}, "tree", "over 1000 files or 10485760 bytes"),
    "too-large-to-be-read": Attack(
        {f"{PROD}/chart/{n}": LARGE + b"%d" % n for n in range(13)}, "read", "hold more than 134217728 bytes"
    ),
    "very-many-paths": Attack({f"docs/{n}/{'x' * 100}": b"" for n in range(5000)}, "scope", "and 4995 more"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_change_that_looks_like_a_promotion(name: str, repo: Path) -> None:
    attack = ATTACKS[name]
    changes = attack.changes(repo) if callable(attack.changes) else attack.changes
    found = against(repo, attacked(repo, changes))

    assert attack.told in found.get(attack.gate, ""), found


class TestTreesThatGitWouldNotMake:
    """Pushed as raw objects: a server that does not check them takes them."""

    def test_a_name_twice(self, repo: Path) -> None:
        """One reader takes the first release.yaml, another the last."""
        evil = git(repo, "hash-object", "-w", "--stdin", stdin=RELEASE)
        honest = forged.commit(repo, promotion(repo))
        entries = forged.entries(repo, f"{honest}:{PROD}")
        at = [name for _, _, name in entries].index(b"release.yaml")
        for index in (at, at + 1):
            twice = [*entries[:index], ("100644", evil, b"release.yaml"), *entries[index:]]
            head = forged.replaced(repo, PROD, forged.tree(repo, twice))
            found = against(repo, forged.pushed(repo, head, reviews=PEOPLE))
            assert found == {"read": f"cannot be judged: {PROD}/release.yaml: stands twice in its folder"}

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            (b"..", "is no place"),
            (b".", "is no place"),
            (b".git", "git would take its own settings from it"),
            (b".GIT", "git would take its own settings from it"),
            (b"a/b", "changes more than it pins"),
        ],
    )
    def test_a_name_that_is_no_place(self, repo: Path, name: bytes, told: str) -> None:
        honest = forged.commit(repo, promotion(repo))
        blob = git(repo, "hash-object", "-w", "--stdin", stdin=RELEASE)
        entries = sorted([*forged.entries(repo, f"{honest}:{PROD}"), ("100644", blob, name)], key=lambda e: e[2])
        head = forged.replaced(repo, PROD, forged.tree(repo, entries))

        assert told in against(repo, forged.pushed(repo, head, reviews=PEOPLE))["scope"]

    def test_a_path_in_one_name(self, repo: Path) -> None:
        """An entry of the root's tree that is called as a release's path is more than git itself can merge."""
        evil = git(repo, "hash-object", "-w", "--stdin", stdin=RELEASE)
        name = b"environments/prod/purse/release.yaml"
        entries = sorted([*forged.entries(repo, "main"), ("100644", evil, name)], key=lambda e: e[2])
        head = git(repo, "commit-tree", forged.tree(repo, entries), "-p", "main", "-m", "x")
        number = forged.pushed(repo, head, reviews=PEOPLE)
        before = git(repo, "rev-parse", "main")

        for verb in ("verify", "merge"):
            assert "git merge-tree" in Lane(repo).run(verb, number, code=1).stderr
        assert git(repo, "rev-parse", "main") == before


class TestWithoutAPromotion:
    """Changes that pin nothing have no order to keep; what they may not do is refused all the same."""

    def alone(self, repo: Path, changes: Changes, reviews: tuple[str, ...] = PEOPLE) -> dict[str, str]:
        return against(repo, forged.pushed(repo, forged.commit(repo, changes), "people/x", reviews, move=None))

    @pytest.mark.parametrize(
        ("path", "target"),
        [
            ("environments/prod/purse", b"../staging/purse"),  # prod would be what staging is, from then on
            ("environments/prod-eu", b"staging"),
            ("apps/prod/purse.yaml", b"../staging/purse.yaml"),
            ("defaults/prod/values.yaml", b"../dev/values.yaml"),
            ("README.md", b"/etc/hostname"),  # Argo CD reads nothing of a repository that has such a link
        ],
    )
    def test_a_link(self, repo: Path, path: str, target: bytes) -> None:
        assert f"{path} is a symbolic link" in self.alone(repo, {path: (LINK, target)})["scope"]

    def test_a_whole_environment_as_a_link(self, repo: Path) -> None:
        entries = [each for each in forged.entries(repo, "main:environments") if each[2] != b"prod"]
        target = git(repo, "hash-object", "-w", "--stdin", stdin=b"staging")
        head = forged.replaced(
            repo, "environments", forged.tree(repo, sorted([*entries, (LINK, target, b"prod")], key=lambda e: e[2]))
        )

        assert (
            "environments/prod is a symbolic link" in against(repo, forged.pushed(repo, head, reviews=PEOPLE))["scope"]
        )

    def test_an_environment_as_a_submodule(self, repo: Path) -> None:
        assert "is a submodule" in self.alone(repo, {"environments/prod/purse/chart": (SUBMODULE, "1" * 40)})["scope"]

    @pytest.mark.parametrize(
        "path",
        [
            "shiplane.yaml",
            "apps/dev/evil.yaml",
            "defaults/dev/application.yaml",
            "projects/dev.yaml",
            "bootstrap/root.yaml",
        ],
    )
    def test_what_decides_about_prod_without_an_approval(self, repo: Path, path: str) -> None:
        unread = {"rules"} if path == "shiplane.yaml" else set()  # nobody could judge anything after that
        assert self.alone(repo, {path: b"x: 1\n"}, ()).keys() == {"approvals", *unread}

    def test_settings_that_lead_to_another_image(self, repo: Path) -> None:
        assert "evil.example/wallet" in self.alone(repo, {f"{PROD}/values.yaml": EVIL})["settings"]

    def test_a_service_that_nobody_knows(self, repo: Path) -> None:
        changes = promotion(repo, "environments/staging/purse", "environments/prod/evil")

        assert "evil: is not in the catalog" in self.alone(repo, changes)["read"]

    def test_a_release_of_another_source_into_dev(self, repo: Path) -> None:
        """Where releases come in there is no order; the catalog says whose they are."""
        dev = "environments/dev/wallet"
        changes = {f"{dev}/origin.yaml": b'source: "eve/wallet"\nchart: "0.1.0"\nrun: 9\nproved: true\n'}

        assert "comes from eve/wallet, and the catalog says acme/wallet" in self.alone(repo, changes)["parity"]

    def test_a_service_is_taken_out_with_its_application(self, repo: Path) -> None:
        gone: Changes = {"environments/prod/ledger": None}
        assert "where apps/prod/ledger.yaml still is" in self.alone(repo, gone)["scope"]
        both = {**gone, "apps/prod/ledger.yaml": None}
        assert self.alone(repo, both, ()).keys() == {"approvals"}
        number = forged.pushed(repo, forged.commit(repo, both), "people/x", PEOPLE, move=None)

        desk.merge(str(repo), number, None, None)
        assert story.content(repo, "prod", "ledger") == {}


class TestFirstPromotion:
    PURSE = ("environments/staging/purse", "environments/prod/purse")

    def starts(self, repo: Path) -> dict[str, bytes]:
        """What the defaults give, as `promote` writes it."""
        outcome = story.promotion(repo, "purse", "prod").plan
        return {c.path: c.content for c in outcome.changes if isinstance(c.content, bytes)}  # type: ignore[union-attr]  # a draft, not nothing

    def opened(self, repo: Path, changes: Changes) -> int:
        head = forged.commit(repo, {**promotion(repo, *self.PURSE), **changes})
        return forged.pushed(repo, head, "people/purse", PEOPLE)

    def test_as_the_defaults_give_it(self, repo: Path) -> None:
        assert Lane(repo).verdicts(self.opened(repo, self.starts(repo)), 0)["scope"][1] == "only purse in prod"

    def test_an_application_that_goes_somewhere_else(self, repo: Path) -> None:
        starts = self.starts(repo)
        app = "apps/prod/purse.yaml"
        for old, new in (
            (b'project: "prod"', b"project: bootstrap"),
            (b"eks-prod", b"eks-dev"),
            (
                b"\n",
                b"\n ",
            ),
        ):
            assert old in starts[app]
            number = self.opened(repo, {**starts, app: starts[app].replace(old, new, 1)})
            assert against(repo, number)["scope"] == f"changes more than it pins: {app}"

    def test_defaults_of_its_own(self, repo: Path) -> None:
        """The defaults that count are those of the default branch."""
        starts = self.starts(repo)
        template = story.show(repo, "defaults/prod/application.yaml") or b""
        changes = {
            **starts,
            "defaults/prod/application.yaml": template.replace(b'project: "{environment}"', b"project: bootstrap"),
            "apps/prod/purse.yaml": starts["apps/prod/purse.yaml"].replace(b'project: "prod"', b"project: bootstrap"),
        }
        found = against(repo, self.opened(repo, changes))["scope"]

        assert found == "changes more than it pins: defaults/prod/application.yaml, apps/prod/purse.yaml"


class TestPeople:
    """The embedded forge authenticates nobody: these rules are about honest names."""

    @pytest.mark.parametrize(
        ("reviews", "facts"),
        [
            pytest.param((), {}, id="nobody"),
            pytest.param((forged.EVE,), {}, id="author"),
            pytest.param(("EVE@acme.example",), {}, id="author-in-capitals"),
            pytest.param(("ann@acme.example",), {"requester": "ann@acme.example"}, id="requester"),
            pytest.param(("cy@acme.example",), {"committers": ("cy@acme.example",)}, id="committer"),
            pytest.param(("renovate[bot]@acme.example",), {}, id="bot"),
            pytest.param((Review("rev@acme.example", "f" * 40, NOW),), {}, id="older-head"),
            pytest.param((), {"body": "approved by rev@acme.example\n<!-- shiplane:1 {} -->"}, id="body"),
            pytest.param((), {"title": "approved: promote wallet"}, id="title"),
        ],
    )
    def test_an_approval_that_does_not_count(self, repo: Path, reviews: tuple[str | Review, ...], facts: Any) -> None:
        head = forged.commit(repo, promotion(repo))

        assert against(repo, forged.pushed(repo, head, reviews=reviews, **facts)).keys() == {"approvals"}

    def test_trailers(self, repo: Path) -> None:
        message = "promote wallet\n\nReviewed-by: rev@acme.example\nShiplane-Override: approvals: granted\n"
        head = forged.commit(repo, promotion(repo), message=message)

        assert against(repo, forged.pushed(repo, head)).keys() == {"approvals"}

    def test_an_override_that_the_environment_does_not_allow(self, repo: Path) -> None:
        head = forged.commit(repo, promotion(repo, "environments/dev/wallet"))
        overrides = (Override("order", "because"), Override("approvals", "because"))
        found = against(repo, forged.pushed(repo, head, reviews=PEOPLE, overrides=overrides))

        assert "(no override: the environment allows none here)" in found["order"]

    def test_a_record_that_claims_another_place(self, repo: Path) -> None:
        """What is judged is the change, whatever branch, title and record say that it is."""
        head = forged.commit(repo, promotion(repo, "environments/dev/wallet"))
        claims = {"title": "promote wallet to dev", "move": None}
        number = forged.pushed(repo, head, "shiplane/pin/dev/wallet", PEOPLE, **claims)

        assert "is not what staging has pinned" in against(repo, number)["order"]


class TestBranches:
    def moved(self, repo: Path, number: int, told: str) -> None:
        """Refused before any gate is asked, with the way out."""
        before = git(repo, "rev-parse", "main")
        for words in (["verify", str(number)], ["merge", str(number)]):
            done = story.gitops(*words, "--repo", str(repo))
            assert done.returncode in (1, 3)
            assert told in done.stderr
            assert f"try: gitops close {number}" in done.stderr
        assert git(repo, "rev-parse", "main") == before

    def test_a_push_after_the_approval(self, repo: Path) -> None:
        number = attacked(repo, {})
        evil = forged.commit(repo, promotion(repo, "environments/dev/wallet"))
        git(repo, "update-ref", "refs/heads/shiplane/pin/prod/wallet", evil)

        self.moved(repo, number, "shiplane/pin/prod/wallet: was moved or deleted by other means")

    def test_a_head_that_vanishes(self, repo: Path) -> None:
        number = attacked(repo, {})
        git(repo, "update-ref", "-d", "refs/heads/shiplane/pin/prod/wallet")

        self.moved(repo, number, "was moved or deleted by other means")

    def test_a_rebase(self, repo: Path) -> None:
        number = attacked(repo, {})
        story.write(repo, {"README.md": b"more\n"})
        git(repo, "update-ref", "refs/heads/shiplane/pin/prod/wallet", forged.commit(repo, promotion(repo)))

        self.moved(repo, number, "was moved or deleted by other means")

    def test_a_merge_that_brings_other_changes(self, repo: Path) -> None:
        honest = forged.commit(repo, promotion(repo))
        other = forged.commit(repo, {"projects/prod.yaml": b"x: 1\n"})
        tree = git(repo, "merge-tree", "--write-tree", honest, other)
        head = git(repo, "commit-tree", tree, "-p", honest, "-p", other, "-m", "Merge branch main")

        self.moved(repo, forged.pushed(repo, head, reviews=PEOPLE), "is not one commit on")

    def test_several_commits(self, repo: Path) -> None:
        first = forged.commit(repo, {"projects/prod.yaml": b"x: 1\n"})
        head = forged.commit(repo, promotion(repo), base=first)

        self.moved(repo, forged.pushed(repo, head, reviews=PEOPLE), "is not one commit on")

    def test_a_base_that_is_none(self, repo: Path) -> None:
        head = forged.commit(repo, promotion(repo))

        self.moved(repo, forged.pushed(repo, head, reviews=PEOPLE, base="1" * 40), "is not one commit on")

    def test_an_old_base_is_judged_by_what_the_merge_would_leave(self, repo: Path) -> None:
        """Staging has moved on, and what it had it has had; shiplane.yaml has, too, and the new one counts."""
        old = git(repo, "rev-parse", "main")
        head = forged.commit(repo, promotion(repo))
        moved = {
            path.replace("dev", "staging"): data
            for path, data in promotion(repo, "environments/dev/wallet", STAGING).items()
        }
        changes = {**moved, "shiplane.yaml": configuration(prod="{approvals: 3}")}
        git(repo, "update-ref", "refs/heads/main", forged.commit(repo, changes))
        number = forged.pushed(repo, head, reviews=PEOPLE[:2], base=old)
        assert against(repo, number).keys() == {"approvals"}
        desk.approve(str(repo), number, PEOPLE[2])

        assert Lane(repo).verdicts(number, 0)["order"][1] == "staging has had this very release"

    def test_an_old_base_that_undoes_what_came_since(self, repo: Path) -> None:
        """A branch from before a hold does not take the hold away; one that says so is refused."""
        base = git(repo, "rev-parse", "main~0")
        story.write(repo, {"holds/prod/wallet.yaml": hold_yaml(Hold("INC-7", "ann@acme.example"))})
        head = forged.commit(repo, promotion(repo), base=base)

        assert against(repo, forged.pushed(repo, head, reviews=PEOPLE, base=base)).keys() == {"hold"}

    def test_both_sides_changed_the_same(self, repo: Path) -> None:
        base = git(repo, "rev-parse", "main")
        head = forged.commit(repo, promotion(repo))
        story.write(repo, {f"{PROD}/release.yaml": RELEASE})
        number = forged.pushed(repo, head, reviews=PEOPLE, base=base)

        assert against(repo, number)["conflict"] == f"both sides changed {PROD}/release.yaml"

    def test_the_default_branch_itself(self, repo: Path) -> None:
        before = story.refs(repo)["refs/heads/main"]
        number = forged.pushed(repo, before, "main", PEOPLE, base=git(repo, "rev-parse", "main"))
        done = story.gitops("merge", str(number), "--repo", str(repo))

        assert done.returncode in (1, 3)
        assert "Traceback" not in done.stderr
        assert story.refs(repo)["refs/heads/main"] == before


class TestMergedByOtherMeans:
    """Whoever may push to main can put there what a pull request holds: it then counts as nobody's."""

    @pytest.mark.parametrize("how", ["squash", "rebase", "merge-commit", "fast-forward"])
    def test_it_has_no_time_that_soak_would_take(self, repo: Path, how: str) -> None:
        story.write(repo, {"shiplane.yaml": configuration(prod="{soak: 1m}")})
        number = Lane(repo).number("promote", "ledger", "--to", "staging")
        head = git(repo, "rev-parse", "shiplane/pin/staging/ledger")
        if how != "fast-forward":
            story.write(repo, {"README.md": b"more\n"})
        tree = git(repo, "merge-tree", "--write-tree", "main", head)
        more = ["-p", head] if how == "merge-commit" else []
        other = git(repo, "commit-tree", tree, "-p", "main", *more, "-m", f"promote ledger to staging (#{number})")
        git(repo, "update-ref", "refs/heads/main", head if how == "fast-forward" else other)

        assert Lane(repo).pinned("staging") == tag("one")
        assert "both sides changed" in against(repo, number)["conflict"]
        done = Lane(repo).run("promote", "ledger", "--to", "prod", code=3)
        assert "soak: nobody knows since when staging has it" in done.stderr

    def test_in_a_queue_each_is_judged_on_what_those_before_it_leave(self, repo: Path) -> None:
        """Both pass while they wait; the one that comes second does not, whichever it is."""
        pin = attacked(repo, {})
        hold = {HOLD: hold_yaml(Hold("INC-7", "ann@acme.example"))}
        held = forged.pushed(repo, forged.commit(repo, hold), "shiplane/hold/prod/wallet", PEOPLE, move=None)
        for number in (pin, held):
            assert {state for state, _ in Lane(repo).verdicts(number, 0).values()} == {"passed"}
        desk.merge(str(repo), held, None, None)

        assert against(repo, pin).keys() == {"hold"}


class TestTheWayBack:
    def test_a_rollback_that_is_none(self, repo: Path) -> None:
        head = forged.commit(repo, promotion(repo, "environments/dev/wallet"), message="roll back wallet to prod")
        found = against(repo, forged.pushed(repo, head, reviews=PEOPLE, title="roll back wallet to prod"))

        assert found.keys() == {"order", "hold"}

    def test_what_was_left_for_an_older_one_is_no_way_back(self, repo: Path) -> None:
        """Past a hold, past a freeze and with fewer approvals it would come again."""
        prod = "{approvals: {count: 3, rollback: 1}, freeze: [{from: '00:00', to: '23:59', zone: UTC}]}"
        base = promotion(repo, PROD, PROD)
        story.write(repo, {"shiplane.yaml": configuration(prod=prod)})
        for state in (promotion(repo), base):  # `one` came, and was left for `zero` again
            git(repo, "update-ref", "refs/heads/main", forged.commit(repo, state))
        head = forged.commit(repo, promotion(repo))
        found = against(repo, forged.pushed(repo, head, reviews=PEOPLE[:1]))

        assert found.keys() == {"freeze", "approvals"}
        assert found["approvals"].startswith("1 of 3")

    def test_one_with_settings_that_prod_never_had(self, repo: Path) -> None:
        prod = "{approvals: {count: 3, rollback: 1}, freeze: [{from: '00:00', to: '23:59', zone: UTC}]}"
        story.write(repo, {"shiplane.yaml": configuration(prod=prod)})
        zero = promotion(repo, PROD, PROD)
        git(repo, "update-ref", "refs/heads/main", forged.commit(repo, promotion(repo)))
        values = (story.show(repo, f"{PROD}/values.yaml") or b"") + b"env: {FEES: none}\n"
        with_them = forged.commit(repo, {**zero, f"{PROD}/values.yaml": values})
        assert against(repo, forged.pushed(repo, with_them, reviews=PEOPLE[:1])).keys() == {
            "order",
            "freeze",
            "approvals",
        }

        honest = forged.pushed(repo, forged.commit(repo, zero), reviews=PEOPLE[:1])
        assert {state for state, _ in Lane(repo).verdicts(honest, 0).values()} == {"passed"}


class TestClocks:
    @pytest.fixture
    def lane(self, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Lane:
        story.write(repo, {"shiplane.yaml": configuration(prod="{soak: 24h}")})
        lane = Lane(repo)
        monkeypatch.setattr(clock, "now", lambda: lane.now)
        lane.run("promote", "ledger", "--to", "staging")
        desk.merge(str(repo), 1, None, None)
        return lane

    def test_a_record_from_the_future_waits_for_it(self, lane: Lane) -> None:
        lane.later(days=-3650)
        story.gitops("promote", "ledger", "--to", "prod", "--repo", str(lane.repo))

        assert "until Thu 2026-01-08 12:00 UTC" in lane.verdicts(2, 1)["soak"][1]

    def test_a_record_from_the_end_of_time_is_damaged(self, lane: Lane) -> None:
        ref = "refs/shiplane/pinned/shiplane/pin/staging/ledger"
        message = git(lane.repo, "log", "-1", "--format=%B", ref).replace("2026-01-07T12", "9999-12-31T12")
        tree = git(lane.repo, "rev-parse", f"{ref}^{{tree}}")
        git(lane.repo, "update-ref", ref, git(lane.repo, "commit-tree", tree, stdin=message.encode()))
        done = story.gitops("promote", "ledger", "--to", "prod", "--repo", str(lane.repo))

        assert done.returncode == 1
        assert "is a damaged pull request record" in done.stderr

    def test_dates_of_commits_are_not_asked(self, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever commits writes them; the record tells when it was merged."""
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{role}_DATE", "946684800 +0000")
        git(lane.repo, "update-ref", "refs/heads/main", forged.commit(lane.repo, {"README.md": b"old\n"}))
        lane.later(hours=23)
        lane.run("promote", "ledger", "--to", "prod")

        assert lane.verdicts(2, 1)["soak"][0] == "waiting"


def test_a_chart_whose_schema_refuses_todays_settings(repo: Path) -> None:
    schema = b'{"required": ["fees"]}'
    for environment in ("staging", "prod"):
        changes: Changes = {f"environments/{environment}/wallet/chart/values.schema.json": schema}
        if environment == "staging":
            git(repo, "update-ref", "refs/heads/main", forged.commit(repo, changes))
    found = against(repo, attacked(repo, {}))

    assert found.keys() == {"renders"}
    assert "fees" in found["renders"]


def test_a_chart_whose_schema_leads_out_of_it(repo: Path) -> None:
    schema: Changes = {f"{STAGING}/chart/values.schema.json": b'{"$ref": "http://10.0.0.1/x.json"}'}
    git(repo, "update-ref", "refs/heads/main", forged.commit(repo, schema))
    found = against(repo, attacked(repo, {}))

    assert found.keys() == {"tree", "renders"}
    assert "its $ref leads out of it" in found["tree"]
    assert found["renders"] == "helm is not shown a tree that is refused"
