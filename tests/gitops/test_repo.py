"""Reading and writing a remote repository without a clone: on real git, with all that names and surroundings can do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from gitops.forge.embedded import Embedded
from gitops.model import EXECUTABLE, FILE, TREE, Change
from gitops.repo import Repository, Update, opened
from gitops.repo.git import redact
from gitops.repo.merge import merged
from gitops.repo.near import near
from gitops.repo.source import chart_at, origin_of
from tests.gitops import story

# every name that git lets into a tree and that a quoting rule could trip over
NAMES = (
    "plain",
    "with space",
    " leading",
    'a "quoted" one',
    "an 'apostrophe'",
    "back\\slash",
    "100%",
    "%41%20",
    "grün-日本-🚢",
    "tab\there",
    "new\nline",
    "-dash",
    ":(glob)*",
    "*",
    "deep/er/still deeper",
    "not\udcffutf-8",
)
GITOPS = (sys.executable, "-c", "import sys; from gitops.commands.gitops import run; sys.exit(run())")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return story.repository(tmp_path / "gitops.git", released={"wallet": "a"})


def gitops(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str] | story.Done:
    """In a process of its own where the environment differs."""
    if not environment:
        return story.gitops(*arguments)
    command = [*GITOPS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def land(repository: Repository, tree: str, message: str = "By a test\n") -> str:
    """Push a commit with `tree` to the default branch."""
    commit = repository.commit([repository.tip], message, tree)
    assert not repository.push([Update("refs/heads/main", repository.tip, commit)])
    return commit


class TestReading:
    def test_a_snapshot_has_what_is_asked_for_and_all_below_a_folder(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            snapshot = repository.snapshot(["environments/dev/wallet", "services/wallet.yaml", "absent", "services/w"])

        assert set(snapshot.files("environments/dev/wallet")) == set(story.SERVICE_FILES)
        assert snapshot.data("services/wallet.yaml") == story.show(repo, "services/wallet.yaml")
        assert snapshot.entries["environments/dev/wallet/chart"].mode == TREE
        assert {path for path in snapshot.entries if not path.startswith("environments/dev/wallet")} == {
            "services/wallet.yaml"
        }

    def test_a_listing_reads_nothing_and_read_reads_what_it_is_told(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            listing = repository.listing(["services", "defaults"])
            (read,) = repository.read_all([(listing, ["services/wallet.yaml"])])

        assert {entry.data for entry in listing.entries.values()} == {None}
        assert [path for path, entry in read.entries.items() if entry.data] == ["services/wallet.yaml"]

    @pytest.mark.parametrize("levels", [1, 2, 3])
    def test_what_lies_near_is_the_listing_less_what_lies_deeper(self, tmp_path: Path, levels: int) -> None:
        odd = {f"environments/dev/{name}": b"x" for name in NAMES}
        repo = story.repository(tmp_path / "odd.git", released={"wallet": "a"}, extra=odd)
        folders = ["environments/dev", "services", "absent"]
        with opened(str(repo)) as repository:
            found, whole = near(repository, folders, levels), repository.listing(folders)

        deep = {path: sum(path.startswith(f"{each}/") and path.count("/") - each.count("/") for each in folders)
                for path in whole.entries}  # fmt: skip
        assert found.tip == repository.tip
        assert found.entries == {path: whole.entries[path] for path, depth in deep.items() if 1 <= depth <= levels}

    def test_nothing_asked_is_nothing_read(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            assert repository.snapshot([]).entries == repository.listing(["absent"]).entries == {}

    def test_files_of_one_content_are_all_read(self, tmp_path: Path) -> None:
        repo = story.repository(tmp_path / "twins.git", extra={"a/one": b"same", "a/two": b"same", "a/empty": b""})
        with opened(str(repo)) as repository:
            files = repository.snapshot(["a"]).files("a")

        assert {path: entry.data for path, entry in files.items()} == {"one": b"same", "two": b"same", "empty": b""}

    @pytest.mark.parametrize("folder", ["with space", "per%20cent%", "grün", "quo'te\"", "new\nline", "#hash?", "a:b"])
    def test_the_repository_may_lie_anywhere(self, tmp_path: Path, folder: str) -> None:
        (tmp_path / folder).mkdir()
        repo = story.repository(tmp_path / folder / "gitops.git")
        with opened(str(repo)) as repository:
            assert repository.tip == story.refs(repo)["refs/heads/main"]
            land(repository, repository.edited(repository.tip, [Change("new", FILE, b"x")]))

        assert story.show(repo, "new") == b"x"

    def test_a_relative_path_and_a_clone_around_us(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        story.git(tmp_path, "clone", "--quiet", "gitops.git", "clone")
        monkeypatch.chdir(tmp_path)
        with opened("gitops.git") as repository:
            assert repository.tip == story.refs(repo)["refs/heads/main"]

        assert origin_of(tmp_path / "clone") == str(repo)


class TestWriting:
    def test_any_name_makes_the_round_trip(self, repo: Path) -> None:
        data = {f"odd/{name}": f"{number}\0\r\n".encode() for number, name in enumerate(NAMES)}
        with opened(str(repo)) as repository:
            first = repository.tip
            before = repository.listing(["services", "environments"]).entries
            land(repository, repository.edited(first, [Change(path, EXECUTABLE, each) for path, each in data.items()]))
        with opened(str(repo)) as repository:
            assert sorted(repository.changed(first, repository.tip)) == sorted(data)
            for path in data:  # each asked for by its own name
                assert repository.snapshot([path]).files("odd").keys() >= {path.removeprefix("odd/")}
            found = repository.snapshot(["odd"]).files("odd")
            assert {f"odd/{name}": (entry.mode, entry.data) for name, entry in found.items()} == {
                path: (EXECUTABLE, each) for path, each in data.items()
            }
            copies = [Change(f"copy/{name}", entry.mode, entry.oid) for name, entry in found.items()]
            land(repository, repository.edited(repository.tip, copies))
        with opened(str(repo)) as repository:
            copied = repository.snapshot(["copy"]).files("copy")
            assert {f"odd/{name}": entry.data for name, entry in copied.items()} == data
            assert repository.listing(["services", "environments"]).entries == before
        story.assert_sound(repo)

    def test_a_tree_is_carried_by_its_id(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            chart = repository.listing(["environments/dev/wallet"]).entries["environments/dev/wallet/chart"]
            land(repository, repository.edited(repository.tip, [Change("charts/copy", TREE, chart.oid)]))

        assert story.git(repo, "rev-parse", "main:charts/copy") == chart.oid

    def test_a_tree_replaces_all_that_was_there(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            tree = repository.tree({"only": (FILE, b"x")})
            land(repository, repository.edited(repository.tip, [Change("environments/dev/wallet/chart", TREE, tree)]))

        assert sorted(story.content(repo, "dev", "wallet")) == [
            "chart/only", "origin.yaml", "release.yaml", "values.yaml",
        ]  # fmt: skip

    def test_all_refs_move_or_none(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            commit = repository.commit([repository.tip], "x\n", repository.tree_of(repository.tip))
            new = Update("refs/heads/new", None, commit)
            tip = story.write(repo, {"by-hand": b"x"})

            assert repository.push([new, Update("refs/heads/main", repository.tip, commit)]) == {"refs/heads/main"}
            assert repository.push([new, Update("refs/heads/main", repository.tip, repository.tip)])
            assert repository.push([new, Update("refs/heads/absent", commit, None)]) == {"refs/heads/absent"}

        assert story.refs(repo) == {"refs/heads/main": tip}

    @pytest.mark.parametrize("ref", ["refs/heads/new", "refs/shiplane/pr/1"])
    def test_a_new_ref_takes_no_place_of_an_older_commit(self, repo: Path, ref: str) -> None:
        with opened(str(repo)) as repository:
            commit = repository.commit([repository.tip], "x\n", repository.tree_of(repository.tip))
            story.git(repo, "update-ref", ref, repository.tip)

            assert repository.push([Update(ref, None, commit), Update("refs/heads/other", None, commit)]) == {ref}

        assert story.refs(repo) == {"refs/heads/main": repository.tip, ref: repository.tip}

    def test_one_commit_goes_to_two_refs(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            commit = repository.commit([repository.tip], "x\n", repository.tree_of(repository.tip))
            assert not repository.push([Update("refs/heads/one", None, commit)])
            assert not repository.push([Update("refs/heads/two", None, commit)])

        assert story.refs(repo)["refs/heads/one"] == story.refs(repo)["refs/heads/two"] == commit

    def test_a_ref_that_is_not_there_is_told_apart_from_a_failure(self, repo: Path) -> None:
        with opened(str(repo)) as repository:
            assert not repository.fetch_one("refs/heads/absent")
            shutil.move(repo, repo.with_name("gone.git"))

            with pytest.raises(ShiplaneError, match="does not appear to be a git repository"):
                repository.fetch_one("refs/heads/absent")

    def test_a_remote_that_refuses_says_so(self, repo: Path) -> None:
        hook = repo / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'no pushes on a Friday' >&2\nexit 1\n")
        hook.chmod(0o755)

        with pytest.raises(ShiplaneError, match=r"cannot be written: remote: no pushes on a Friday"):
            story.promotion(repo, "wallet")
        assert list(story.refs(repo)) == ["refs/heads/main"]

    def test_a_commit_message_may_not_hold_nul(self, repo: Path) -> None:
        with opened(str(repo)) as repository, pytest.raises(ShiplaneError, match="NUL byte"):
            repository.commit([repository.tip], "a\0b\n", repository.tree_of(repository.tip))

    @pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
    def test_commits_are_signed_where_git_signs(self, repo: Path, home: Path, tmp_path: Path) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "key")], check=True)
        (home / "signers").write_text(f"dev@acme.example {(home / 'key.pub').read_text()}")
        for name, value in {
            "gpg.format": "ssh",
            "user.signingKey": str(home / "key.pub"),
            "gpg.ssh.allowedSignersFile": str(home / "signers"),
            "commit.gpgSign": "true",
        }.items():
            story.git(home, "config", "--global", name, value)

        story.release_of(repo, "wallet", "b", 2)
        done = gitops("init", str(tmp_path / "founded"))

        assert done.returncode == 0, done.stderr
        for where, refs in ((repo, ["main", "main^2", "refs/shiplane/pr/1"]), (tmp_path / "founded.git", ["main"])):
            for ref in refs:
                assert "Good" in story.git(where, "log", "-1", "--format=%GG", ref), (where.name, ref)


class TestMerging:
    """`merged` stands our tree on the other side's base, which a shallow copy can see."""

    def merge(self, repo: Path, base: str, theirs: str) -> tuple[str, tuple[str, ...]]:
        with opened(str(repo)) as repository:
            repository.fetch_one("refs/heads/theirs", depth=2)
            tree, conflicts = merged(repository, repository.tip, theirs, base)
            if not conflicts:
                land(repository, tree)
            return tree, conflicts

    def branched(self, repo: Path, files: dict[str, bytes]) -> str:
        base = story.write(repo, dict(files))
        story.git(repo, "branch", "theirs")
        return base

    def test_both_sides_are_kept_byte_for_byte(self, repo: Path) -> None:
        binary = bytes(range(256)) * 9
        base = self.branched(repo, {"shared": b"1\r\n2\n", "mode": b"x", "ours": b"\0", "theirs": b"\xff"})
        theirs = story.write(repo, {"theirs": b"\xfe\r\n", "added": binary, "shared": None}, "theirs")
        story.write(repo, {"ours": b"\0\0 no newline", "mine": binary[::-1]})
        story.deepen(repo, 5)

        assert self.merge(repo, base, theirs)[1] == ()
        found = {name: story.show(repo, name) for name in ("shared", "mode", "ours", "theirs", "added", "mine")}
        assert found == {
            "shared": None, "mode": b"x", "ours": b"\0\0 no newline", "theirs": b"\xfe\r\n",
            "added": binary, "mine": binary[::-1],
        }  # fmt: skip
        assert story.show(repo, "README.md") == b"4\n"

    def test_every_path_in_conflict_is_named(self, repo: Path) -> None:
        base = self.branched(repo, {"a b": b"1", "ünï": b"1", "gone": b"1", "same": b"1"})
        theirs = story.write(repo, {"a b": b"2", "ünï": b"2", "gone": None, "same": b"2"}, "theirs")
        tip = story.write(repo, {"a b": b"3", "ünï": b"3", "gone": b"3", "same": b"2"})

        tree, conflicts = self.merge(repo, base, theirs)

        assert (tree, sorted(conflicts)) == ("", ["a b", "gone", "ünï"])
        assert story.refs(repo)["refs/heads/main"] == tip

    def test_a_folder_that_moved_takes_nothing_with_it(self, repo: Path) -> None:
        """git would guess that a file added to the old folder belongs to the new one."""
        lines = {f"old/{n}": f"a long enough line of file {n}\n".encode() * 9 for n in range(4)}
        base = self.branched(repo, lines)
        theirs = story.write(repo, {"old/added": b"new\n"}, "theirs")
        story.write(repo, {**dict.fromkeys(lines), **{f"new/{path[4:]}": data for path, data in lines.items()}})

        assert self.merge(repo, base, theirs)[1] == ()
        assert (story.show(repo, "old/added"), story.show(repo, "new/added")) == (b"new\n", None)

    def test_nobodys_attributes_choose_how_to_merge(self, repo: Path, home: Path) -> None:
        (home / "attributes").write_text("* merge=union\n")
        story.git(home, "config", "--global", "core.attributesFile", str(home / "attributes"))
        base = self.branched(repo, {"file": b"1\n"})
        theirs = story.write(repo, {"file": b"2\n"}, "theirs")
        story.write(repo, {"file": b"3\n"})

        assert self.merge(repo, base, theirs) == ("", ("file",))


