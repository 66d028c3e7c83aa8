"""Killed at any point and run again, every command converges: one pull request, whole pins, no stray ref.

The commands run in forks of one process that has everything imported: a kill point costs a fifth of a second.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from gitops import desk
from tests.gitops import story

# Every process that is started and every change of a directory is announced by an audit event before it happens
# (PEP 578): a process that kills itself at the Nth one has done all before it and nothing after it.
_FORKS = """
import json, os, signal, sys
import git, jinja2, jsonschema
import gitops.found, gitops.initial, gitops.proof
from generator.commands.main import main
from gitops import apply, desk
from gitops.commands.gitops import gitops
from gitops.repo import source

EVENTS = {"subprocess.Popen", "os.rename", "os.mkdir", "shutil.rmtree"}
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child:
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])), flush=True)
        continue
    os.environ.update(job["environment"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    left = [job["kill"]]

    def watch(event, arguments):
        if event in EVENTS:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    sys.addaudithook(watch)
    code = main(gitops, job["arguments"])
    sys.stdout.flush()
    os._exit(code)
"""
KILLED = -9


class Forks:
    """Runs commands, each in a fork that may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str, kill: int = -1, environment: Mapping[str, str] = MappingProxyType({})) -> story.Done:
        """Run `gitops arguments`; with `kill` it dies just before its effect of that number (from 0)."""
        out, err = self._folder / "out", self._folder / "err"
        job = {
            "arguments": arguments, "kill": kill, "out": str(out), "err": str(err),
            "environment": {**os.environ, **environment, "TMPDIR": str(self._folder)},
        }  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return story.Done(json.loads(self._process.stdout.readline()), out.read_text(), err.read_text())

    def end(self) -> None:
        """End the process that forks."""
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    forks = Forks(tmp_path_factory.mktemp("forks"))
    yield forks
    forks.end()


@dataclass(frozen=True)
class Command:
    """A command, and what must be true before it."""

    before: Callable[[Path], object]
    arguments: tuple[str, ...]


def _opened(repo: Path) -> None:
    story.opened_pr(repo)


def _outdated(repo: Path) -> None:
    story.opened_pr(repo)
    story.release_of(repo, "wallet", "b", 2)


def _approved(repo: Path) -> None:
    _merged(repo)
    desk.approve(str(repo), story.opened_pr(repo, to="prod").number, story.REVIEWER)


def _replaced(repo: Path) -> None:
    story.release_of(repo, "wallet", "b", 2)


def _merged(repo: Path) -> None:
    desk.merge(str(repo), story.opened_pr(repo).number, None, None)


COMMANDS = {
    "onboard": Command(lambda _: None, ("onboard", "ledger", "--source", "acme/ledger", "--image", "acme/ledger")),
    "release": Command(lambda _: None, ("release", "wallet", "--run", "7", "--digest", story.digest("b"))),
    "promote": Command(lambda _: None, ("promote", "wallet", "--to", "staging")),
    "update": Command(_outdated, ("promote", "wallet", "--to", "staging")),
    "approve": Command(_opened, ("approve", "1", "--as", story.REVIEWER)),
    "merge": Command(_approved, ("merge", "2")),
    "close": Command(_opened, ("close", "1")),
    "rollback": Command(_replaced, ("rollback", "wallet", "--env", "dev")),
    "hold": Command(lambda _: None, ("hold", "wallet", "--env", "prod", "--reason", "INC-7")),
    "healthy": Command(_merged, ("healthy", "wallet", "--env", "staging")),
}


@dataclass(frozen=True)
class Stage:
    """A repository before a command, the command, and what it leads to when nobody interrupts it."""

    forks: Forks
    repo: Path
    origin: Path
    arguments: tuple[str, ...]
    result: tuple[object, ...]

    def reset(self) -> None:
        """The repository as it was."""
        shutil.rmtree(self.repo)
        shutil.copytree(self.origin, self.repo)

    def run(self, kill: int = -1, environment: Mapping[str, str] = MappingProxyType({})) -> story.Done:
        """The command, killed before its effect number `kill`."""
        return self.forks.run(*self.arguments, kill=kill, environment=environment)

    def assert_converged(self) -> None:
        """All is as if nobody had interrupted anything."""
        assert outcome(self.repo) == self.result
        story.assert_sound(self.repo)


def outcome(repo: Path) -> tuple[object, ...]:
    """What must be the same however often a command was interrupted: refs, files, and what happened to whom."""
    history = {
        number: story.git(repo, "log", "--format=%s", f"refs/shiplane/pr/{number}").splitlines()
        for number in story.records(repo)
    }
    branches = {ref: f"{ref}^{{tree}}" for ref in story.refs(repo) if ref.startswith("refs/heads/")}
    trees = {ref: story.git(repo, "rev-parse", tree) for ref, tree in branches.items()}
    return sorted(story.refs(repo)), trees, history


@pytest.fixture(params=COMMANDS, scope="module")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, forks: Forks) -> Stage:
    command, tmp_path = COMMANDS[request.param], tmp_path_factory.mktemp("stage")
    origin = story.repository(tmp_path / "origin.git", released={"wallet": "a"})
    command.before(origin)
    repo = tmp_path / "gitops.git"
    arguments = (*command.arguments, "--repo", str(repo))
    if request.param == "release":
        source = story.source(tmp_path / "source")
        arguments = (*arguments, "--tag", source.tag, "--chart", str(source.chart))
    shutil.copytree(origin, repo)
    done = forks.run(*arguments)
    assert done.returncode == 0, done.stderr
    result = outcome(repo)
    assert result != outcome(origin)
    return Stage(forks, repo, origin, arguments, result)


