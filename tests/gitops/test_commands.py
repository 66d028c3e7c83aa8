"""The commands as people and CI run them: what stdout, stderr and exit codes say, and what is changed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.commands.main import main
from gitops.commands.gitops import gitops
from gitops.commands.promote import promote
from tests.conftest import ROOT
from tests.gitops import story
from tests.gitops.story import REVIEWER, digest, refs

ADDRESS = re.compile(r"^(\S+)#(\d+)$")


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def number(self) -> int:
        """The pull request whose address, and nothing else, is on stdout."""
        found = ADDRESS.match(self.out.removesuffix("\n"))
        assert found, self
        return int(found[2])

    @property
    def items(self) -> list[dict[str, Any]]:
        """What stdout says in JSON, and nothing else."""
        items = json.loads(self.out)["items"]
        assert isinstance(items, list)
        return items


class Shell:
    """Runs commands in this process, in a folder of their own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder, self._capsys, self._patch = folder, capsys, patch

    def __call__(self, *words: object) -> Said:
        command = promote if words[0] == "promote" else gitops
        argv = [str(word) for word in (words[1:] if words[0] == "promote" else words)]
        code = main(command, argv)
        told = Said(code, *self._capsys.readouterr())
        assert "Traceback" not in told.err, told.err
        return told

    def ok(self, *words: object) -> Said:
        """As a call, for a command that must end with 0."""
        told = self(*words)
        assert told.code == 0, told
        return told

    def me(self, name: str) -> None:
        """Be another person from now on."""
        for role in ("AUTHOR", "COMMITTER"):
            self._patch.setenv(f"GIT_{role}_EMAIL", f"{name}@acme.example")


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, capsys, monkeypatch)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that knows wallet and ledger, and has pinned wallet in dev."""
    made = story.repository(tmp_path / "gitops.git", known=("wallet", "ledger"), released={"wallet": "one"})
    monkeypatch.setenv("SHIPLANE_REPO", str(made))
    return made


def release_words(source: story.Source, run: int | None = None, service: str = "wallet") -> list[object]:
    numbered = [] if run is None else ["--run", run]
    return ["release", service, "--tag", source.tag, "--digest", digest(source.tag), "--chart", source.chart, *numbered]


def commit(source: story.Source, text: str) -> story.Source:
    """One more commit of the service, with another template."""
    (source.chart / "templates" / "more.yaml").write_text(f"# {text}\n", encoding="utf-8")
    story.git(source.chart, "add", ".")
    story.git(source.chart, "commit", "--quiet", f"--message={text}")
    return story.Source(source.chart, story.git(source.chart, "rev-parse", "HEAD"))


def pin(repo: Path, environment: str, service: str = "wallet") -> str:
    """The tag that an environment has pinned."""
    found = re.search(rb'tag: "([0-9a-f]{40})"', story.content(repo, environment, service)["release.yaml"] or b"")
    assert found
    return found[1].decode()


def test_the_whole_story(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.me("ann")
    assert shell.ok("init", "exchange").out == "exchange\n"
    repo = shell.folder / "exchange.git"
    monkeypatch.setenv("SHIPLANE_REPO", str(repo))
    assert shell.ok("status").out == "service  dev  staging  prod\n"

    # made known by somebody else's approval
    known = shell.ok("onboard", "wallet", "--source", "acme/wallet", "--image", "acme/wallet", "--owner", "payments")
    assert known.number == 1
    assert "· onboard wallet\n" in known.err
    refused = shell("merge", 1)
    assert (refused.code, refused.out) == (3, "")
    assert "approvals: 0 of 1" in refused.err
    assert "try: gitops approve 1" in refused.err
    assert shell("approve", 1).code == 3
    assert shell.ok("approve", 1, "--as", REVIEWER).err == f"· #1 {_head(repo, 1)} is approved by {REVIEWER}\n"
    merged = shell.ok("merge", 1)
    assert merged.out == f"{refs(repo)['refs/heads/main']}\n"
    assert "#1 is merged: onboard wallet" in merged.err

    # released, again, and by an older build that is late
    one = story.source(shell.folder / "wallet")
    released = shell.ok(*release_words(one, 7))
    assert released.number == 2
    assert "· #2 merged\n" in released.err
    assert pin(repo, "dev") == one.tag
    again = shell.ok(*release_words(one, 7))
    assert (again.out, again.err.splitlines()[-1]) == ("", f"· wallet {one.tag[:7]} is pinned in dev already")
    two = commit(one, "two")
    late = shell.ok(*release_words(two, 6))
    assert late.out == ""
    assert "superseded" in late.err
    assert pin(repo, "dev") == one.tag

    # promoted, and again: the same pull request, which is updated when dev goes on
    assert shell.ok("promote", "wallet", "--to", "staging").number == 3
    before = refs(repo)
    same = shell.ok("promote", "wallet", "--to", "staging")
    assert same.number == 3
    assert "#3 is open with exactly this" in same.err
    assert refs(repo) == before
    assert shell.ok(*release_words(two, 8)).number == 4
    assert shell.ok("promote", "wallet", "--to", "staging").number == 3
    assert refs(repo)["refs/heads/shiplane/pin/staging/wallet"] != before["refs/heads/shiplane/pin/staging/wallet"]

    # what is approved is replaced only when asked to
    shell.ok("approve", 3, "--as", REVIEWER)
    three = commit(two, "three")
    shell.ok(*release_words(three, 9))
    spared = shell("promote", "wallet", "--to", "staging")
    assert (spared.code, spared.out) == (1, "")
    assert "is approved" in spared.err
    assert "add --replace" in spared.err
    assert shell.ok("promote", "wallet", "--to", "staging", "--replace").number == 3
    assert "#3" in shell.ok("prs").out

    # merged at the head that was read, no other
    head = refs(repo)["refs/heads/shiplane/pin/staging/wallet"]
    assert "its head is" in shell("merge", 3, "--head", two.tag).err
    assert "its head is" in shell("approve", 3, "--as", REVIEWER, "--head", two.tag).err
    assert shell.ok("approve", 3, "--as", REVIEWER, "--head", head[:10]).code == 0
    assert shell.ok("merge", 3, "--head", head[:10]).code == 0
    assert pin(repo, "staging") == three.tag
    nothing = shell.ok("promote", "wallet", "--to", "staging")
    assert (nothing.out, "nothing to promote" in nothing.err) == ("", True)

    # production: refused, then approved
    assert shell.ok("promote", "wallet", "--to", "prod").number == 6
    assert shell("merge", 6).code == 3
    assert shell("approve", 6).code == 3
    shell.ok("approve", 6, "--as", REVIEWER)
    shell.ok("merge", 6)
    assert pin(repo, "prod") == three.tag

    table = shell.ok("status").out.splitlines()
    assert [line.split() for line in table] == [
        ["service", "dev", "staging", "prod"],
        ["wallet", *[three.tag[:7], "now"] * 3],
    ]
    cells = shell.ok("status", "--json").items[0]["environments"]
    assert {cell["tag"] for cell in cells.values()} == {three.tag}
    assert all(story.content(repo, each, "wallet") for each in ("dev", "staging", "prod"))
    story.assert_sound(repo)


def _head(repo: Path, number: int) -> str:
    """The start of the head of a pull request, as its record says."""
    return str(json.loads(story.records(repo)[number].partition("\n\n")[2])["head"])[:7]


class TestDesk:
    def test_show_is_what_a_reviewer_reads(self, shell: Shell, repo: Path) -> None:
        number = shell.ok("promote", "wallet", "--to", "staging").number
        shown = shell.ok("show", number)

        assert shown.out.startswith(f"# promote wallet to staging: {story.tag('one')[:7]}, its first release there\n\n")
        assert f"#{number} open, asked for by dev@acme.example\n" in shown.out
        assert "| approvals | – | staging asks for none |" in shown.out
        assert [line.split()[1] for line in shown.err.splitlines()] == [
            "scope", "order", "tree", "parity", "soak", "freeze", "hold", "renders", "approvals",
        ]  # fmt: skip
        assert "· order     ✓  dev has pinned this very release\n" in shown.err

    def test_show_in_json_has_the_body(self, shell: Shell, repo: Path) -> None:
        number = shell.ok("promote", "wallet", "--to", "staging").number
        (item,) = shell.ok("show", number, "--json").items

        assert (item["number"], item["state"], item["service"], item["environment"]) == (1, "open", "wallet", "staging")
        assert item["body"].startswith("**wallet** goes from **dev** to **staging**")

    def test_without_any_there_is_nothing_on_stdout(self, shell: Shell, repo: Path) -> None:
        assert shell.ok("prs") == Said(0, "", "· no pull request is open\n")
        assert json.loads(shell.ok("prs", "--json").out) == {"schema": "shiplane/prs/1", "items": []}

    def test_closing_lets_go_of_the_branch(self, shell: Shell, repo: Path) -> None:
        number = shell.ok("promote", "wallet", "--to", "staging").number

        assert shell.ok("close", number) == Said(0, "", f"· #{number} is closed\n")
        assert not [ref for ref in refs(repo) if ref.startswith("refs/heads/shiplane/")]
        assert shell.ok("show", number).out.splitlines()[2].startswith(f"#{number} closed")
        assert shell("merge", number).code == 1
        assert shell.ok("promote", "wallet", "--to", "staging").number == number + 1

    def test_after_an_update_an_approval_is_of_an_older_head(self, shell: Shell, repo: Path) -> None:
        onboard = ["onboard", "custody", "--source", "acme/custody", "--image"]
        number = shell.ok(*onboard, "acme/custody").number
        shell.ok("approve", number, "--as", REVIEWER)
        assert shell(*onboard, "acme/vault").code == 1
        shell.ok(*onboard, "acme/vault", "--replace")

        refused = shell("merge", number)
        assert refused.code == 3
        assert "0 of 1" in refused.err
        told = shell.ok("approve", number, "--as", "eve@acme.example").err
        assert told.endswith("is approved by eve@acme.example\n")

    @pytest.mark.parametrize("number", ["0", "7", "99999999999999999999", "007"])
    def test_a_number_that_nobody_has(self, shell: Shell, repo: Path, number: str) -> None:
        for verb in ("show", "approve", "merge", "close"):
            told = shell(verb, number)

            assert (told.code, told.out) == (1, "")
            assert told.err == f"error: #{int(number)}: no such pull request in {repo}\n  try: gitops prs\n"

    @pytest.mark.parametrize("number", ["-1", "abc", "1.5", "", "１"])
    def test_what_is_no_number(self, shell: Shell, repo: Path, number: str) -> None:
        told = shell("show", number)

        assert told.code in (1, 2)
        assert told.out == ""

    @pytest.mark.parametrize("head", ["", " ", "a", "zzzzzzz", "HEAD", "main", "a" * 41])
    @pytest.mark.parametrize("verb", ["merge", "approve"])
    def test_a_head_that_is_none_lets_nothing_through(self, shell: Shell, repo: Path, verb: str, head: str) -> None:
        """`--head "$HEAD"` with nothing in it would merge, or approve, whatever is there."""
        number = shell.ok("promote", "wallet", "--to", "staging").number
        told = shell(verb, number, "--head", head)

        assert told.code == 1
        assert told.err.startswith("error: --head ")
        assert f"refs/heads/{_branch('staging')}" in refs(repo)

    @pytest.mark.parametrize(
        "who", ["", " ", "rev", "a b@acme.example", "rev@acme.example\n\n{}", "<rev@acme.example>"]
    )
    def test_approving_as_nobody(self, shell: Shell, repo: Path, who: str) -> None:
        number = shell.ok("promote", "wallet", "--to", "staging").number
        before = refs(repo)

        told = shell("approve", number, "--as", who)

        assert (told.code, refs(repo)) == (1, before)
        assert told.err.startswith(f'error: --as "{who}": ' if not who.strip() else "error: --as ")

    def test_a_bot_is_no_reviewer(self, shell: Shell, repo: Path) -> None:
        number = shell.ok("promote", "wallet", "--to", "staging").number
        told = shell("approve", number, "--as", "renovate[bot]@users.acme.example")

        assert told.code == 3
        assert "is no person" in told.err


def _branch(environment: str, service: str = "wallet") -> str:
    return f"shiplane/pin/{environment}/{service}"


class TestDryRun:
    @pytest.mark.parametrize("as_json", [False, True])
    def test_it_changes_nothing_anywhere(self, shell: Shell, repo: Path, as_json: bool) -> None:
        source = story.source(shell.folder / "source")
        before = _state(repo), sorted(shell.folder.rglob("*"))
        extra = ["--dry-run", *(["--json"] if as_json else [])]

        for words in (
            ["onboard", "custody", "--source", "acme/custody", "--image", "acme/custody"],
            release_words(source, 2),
            ["promote", "wallet", "--to", "staging"],
        ):
            told = shell.ok(*words, *extra)
            assert "shiplane/" in told.out if as_json else "gitops.git@main" in told.out
            assert (_state(repo), sorted(shell.folder.rglob("*"))) == before

    def test_the_plan_is_the_result(self, shell: Shell, repo: Path) -> None:
        told = shell.ok("promote", "wallet", "--to", "staging", "--dry-run")

        assert told.err == ""
        assert told.out.splitlines()[1:] == [
            f"promote wallet to staging: {story.tag('one')[:7]}, its first release there",
            f"image   {story.tag('one')[:7]}, its first release there   {digest('one')[:11]}…{digest('one')[-4:]}",
            "chart   0.1.0",
            "changes 1 resource added",
            "gates   order ✓  renders ✓",
            "writes  apps/staging/wallet.yaml",
            *(
                f"writes  environments/staging/wallet/{name}"
                for name in ("values.yaml", "release.yaml", "origin.yaml", "chart")
            ),
        ]

    def test_the_plan_in_json(self, shell: Shell, repo: Path) -> None:
        told = shell.ok("promote", "wallet", "--to", "staging", "--dry-run", "--json")

        assert json.loads(told.out)["schema"] == "shiplane/plans/1"
        assert told.items == [
            {
                "title": f"promote wallet to staging: {story.tag('one')[:7]}, its first release there",
                "branch": "shiplane/pin/staging/wallet",
                "service": "wallet",
                "environment": "staging",
                "tag": story.tag("one"),
                "digest": digest("one"),
                "beside": [],
                "merges": False,
                "writes": [
                    "apps/staging/wallet.yaml",
                    *(
                        f"environments/staging/wallet/{name}"
                        for name in ("values.yaml", "release.yaml", "origin.yaml", "chart")
                    ),
                ],
                "nothing": None,
            }
        ]

    def test_what_does_not_render_is_refused_here_too(self, shell: Shell, repo: Path) -> None:
        story.write(repo, {"environments/dev/wallet/chart/templates/cm.yaml": b"{{ fail `no` }}\n"})

        assert shell("promote", "wallet", "--to", "staging", "--dry-run").code == 3


class TestJson:
    def test_results_on_stdout_and_talk_on_stderr(self, shell: Shell, repo: Path) -> None:
        told = shell.ok("promote", "wallet", "--to", "staging", "--json")
        (item,) = told.items

        assert json.loads(told.out)["schema"] == "shiplane/prs/1"
        assert (item["url"], item["state"], item["requester"]) == (f"{repo}#1", "open", "dev@acme.example")
        assert all(line.startswith("· ") for line in told.err.splitlines())

    def test_nothing_to_do_is_an_empty_list(self, shell: Shell, repo: Path) -> None:
        shell.ok("merge", shell.ok("promote", "wallet", "--to", "staging").number)

        assert shell.ok("promote", "wallet", "--to", "staging", "--json").items == []

    def test_an_error_leaves_stdout_empty(self, shell: Shell, repo: Path) -> None:
        told = shell("promote", "wallet", "--to", "prod", "--json")

        assert (told.code, told.out) == (3, "")


class TestSeveralServices:
    def test_one_pull_request_each(self, shell: Shell, repo: Path) -> None:
        shell.ok(*release_words(story.source(shell.folder / "ledger"), 1, "ledger"))
        told = shell.ok("promote", "wallet", "ledger", "wallet", "--to", "staging")

        assert told.out == f"{repo}#2\n{repo}#3\n"

    def test_all_or_none(self, shell: Shell, repo: Path) -> None:
        before = _state(repo)
        told = shell("promote", "wallet", "ledger", "ghost", "--to", "staging")

        assert told.code == 3
        assert "error: order: dev has no release of ledger" in told.err
        assert "error: ghost: is not in the catalog" in told.err
        assert (told.out, _state(repo)) == ("", before)


class TestWhereTheRepositoryIs:
    """Every way leads to the same repository: a pull request opened by one is found by the others."""

    @pytest.fixture
    def clone(self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        main(gitops, ["onboard", "custody", "--source", "acme/custody", "--image", "acme/custody"])
        monkeypatch.delenv("SHIPLANE_REPO")
        story.git(tmp_path, "clone", "--quiet", str(repo), "clone")
        return tmp_path / "clone"

    @pytest.fixture
    def at(self, shell: Shell, clone: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        def found(folder: Path, *words: object) -> bool:
            monkeypatch.chdir(folder)
            return "#1  onboard custody" in shell.ok("prs", *words).out

        shell("prs")  # what the fixture printed
        return found

    def test_by_option(self, at: Any, repo: Path, tmp_path: Path) -> None:
        assert at(tmp_path, "--repo", repo)
        assert at(tmp_path, "--repo", "gitops.git")
        assert at(tmp_path, "--repo", f"{repo}/")
        assert at(tmp_path, "--repo", repo.as_uri())
        assert at(tmp_path, "--repo", "clone")

    def test_around_us(self, at: Any, clone: Path) -> None:
        assert at(clone)
        assert at(clone / "services")

    def test_by_variable_and_the_option_wins(
        self, at: Any, repo: Path, clone: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = story.repository(repo.with_name("other.git"))
        monkeypatch.setenv("SHIPLANE_REPO", str(other))
        assert not at(clone)
        assert at(clone, "--repo", repo)
        monkeypatch.setenv("SHIPLANE_REPO", "")
        assert at(clone)

    def test_a_clone_is_never_the_repository_itself(self, at: Any, clone: Path, tmp_path: Path) -> None:
        """Whatever is checked out there: pull requests kept inside a clone would be seen by nobody."""
        (clone / "shiplane.yaml").unlink()

        assert at(tmp_path, "--repo", clone)

    def test_an_origin_that_is_relative(self, at: Any, clone: Path) -> None:
        story.git(clone, "remote", "set-url", "origin", "../gitops.git")

        assert at(clone)
        assert at(clone / "services")

    def test_nobodys_work_tree_matters(self, at: Any, shell: Shell, clone: Path, repo: Path) -> None:
        (clone / "shiplane.yaml").write_text("nonsense: [", encoding="utf-8")
        (clone / "environments" / "dev" / "wallet" / "release.yaml").write_text("nonsense", encoding="utf-8")

        assert at(clone)
        assert shell.ok("promote", "wallet", "--to", "staging").out.startswith(f"{repo}#")


class TestTheWayBack:
    """The commands that a pull request's body names are run as they stand there."""

    def test_the_diff_and_the_way_back(self, shell: Shell, repo: Path, tmp_path: Path) -> None:
        shell.ok("merge", shell.ok("promote", "wallet", "--to", "staging").number)
        two = story.source(tmp_path / "source")
        shell.ok(*release_words(two, 2))
        number = shell.ok("promote", "wallet", "--to", "staging").number
        body = shell.ok("show", number, "--json").items[0]["body"]
        (see,) = re.findall(r"<code>(gitops diff [^<]*)</code>", body)
        (back,) = re.findall(r"`(gitops rollback [^`]*)`", body)

        assert shell.ok(*see.split()[1:]).out.startswith("wallet in staging: nothing but the image")
        before = story.content(repo, "staging", "wallet")
        shell.ok("merge", number)
        mine = (before["values.yaml"] or b"") + b"mine: true\n"
        story.write(repo, {"environments/staging/wallet/values.yaml": mine})
        shell.ok("merge", shell.ok(*back.split()[1:]).number)
        assert story.content(repo, "staging", "wallet") == {**before, "values.yaml": mine}

    def test_the_way_back_from_a_first_release(self, shell: Shell, repo: Path, tmp_path: Path) -> None:
        number = shell.ok("promote", "wallet", "--to", "staging").number
        body = shell.ok("show", number, "--json").items[0]["body"]
        back = re.findall(r"`(git [^`]*)`", body.split("### Way")[1])[0]
        shell.ok("merge", number)
        story.git(tmp_path, "clone", "--quiet", str(repo), "clone")
        _sh(tmp_path / "clone", f"{back} --no-edit")

        assert story.content(tmp_path / "clone", "staging", "wallet", "HEAD") == {}