class TestSurroundings:
    def test_a_repository_around_us_does_not_confuse_it(self, repo: Path, tmp_path: Path) -> None:
        """A hook, `git -c` or `git rebase --exec` set these."""
        source = story.source(tmp_path / "wallet")
        other = tmp_path / "other"
        story.git(tmp_path, "init", "--quiet", str(other))
        surroundings = {
            "GIT_DIR": str(other / ".git"),
            "GIT_WORK_TREE": str(other),
            "GIT_INDEX_FILE": str(other / "index"),
            "GIT_OBJECT_DIRECTORY": str(other / "objects"),
            "GIT_NAMESPACE": "space",
            "GIT_PREFIX": "x/",
        }
        arguments = ("--tag", source.tag, "--digest", story.digest("b"), "--chart", str(source.chart), "--run", "5")

        done = gitops("release", "wallet", *arguments, "--repo", str(repo), **surroundings)

        assert (done.returncode, done.stdout) == (0, f"{repo}#1\n"), done.stderr
        assert source.tag.encode() in (story.show(repo, "environments/dev/wallet/release.yaml") or b"")
        assert not (other / "objects").exists()
        assert not (other / "index").exists()
        assert story.refs(other) == {}

    @pytest.mark.parametrize("language", ["de_DE.UTF-8", "C"])
    def test_the_language_of_git_does_not_matter(self, repo: Path, language: str) -> None:
        done = gitops("merge", "77", "--repo", str(repo), LANG=language, LC_ALL=language, LANGUAGE=language[:2])

        assert done.returncode == 1
        assert "#77: no such pull request" in done.stderr

    def test_settings_of_a_person_do_not_change_what_is_written(self, repo: Path, home: Path) -> None:
        """Each of these changes what a git command prints or writes."""
        for name, value in {
            "core.quotePath": "true", "core.autocrlf": "true", "log.showSignature": "true", "color.ui": "always",
            "push.default": "nothing", "push.followTags": "true", "fetch.prune": "true", "diff.renames": "copies",
            "log.decorate": "full", "format.pretty": "%an", "init.defaultBranch": "trunk", "core.abbrev": "4",
            "push.gpgSign": "if-asked", "fetch.output": "compact", "log.mailmap": "false", "push.negotiate": "true",
            "core.commentChar": ";", "merge.renames": "copies", "submodule.recurse": "true",
            "fetch.writeCommitGraph": "true",
            "remote.origin.prune": "true", "transfer.fsckObjects": "true", "protocol.version": "2",
        }.items():  # fmt: skip
            story.git(home, "config", "--global", name, value)

        story.release_of(repo, "wallet", "b", 2)
        with opened(str(repo)) as repository:
            assert len(Embedded(repository).merged(["dev"])) == 1
        assert story.tag("b").encode() in (story.show(repo, "environments/dev/wallet/release.yaml") or b"")
        assert b"\r" not in (story.show(repo, "shiplane.yaml") or b"\r")
        story.assert_sound(repo)