@pytest.fixture
def stage(built: Stage) -> Stage:
    built.reset()
    return built


def test_killed_before_any_effect_and_run_again(stage: Stage) -> None:
    """Each kill is followed by the same command, which is killed one effect later: at the end all was tried."""
    before = story.refs(stage.repo)
    done_before, done_after = 0, 0
    for point in range(300):
        done = stage.run(kill=point)
        if done.returncode != KILLED:
            break
        if story.refs(stage.repo) == before:
            done_before += 1
            continue
        done_after += 1
        again = stage.run()
        assert again.returncode == 0, again.stderr
        stage.assert_converged()
        stage.reset()

    assert done.returncode == 0, done.stderr
    stage.assert_converged()
    print(f"{done_before + done_after} kill points")
    assert done_before > 15  # the last of these was right before the push
    assert done_after >= 1  # right after it, before the temporary copy was removed


@pytest.mark.parametrize("when", ["before", "after", "meanwhile"])
def test_killed_by_git_itself_around_the_push(stage: Stage, tmp_path: Path, when: str) -> None:
    """`meanwhile`: the process is killed and its push goes on, so that the second run races with it."""
    environment = shim(tmp_path / "bin", when)
    before = story.refs(stage.repo)

    assert stage.run(environment=environment).returncode == KILLED
    if when != "meanwhile":
        assert (story.refs(stage.repo) == before) == (when == "before")
    again = stage.run()

    assert again.returncode == 0, again.stderr
    until((tmp_path / "bin" / "done").exists)
    stage.assert_converged()


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_after_a_lost_race(tmp_path: Path, forks: Forks, when: str) -> None:
    """Another writer is first, and the process dies at its second push."""
    repo = story.repository(tmp_path / "gitops.git", ["ledger"], released={"wallet": "a"})
    other = ["release", "ledger", "--run", "1", "--digest", story.digest("o"), "--repo", str(repo)]
    source = story.source(tmp_path / "source")
    image = ["--tag", source.tag, "--chart", str(source.chart)]
    environment = shim(tmp_path / "bin", when, first=[*other, *image])
    mine = ("release", "wallet", "--run", "2", "--digest", story.digest("m"), *image, "--repo", str(repo))

    assert forks.run(*mine, environment=environment).returncode == KILLED
    assert sorted(story.records(repo)) == ([1] if when == "before" else [1, 2])
    again = forks.run(*mine)

    assert again.returncode == 0, again.stderr
    assert sorted(story.records(repo)) == [1, 2]
    for service, word in (("ledger", "o"), ("wallet", "m")):
        assert story.digest(word).encode() in (story.content(repo, "dev", service)["release.yaml"] or b"")
    assert [ref for ref in story.refs(repo) if ref.startswith(("refs/heads/", "refs/shiplane/open"))] == [
        "refs/heads/main"
    ]
    story.assert_sound(repo)


