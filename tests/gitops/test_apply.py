"""What happens around a plan: which open pull request is updated, left, or named as standing in the way."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from gitops.apply import forge_of, load, settle
from gitops.model import Nothing
from gitops.pull_request import PullRequest
from gitops.repo import opened
from tests.conftest import ROOT
from tests.gitops import story


def open_requests(repo: Path) -> list[PullRequest]:
    with opened(str(repo)) as repository:
        return forge_of(repository, load(repository)).open()


def reviewed(repo: Path) -> Path:
    """`repo` with a dev that does not merge by itself."""
    config = story.show(repo, "shiplane.yaml")
    assert config is not None
    story.write(repo, {"shiplane.yaml": config.replace(b"merge: auto", b"merge: review")})
    return repo


def test_an_older_build_does_not_replace_the_open_pull_request_of_a_newer_one(tmp_path: Path) -> None:
    repo = reviewed(story.repository(tmp_path / "repo"))
    story.release_of(repo, "wallet", "new", run=7)
    before = story.refs(repo)

    late = story.release_of(repo, "wallet", "old", run=6)

    assert isinstance(late.plan, Nothing)
    assert late.plan.reason == f"superseded: #1 pins {story.tag('new')[:7]} of run 7, newer than run 6"
    assert story.refs(repo) == before


def test_a_newer_build_updates_the_open_pull_request_of_an_older_one(tmp_path: Path) -> None:
    repo = reviewed(story.repository(tmp_path / "repo"))
    story.release_of(repo, "wallet", "old", run=6)

    story.release_of(repo, "wallet", "new", run=7)

    [request] = open_requests(repo)
    assert request.number == 1
    assert request.move is not None
    assert request.move.after.tag == story.tag("new")


def test_a_promotion_may_go_back_to_an_older_build(tmp_path: Path) -> None:
    repo = story.repository(tmp_path / "repo")
    story.release_of(repo, "wallet", "new", run=7)
    first = story.opened_pr(repo)
    older = {}
    for name, data in story.content(repo, "dev", "wallet").items():
        if data is not None and name in ("release.yaml", "origin.yaml"):
            back = data.replace(b"run: 7", b"run: 6").replace(story.tag("new").encode(), story.tag("old").encode())
            older[f"environments/dev/wallet/{name}"] = back
    story.write(repo, older)

    second = story.opened_pr(repo)

    assert second.number == first.number
    assert second.move is not None
    assert second.move.after.tag == story.tag("old")


def test_a_refusal_leaves_nothing_at_work(tmp_path: Path) -> None:
    """What is still being imported when the interpreter ends would end in a traceback."""
    script = f"""
import threading
from generator.errors import ShiplaneError
from gitops.apply import propose

try:
    propose({str(tmp_path / "nowhere")!r}, [])
except ShiplaneError as error:
    print(error)
print([each for each in threading.enumerate() if type(each) is threading.Thread])
"""

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert "cannot be read" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_whoever_always_loses_makes_way_for_fifty_and_gives_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = story.repository(tmp_path / "repo")
    now, tries = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)

    def lose(_: object) -> None:
        tries.append(now[0])
        now[0] += 2.0

    with pytest.raises(ShiplaneError, match="others wrote first for 300 s\n  try: try the same command again"):
        settle(str(repo), lose)

    assert [later - sooner for sooner, later in itertools.pairwise(tries)][:3] == [4, 6, 10]
    assert len(tries) < 30  # of two seconds each: fifty could not all try as often as that on two cores
