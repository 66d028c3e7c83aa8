"""Whatever is wrong: the exit code, the place, the rule and the way out are told, and nothing is changed anywhere."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from generator.commands.main import main
from gitops.commands.gitops import gitops
from gitops.commands.promote import promote
from tests.gitops import story
from tests.gitops.story import CHART, Source, digest, tag

RELEASE = ["release", "wallet", "--tag", tag("x"), "--digest", digest("x"), "--run", "9", "--chart"]
ONBOARD = ["onboard", "custody", "--source", "acme/custody", "--image", "acme/custody"]
PROMOTE = ["promote", "wallet", "--to", "staging"]


@dataclass(frozen=True)
class Refusal:
    """How a command was refused."""

    code: int
    err: str

    @property
    def problems(self) -> list[str]:
        """What was wrong, each with its way out."""
        return [part.strip() for part in self.err.split("error: ")[1:]]


Refused = Callable[..., Refusal]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that knows wallet and ledger, and has pinned wallet in dev."""
    made = story.repository(tmp_path / "gitops.git", known=("wallet", "ledger"), released={"wallet": "one"})
    monkeypatch.setenv("SHIPLANE_REPO", str(made))
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return story.source(tmp_path / "source")


@pytest.fixture
def refused(repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Runs a command that must be refused in few words, without a change of anything."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)

    def run(*words: object, lines: int = 4) -> Refusal:
        argv = [str(word) for word in words]
        before = files(tmp_path)
        code = main(promote, argv[1:]) if argv[0] == "promote" else main(gitops, argv)
        out, err = capsys.readouterr()
        assert files(tmp_path) == before
        assert (out, "Traceback" in err, code in (1, 2, 3)) == ("", False, True), (code, out, err)
        assert all(line.isprintable() for line in err.splitlines()), err
        assert len(err.splitlines()) <= lines, err
        return Refusal(code, err)

    return run


def files(folder: Path) -> dict[str, str]:
    """Every file below `folder`, by what is in it: refs, objects, work trees and what was left in TMPDIR."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


NAMES = {
    "capitals": ("Wallet", "small letters", "wallet"),
    "path": ("../wallet", "is a name, not a path", "wallet"),
    "absolute": ("/etc/passwd", "is a name, not a path", "etc-passwd"),
    "64-characters": ("w" * 64, "at most 40 characters, not 64", "w" * 40),
    "leading-digit": ("1wallet", "starts with a small letter", "wallet"),
    "trailing-dash": ("wallet-", "ends with a letter or a digit", "wallet"),
    "shell": ("wallet;rm", "small letters", "wallet-rm"),
    "substitution": ("$(id)", "small letters", "id"),
    "yaml": ("wallet: x", "small letters", "wallet-x"),
    "glob": ("wallet*", "small letters", "wallet"),
    "newline": ("wallet\nx", "small letters", "wallet-x"),
    "escape": ("wallet\x1b[31m", "small letters", "wallet-31m"),
    "unicode": ("wällét", "small letters", ""),
    "pathspec": (":!wallet", "small letters", "wallet"),
    "empty": ("", "a service needs a name", ""),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, refused: Refused, source: Source) -> None:
    text, rule, mend = NAMES[name]
    for words in (
        ["promote", text, "--to", "staging"],
        ["release", text, "--tag", source.tag, "--digest", digest("x"), "--chart", source.chart],
        ["onboard", text, "--source", "acme/wallet", "--image", "acme/wallet"],
    ):
        told = refused(*words)

        assert told.code == 1
        assert rule in told.err
        assert f"try: {mend}" in told.err


def test_a_dash_first_is_clicks_to_judge(refused: Refused) -> None:
    assert refused("promote", "-wallet", "--to", "staging").code == 2
    assert "starts with a small letter" in refused("promote", "--to", "staging", "--", "-wallet").err


def test_everything_wrong_in_one_command_is_told_at_once(refused: Refused) -> None:
    words = ["release", "Wallet", "--tag", "latest", "--digest", "sha256:12", "--run", "-1", "--chart", "nowhere"]
    told = refused(*words, lines=8)

    assert told.code == 1
    assert [problem.split(":")[0] for problem in told.problems] == [
        'service "Wallet"',
        "--tag latest",
        "--digest sha256",
        "--run -1",
        "--chart nowhere",
    ]
    assert len(refused("onboard", "9", "--source", "x", "--image", "X", "--owner", "", lines=8).problems) == 4
    assert len(refused("promote", "A", "B", "--to", "staging").problems) == 2


@pytest.mark.parametrize(
    "bad", ["latest", "v1.2.3", "3f2a9c1", "A" * 40, "g" * 40, "a" * 41, "a" * 64, "", f"{'a' * 40}\n"]
)
def test_a_tag_that_is_no_full_commit(bad: str, refused: Refused, source: Source) -> None:
    told = refused("release", "wallet", "--tag", bad, "--digest", digest("x"), "--chart", source.chart)

    assert told.code == 1
    assert told.err.startswith("error: --tag ")
    assert "full commit SHA (40 hex digits), never by a tag that moves" in told.err


@pytest.mark.parametrize(
    "bad", ["", "sha256:12", "12" * 32, f"sha512:{'a' * 64}", f"sha256:{'A' * 64}", f"sha256:{'a' * 65}"]
)
def test_a_digest_that_is_none(bad: str, refused: Refused, source: Source) -> None:
    told = refused("release", "wallet", "--tag", source.tag, "--digest", bad, "--chart", source.chart)

    assert (told.code, "expected sha256: and 64 hex digits" in told.err) == (1, True)


class TestUnknown:
    def test_a_service(self, refused: Refused, source: Source) -> None:
        words = ["release", "custody", "--tag", source.tag, "--digest", digest("x"), "--chart", source.chart]
        for told in (refused("promote", "custody", "--to", "staging"), refused(*words)):
            assert told.code == 1
            assert "error: custody: is not in the catalog" in told.err
            assert "try: gitops onboard custody --source" in told.err

    @pytest.mark.parametrize("to", ["stging", "", "PROD", "../prod", "a\nb"])
    def test_an_environment(self, to: str, refused: Refused, source: Source) -> None:
        words = ["release", "wallet", "--tag", source.tag, "--digest", digest("x"), "--chart", source.chart]
        for told in (refused("promote", "wallet", "--to", to), refused(*words, "--to", to)):
            assert told.code == 1
            assert told.err.startswith("error: --to ")
            assert "no such environment in shiplane.yaml" in told.err

    def test_did_you_mean(self, refused: Refused) -> None:
        assert "did you mean staging?" in refused("promote", "wallet", "--to", "stging").err

    def test_into_dev_nothing_is_promoted(self, refused: Refused) -> None:
        told = refused("promote", "wallet", "--to", "dev")

        assert told.code == 1
        assert "nothing is promoted into it" in told.err
        assert "try: gitops release wallet --to dev" in told.err

    def test_into_staging_nothing_is_released(self, refused: Refused, source: Source) -> None:
        words = ["release", "wallet", "--tag", source.tag, "--digest", digest("x"), "--chart", source.chart]

        assert "try: promote wallet --to staging" in refused(*words, "--to", "staging").err


class TestChart:
    """From a service's real repository: what is committed at the tag, and nothing else."""

    def words(self, source: Source, chart: object = None) -> list[object]:
        return [
            "release",
            "wallet",
            "--tag",
            source.tag,
            "--digest",
            digest("x"),
            "--run",
            9,
            "--chart",
            chart or source.chart,
        ]

    @pytest.mark.parametrize("chart", ["nowhere", "", " ", "gitops.git/HEAD", "a\nb"])
    def test_no_folder(self, chart: str, refused: Refused) -> None:
        told = refused(*RELEASE, chart)

        assert told.code == 1
        assert "error: --chart " in told.err
        assert "is no folder" in told.err

    def test_a_folder_that_is_no_chart(self, refused: Refused, source: Source) -> None:
        told = refused(*self.words(source, source.chart.parent))

        assert told.code == 1
        assert "is no chart: it has no Chart.yaml" in told.err
        assert "try: name the folder that holds Chart.yaml: --chart DIR" in told.err

    def test_a_folder_outside_git_that_is_no_chart_is_told_in_one_line(self, refused: Refused, tmp_path: Path) -> None:
        """Somebody's whole home, say: with hundreds of things that no chart may hold."""
        for number in range(100):
            (tmp_path / "home" / f"{number}" / ".git").mkdir(parents=True)
            (tmp_path / "home" / f"{number}" / ".git" / "HEAD").write_text("", encoding="utf-8")

        assert "is no chart: it has no Chart.yaml" in refused(*RELEASE, tmp_path / "home").err

    @pytest.mark.parametrize("with_chart", [False, True])
    def test_a_folder_outside_git_that_no_memory_holds(
        self, with_chart: bool, refused: Refused, tmp_path: Path
    ) -> None:
        home = tmp_path.parent / f"{tmp_path.name}-home"
        home.mkdir()
        if with_chart:
            (home / "Chart.yaml").write_bytes(CHART["Chart.yaml"])
        with (home / "disk.img").open("wb") as image:
            image.truncate(1 << 40)
        told = refused(*RELEASE, home)
        shutil.rmtree(home)

        assert told.code == 1
        assert ("over 1000 files or 10485760 bytes" if with_chart else "it has no Chart.yaml") in told.err

    def test_hundreds_of_mistakes_are_counted(self, refused: Refused, tmp_path: Path) -> None:
        chart = tmp_path / "chart"
        chart.mkdir()
        (chart / "Chart.yaml").write_bytes(CHART["Chart.yaml"])
        for number in range(100):
            (chart / f"{number}").symlink_to("/etc/passwd")

        assert "and 90 more" in refused(*RELEASE, chart, lines=11).err

    def test_an_unknown_commit(self, refused: Refused, source: Source) -> None:
        told = refused(*RELEASE, source.chart)

        assert told.code == 1
        assert f"commit {tag('x')[:7]} is not in this repository" in told.err
        assert f"try: git fetch origin {tag('x')}" in told.err

    def test_a_commit_from_before_there_was_a_chart(self, refused: Refused, source: Source) -> None:
        story.git(source.chart, "mv", "templates", "../templates")
        story.git(source.chart, "commit", "--quiet", "--message=Move")
        (source.chart / "other").mkdir()
        (source.chart / "other" / "Chart.yaml").write_bytes(CHART["Chart.yaml"])

        assert "has no such folder" in refused(*self.words(source, source.chart / "other")).err

    def test_a_tag_that_names_a_tree(self, refused: Refused, source: Source) -> None:
        tree = story.git(source.chart, "rev-parse", "HEAD^{tree}")
        words = ["release", "wallet", "--tag", tree, "--digest", digest("x"), "--run", 9, "--chart", source.chart]

        assert "is not in this repository" in refused(*words).err

    def test_a_history_that_was_not_fetched(self, refused: Refused, source: Source, tmp_path: Path) -> None:
        (source.chart / "values.yaml").write_text("a: 1\n", encoding="utf-8")
        story.git(source.chart, "add", ".")
        story.git(source.chart, "commit", "--quiet", "--message=Newer")
        story.git(tmp_path, "clone", "--quiet", "--depth=1", source.chart.parent.as_uri(), "shallow")

        told = refused(*self.words(source, tmp_path / "shallow" / "chart"))
        assert f"try: git fetch origin {source.tag}" in told.err

    @pytest.mark.parametrize(
        ("name", "content", "rule"),
        [
            ("link", "../../../etc/passwd", "a symbolic link"),
            (".argocd-source.yaml", b"", "Argo CD would take its own settings"),
            ("templates/.argocd-source-wallet-dev.yaml", b"", "Argo CD would take its own settings"),
            ("README.md", b"", "differs from README.md only in case"),
            ("Chart.yaml", b"name: wallet\nversion: 1\n", "Chart.yaml:2: version: must be text, not 1"),
            ("Chart.yaml", b"- x\n", "must be a mapping"),
            ("Chart.yaml", b"name: [\n", "is not YAML"),
            ("Chart.yaml", b"name: a\nname: b\nversion: 1.0.0\n", "stands here twice"),
            ("Chart.yaml", b"name: a\nversion: 1.0.0\ndependencies: [{name: ledger}]\n", "try: helm dependency update"),
            ("templates/cm.yaml", b"{{ fail `no` }}\n", "the result does not render"),
            ("templates/cm.yaml", b"{{ .Values.absent.deep }}\n", "nil pointer"),
            ("values.schema.json", b'{"additionalProperties": false}', "additional properties"),
        ],
    )
    def test_what_must_not_be_carried(
        self, name: str, content: bytes | str, rule: str, refused: Refused, source: Source
    ) -> None:
        target = source.chart / name
        if isinstance(content, str):
            target.symlink_to(content)
        else:
            target.write_bytes(content)
        if name == "README.md":
            (source.chart / "readme.md").write_bytes(b"")
        story.git(source.chart, "add", ".")
        story.git(source.chart, "commit", "--quiet", "--message=Worse")
        worse = Source(source.chart, story.git(source.chart, "rev-parse", "HEAD"))
        told = refused(*self.words(worse), lines=12)

        assert rule.casefold() in told.err.casefold()
        assert told.code == (3 if name in ("templates/cm.yaml", "values.schema.json") else 1)

    def test_a_submodule(self, refused: Refused, source: Source) -> None:
        story.git(source.chart, "update-index", "--add", "--cacheinfo", f"160000,{source.tag},chart/charts/ledger")
        story.git(source.chart, "commit", "--quiet", "--message=Worse")
        worse = Source(source.chart, story.git(source.chart, "rev-parse", "HEAD"))

        assert "charts/ledger: is a submodule" in refused(*self.words(worse)).err


class TestWhatIsReleased:
    """The other side: what is taken, and how sure we are of it."""

    @pytest.fixture
    def released(self, repo: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
        def run(source: Source, chart: object = None) -> str:
            words = [
                "release",
                "ledger",
                "--tag",
                source.tag,
                "--digest",
                digest("x"),
                "--chart",
                chart or source.chart,
            ]
            code = main(gitops, [str(word) for word in words])
            err = capsys.readouterr().err
            assert code == 0, err
            return err

        return run

    def test_the_committed_chart_not_the_work_tree(
        self, released: Callable[..., str], source: Source, repo: Path
    ) -> None:
        (source.chart / "templates" / "cm.yaml").write_text("{{ fail `not committed` }}\n", encoding="utf-8")
        (source.chart / "new.yaml").write_text("not added\n", encoding="utf-8")
        shutil.rmtree(source.chart / "templates")
        told = released(source)

        carried = story.content(repo, "dev", "ledger")
        assert {p.removeprefix("chart/"): data for p, data in carried.items() if p.startswith("chart/")} == CHART
        assert "NOT PROVED" not in told
        assert b"proved: true" in (carried["origin.yaml"] or b"")

    def test_a_subfolder_by_a_relative_path_and_through_a_link(
        self, released: Callable[..., str], source: Source, repo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "link").symlink_to(source.chart)

        assert "NOT PROVED" not in released(source, "source/../source/chart")
        assert "is pinned in dev already" in released(source, tmp_path / "link")
        assert "is pinned in dev already" in released(source, f"{source.chart}/")

    def test_a_shallow_clone_with_only_its_head(
        self, released: Callable[..., str], source: Source, repo: Path, tmp_path: Path
    ) -> None:
        """As CI checks out."""
        story.git(tmp_path, "clone", "--quiet", "--depth=1", source.chart.parent.as_uri(), "shallow")

        assert "NOT PROVED" not in released(source, tmp_path / "shallow" / "chart")
        assert b"proved: true" in (story.content(repo, "dev", "ledger")["origin.yaml"] or b"")

    def test_a_chart_at_the_top_of_its_repository(
        self, released: Callable[..., str], repo: Path, tmp_path: Path
    ) -> None:
        made = story.source(tmp_path / "made")
        story.git(made.chart, "init", "--quiet", "--initial-branch=main")
        story.git(made.chart, "add", ".")
        story.git(made.chart, "commit", "--quiet", "--message=Alone")

        released(Source(made.chart, story.git(made.chart, "rev-parse", "HEAD")))
        assert story.content(repo, "dev", "ledger")["chart/Chart.yaml"] == CHART["Chart.yaml"]

    def test_outside_git_it_is_marked_everywhere(
        self, released: Callable[..., str], repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = story.source(tmp_path / "made")
        shutil.copytree(made.chart, tmp_path / "loose")
        told = released(made, tmp_path / "loose")

        assert "NOT PROVED" in told
        assert b"proved: false" in (story.content(repo, "dev", "ledger")["origin.yaml"] or b"")
        assert main(gitops, ["show", "1"]) == 0
        assert "**Not proved:**" in capsys.readouterr().out
        assert main(promote, ["ledger", "--to", "staging"]) == 0
        assert "NOT PROVED" in capsys.readouterr().err

    def test_an_executable_file_stays_one(self, released: Callable[..., str], source: Source, repo: Path) -> None:
        (source.chart / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
        (source.chart / "run.sh").chmod(0o755)
        story.git(source.chart, "add", ".")
        story.git(source.chart, "commit", "--quiet", "--message=Script")
        released(Source(source.chart, story.git(source.chart, "rev-parse", "HEAD")))

        assert story.git(repo, "ls-tree", "main", "environments/dev/ledger/chart/run.sh").startswith("100755 ")


class TestConfiguration:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (None, "shiplane.yaml: not found on the default branch\n  try: make a repository: gitops init DIR"),
            (b"", "shiplane.yaml: version: is required"),
            (b"version: 1\nenvironments: [\n", "shiplane.yaml:3: is not YAML"),
            (
                b"version: 1\nenviroments: {}\n",
                "shiplane.yaml:2: enviroments: is not known here; did you mean environments?",
            ),
            (b"\xff\xfe", "shiplane.yaml: is not UTF-8 at byte 0"),
            (b"[" * 100_000, "shiplane.yaml:1: is nested deeper than"),
            (b"version: 1\nenvironments:\n  dev: {cluster: a}\n", "shiplane.yaml:3: environments.dev: no registry"),
        ],
    )
    def test_a_broken_one_is_named_by_every_command(
        self, text: bytes | None, told: str, refused: Refused, repo: Path, source: Source
    ) -> None:
        story.write(repo, {"shiplane.yaml": text})
        for words in (ONBOARD, PROMOTE, ["status"], ["prs"], TestChart().words(source)):
            refusal = refused(*words)

            assert refusal.code == 1
            assert f"error: {told}" in refusal.err


class TestPinsByHand:
    @pytest.mark.parametrize("nonsense", [b"", b"image: {tag: latest, digest: none}\n", b"<<<<<<< HEAD\n", b"\xff"])
    @pytest.mark.parametrize("file", ["release.yaml", "origin.yaml"])
    def test_nonsense_is_named_and_status_goes_on(
        self,
        file: str,
        nonsense: bytes,
        refused: Refused,
        repo: Path,
        source: Source,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        place = f"environments/dev/wallet/{file}"
        story.write(repo, {place: nonsense})
        for words in (PROMOTE, TestChart().words(source)):
            told = refused(*words, lines=6)

            assert told.code == 1
            assert f"error: {place}" in told.err
            assert f"try: bring back the last good one: git log -- {place}" in told.err
        assert main(gitops, ["status"]) == 0
        out, err = capsys.readouterr()
        assert [line.split()[:2] for line in out.splitlines()[1:]] == [["ledger", "–"], ["wallet", "unreadable"]]
        assert f"· {place}" in err

    def test_a_catalog_entry(self, refused: Refused, repo: Path) -> None:
        story.write(
            repo, {"services/wallet.yaml": b"owner: payments\nsource: acme/wallet\nimagee: acme/wallet\ntier: gold\n"}
        )
        told = refused(*PROMOTE, lines=6)

        assert "error: services/wallet.yaml:3: imagee: is not known here; did you mean image?" in told.err
        assert 'error: services/wallet.yaml:4: tier: "gold" is not among those allowed' in told.err

    def test_settings_that_cannot_be_read(self, refused: Refused, repo: Path) -> None:
        story.write(repo, {"environments/staging/wallet/values.yaml": b"image: [\n"})
        told = refused(*PROMOTE)

        assert told.code == 3
        assert "parity: cannot be judged: environments/staging/wallet/values.yaml:2: is not YAML" in told.err

    def test_settings_that_do_not_render(self, refused: Refused, repo: Path) -> None:
        schema = {"environments/dev/wallet/chart/values.schema.json": b'{"required": ["limit"]}'}
        story.write(repo, schema)
        told = refused(*PROMOTE, lines=7)

        assert told.code == 3
        assert "wallet in staging: the result does not render" in told.err
        assert "staging's values.yaml" in told.err


class TestInit:
    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["/"], "error: /: is in the way"),
            ([""], "is in the way"),
            (["."], "is in the way"),
            ([".."], "is in the way"),
            (["gitops"], "gitops.git: is in the way"),
            (["deep/er/x y"], "must be letters, digits"),
            (["deep/er/new", "--owner", "Two Teams"], "must be one team"),
            (["deep/er/new", "--remote", ""], "the repository's address"),
            (["deep/er/new", "--remote", "https://ann:secret@acme.example/x.git"], "must not hold a user, a password"),
            (["/proc/new"], "/proc"),
        ],
    )
    def test_nothing_is_made(self, words: list[str], told: str, refused: Refused, tmp_path: Path) -> None:
        before = sorted(tmp_path.rglob("*"))
        refusal = refused("init", *words)

        assert refusal.code == 1
        assert told in refusal.err
        assert "secret" not in refusal.err
        assert sorted(tmp_path.rglob("*")) == before