@pytest.mark.parametrize("remote", [None, "https://github.com/acme/gitops.git"], ids=["twin", "remote"])
def test_init_leaves_nothing_or_whole_repositories(tmp_path: Path, forks: Forks, remote: str | None) -> None:
    target = tmp_path / "here" / "gitops"
    arguments = ("init", str(target), *(("--remote", remote) if remote else ()))
    seen = set()
    for point in range(200):
        done = forks.run(*arguments, kill=point)
        if done.returncode != KILLED:
            break
        found = {path.name for path in target.parent.glob("[!.]*")} if target.parent.is_dir() else set()
        seen.add(frozenset(found))
        for name in found:
            assert_whole(target.parent / name)
        if found:
            again = forks.run(*arguments)
            assert again.returncode == 1
            assert {f"error: {target.parent / name}: is in the way" for name in found} <= set(again.stderr.splitlines())
            shutil.rmtree(target.parent)

    assert done.returncode == 0, done.stderr
    twin = set() if remote else {"gitops.git"}
    assert {path.name for path in target.parent.glob("[!.]*")} == {"gitops", *twin}
    for name in ("gitops", *twin):
        assert_whole(target.parent / name)
    whole = frozenset({"gitops", *twin})
    assert seen == {frozenset(), frozenset(twin), whole}  # the twin comes first: what a clone names is there
    print(f"{point} kill points")
    assert point > 15


def assert_whole(repository: Path) -> None:
    """The repository has its first commit, all of it, and nothing else."""
    assert story.git(repository, "log", "--format=%s", "main") == "Found the GitOps repository gitops"
    assert "shiplane.yaml" in story.git(repository, "ls-tree", "--name-only", "main")
    assert set(story.refs(repository)) <= {"refs/heads/main", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"}
    if not repository.name.endswith(".git"):
        assert story.git(repository, "status", "--porcelain") == ""
    story.assert_sound(repository)


def shim(folder: Path, when: str, first: list[str] | None = None) -> dict[str, str]:
    """The environment in which `git push` kills the process that started it.

    `first`: the first push comes through unharmed, after `gitops <first>` was run before it.
    """
    folder.mkdir()
    real = shutil.which("git")
    lines = {
        "before": 'kill -9 $PPID; touch "$here/done"; exit 1',
        "after": f'{real} "$@" >/dev/null 2>&1; kill -9 $PPID; touch "$here/done"; exit 1',
        "meanwhile": f'kill -9 $PPID; {real} "$@" >/dev/null 2>&1; touch "$here/done"; exit 1',
    }
    other = ""
    if first:
        code = "import sys; from gitops.commands.gitops import run; sys.exit(run())"
        words = " ".join(f"'{word}'" for word in [sys.executable, "-c", code, *first])
        other = f'test -e "$here/first" || {{ touch "$here/first"; {words} >&2 || exit 1; exec {real} "$@"; }}\n'
    script = f"""#!/bin/sh
test "$1" = push || exec {real} "$@"
here={folder}
PATH=${{PATH#*:}}
{other}{lines[when]}
"""
    (folder / "git").write_text(script)
    (folder / "git").chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