class TestErrors:
    """What is wrong with the repository, in one line, with the way out."""

    def test_a_repository_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "plain").mkdir()
        done = gitops("prs", "--repo", str(tmp_path / "plain"))

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: {tmp_path}/plain: cannot be read: '{tmp_path}/plain' does not appear to")
        assert "try: check the address" in done.stderr

    def test_an_empty_one(self, tmp_path: Path) -> None:
        story.git(tmp_path, "init", "--quiet", "--bare", "empty.git")
        done = gitops("prs", "--repo", str(tmp_path / "empty.git"))

        assert done.returncode == 1
        assert "empty.git: has no commit on its default branch" in done.stderr
        assert "try: git push origin main, or make one: gitops init DIR" in done.stderr

    def test_one_without_its_default_branch(self, repo: Path) -> None:
        story.git(repo, "symbolic-ref", "HEAD", "refs/heads/trunk")
        done = gitops("prs", "--repo", str(repo))

        assert done.returncode == 1
        assert "gitops.git: has no commit on its default branch" in done.stderr

    def test_another_default_branch_is_as_good(self, repo: Path) -> None:
        story.git(repo, "branch", "--move", "main", "trunk")
        story.git(repo, "symbolic-ref", "HEAD", "refs/heads/trunk")

        assert story.release_of(repo, "wallet", "b", 2).request is not None
        assert story.tag("b").encode() in (story.show(repo, "environments/dev/wallet/release.yaml", "trunk") or b"")

    def test_one_that_is_no_gitops_repository(self, tmp_path: Path) -> None:
        source = story.source(tmp_path / "wallet")
        done = gitops("prs", "--repo", str(source.chart.parent / ".git"))

        assert done.returncode == 1
        assert "shiplane.yaml: not found on the default branch" in done.stderr

    def test_a_git_that_is_too_old(self, repo: Path, tmp_path: Path) -> None:
        shim = tmp_path / "bin" / "git"
        shim.parent.mkdir()
        shim.write_text('#!/bin/sh\ntest "$1" = version || exit 99\necho git version 2.25.1\n')
        shim.chmod(0o755)
        done = gitops("prs", "--repo", str(repo), PATH=f"{shim.parent}:{os.environ['PATH']}")

        assert done.returncode == 1
        assert "git 2.25.1: too old: Shiplane needs 2.38" in done.stderr

    def test_no_git_at_all(self, repo: Path, tmp_path: Path) -> None:
        done = gitops("prs", "--repo", str(repo), PATH=str(tmp_path))

        assert done.returncode == 1
        assert "git: not found on PATH" in done.stderr

    def test_nobody_to_write_as(self, repo: Path, home: Path) -> None:
        (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        nobody = {f"GIT_{role}_{what}": "" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        without = {name: value for name, value in os.environ.items() if name not in nobody}
        done = subprocess.run(
            [*GITOPS, "promote", "wallet", "--to", "staging", "--repo", str(repo)],
            capture_output=True, text=True, env=without, check=False,
        )  # fmt: skip

        assert done.returncode == 1
        assert "try: git config --global user.email" in done.stderr
        assert list(story.refs(repo)) == ["refs/heads/main"]


class TestCharts:
    def test_what_the_commit_holds_is_taken_whatever_the_work_tree_says(self, tmp_path: Path) -> None:
        source = story.source(tmp_path / "ser vice", {**story.CHART, "files/ü\n'\"": b"\0"})
        (source.chart / "Chart.yaml").write_text("changed")
        (source.chart / "untracked").write_text("x")
        files, proved = chart_at(source.chart, source.tag)

        assert proved
        assert {path: entry.data for path, entry in files.items()} == {**story.CHART, "files/ü\n'\"": b"\0"}

    def test_outside_git_it_is_what_lies_on_disk_unproved(self, tmp_path: Path) -> None:
        (tmp_path / "chart").mkdir()
        (tmp_path / "chart" / "Chart.yaml").write_bytes(b"x")
        (tmp_path / "chart" / "run.sh").write_bytes(b"y")
        (tmp_path / "chart" / "run.sh").chmod(0o755)
        (tmp_path / "chart" / "link").symlink_to("/etc/passwd")
        files, proved = chart_at(tmp_path / "chart", story.tag("a"))

        assert not proved
        assert {path: (entry.mode, entry.data) for path, entry in files.items()} == {
            "Chart.yaml": (FILE, b"x"),
            "run.sh": (EXECUTABLE, b"y"),
            "link": ("120000", None),
        }

    def test_a_commit_that_is_not_there(self, tmp_path: Path) -> None:
        source = story.source(tmp_path / "wallet")
        with pytest.raises(ShiplaneError, match=f"commit {story.tag('x')[:7]} is not in this repository"):
            chart_at(source.chart, story.tag("x"))


class TestRecords:
    @pytest.mark.parametrize(
        "message",
        [
            pytest.param("no facts", id="none"),
            pytest.param("#1 opened\n\n[]", id="a-list"),
            pytest.param('#1 opened\n\n{"shiplane": 1}', id="empty"),
            pytest.param('#1 opened\n\n{"shiplane": 1, "number": 1', id="cut"),
            pytest.param("#1 opened\n\n\udcff", id="not-utf-8"),
        ],
    )
    def test_a_damaged_record_is_named(self, repo: Path, message: str) -> None:
        story.opened_pr(repo)
        commit = story.git(repo, "commit-tree", "main^{tree}", stdin=message.encode("utf-8", "surrogateescape"))
        for ref in ("refs/shiplane/pr/1", "refs/shiplane/open/shiplane/pin/staging/wallet"):
            story.git(repo, "update-ref", ref, commit)
        for arguments in (("show", "1"), ("prs",), ("promote", "wallet", "--to", "staging")):
            done = gitops(*arguments, "--repo", str(repo))

            assert done.returncode == 1, arguments
            assert "damaged pull request record" in done.stderr
            assert f"{commit[:7]}" in done.stderr

    def test_one_of_a_newer_version_asks_for_a_newer_program(self, repo: Path) -> None:
        story.opened_pr(repo)
        newer = story.records(repo)[1].replace('"shiplane": 1', '"shiplane": 2')
        commit = story.git(repo, "commit-tree", "main^{tree}", stdin=newer.encode())
        story.git(repo, "update-ref", "refs/shiplane/pr/1", commit)
        done = gitops("show", "1", "--repo", str(repo))

        assert done.returncode == 1
        assert "is a record of version 2; this Shiplane reads version 1" in done.stderr

    def test_a_name_cannot_break_a_record(self, repo: Path) -> None:
        story.opened_pr(repo)
        done = gitops("approve", "1", "--as", "x@acme.example\n\n{}", "--repo", str(repo))

        assert done.returncode == 1
        assert "--as x@acme.example\\n\\n{}: expected an e-mail address" in done.stderr
        assert len(story.git(repo, "log", "--format=%s", "refs/shiplane/pr/1").splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:word@acme.example/x.git", "https://acme.example/x.git"),
        ("https://word@acme.example/x.git", "https://acme.example/x.git"),
        ("https://user:w@rd@acme.example/x.git", "https://acme.example/x.git"),
        ("fatal: 'http://u:w@h:1/x' and https://u@h/y@z", "fatal: 'http://h:1/x' and https://h/y@z"),
        ("git@acme.example:x.git", "git@acme.example:x.git"),
    ],
)
def test_no_address_is_shown_with_a_password(text: str, shown: str) -> None:
    assert redact(text) == shown
