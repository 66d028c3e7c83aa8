"""A lane with gates, driven by the real commands at a clock that the test sets."""

from __future__ import annotations

import atexit
import functools
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gitops import clock, desk
from gitops.apply import propose
from gitops.pull_request import PullRequest
from tests.gitops import story
from tests.gitops.literal import NOW
from tests.gitops.story import CHART, Done, tag

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PEOPLE = """\
teams:
  sre: [sue@acme.example, sam@acme.example]
  glass: [gil@acme.example]
"""


def configuration(prod: str = "{}", staging: str = "{}", hotfix: str = "", more: str = "") -> bytes:
    """shiplane.yaml of a lane whose staging and prod have these gates."""
    return f"""\
version: 1
forge: embedded
{PEOPLE}environments:
  dev: {{merge: auto, cluster: eks-dev, registry: {REGISTRY}, kubernetes: "1.33"}}
  staging: {{from: dev, cluster: eks-staging, gates: {staging}}}
  prod: {{from: staging, {hotfix}cluster: eks-prod, gates: {prod}}}
{more}""".encode()


@dataclass
class Lane:
    """A GitOps repository, and people who act on it. `now` is what the clock shows."""

    repo: Path
    now: datetime = NOW
    runs: dict[str, int] = field(default_factory=dict)

    def later(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def run(self, *words: object, code: int = 0) -> Done:
        """`gitops words`, which must end with `code`."""
        done = story.gitops(*map(str, words), "--repo", str(self.repo))
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        return done

    def number(self, *words: object) -> int:
        """`gitops words`, and the number of the pull request that it prints."""
        found = re.search(r"#(\d+)$", self.run(*words).stdout.strip())
        assert found
        return int(found[1])

    def release(self, word: str, chart: Mapping[str, bytes] = CHART) -> None:
        """Pin the build called `word` into dev."""
        run = self.runs.setdefault(word, len(self.runs) + 2)
        outcome = propose(str(self.repo), [story.releasing("wallet", word, run, chart)])[1][0]
        assert outcome.request
        assert outcome.request.state == "merged"

    def promote(self, to: str, *words: object) -> int:
        """The pull request of a promotion."""
        return self.number("promote", "wallet", "--to", to, *words)

    def merge(self, number: int, *approved_by: str) -> PullRequest:
        """Approve and merge."""
        for who in approved_by:
            desk.approve(str(self.repo), number, f"{who}@acme.example")
        return desk.merge(str(self.repo), number, None, None)

    def carry(self, to: str, *approved_by: str) -> PullRequest:
        """Promote, approve and merge."""
        return self.merge(self.promote(to), *approved_by)

    def through(self, word: str) -> None:
        """Take a build all the way to prod, past nothing that waits."""
        self.release(word)
        self.carry("staging", "rev")
        self.carry("prod", "rev", "sue", "sam")

    def verdicts(self, number: int, code: int | None = None) -> dict[str, tuple[str, str]]:
        """What `gitops verify` says, by gate: the state and why; of several pins the first that does not pass."""
        done = story.gitops("verify", str(number), "--json", "--repo", str(self.repo))
        assert done.stdout, done
        assert code is None or done.returncode == code, done
        items = sorted(json.loads(done.stdout)["items"], key=lambda each: each["state"] != "passed")
        return {each["gate"]: (each["state"], each["why"]) for each in items}

    def why(self, environment: str = "prod") -> dict[str, str]:
        """What `gitops why` says, by cause."""
        items = json.loads(self.run("why", "wallet", "--env", environment, "--json").stdout)["items"]
        return {each["cause"]: each["why"] for each in items}

    def pinned(self, environment: str, commit: str = "main") -> str:
        """The tag that an environment has."""
        release = story.content(self.repo, environment, "wallet", commit).get("release.yaml") or b""
        found = re.search(rb'tag: "([0-9a-f]{40})"', release)
        return found[1].decode() if found else ""

    def prod(self) -> str:
        """The name that a test gave the build in prod, if it is one of these."""
        names = {tag(word): word for word in [*self.runs, "zero"]}
        return names.get(self.pinned("prod"), self.pinned("prod"))


Start = Callable[[Lane], object]
"""What has happened in a lane before a test: a function with a name, since it is done once for all tests of it."""


def begun(folder: Path, start: Start | None, gates: Mapping[str, str]) -> Lane:
    """A lane in `folder` with these gates, in which dev has the build `zero`, after `start`."""
    if start is None:
        return _lane(folder, gates)
    made = _begun(start, tuple(gates.items()))
    return Lane(Path(shutil.copytree(made.repo, folder)), made.now, dict(made.runs))


@functools.cache
def _begun(start: Start, gates: tuple[tuple[str, str], ...]) -> Lane:
    """Each start is made once for each kind of gates, then copied: releases and merges are a dozen gits each."""
    folder = Path(tempfile.mkdtemp(prefix="shiplane-begun-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lane = _lane(folder / "gitops.git", dict(gates))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: lane.now)
        start(lane)
    return lane


def _lane(folder: Path, gates: Mapping[str, str]) -> Lane:
    extra = {"shiplane.yaml": configuration(**gates)}
    return Lane(story.repository(folder, released={"wallet": "zero"}, extra=extra))


def staging_has_zero(lane: Lane) -> None:
    """The start that most need: what dev has is in staging, too, and goes on from there."""
    lane.carry("staging")
