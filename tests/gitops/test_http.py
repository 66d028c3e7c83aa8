"""Over real smart HTTP: what goes over the wire, who may do it, and what is told when the server does not."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from gitops import desk
from gitops.forge.embedded import Embedded
from gitops.initial import initial_tree
from gitops.model import TREE, Change
from gitops.repo import Update, opened
from tests.git_http import Request, Server, serve
from tests.gitops import story

MANY = [f"svc-{number:02}" for number in range(60)]

# What a promotion asks the server. Whoever changes these changes what every user waits for.
READ = ["GET git-upload-pack", "POST git-upload-pack"]
CLONE = [*READ, "POST git-upload-pack"]  # capabilities, refs, the commit with its trees
FILES = READ  # any number of files, by their ids
NEW_REFS = [*READ, "POST git-upload-pack"]
AHEAD = NEW_REFS  # shiplane.yaml with the files and the refs that are most likely needed
PUSH = ["GET git-receive-pack", "POST git-receive-pack"]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return story.repository(tmp_path / "gitops.git", released={"wallet": "a"})


@pytest.fixture
def server(repo: Path) -> Iterator[Server]:
    with serve(repo.parent) as served:
        yield served


def url_of(server: Server, access: str = "") -> str:
    return f"{server.url}/gitops.git".replace("://", f"://{access}")


def asked(requests: list[Request]) -> list[str]:
    return [f"{request.method} {request.service}" for request in requests]


def pushed(requests: list[Request]) -> int:
    """The objects in the packs that were sent."""
    return sum(request.objects for request in requests if request.service == "git-receive-pack")


class TestWhatGoesOverTheWire:
    @pytest.mark.parametrize("services", [3, 60])
    @pytest.mark.parametrize("commits", [1, 300])
    def test_a_promotion(self, tmp_path: Path, services: int, commits: int) -> None:
        """Neither the number of services nor the length of the history costs a request or an object."""
        known = MANY[:services]
        repo = story.repository(tmp_path / "gitops.git", known, dict.fromkeys(known, "a"))
        story.deepen(repo, commits - 1)
        with serve(tmp_path) as server:

            def costs(service: str) -> tuple[list[str], int]:
                before = len(server.requests)
                story.promotion(url_of(server), service)
                return asked(server.requests[before:]), pushed(server.requests[before:])

            first, again, other = costs("svc-01"), costs("svc-01"), costs("svc-02")

        # The head: its commit, the Application, values.yaml, and the trees above them: /, apps, apps/staging,
        # environments, environments/staging, environments/staging/svc-01. The record: its commit, its tree, the body.
        # Nothing of the chart, of release.yaml and of origin.yaml: the server has them.
        assert first == ([*CLONE, *AHEAD, *PUSH], 1 + 2 + 6 + 3)
        assert again == ([*CLONE, *AHEAD], 0)
        assert other == ([*CLONE, *AHEAD, *PUSH], 12)

    def test_a_promotion_in_a_lane_of_other_names(self, tmp_path: Path) -> None:
        """What is guessed wrong is read again: it costs requests, and nothing else."""
        tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
        named = {path: data.replace(b"staging", b"stage") for path, (_, data) in tree.items() if b"staging" in data}
        moved = {path.replace("/staging/", "/stage/"): data for path, (_, data) in tree.items() if "/staging/" in path}
        repo = story.repository(tmp_path / "gitops.git", released={"wallet": "a"}, extra={**moved, **named})
        with serve(tmp_path) as server:
            request = story.opened_pr(url_of(server), "wallet", "stage")

        assert asked(server.requests) == [*CLONE, *FILES, *FILES, *READ, *PUSH]
        assert request.branch == "shiplane/pin/stage/wallet"
        assert story.content(repo, "stage", "wallet", request.head).keys() == set(story.SERVICE_FILES)

    def test_a_release_and_the_review(self, server: Server) -> None:
        def costs(act: object) -> tuple[list[str], int]:
            before = len(server.requests)
            assert callable(act)
            act()
            return asked(server.requests[before:]), pushed(server.requests[before:])

        url = url_of(server)
        story.promotion(url, "wallet")
        record = [*NEW_REFS, *READ]  # the record by its number, then what is known of its branch

        assert costs(lambda: desk.approve(url, 1, story.REVIEWER)) == ([*CLONE, *FILES, *record, *FILES, *PUSH], 1)
        assert costs(lambda: desk.merge(url, 1, None, None)) == (
            [*CLONE, *FILES, *record, *FILES, *NEW_REFS, *FILES, *PUSH],
            2,
        )
        # commit, merge, release.yaml, origin.yaml, four trees; the record's commit, tree and body; the chart is known
        assert costs(lambda: story.release_of(url, "wallet", "b", 2)) == (
            [*CLONE, *AHEAD, *PUSH],
            2 + 2 + 4 + 3,
        )

    def test_a_chart_is_carried_without_its_files(self, tmp_path: Path) -> None:
        chart = {**story.CHART, **{f"files/{number}": b"%d\n" % number * 99 for number in range(40)}}
        repo = story.repository(tmp_path / "gitops.git", released={"wallet": "a"}, chart=chart)
        source = "environments/dev/wallet/chart"

        def carry(target: str) -> tuple[int, int]:
            """(objects fetched, objects pushed) by a push of a commit that has the chart by its tree's id."""
            with opened(url_of(served)) as repository:
                tree = repository.listing([source]).entries[source].oid
                head = repository.edited(repository.tip, [Change(target, TREE, tree)])
                commit = repository.commit([repository.tip], "Carry\n", head)
                before = len(served.requests)
                assert not repository.push([Update(f"refs/heads/{target}", None, commit)])
                sent = served.requests[before:]
            assert story.git(repo, "rev-parse", f"{target}:{target}") == tree
            return sum(request.objects for request in sent) - pushed(sent), pushed(sent)

        with serve(tmp_path) as served:
            carried = carry("charts")
            with pytest.MonkeyPatch.context() as patch:  # the trap: git's own default walks the trees sparsely
                patch.setattr("gitops.repo.copy._SETTINGS", ())
                sparse = carry("trap")

        assert carried == (0, 2)  # the commit and its root tree
        assert sparse[0] >= 40, "git no longer falls into this trap: pack.useSparse=false can go"
        assert sparse[1] >= 40

    def test_one_commit_goes_to_two_refs_and_is_sent_once(self, server: Server, repo: Path) -> None:
        with opened(url_of(server)) as repository:
            commit = repository.commit([repository.tip], "x\n", repository.tree_of(repository.tip))
            assert not repository.push([Update(f"refs/heads/{name}", None, commit) for name in ("one", "two")])
            assert not repository.push([Update("refs/heads/three", None, commit)])

        assert pushed(server.requests) == 1
        assert {story.refs(repo)[f"refs/heads/{name}"] for name in ("one", "two", "three")} == {commit}

    def test_a_dry_run_asks_to_read_only(self, server: Server, repo: Path) -> None:
        before = story.refs(repo)
        done = story.gitops("promote", "wallet", "--to", "staging", "--dry-run", "--repo", url_of(server))

        assert done.returncode == 0, done.stderr
        assert {request.service for request in server.requests} == {"git-upload-pack"}
        assert story.refs(repo) == before

    def test_a_server_without_partial_clone_serves_as_well(self, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for setting in ("allowFilter", "allowAnySHA1InWant"):
            story.git(repo, "config", f"uploadpack.{setting}", "false")
        monkeypatch.setattr("tests.git_http._ALLOWED", ("http.receivepack",))
        with serve(repo.parent) as server:
            url = url_of(server)
            story.promotion(url, "wallet")
            desk.merge(url, 1, None, None)
            story.release_of(url, "wallet", "b", 2)
            story.promotion(url, "wallet")
            desk.close(url, 3, None)

        staging, dev = (story.content(repo, environment, "wallet") for environment in ("staging", "dev"))
        assert story.tag("a").encode() in (staging["release.yaml"] or b"")
        assert story.tag("b").encode() in (dev["release.yaml"] or b"")
        assert [request.service for request in server.requests].count("git-receive-pack") == 10
        story.assert_sound(repo)


class TestWhoMay:
    @pytest.fixture
    def token(self) -> str:
        return f"word-{secrets.token_hex(12)}"

    @pytest.fixture
    def guarded(self, repo: Path, token: str) -> Iterator[Server]:
        with serve(repo.parent, credentials=("robot", token)) as served:
            yield served

    def test_a_token_is_nowhere_to_be_seen(
        self, guarded: Server, repo: Path, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = url_of(guarded, f"robot:{token}@")
        arguments = _arguments_of_every_git(tmp_path, monkeypatch)
        told = []
        for command in (
            ("promote", "wallet", "--to", "staging"),
            ("promote", "wallet", "--to", "staging", "--json"),
            ("prs",),
            ("show", "1"),
            ("approve", "1", "--as", story.REVIEWER),
            ("status",),
            ("merge", "1"),
            ("merge", "77"),
        ):
            done = story.gitops(*command, "--repo", url)
            assert done.returncode == (1 if command[-1] == "77" else 0), done.stderr
            told.append(done.stdout + done.stderr)
        everything = subprocess.run(
            ["git", "cat-file", "--batch", "--batch-all-objects"], cwd=repo, capture_output=True, check=True
        ).stdout

        assert f"{guarded.url}/gitops.git#1" in told[0]
        seen = arguments.read_text()
        assert "remote-http origin http://127.0.0.1" in seen
        for place in (*told, seen, everything.decode("latin-1"), str(story.refs(repo))):
            assert token not in place
        assert not any(token in path.read_text("latin-1") for path in tmp_path.rglob("config"))

    def test_a_user_alone_is_no_argument_either(
        self, guarded: Server, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments = _arguments_of_every_git(tmp_path, monkeypatch)
        done = story.gitops("prs", "--repo", url_of(guarded, f"{token}@"))

        assert done.returncode == 1
        assert token not in done.stderr + arguments.read_text()

    @pytest.mark.parametrize("helper", ["", "!echo password=asked; echo username=asked; #"])
    def test_a_wrong_token_is_told_in_a_line(self, guarded: Server, repo: Path, home: Path, helper: str) -> None:
        story.git(home, "config", "--global", "credential.helper", helper)
        before = story.refs(repo)
        url = url_of(guarded, "robot:wrong@")
        done = story.gitops("promote", "wallet", "--to", "staging", "--repo", url)

        assert (done.returncode, done.stdout) == (1, "")
        address = f"{guarded.url}/gitops.git"
        assert done.stderr == (
            f"error: {address}: cannot be read: Authentication failed for '{address}/'\n"
            f"  try: check the address, and that you may read it: git ls-remote {address}\n"
        )
        assert story.refs(repo) == before

    def test_what_a_person_sets_for_one_process_is_kept(
        self, guarded: Server, repo: Path, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.delenv(f"GIT_{role}_EMAIL")
        for name, value in {"COUNT": "1", "KEY_0": "user.email", "VALUE_0": "ann@acme.example"}.items():
            monkeypatch.setenv(f"GIT_CONFIG_{name}", value)

        assert story.opened_pr(url_of(guarded, f"robot:{token}@")).author == "ann@acme.example"
        assert story.git(repo, "log", "-1", "--format=%ae %ce", "shiplane/pin/staging/wallet") == " ".join(
            ["ann@acme.example"] * 2
        )

    def test_a_token_with_odd_letters(self, repo: Path) -> None:
        with serve(repo.parent, credentials=("ro bot", "p@ss/wö:rd%")) as server:
            url = url_of(server, "ro%20bot:p%40ss%2Fw%C3%B6:rd%25@")
            assert story.promotion(url, "wallet").request is not None
            with opened(url) as repository:
                assert repository.url == f"{server.url}/gitops.git"

    def test_who_may_only_read_is_told_so_and_changes_nothing(self, server: Server, repo: Path) -> None:
        before = story.refs(repo)
        server.read_only = True
        done = story.gitops("promote", "wallet", "--to", "staging", "--repo", url_of(server))

        assert (done.returncode, done.stdout) == (1, "")
        errors = [line for line in done.stderr.splitlines() if not line.startswith("·")]
        assert errors == [
            f"error: {url_of(server)}: cannot be written: unable to access '{url_of(server)}/': "
            "The requested URL returned error: 403",
            "  try: check that you may push to it",
        ]
        assert story.refs(repo) == before
        assert story.gitops("status", "--repo", url_of(server)).returncode == 0


class TestWhenTheServerDoesNot:
    @pytest.mark.parametrize("status", [500, 502, 429])
    @pytest.mark.parametrize("when", ["GET", "POST"])
    def test_a_push_that_fails_is_an_error_at_once(self, server: Server, repo: Path, status: int, when: str) -> None:
        before = story.refs(repo)
        start = time.monotonic()
        with (
            _spoiling(server, when, status) as spoiled,
            pytest.raises(ShiplaneError, match="cannot be written") as told,
        ):
            story.promotion(f"{spoiled}/gitops.git", "wallet")

        assert str(status) in str(told.value)
        assert time.monotonic() - start < 20
        assert story.refs(repo) == before

    def test_an_answer_that_is_cut_off_is_no_success(self, server: Server, repo: Path) -> None:
        """The push may have been taken: who runs it again finds out."""
        with (
            _spoiling(server, "POST", 0, after=True) as spoiled,
            pytest.raises(ShiplaneError, match="cannot be written"),
        ):
            story.promotion(f"{spoiled}/gitops.git", "wallet")
        assert list(story.records(repo)) == [1]

        again = story.promotion(url_of(server), "wallet")
        assert again.unchanged
        assert list(story.records(repo)) == [1]

    def test_a_server_that_hangs_does_not_hold_us(
        self, server: Server, repo: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with opened(url_of(server)) as repository:
            forge = Embedded(repository)
            commit = repository.commit([repository.tip], "x\n", repository.tree_of(repository.tip))
            forge.open()
            server.delay = 30
            monkeypatch.setattr(importlib.import_module("gitops.repo.git"), "_DEADLINE", 0.5)
            start = time.monotonic()
            with pytest.raises(ShiplaneError, match=r"cannot be written: no answer within 0\.5 s"):
                repository.push([Update("refs/heads/one", None, commit)])
            server.delay = 0
        assert time.monotonic() - start < 15

    def test_nor_does_one_that_hangs_before_anything_is_read(
        self, server: Server, repo: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.delay = 30
        monkeypatch.setattr(importlib.import_module("gitops.repo.git"), "_DEADLINE", 0.5)
        start = time.monotonic()
        done = story.gitops("status", "--repo", url_of(server))
        server.delay = 0

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: {url_of(server)}: cannot be read: no answer within 0.5 s\n")
        assert time.monotonic() - start < 15

    def test_a_mistake_is_told_without_waiting_for_a_server_that_hangs(
        self, server: Server, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "scratch").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
        server.delay = 30
        start = time.monotonic()
        done = story.gitops("promote", "Bad Name", "--to", "staging", "--repo", url_of(server))
        server.delay = 0

        assert (done.returncode, done.stdout) == (1, "")
        assert "Bad Name" in done.stderr
        assert time.monotonic() - start < 15
        assert not [*(tmp_path / "scratch").iterdir()]
        assert not [each for each in Path("/proc").glob("[0-9]*/cmdline") if url_of(server) in _text(each)]

    def test_a_server_that_is_not_there(self) -> None:
        done = story.gitops("prs", "--repo", "http://127.0.0.1:9/gitops.git")

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: http://127.0.0.1:9/gitops.git: cannot be read: unable to access")


def _text(path: Path) -> str:
    """What a file of /proc holds; nothing once its process has ended."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _arguments_of_every_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where git writes down the arguments of every process that it starts, itself included."""
    trace = tmp_path / "trace.txt"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "curl.txt"))
    return trace


@contextlib.contextmanager
def _spoiling(server: Server, when: str, status: int, *, after: bool = False) -> Iterator[str]:
    """A proxy that hands on all but pushes; `after`: a push is handed on too, and its answer is lost."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._hand_on("GET")

        def do_POST(self) -> None:
            self._hand_on("POST")

        def _hand_on(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            spoil = method == when and "git-receive-pack" in self.path
            if spoil and not after:
                self._answer(status, [], b"no\n")
                return
            address = server.url.removeprefix("http://")
            with contextlib.closing(http.client.HTTPConnection(address)) as connection:
                connection.request(method, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                data = answer.read()
            if spoil:
                self.close_connection = True
                return
            self._answer(answer.status, [(k, v) for k, v in answer.getheaders() if k == "Content-Type"], data)

        def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(data)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
            thread.join()