class TestRepository:
    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("", 'error: --repo "": names no repository'),
            ("nowhere", "error: nowhere: cannot be read"),
            ("/", "error: /: cannot be read"),
            ("--upload-pack=touch pwned", "cannot be read"),
            ("ext::sh -c touch% pwned", "cannot be read"),
            ("file:///nowhere/at/all", "cannot be read"),
            ("http://127.0.0.1:1/x.git", "cannot be read"),
            ("line\nbreak", "cannot be read"),
        ],
    )
    def test_what_is_none(self, address: str, told: str, refused: Refused, tmp_path: Path) -> None:
        refusal = refused("status", f"--repo={address}")

        assert refusal.code == 1
        assert told in refusal.err
        assert "try: " in refusal.err
        assert not (tmp_path / "pwned").exists()

    def test_a_name_that_no_disk_takes(self, refused: Refused) -> None:
        assert "File name too long" in refused("status", "--repo", "a" * 300).err

    def test_a_folder_that_is_none(self, refused: Refused, tmp_path: Path) -> None:
        (tmp_path / "plain").mkdir()

        assert "plain: cannot be read" in refused("status", "--repo", "plain").err

    def test_empty(self, refused: Refused, tmp_path: Path) -> None:
        story.git(tmp_path, "init", "--quiet", "--bare", "empty.git")
        told = refused(*PROMOTE, "--repo", "empty.git")

        assert told.code == 1
        assert "has no commit on its default branch" in told.err
        assert "gitops init DIR" in told.err

    def test_without_main(self, refused: Refused, repo: Path) -> None:
        story.git(repo, "branch", "--move", "main", "other")
        story.git(repo, "symbolic-ref", "HEAD", "refs/heads/main")

        assert "has no commit on its default branch" in refused("status").err

    def test_not_one_of_ours(self, refused: Refused, source: Source) -> None:
        told = refused("status", "--repo", f"{source.chart.parent}/.git")

        assert "error: shiplane.yaml: not found on the default branch" in told.err

    def test_a_clone_without_origin(self, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        story.git(tmp_path, "clone", "--quiet", "gitops.git", "clone")
        story.git(tmp_path / "clone", "remote", "remove", "origin")
        monkeypatch.delenv("SHIPLANE_REPO")
        monkeypatch.chdir(tmp_path / "clone")
        told = refused("status")

        assert "has no remote called origin" in told.err
        assert "try: git remote add origin ADDRESS, or name the repository: --repo ADDRESS" in told.err

    def test_nowhere_near_one(self, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SHIPLANE_REPO")
        told = refused("status")

        assert "there is no shiplane.yaml here or above" in told.err
        assert "try: cd into a clone of it, or name it: --repo ADDRESS" in told.err

    def test_not_writable(self, refused: Refused, repo: Path) -> None:
        """By a hook: root, as who tests may run, writes anywhere."""
        hook = repo / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'you may not push here' >&2\nexit 1\n", encoding="utf-8")
        hook.chmod(0o755)
        told = refused(*PROMOTE)

        assert told.code == 1
        assert "cannot be written" in told.err
        assert "try: check that you may push to it" in told.err

    def test_not_writable_on_disk(self, refused: Refused, repo: Path) -> None:
        if os.geteuid() == 0:
            pytest.skip("root writes where nobody may")
        for folder in (repo, *(path for path in repo.rglob("*") if path.is_dir())):
            folder.chmod(0o500)
        told = refused(*PROMOTE)
        for folder in (repo, *(path for path in repo.rglob("*") if path.is_dir())):
            folder.chmod(0o700)

        assert "cannot be written" in told.err


class TestTools:
    @pytest.mark.parametrize("named", ["", "/nowhere/helm", "no-such-helm", __file__])
    def test_without_helm_nothing_is_released_or_promoted(
        self, named: str, refused: Refused, source: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The result must be rendered before it is shown."""
        monkeypatch.setenv("SHIPLANE_HELM", named)
        monkeypatch.setenv("PATH", str(_only("git")))
        for words in (PROMOTE, TestChart().words(source), [*PROMOTE, "--dry-run"]):
            told = refused(*words)

            assert told.code == 1
            assert told.err.startswith("error: helm: not found")
            assert "try: install helm 3.16 or newer, or name it: SHIPLANE_HELM=" in told.err

    def test_without_helm_all_else_goes_on(
        self, repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(_only("git")))

        assert [main(gitops, words) for words in (["status"], ["prs"], ONBOARD)] == [0, 0, 0]
        capsys.readouterr()

    @pytest.mark.parametrize("major", [3, 4])
    def test_a_comma_in_the_name_of_the_temporary_folder(
        self,
        major: int,
        repo: Path,
        tmp_path: Path,
        helm3: Path,
        helm4: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """helm takes what stands behind --values for a list."""
        scratch = tmp_path / 'one, "two"'
        scratch.mkdir()
        monkeypatch.setenv("SHIPLANE_HELM", str({3: helm3, 4: helm4}[major]))
        monkeypatch.setattr("tempfile.tempdir", str(scratch))

        assert main(promote, ["wallet", "--to", "staging", "--dry-run"]) == 0, capsys.readouterr().err

    @pytest.mark.parametrize("major", [3, 4])
    def test_helm_says_what_is_wrong_and_nothing_else(
        self, major: int, refused: Refused, repo: Path, helm3: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        story.write(repo, {"environments/dev/wallet/chart/templates/cm.yaml": b"{{ fail `too small` }}\n"})
        monkeypatch.setenv("SHIPLANE_HELM", str({3: helm3, 4: helm4}[major]))
        told = refused(*PROMOTE)

        assert told.code == 3
        assert "error: wallet in staging: the result does not render: Error: execution error at (" in told.err
        assert "too small" in told.err
        assert "WARNING" not in told.err

    def test_a_helm_that_cannot_run(self, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        helm = tmp_path / "helm"
        helm.write_bytes(b"\x7fELF no program")
        helm.chmod(0o755)
        monkeypatch.setenv("SHIPLANE_HELM", str(helm))

        assert f"error: {helm}: Exec format error" in refused(*PROMOTE).err

    def test_a_git_that_is_too_old(self, repo: Path, tmp_path: Path) -> None:
        (tmp_path / "bin").mkdir()
        git = tmp_path / "bin" / "git"
        git.write_text("#!/bin/sh\necho git version 2.30.2\n", encoding="utf-8")
        git.chmod(0o755)
        told = _elsewhere({"PATH": str(git.parent), "SHIPLANE_REPO": str(repo)}, "status")

        assert told.returncode == 1
        assert told.stderr == ("error: git 2.30.2: too old: Shiplane needs 2.38\n  try: install git 2.38 or newer\n")

    def test_without_git(self, repo: Path, tmp_path: Path) -> None:
        told = _elsewhere({"PATH": str(tmp_path), "SHIPLANE_REPO": str(repo)}, "status")

        assert told.returncode == 1
        assert told.stderr == "error: git: not found on PATH\n  try: install git 2.38 or newer\n"


class TestDiskFull:
    @pytest.mark.parametrize(
        ("words", "room"), [(["status"], 16), (ONBOARD, 16), (PROMOTE, 16), (PROMOTE, 64)], ids=lambda each: str(each)
    )
    def test_nothing_is_pushed(self, words: list[str], room: int, repo: Path, tmp_path: Path) -> None:
        full = tmp_path / "full"
        full.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={room}k", "tmpfs", str(full)]
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"no disk can be filled here: {mounted.stderr.strip()}")
        before = files(repo)
        try:
            told = _elsewhere({"TMPDIR": str(full), "SHIPLANE_REPO": str(repo)}, *words)
            left = list(full.iterdir())
        finally:
            subprocess.run(["umount", str(full)], check=True)

        assert (told.returncode, told.stdout, left) == (1, "", [])
        assert re.search("No space left on device|Out of diskspace", told.stderr), told.stderr
        assert len(told.stderr.splitlines()) <= 4
        assert files(repo) == before


def _only(name: str) -> Path:
    """A folder for PATH in which there is one program."""
    found = shutil.which(name)
    assert found
    folder = Path(os.environ["HOME"]) / "only"
    folder.mkdir(exist_ok=True)
    if not (folder / name).exists():
        (folder / name).symlink_to(found)
    return folder


def _elsewhere(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    import sys

    from tests.conftest import ROOT
    from tests.gitops.test_commands import ENTRY

    return subprocess.run(
        [sys.executable, "-c", ENTRY, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
