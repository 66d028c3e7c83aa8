"""What a command costs at GitHub, by the double's log, and where it leaves the token: nowhere."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops.forge.github import wire
from tests.gitops import story
from tests.gitops.github_double import ground
from tests.gitops.github_double.ground import environment
from tests.gitops.github_double.lane import Lane, LaneOf, running
from tests.gitops.github_double.world import Fault, Seen

TREES = ("/git/trees", "/git/commits", "/git/blobs")


@pytest.fixture
def lane_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaneOf]:
    monkeypatch.setattr(wire, "_PAUSE", 0.01)
    with ExitStack() as stack:
        yield lambda *, app: stack.enter_context(running(tmp_path / "served", monkeypatch, "{approvals: 1}", app=app))


def kinds(log: list[Seen]) -> Counter[str]:
    """Requests by kind; those that build the commit and move the branch stand apart."""
    found: Counter[str] = Counter()
    for seen in log:
        if seen.path.endswith(TREES) or "/git/ref/" in seen.path:
            found["building"] += 1
        elif seen.kind != "git":
            found[seen.kind] += 1
    return found


def test_a_persons_promotion_takes_one_query_and_one_request(lane_of: LaneOf) -> None:
    """It finds what is open, and tells the body since when it is where it comes from."""
    lane = lane_of(app=False)
    number = lane.number("promote", "wallet", "--to", "staging")
    assert kinds(lane.world.log) == {"graphql": 1, "rest": 1}

    lane.world.log.clear()
    lane.run("promote", "wallet", "--to", "staging")
    assert kinds(lane.world.log) == {"graphql": 1}

    lane.run("merge", number, who="rev")
    lane.world.log.clear()
    lane.run("promote", "wallet", "--to", "prod")
    assert kinds(lane.world.log) == {"graphql": 1, "rest": 1}
    assert f"by #{number}" in lane.world.pulls[-1].body


def test_an_apps_promotion_takes_four_requests_besides_the_commit(lane_of: LaneOf) -> None:
    """Two for the App's token, one that records who asked, one that opens it; a query; a mutation that moves."""
    lane = lane_of(app=True)
    lane.run("promote", "wallet", "--to", "staging")
    assert kinds(lane.world.log) == {"graphql": 2, "rest": 4, "building": 3}

    lane.world.log.clear()
    lane.run("promote", "wallet", "--to", "staging")
    assert kinds(lane.world.log) == {"graphql": 1, "rest": 2}


def test_the_state_of_everything_takes_a_few_queries(lane_of: LaneOf) -> None:
    lane = lane_of(app=False)
    lane.run("merge", lane.number("promote", "wallet", "--to", "staging"), who="rev")
    lane.run("promote", "wallet", "--to", "prod")
    lane.world.log.clear()

    lane.run("status")
    assert kinds(lane.world.log) == {"graphql": 3}


MARK = f"MARKEDhunted{os.getpid()}"  # every process of the machine is watched: others hunt at the same time
_RECORDER = """\
#!/bin/sh
# Records how git was called, and whether any file says what it must not; then is git.
printf '%s ' "$@" >> "$HUNT/argv"
echo >> "$HUNT/argv"
grep -rlF -f "$HUNT/marks" "$TMPDIR" "$HOME" >> "$HUNT/files"
exec {git} "$@"
"""


def _asks(verb: str, end: str) -> Callable[[str, str], bool]:
    return lambda method, path: method == verb and path.endswith(end)


class Hunt:
    """A place where commands run with a marked secret, and everything around them is watched."""

    def __init__(self, folder: Path, marks: list[str]) -> None:
        self.folder, self.marks = folder, marks
        for name in ("hunt", "bin", "tmp", "home"):
            (folder / name).mkdir(parents=True)
        (folder / "hunt" / "marks").write_text("\n".join(marks))
        (folder / "home" / ".gitconfig").write_text("[user]\n\tname = Dev\n\temail = dev@acme.example\n")
        recorder = folder / "bin" / "git"
        found = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
        recorder.write_text(_RECORDER.format(git=found))
        recorder.chmod(recorder.stat().st_mode | stat.S_IXUSR)
        self.seen: list[str] = []

    def run(self, variables: Mapping[str, str], *words: object) -> None:
        """`gitops words` in a process of its own; what it says, and what any process is called with, is kept."""
        keep = {name: os.environ[name] for name in ("LC_ALL", "PYTHONPATH") if name in os.environ}
        surroundings = {
            **keep,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "HUNT": str(self.folder / "hunt"),
            "GIT_CONFIG_NOSYSTEM": "1",
            **variables,
        }
        code = "import sys; from gitops.commands.gitops import run; sys.exit(run())"
        command = [sys.executable, "-c", code, *map(str, words)]
        with subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            done = threading.Event()
            watcher = threading.Thread(target=self._watch, args=(done,))
            watcher.start()
            out, err = process.communicate(timeout=120)
            done.set()
            watcher.join()
        assert b"Traceback" not in err, err
        self.seen.append(f"{words}: {(out + err).decode()}")

    def _watch(self, done: threading.Event) -> None:
        """The arguments of every process there is, as anybody on the machine can read them."""
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes().decode("utf-8", "replace")
                except OSError:
                    continue
                if any(mark in line for mark in self.marks):
                    self.seen.append(f"a process was called with: {line}")
            time.sleep(0.005)

    def found(self, lane: Lane) -> list[str]:
        """Every place in which a secret was seen."""
        argv = (self.folder / "hunt" / "argv").read_text()
        assert "clone" in argv  # the recorder was called at all
        files = (self.folder / "hunt" / "files").read_text().split()
        left = [
            str(path)
            for root in ("tmp", "home")
            for path in (self.folder / root).rglob("*")
            if path.is_file() and any(mark.encode() in path.read_bytes() for mark in self.marks)
        ]
        objects = story.git(lane.world.repo, "rev-list", "--objects", "--all").split("\n")
        names = "".join(f"{line.split(' ')[0]}\n" for line in objects)
        written = story.git(lane.world.repo, "cat-file", "--batch", stdin=names.encode())
        addresses = "\n".join(f"{seen.path}?{seen.query}" for seen in lane.world.log)
        texts = "\n".join(f"{pull.title}\n{pull.body}" for pull in lane.world.pulls)
        told = "\n".join(f"{word.context}: {word.description}" for word in lane.world.statuses)
        comments = "\n".join(each["body"] for each in lane.world.comments)
        places = [*self.seen, argv, written, addresses, texts, told, comments]
        return [*files, *left, *(place for place in places if any(mark in place for mark in self.marks))]


