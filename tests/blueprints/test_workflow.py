"""The workflow of a generated service: what it may do, what it releases, and when its gate lets a change pass."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.blueprints.odd import odd
from tests.blueprints.rendered import MADE, Made, service


@pytest.fixture(scope="module", params=MADE, ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture(params=["wallet", "null"], ids=["defaults", "odd"])
def root(made: Made, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return service(tmp_path, made, request.param, **(odd(made) if request.param == "null" else {}))


def _workflow(root: Path) -> Path:
    return root / ".github" / "workflows" / f"{root.name}.yaml"


def _jobs(root: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load(_workflow(root).read_text())["jobs"]
    return jobs


def test_the_workflow_needs_no_edit(made: Made, tmp_path: Path) -> None:
    given = {"gitops_repository": "acme/lanes", "registry": "210987654321.dkr.ecr.us-gov-west-1.amazonaws.com"}
    root = service(tmp_path, made, "trading-engine", **given)
    jobs = _jobs(root)
    (assume,) = [step["with"] for step in jobs["publish"]["steps"] if "role-to-assume" in step.get("with", {})]
    assert assume["aws-region"] == "us-gov-west-1"
    assert assume["role-to-assume"] == "arn:aws-us-gov:iam::210987654321:role/github-publish"
    assert jobs["publish"]["env"] == {"REGISTRY": given["registry"], "REPOSITORY": "trading-engine"}
    (token,) = [step["with"] for step in jobs["release"]["steps"] if "private-key" in step.get("with", {})]
    assert (token["owner"], token["repositories"]) == ("acme", "lanes")


def test_only_the_jobs_that_push_and_sign_may_ask_for_an_identity(root: Path) -> None:
    workflow = yaml.safe_load(_workflow(root).read_text())
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    writes = {name: {key for key, value in job["permissions"].items() if value != "read"} for name, job in jobs.items()}
    assert {name: found for name, found in writes.items() if found} == {
        "publish": {"id-token"},
        "attest": {"id-token", "attestations"},
    }
    assert all(job["timeout-minutes"] <= 20 for job in jobs.values())
    used = re.findall(r"\buses: (\S+)(.*)", _workflow(root).read_text())
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w.-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


def test_nothing_is_pushed_unchecked_and_nothing_released_unsigned(root: Path) -> None:
    jobs, told = _jobs(root), _workflow(root).read_text()
    assert set(jobs["publish"]["needs"]) == {"secrets", "test", "chart"}
    assert jobs["publish"]["if"] == "github.event_name == 'push'"
    assert jobs["attest"]["needs"] == "publish"
    assert set(jobs["release"]["needs"]) == {"publish", "attest"}
    assert told.index("anchore/scan-action") < told.index("docker push") < told.index("cosign sign --yes")
    named = [value for job in jobs.values() for step in job["steps"] for value in step.get("env", {}).values()]
    tools = [value for value in named if "@" in value]
    assert len(tools) == 3
    assert all(re.fullmatch(r"[\w./-]+:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", tool) for tool in tools)
    assert "latest" not in told


def test_no_release_is_dropped_and_the_gate_always_judges(root: Path) -> None:
    workflow = yaml.safe_load(_workflow(root).read_text())
    concurrency = workflow["concurrency"]
    assert "github.event_name == 'push' && github.sha" in concurrency["group"]
    assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    gate = workflow["jobs"]["gate"]
    assert gate["if"] == "always()"
    assert set(gate["needs"]) == workflow["jobs"].keys() - {"gate"}


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ("success success success skipped skipped", 0),
        ("success skipped skipped skipped skipped", 0),
        ("success failure success skipped skipped", 1),
        ("success success success cancelled skipped", 1),
        ("failure skipped skipped skipped skipped", 1),
    ],
)
def test_the_gate_passes_when_no_job_failed(root: Path, tmp_path: Path, results: str, code: int) -> None:
    (step,) = _jobs(root)["gate"]["steps"]
    assert _bash(step["run"], tmp_path, RESULTS=results)[0] == code


def _bash(script: str, folder: Path, **variables: str) -> tuple[int, str]:
    """Run a step as GitHub runs `shell: bash`; its exit code and what it said."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ("README.md", "false"),
        ("docs/runbook.md", "false"),
        ("src/new", "true"),
        ("chart/values.yaml", "true"),
        ("Dockerfile", "true"),
    ],
)
def test_words_alone_release_nothing(root: Path, changed: str, counts: str) -> None:
    before = _commit(root)
    (root / changed).parent.mkdir(exist_ok=True)
    with (root / changed).open("a") as file:
        file.write("\n# more\n")
    _commit(root)
    assert _compare(root, before) == counts


@pytest.mark.parametrize("before", ["0" * 40, "", "1f" * 20])
def test_a_change_that_cannot_be_told_counts(root: Path, before: str) -> None:
    _commit(root)
    assert _compare(root, before) == "true"


def _commit(root: Path) -> str:
    for arguments in ["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Change"]:
        subprocess.run(["git", *arguments], cwd=root, check=True)
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
    return said.stdout.strip()


def _compare(root: Path, before: str) -> str:
    steps = _jobs(root)["changes"]["steps"]
    (step,) = [step for step in steps if step.get("id") == "compare"]
    output = root.parent / "output"
    code, said = _bash(step["run"], root, BEFORE=before, GITHUB_OUTPUT=str(output))
    assert code == 0, said
    return output.read_text().strip().removeprefix("service=")
