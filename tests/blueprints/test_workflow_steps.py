"""The workflow of a generated service, run: each of its steps that is bash, with the tools that it names.

What lies outside is at tests/blueprints/programs.py. Images are built for real by tests/images.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator import helm
from scripts.audit import schemas
from scripts.audit.findings import AuditError
from scripts.audit.go_tools import PINNED, GoTool, NotRunError, program
from tests.blueprints.programs import place
from tests.blueprints.rendered import MADE, Made, service
from tests.conftest import ROOT, TOOLS
from tests.gitops import story
from tests.runner import Done, Runner, outside

GITLEAKS = GoTool(
    name="gitleaks",
    package="github.com/zricethezav/gitleaks/v8",
    version="v8.30.1",
    modules="636239274139b7f432873ce83c311e70bf547f3741f1a4b63feac4fbd231483b",
)
NO_WAY = re.compile(r"dial tcp|proxyconnect|i/o timeout|TLS handshake|lookup disabled")
PLANTED = "AKIA" + "Z7GQ3XV5N2LP4RTB"  # of the form that AWS's keys have; put together here, so that it stands nowhere
DIGEST = f"sha256:{'2e' * 32}"
OTHERS = {
    "changes": ["Check out"],
    "secrets": ["Check out"],
    "test": ["Check out", "Scan"],
    "chart": ["Check out"],
    "publish": ["Check out", "Assume the AWS role"],
    "attest": [
        "Assume the AWS role", "Scan", "List what is in it", "Attest the list", "Attest where it comes from",
        "Install cosign",
    ],
    "release": ["Check out", "Get a token for the GitOps repository"],
    "gate": [],
}  # fmt: skip
"""The steps that are actions of others, by their jobs: they are not run here."""


@dataclass(frozen=True)
class Place:
    """A service in its repository, and a runner's folder."""

    made: Made
    root: Path
    workspace: Path
    temp: Path
    tools: Mapping[str, str]

    @property
    def workflow(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((self.workspace / ".github" / "workflows" / "wallet.yaml").read_text())
        return found

    def commit(self) -> str:
        """Commit all that is there."""
        story.git(self.workspace, "add", "--all")
        story.git(self.workspace, "commit", "--quiet", "--allow-empty", "--message=Change")
        return story.git(self.workspace, "rev-parse", "HEAD")

    def runner(self, before: str = "", **contexts: Any) -> Runner:
        """A runner of one job, for a push to main of what is committed."""
        sha = story.git(self.workspace, "rev-parse", "HEAD")
        github = {"sha": sha, "run_number": "7", "actor": "ann", "event_name": "push", "event": {"before": before}}
        bin_ = place(self.temp / "bin")
        asked, digests = self.temp / "asked", self.temp / "digests"
        asked.write_text("")
        digests.touch()
        variables = {
            **outside(), "PATH": f"{bin_}:{os.environ['PATH']}", "ASKED": str(asked), "AWS_DIGESTS": str(digests),
            "GITHUB_SHA": sha, "GITHUB_RUN_NUMBER": "7", **self.tools,
        }  # fmt: skip
        return Runner(self.workspace, self.temp, variables, {"github": github, **contexts}, {"acme/shiplane": ROOT})

    def run(self, job: str, runner: Runner | None = None, **changed: str) -> dict[str, Done | None]:
        """Run a job; each step by its name, and those after one that failed not at all.

        `changed` are inputs of our own action that are others here: what they name is not there.
        """
        workflow = self.workflow
        for step in workflow["jobs"][job]["steps"]:
            if step.get("with", {}).keys() >= {"command", *changed}:
                step["with"] |= changed
        folder = workflow["defaults"]["run"].get("working-directory", ".")
        return dict((runner or self.runner()).job(workflow["jobs"][job], folder))

    @property
    def asked(self) -> list[str]:
        """What docker, aws and cosign were asked for."""
        return (self.temp / "asked").read_text().splitlines()


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runner")


@pytest.fixture(scope="module")
def tools() -> dict[str, str]:
    """The programs behind the images of tools, built by go where they are missing."""
    (kubeconform,) = [tool for tool in PINNED if tool.name == "kubeconform"]
    found = {}
    for tool in (kubeconform, GITLEAKS):
        try:
            found[f"{tool.name.upper()}_PROGRAM"] = str(program(tool, TOOLS / "go"))
        except NotRunError as reason:
            pytest.skip(f"{tool.name}: {reason}")
        except AuditError as error:
            if NO_WAY.search(str(error)):
                pytest.skip(str(error).splitlines()[0])
            raise
    return found


@pytest.fixture(params=MADE, ids=str)
def laid(request: pytest.FixtureRequest, temp: Path, tools: Mapping[str, str], tmp_path: Path) -> Place:
    """Each service: those that answer requests in repositories of their own, workers in a folder of one of many."""
    made: Made = request.param
    workspace = tmp_path / "wallet"
    if made.kind == "http":
        root = service(tmp_path, made)
    else:
        root = service(workspace / "services", made, folder="services/wallet", repository="acme/exchange")
        (root / ".github").rename(workspace / ".github")
    found = Place(made, root, workspace, temp, {**tools, "SCHEMAS": str(temp / "schemas")})
    story.git(workspace, "init", "--quiet", "--initial-branch=main")
    found.commit()
    return found


def passed(done: Mapping[str, Done | None]) -> None:
    assert {name: step.said for name, step in done.items() if step and step.code} == {}


def test_every_step_is_run_or_is_an_action_of_others(laid: Place) -> None:
    jobs = laid.workflow["jobs"]
    ours = "acme/shiplane@"
    foreign = {
        name: [step["name"] for step in job["steps"] if not step.get("uses", ours).startswith(ours)]
        for name, job in jobs.items()
    }
    assert foreign == OTHERS


def test_what_changed_is_told_and_searched_for_secrets(laid: Place) -> None:
    before = story.git(laid.workspace, "rev-parse", "HEAD")
    (laid.root / "notes.txt").write_text("nothing of note\n")
    laid.commit()
    compared = laid.run("changes", laid.runner(before))["Compare"]
    assert compared is not None
    assert compared.outputs == {"service": "true"}
    passed(laid.run("secrets", laid.runner(before)))

    (laid.root / "notes.txt").write_text(f"aws_access_key_id = {PLANTED}\n")
    laid.commit()
    (laid.root / "notes.txt").write_text("taken out again\n")
    laid.commit()
    searched = laid.run("secrets", laid.runner(before))["Look for secrets"]
    assert searched is not None
    assert searched.code == 1
    assert PLANTED not in searched.said


def test_the_image_is_linted_tested_and_built(laid: Place) -> None:
    passed(laid.run("test"))
    sha = story.git(laid.workspace, "rev-parse", "HEAD")
    assert laid.asked[1:] == ["docker build --target test .", f"docker build --tag wallet:{sha} ."]

    dockerfile = laid.root / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "RUN sudo true\n")
    done = laid.run("test")
    assert [name for name, step in done.items() if step] == ["Lint the Dockerfile"]


