"""A lane on the double, driven by the commands that people and CI run, at a clock that the test sets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gitops import clock
from gitops.apply import propose
from tests.gitops import story
from tests.gitops.github_double import ground
from tests.gitops.github_double.ground import environment, populate
from tests.gitops.github_double.server import Double, serve
from tests.gitops.github_double.world import Status, World
from tests.gitops.literal import NOW
from tests.gitops.story import Done

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PROD = "{approvals: {count: 2, teams: [sre]}, soak: 24h, health: true, override: {gates: [soak], team: glass}}"


def configuration(prod: str = PROD, more: str = "") -> bytes:
    return f"""\
version: 1
forge: github
environments:
  dev: {{merge: auto, cluster: eks-dev, registry: {REGISTRY}, kubernetes: "1.33"}}
  staging: {{from: dev, cluster: eks-staging}}
  prod: {{from: staging, cluster: eks-prod, gates: {prod}}}
{more}""".encode()


@dataclass
class Lane:
    """A GitOps repository on GitHub. People act by their tokens; `app` is CI, which acts as the App."""

    double: Double
    app: bool
    now: list[datetime] = field(default_factory=lambda: [NOW])

    @property
    def world(self) -> World:
        return self.double.world

    def later(self, **time: float) -> None:
        self.now[0] += timedelta(**time)

    def as_ci(self, actor: str = "dev") -> dict[str, str]:
        """The environment of CI, or of the person who asks, where nobody has an App."""
        return ground.by_app(self.double, actor) if self.app else ground.by_token(self.double, f"ghp_{actor}")

    def run(self, *words: object, who: str = "", code: int = 0) -> Done:
        """`gitops words` by a person, or by CI."""
        variables = ground.by_token(self.double, f"ghp_{who}") if who else self.as_ci()
        with environment(variables):
            done = story.gitops(*map(str, words), "--repo", self.double.url)
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        return done

    def number(self, *words: object) -> int:
        found = re.search(r"/pull/(\d+)$", self.run(*words).stdout.strip())
        assert found, words
        return int(found[1])

    def release(self, word: str, run: int) -> None:
        with environment(self.as_ci()):
            request = propose(self.double.url, [story.releasing("wallet", word, run)])[1][0].request
        assert request
        assert request.state == "merged"

    def approve(self, number: int, *people: str) -> None:
        for who in people:
            ground.approve(self.double, who, number)

    def verdicts(self, number: int) -> dict[str, tuple[str, str]]:
        with environment(self.as_ci("ci")):
            done = story.gitops("verify", str(number), "--post", "--json", "--repo", self.double.url)
        assert done.stdout, done
        return {each["gate"]: (each["state"], each["why"]) for each in json.loads(done.stdout)["items"]}

    def healthy(self, environment: str, by: str = "argocd[bot]", at: str = "") -> None:
        """Argo CD's notifications say that what was synced, the tip unless another is named, is healthy."""
        creator = self.world.people[by]
        context = f"shiplane/health/{environment}/wallet"
        tip = at or str(self.world.head("main"))
        self.world.statuses.append(Status(tip, context, "success", "Healthy", creator, self.world.now()))

    def busy(self, commits: int) -> None:
        """Let so many commits of others land, now."""
        at, stream = int(self.now[0].timestamp()), b""
        for number in range(commits):
            start = b"from refs/heads/main^0\n" if not number else b""
            stream += b"commit refs/heads/main\ncommitter Ann <ann@acme.example> %d +0000\ndata 2\nN\n" % at
            stream += start + b"M 100644 inline notes/busy\ndata 8\n%08d\n" % number
        story.git(self.world.repo, "fast-import", "--quiet", "--date-format=raw", stdin=stream)


LaneOf = Callable[..., Lane]


@contextmanager
def running(folder: Path, patch: pytest.MonkeyPatch, prod: str = PROD, more: str = "", *, app: bool) -> Iterator[Lane]:
    """A lane in which dev has the build `zero`; what was said on the wire is found right at the end."""
    extra = {"shiplane.yaml": configuration(prod, more)}
    world = World(story.repository(ground.repository(folder), released={"wallet": "zero"}, extra=extra))
    populate(world, "dev", "rev", "sue", "sam", "gil", "eve", "ci")
    world.person("argocd[bot]", may="none")
    world.person("github-actions[bot]")
    world.teams = {"sre": ["sue", "sam"], "glass": ["gil"]}
    with serve(folder, world) as double:
        lane = Lane(double, app)
        world.now = lambda: lane.now[0]
        patch.setattr(clock, "now", lambda: lane.now[0])
        yield lane
    assert not world.wrong, world.wrong