# what goes wrong, in words that repeat what was sent: no honest server does, and we must not pass it on
FAULTS = [
    ("POST", "/graphql", 401, "Bad credentials: {token}"),
    ("POST", "/graphql", 502, "oops {token}"),
    ("POST", "/pulls", 403, "Resource not accessible with {token}"),
    ("POST", "/pulls", 422, "Validation Failed for {token}"),
    ("POST", "/git/trees", 422, "tree.sha {token}"),
]


@pytest.mark.parametrize("app", [False, True], ids=["person", "app"])
def test_the_token_is_found_nowhere(lane_of: LaneOf, tmp_path: Path, app: bool) -> None:
    lane = lane_of(app=app)
    lane.world.tokens[f"ghp_{MARK}"] = lane.world.people["dev"]
    lane.world.apps["1234"]["secret"] = MARK
    variables = ground.by_app(lane.double, "dev") if app else ground.by_token(lane.double, f"ghp_{MARK}")
    hunt = Hunt(tmp_path / "hunt", [MARK, ground.key()[0].splitlines()[1]])
    address = ("--repo", lane.double.url)

    hunt.run(variables, "promote", "wallet", "--to", "staging", *address)
    assert [pull.number for pull in lane.world.pulls] == [1]
    for words in (
        ("verify", 1, "--post"),
        ("show", 1, "--json"),
        ("prs",),
        ("status",),
        ("why", "wallet"),
        ("merge", 1),
    ):
        hunt.run(variables, *words, *address)
    assert lane.world.pull(1).state == "merged"
    for verb, end, status, message in FAULTS:
        lane.world.faults = [Fault(_asks(verb, end), status, {"message": message}, times=99)]
        hunt.run(variables, "promote", "wallet", "--to", "prod", *address)
        lane.world.faults = []
    lane.world.tokens.clear()
    hunt.run(variables, "promote", "wallet", "--to", "prod", *address)
    bad = {**variables, "GITHUB_TOKEN": f"ghp_{MARK}", "GIT_TRACE_CURL": str(tmp_path / "hunt" / "tmp" / "trace")}
    hunt.run(bad, "status", *address)

    assert any("***" in each for each in hunt.seen)  # it was repeated, and taken out
    assert hunt.found(lane) == []


def test_the_hunt_finds_what_it_looks_for(lane_of: LaneOf, tmp_path: Path) -> None:
    """An address with the token in it is what nobody should write: the hunter sees it in git's arguments."""
    lane = lane_of(app=False)
    hunt = Hunt(tmp_path / "hunt", [MARK])
    hunt.run({}, "prs", "--repo", f"{lane.double.server}/{MARK}/gitops.git")

    assert any(MARK in each for each in hunt.found(lane))
    with environment({}):
        assert "GITHUB_TOKEN" not in os.environ


def test_doctor_asks_each_thing_once_and_writes_nothing(lane_of: LaneOf) -> None:
    lane = lane_of(app=False)
    number = lane.number("promote", "wallet", "--to", "staging")
    asked = [(("doctor", number), 0, {"graphql": 4, "rest": 8}), (("doctor",), 1, {"graphql": 1, "rest": 5})]
    for words, code, counts in asked:  # nobody guards this one
        lane.world.log.clear()
        lane.run(*words, code=code)
        told = [(seen.verb, seen.path) for seen in lane.world.log if seen.kind != "git"]
        rest = [each for each in told if not each[1].endswith("/graphql")]
        assert len(rest) == len(set(rest))
        assert {verb for verb, _ in rest} == {"GET"}
        assert kinds(lane.world.log) == counts