class TestTheNumberOfTheRun:
    def test_it_is_that_of_the_workflow(self, shell: Shell, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_RUN_NUMBER", "41")
        shell.ok(*release_words(story.source(shell.folder / "source")))

        assert b"\nrun: 41\n" in (story.content(repo, "dev", "wallet")["origin.yaml"] or b"")

    def test_a_variable_that_is_empty_is_none(self, shell: Shell, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_RUN_NUMBER", "")
        shell.ok(*release_words(story.source(shell.folder / "source"), None, "ledger"))

        assert b"run:" not in (story.content(repo, "dev", "ledger")["origin.yaml"] or b"")

    @pytest.mark.parametrize("number", ["x", "1.5", "0x10"])
    def test_what_is_no_number_is_usage(self, shell: Shell, repo: Path, number: str) -> None:
        words = release_words(story.source(shell.folder / "source"))

        assert shell(*words, "--run", number).code == 2


class TestTwoEnvironments:
    def test_a_short_lane(self, shell: Shell, repo: Path) -> None:
        story.write(
            repo,
            {
                "shiplane.yaml": b"version: 1\nforge: embedded\nenvironments:\n"
                b"  dev: {merge: auto, cluster: a, registry: registry.acme.example}\n"
                b"  prod: {from: dev, cluster: b}\n"
            },
        )
        number = shell.ok("promote", "wallet", "--to", "prod").number

        assert shell("merge", number).code == 3
        shell.ok("approve", number, "--as", REVIEWER)
        shell.ok("merge", number)
        assert [line.split()[0] for line in shell.ok("status").out.splitlines()] == ["service", "ledger", "wallet"]


class TestPeople:
    def test_a_name_in_any_script(self, shell: Shell, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_AUTHOR_NAME", "Zoë 山田")
        monkeypatch.setenv("GIT_AUTHOR_EMAIL", "Zoë@bücher.example")
        number = shell.ok("promote", "wallet", "--to", "staging").number

        assert shell.ok("show", number, "--json").items[0]["requester"] == "zoë@bücher.example"
        assert shell("approve", number, "--as", "ZOË@BÜCHER.EXAMPLE").code == 3

    def test_nobody_can_ask_for_anything(self, shell: Shell, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty name would be nobody's: whoever has it could approve under another."""
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{role}_EMAIL", "")
        before = _state(repo)
        told = shell("promote", "wallet", "--to", "staging")

        assert (told.code, told.out, _state(repo)) == (1, "", before)
        assert "try: git config --global user.email" in told.err

    def test_nobody_is_named_with_the_way_out(self, shell: Shell, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.delenv(f"GIT_{role}_EMAIL")
        Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("[user]\n\tuseConfigOnly = true\n", encoding="utf-8")
        before = _state(repo)
        told = shell("promote", "wallet", "--to", "staging")

        assert (told.code, told.out, _state(repo)) == (1, "", before)
        assert "try: git config --global user.email" in told.err


class TestTheProcess:
    """What only a process of its own can show."""

    def run(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", ENTRY, *words], cwd=ROOT, text=True, encoding="utf-8", check=False, **how
        )

    def test_a_reader_that_has_gone(self, repo: Path) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run("status", stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)

        assert done.returncode in (0, 1)
        assert done.stderr == ""

    def test_without_any_stdout(self, repo: Path) -> None:
        done = self.run("status", stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))

        assert (done.returncode, done.stderr) == (0, "")

    def test_a_full_disk_behind_stdout(self, repo: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full on this system")
        with Path("/dev/full").open("w") as full:
            done = self.run("status", stdout=full, stderr=subprocess.PIPE)

        assert done.returncode == 1
        assert done.stderr == "error: system: No space left on device\n"

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
    def test_a_terminal_that_knows_few_letters(self, repo: Path, encoding: str) -> None:
        opened = self.run("promote", "wallet", "--to", "staging", capture_output=True)
        assert opened.returncode == 0, opened.stderr
        done = subprocess.run(
            [sys.executable, "-c", ENTRY, "show", "1"],
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        assert b"| image |" in done.stdout

    def test_interrupted(self, repo: Path, tmp_path: Path) -> None:
        """^C reaches the whole process group: helm too."""
        helm, begun = tmp_path / "helm", tmp_path / "begun"
        helm.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 60\n", encoding="utf-8")
        helm.chmod(0o755)
        before = _state(repo)
        process = subprocess.Popen(
            [sys.executable, "-c", ENTRY, "promote", "wallet", "--to", "staging"],
            cwd=ROOT,
            env={**os.environ, "SHIPLANE_HELM": str(helm)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)

        assert (process.returncode, out, err) == (130, "", "\nerror: interrupted\n")
        assert _state(repo) == before


ENTRY = """
import sys

if sys.argv[1] == "promote":
    from gitops.commands.promote import run

    del sys.argv[1]
else:
    from gitops.commands.gitops import run
run()
"""


def _state(repo: Path) -> dict[str, str]:
    return refs(repo)


def _sh(folder: Path, line: str) -> str:
    done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (line, done.stderr)
    return done.stdout
