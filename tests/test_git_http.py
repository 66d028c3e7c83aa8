"""The server that other tests rely on: real clones and pushes, refusals, and a true record."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.git_http import serve


def git(*arguments: str | Path, folder: Path) -> str:
    done = subprocess.run(["git", *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one bare repository `wallet.git`: one commit, twelve files."""
    served, work = tmp_path / "served", tmp_path / "work"
    served.mkdir()
    git("init", "--quiet", work, folder=tmp_path)
    for number in range(12):
        (work / f"{number}.txt").write_text(f"{number}\n")
    git("add", ".", folder=work)
    git("commit", "--quiet", "-m", "first", folder=work)
    git("clone", "--quiet", "--bare", work, served / "wallet.git", folder=tmp_path)
    return served


def test_a_clone_and_a_push_go_through_and_are_on_record(root: Path, tmp_path: Path) -> None:
    with serve(root) as server:
        clone = tmp_path / "clone"
        git("clone", "--quiet", f"{server.url}/wallet.git", clone, folder=tmp_path)
        fetched = list(server.requests)
        (clone / "new.bin").write_bytes(bytes(range(256)) * 12_000)  # over http.postBuffer: git sends it in chunks
        git("add", ".", folder=clone)
        git("commit", "--quiet", "-m", "second", folder=clone)
        git("-c", "core.compression=0", "push", "--quiet", folder=clone)
        pushed = server.requests[len(fetched) :]

    assert git("log", "--format=%s", "main", folder=root / "wallet.git") == "second\nfirst"
    assert [(r.method, r.service, r.protocol) for r in fetched] == [
        ("GET", "git-upload-pack", "version=2"),
        ("POST", "git-upload-pack", "version=2"),
        ("POST", "git-upload-pack", "version=2"),
    ]
    assert sum(r.objects for r in fetched) == 12 + 1 + 1
    assert {r.service for r in pushed} == {"git-receive-pack"}
    assert sum(r.objects for r in pushed) == 3  # the blob, the tree, the commit
    assert max(r.received for r in pushed) > 256 * 12_000


def test_a_partial_clone_leaves_the_blobs_behind(root: Path, tmp_path: Path) -> None:
    with serve(root) as server:
        git("clone", "--quiet", "--bare", "--filter=blob:none", f"{server.url}/wallet.git", "partial", folder=tmp_path)

        assert sum(r.objects for r in server.requests) == 2  # the commit and its tree


def test_credentials_are_asked_for(root: Path, tmp_path: Path) -> None:
    with serve(root, credentials=("dev", "word")) as server:
        with pytest.raises(AssertionError, match="terminal prompts disabled"):
            git("ls-remote", f"{server.url}/wallet.git", folder=tmp_path)
        known = server.url.replace("http://", "http://dev:word@")

        assert "refs/heads/main" in git("ls-remote", f"{known}/wallet.git", folder=tmp_path)
        assert 401 in [r.status for r in server.requests]


def test_a_read_only_server_refuses_a_push_and_nothing_else(root: Path, tmp_path: Path) -> None:
    with serve(root, read_only=True) as server:
        git("clone", "--quiet", f"{server.url}/wallet.git", "clone", folder=tmp_path)
        git("commit", "--quiet", "--allow-empty", "-m", "second", folder=tmp_path / "clone")
        with pytest.raises(AssertionError, match="403"):
            git("push", "--quiet", folder=tmp_path / "clone")

    assert git("log", "--format=%s", "main", folder=root / "wallet.git") == "first"


def test_each_answer_takes_the_delay(root: Path, tmp_path: Path) -> None:
    with serve(root, delay=0.3) as server:
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(
                ["git", "ls-remote", f"{server.url}/wallet.git"], timeout=0.2, capture_output=True, check=True
            )
        server.delay = 0

        assert "refs/heads/main" in git("ls-remote", f"{server.url}/wallet.git", folder=tmp_path)


def test_a_repository_that_is_none_is_not_found(root: Path, tmp_path: Path) -> None:
    with serve(root) as server, pytest.raises(AssertionError, match="not found"):
        git("ls-remote", f"{server.url}/absent.git", folder=tmp_path)
