"""Many who write to GitHub at once: each ends well, and there is one pull request for each thing that was asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.gitops.github_double import ground
from tests.gitops.github_double.lane import Lane, running
from tests.gitops.story import Done

CODE = "import sys; from gitops.commands.gitops import run; sys.exit(run())"


def at_once(lane: Lane, runs: Sequence[tuple[Mapping[str, str], tuple[str, ...]]]) -> list[Done]:
    """Every run in a process of its own, all started together."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, *words, "--repo", lane.double.url],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for variables, words in runs
    ]
    said = [process.communicate(timeout=180) for process in processes]
    return [Done(process.returncode, *each) for process, each in zip(processes, said, strict=True)]


def test_the_same_promotion_by_people_and_an_app_is_one_pull_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, monkeypatch, app=False) as lane:
        promote = ("promote", "wallet", "--to", "staging")
        who = [ground.by_token(lane.double, f"ghp_{each}") for each in ("dev", "rev", "sue")]
        app = [ground.by_app(lane.double, each) for each in ("dev", "eve")]

        done = at_once(lane, [(variables, promote) for variables in (*who, *app)])

        assert [each.returncode for each in done] == [0] * 5, done
        assert len({each.stdout for each in done}) == 1
        assert len(lane.world.pulls) == 1
        assert lane.verdicts(1)["order"][0] == "passed"


def test_what_is_released_at_once_is_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dev merges by itself: each merge moves the base under all the others."""
    with running(tmp_path, monkeypatch, app=False) as lane:
        onboard = ("--source", "acme/x", "--image", "acme/x")
        names = ["ledger", "quotes", "custody", "limits"]
        runs = [
            (
                ground.by_token(lane.double, "ghp_dev") if index % 2 else ground.by_app(lane.double, "dev"),
                ("onboard", name, *onboard),
            )
            for index, name in enumerate(names)
        ]
        done = at_once(lane, runs)
        assert [each.returncode for each in done] == [0] * 4, done
        numbers = sorted(pull.number for pull in lane.world.pulls)
        for number in numbers:
            lane.approve(number, "rev")

        merged = at_once(
            lane, [(ground.by_token(lane.double, "ghp_sue"), ("merge", str(number))) for number in numbers]
        )

        assert [each.returncode for each in merged] == [0] * 4, merged
        assert {pull.state for pull in lane.world.pulls} == {"merged"}
        tree = lane.world.git("ls-tree", "-r", "--name-only", "main", "services/").splitlines()
        assert {f"services/{name}.yaml" for name in names} <= set(tree)
        assert lane.world.heads().keys() == {"refs/heads/main"}