def with_schemas(laid: Place) -> None:
    """The schemas that kubeconform would fetch, for what this chart renders."""
    for kubernetes in "1.28", "1.33":
        values, rendered = laid.temp / "image.yaml", laid.temp / "rendered.yaml"
        values.write_text(yaml.safe_dump({"image": {"tag": "1f" * 20, "digest": DIGEST}}))
        where = {"release": "wallet", "namespace": "wallet", "kubernetes": f"{kubernetes}.0"}
        rendered.write_bytes(helm.template(helm.require(), laid.root / "chart", values=[values], **where))
        schemas.write(rendered, kubernetes, laid.temp / "schemas" / kubernetes)


def test_the_chart_is_linted_rendered_and_judged(laid: Place) -> None:
    with_schemas(laid)
    done = laid.run("chart")
    passed(done)
    judged = done["Lint, render, check against schemas and policy"]
    assert judged is not None
    assert judged.said.count("Invalid: 0, Errors: 0") == 2
    assert len(re.findall(r"objects judged: 0 errors, 0 warnings", judged.said)) == 2


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("values.yaml", "replicas: 2", "replicas: many", "replicas"),
        ("values.yaml", "replicas: 2", "copies: 2", "copies"),
        ("templates/deployment.yaml", "  strategy:\n", "  stategy:\n", "stategy"),
        ("templates/deployment.yaml", "enableServiceLinks: false", "hostNetwork: true", "host-access"),
        (
            "templates/deployment.yaml",
            "      containers:\n",
            "      containers: {{ .Values.none.there }}\n",
            "nil pointer",
        ),
    ],
)
def test_a_chart_that_is_wrong_is_found(laid: Place, path: str, old: str, new: str, told: str) -> None:
    with_schemas(laid)
    file = laid.root / "chart" / path
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))
    (judged,) = [step for step in laid.run("chart").values() if step and step.code]
    assert told in judged.said


def test_an_image_is_pushed_once_and_named_by_its_digest(laid: Place) -> None:
    sha = story.git(laid.workspace, "rev-parse", "HEAD")
    registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    pushed = laid.temp / "pushed"
    pushed.write_text(f'#!/bin/bash\nif [[ "$1" == push ]]; then echo "{sha} {DIGEST}" >> "$AWS_DIGESTS"; fi\n')
    pushed.chmod(0o755)
    (laid.temp / "digests").write_text("")
    for builds in 1, 0:
        runner = laid.runner()
        runner.variables["DOCKER_BUILDS"] = str(pushed)
        done = laid.run("publish", runner)
        passed(done)
        built = done["Build and push"]
        assert built is not None
        assert built.outputs == {"digest": DIGEST}
        assert sum(line.startswith("docker push ") for line in laid.asked) == builds
        assert sum(line.startswith("docker build --provenance=false --sbom=false ") for line in laid.asked) == builds
    assert f"docker login --username AWS --password-stdin {registry}" in laid.asked


def test_what_was_pushed_is_signed_by_its_digest(laid: Place) -> None:
    passed(laid.run("attest", laid.runner(needs={"publish": {"outputs": {"digest": DIGEST}}})))
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wallet"
    assert laid.asked[-1] == f"cosign sign --yes {image}@{DIGEST}"


def test_the_release_is_recorded_in_the_gitops_repository(laid: Place, tmp_path: Path) -> None:
    repo = story.repository(tmp_path / "lanes.git", known=("wallet",))
    (step,) = [step for step in laid.workflow["jobs"]["release"]["steps"] if step["name"] == "Release"]
    assert step["with"]["repository"] == "https://github.com/acme/exchange-gitops.git"
    (laid.temp / "summary").unlink(missing_ok=True)
    told = {"publish": {"outputs": {"digest": DIGEST}}}, {"token": {"outputs": {"app-slug": "lanes"}}}
    runner = laid.runner(needs=told[0], steps=told[1])
    done = laid.run("release", runner, repository=str(repo))  # the one thing that is not there: GitHub
    passed(done)
    released = done["Release"]
    assert released is not None
    assert released.outputs["number"] == "1"
    content = story.content(repo, "dev", "wallet")
    assert DIGEST.encode() in (content["release.yaml"] or b"")
    assert content["chart/Chart.yaml"] == (laid.root / "chart" / "Chart.yaml").read_bytes()
    assert story.git(repo, "log", "-1", "--format=%an", "main") == "lanes[bot]"
    assert "wallet" in runner.summary
