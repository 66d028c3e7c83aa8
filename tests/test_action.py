"""The composite action: its steps run by bash, as a runner would, against a repository of the embedded forge."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.gitops import story
from tests.gitops.test_layouts import SHAPES, built
from tests.runner import Done, Runner, outside

NO_WAY = re.compile(r"NewConnectionError|Temporary failure in name resolution|No matching distribution|Read timed out")


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder, with Shiplane installed in it by the action itself: what it needs by hash."""
    folder = tmp_path_factory.mktemp("runner")
    done = Runner(folder, folder, outside()).action(ROOT, {"command": "install"})
    if done.code != 0 and NO_WAY.search(done.said):
        pytest.skip(f"pip has no way to its index: {done.said.strip().splitlines()[-1]}")
    assert done.code == 0, done.said
    assert done.outputs == {"bin": str(folder / "shiplane" / "bin"), "number": "", "url": "", "changed": ""}
    return folder


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A GitOps repository that knows two services, one of them released into dev."""
    return story.repository(tmp_path / "gitops.git", known=("wallet", "ledger"), released={"ledger": "first"})


@pytest.fixture
def source(tmp_path: Path) -> story.Source:
    """The checkout of a service."""
    (tmp_path / "checkout").mkdir()
    return story.source(tmp_path / "checkout")


class Job:
    """A job in which the action may be used several times."""

    def __init__(self, temp: Path, repo: Path, source: story.Source) -> None:
        (temp / "summary").unlink(missing_ok=True)
        github = {"sha": source.tag, "run_number": "7", "actor": "ann"}
        self.repo, self.runner = repo, Runner(source.chart.parent, temp, outside(), {"github": github})

    def uses(self, **given: str) -> Done:
        """Use it, with `dry_run` for `dry-run`."""
        inputs = {name.replace("_", "-"): value for name, value in {"repository": str(self.repo), **given}.items()}
        return self.runner.action(ROOT, inputs)


@pytest.fixture
def job(temp: Path, repo: Path, source: story.Source) -> Job:
    return Job(temp, repo, source)


def release(job: Job, **given: str) -> Done:
    return job.uses(command="release", service="wallet", digest=story.digest("image"), **given)


def test_a_release_is_pinned_and_told(job: Job, source: story.Source) -> None:
    done = release(job)

    assert done.code == 0, done.said
    assert done.outputs["number"] == "1"
    assert done.outputs["changed"] == "true"
    assert done.outputs["url"].endswith("#1")
    pinned = story.content(job.repo, "dev", "wallet")["release.yaml"]
    assert pinned is not None
    assert source.tag.encode() in pinned
    assert story.digest("image").encode() in pinned
    author = story.git(job.repo, "log", "-1", "--format=%an <%ae>", "--grep=wallet", "main")
    assert author == "ann <ann@users.noreply.github.com>"
    assert f"| [#1]({done.outputs['url']}) | wallet | dev | {source.tag[:12]} | merged |" in job.runner.summary


@pytest.mark.parametrize("body", ["exit 1", None], ids=["too-old", "none"])
def test_without_a_python_it_says_what_it_needs(tmp_path: Path, body: str | None) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "bash").symlink_to("/bin/bash")
    if body:
        (programs / "python3").write_text(f"#!/bin/bash\n{body}\n")
        (programs / "python3").chmod(0o755)

    done = Runner(tmp_path, tmp_path, {"PATH": str(programs)}).action(ROOT, {"command": "install"})

    assert done.code == 1
    assert "::error::Shiplane needs Python 3.11 or newer" in done.said


def test_what_is_there_already_changes_nothing(job: Job) -> None:
    assert release(job).outputs["changed"] == "true"
    before = story.refs(job.repo)

    again = release(job)

    assert (again.code, again.outputs["changed"], again.outputs["url"]) == (0, "false", "")
    assert story.refs(job.repo) == before


def test_services_are_promoted_by_a_pull_request_each(job: Job) -> None:
    assert release(job).code == 0

    done = job.uses(command="promote", service="wallet ledger", to="staging")

    assert done.code == 0, done.said
    assert done.outputs["number"].split("\n") == ["2", "3"]
    assert [url[-2:] for url in done.outputs["url"].split("\n")] == ["#2", "#3"]
    assert len(story.records(job.repo)) == 3
    again = job.uses(command="promote", service="wallet ledger", to="staging")
    assert (again.outputs["number"], again.outputs["changed"]) == (done.outputs["number"], "false")


def test_services_are_promoted_together_by_one_pull_request(job: Job) -> None:
    assert release(job).code == 0

    done = job.uses(command="promote", service="wallet ledger", to="staging", together="true")

    assert done.code == 0, done.said
    assert done.outputs["number"] == "2"
    assert f"| [#2]({done.outputs['url']}) | wallet, ledger | staging |" in job.runner.summary


def test_settings_of_the_workspace_go_with_a_service(job: Job) -> None:
    assert release(job).code == 0
    settings = job.runner.workspace / "values.yaml"
    registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    settings.write_text(f"image: {{repository: {registry}/acme/wallet}}\nreplicas: 3\n")

    done = job.uses(command="promote", service="wallet", to="staging", with_values="values.yaml")

    assert done.code == 0, done.said
    told = story.git(job.repo, "show", "shiplane/pin/staging/wallet:environments/staging/wallet/values.yaml")
    assert told == settings.read_text().rstrip()


def test_standard_input_is_no_file_of_settings(job: Job) -> None:
    done = job.uses(command="promote", service="wallet", to="staging", with_values="-")

    assert (done.code, done.outputs) == (1, {})
    assert "error: with-values -: is standard input, and a step has none" in done.said


def test_a_dry_run_changes_nothing(job: Job) -> None:
    before = story.refs(job.repo)

    done = release(job, dry_run="true")

    assert (done.code, done.outputs["changed"], done.outputs["number"]) == (0, "false", "")
    assert story.refs(job.repo) == before
    assert "wallet" in job.runner.summary


def test_a_refusal_ends_the_job_and_says_why(job: Job) -> None:
    done = job.uses(command="promote", service="wallet", to="prod")

    assert done.code != 0
    assert "error: " in done.said
    assert "wallet" in job.runner.summary


HOSTILE = (
    "$(touch planted)", "--repo=/nowhere", "a\nnumber=99", "<b>x</b>|y",
    "`touch planted`", "; touch planted", "'; touch planted; '", '"$(touch planted)"', "-h", "--help", "../../etc",
    "a\r\nb", "${{ github.token }}", "\u202ex",
)  # fmt: skip
FEW = 4  # of them, for the inputs that go the same way as another one
INPUTS = {
    "release": {
        "command": FEW,
        "service": 99,
        "to": FEW,
        "tag": FEW,
        "digest": FEW,
        "chart": 99,
        "run": FEW,
        "replace": FEW,
    },
    "promote": {"service": FEW, "to": 99, "from": FEW, "with-values": FEW, "together": FEW, "dry-run": FEW},
}


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        pytest.param(command, name, value, id=f"{command}-{name}-{number}")
        for command, names in INPUTS.items()
        for name, count in names.items()
        for number, value in enumerate(HOSTILE[:count])
    ],
)
def test_a_hostile_input_is_refused_and_never_run(job: Job, command: str, name: str, value: str) -> None:
    good = {"command": command, "service": "wallet", "to": "dev" if command == "release" else "staging"}
    good |= {"digest": story.digest("image")} if command == "release" else {}
    before = story.refs(job.repo)

    done = job.uses(**{**good, name: value})

    assert done.code in (1, 2), done.said
    assert done.outputs == {}
    assert story.refs(job.repo) == before
    assert [*job.repo.parent.rglob("planted")] == []
    assert "Traceback" not in done.said
    assert "<b>" not in job.runner.summary


FOREIGN = [("release", "from", "dev"), ("release", "with-values", "dev"), ("release", "together", "true")]


@pytest.mark.parametrize(("command", "name", "value"), [*FOREIGN, ("promote", "digest", "dev")])
def test_what_means_nothing_to_a_command_is_refused(job: Job, command: str, name: str, value: str) -> None:
    given = {"release": {"digest": story.digest("image")}, "promote": {"to": "staging"}}[command]

    done = job.uses(command=command, service="wallet", **given, **{name: value})

    assert (done.code, done.outputs) == (1, {})
    assert f"error: {name} {value}: means nothing to {command}" in done.said


@pytest.mark.parametrize("missing", ["repository", "service"])
def test_what_is_missing_is_told_by_its_name(job: Job, missing: str) -> None:
    given = {"command": "release", "service": "wallet", "digest": story.digest("image"), missing: ""}

    done = job.uses(**given)

    assert done.code == 1
    assert f"error: {missing}: missing; release needs it" in done.said


def test_shiplanes_own_layout_wants_a_digest(job: Job) -> None:
    done = job.uses(command="release", service="wallet")

    assert done.code == 1
    assert "error: --digest" in done.said


def test_a_layout_of_somebody_elses_takes_what_it_pins(job: Job, source: story.Source) -> None:
    shape = SHAPES["parameters"]
    repo = built(shape, job.repo.parent / "shop.git")

    done = job.uses(command="release", repository=str(repo), service="wallet", chart="")

    assert done.code == 0, done.said
    assert story.show(repo, shape.file("dev")) == shape.said(shape.text, "dev", source.tag)


def test_the_token_reaches_git_by_the_environment_and_nothing_else(temp: Path) -> None:
    """What git would be asked with, and the one program that answers it."""
    marked = "token-1f2e3d4c"
    inputs = {"repository": "https://github.example/acme/lanes.git", "token": marked, "author": ""}
    code = "import json, runpy; m = runpy.run_path(%r); print(json.dumps(m['surroundings'](%r, {'PATH': %r})))"
    python = temp / "shiplane" / "bin" / "python"
    told = subprocess.run(
        [python, "-I", "-c", code % (str(ROOT / "scripts" / "action.py"), inputs, "/usr/bin:/bin")],
        capture_output=True,
        text=True,
        check=True,
    )
    surroundings: Mapping[str, str] = yaml.safe_load(told.stdout)
    assert [name for name, value in surroundings.items() if marked in value] == ["GH_TOKEN"]

    asked = "protocol=https\nhost=github.example\n\n"
    done = subprocess.run(
        ["git", "credential", "fill"], input=asked, env=dict(surroundings), capture_output=True, text=True, check=True
    )
    assert f"username=x-access-token\npassword={marked}\n" in done.stdout


def test_nothing_becomes_part_of_a_shell_s_text() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())

    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
    assert all(how["description"] for part in ("inputs", "outputs") for how in action[part].values())


def test_the_auditors_find_nothing() -> None:
    tools = Path(sys.executable).parent
    for command in (
        [tools / "zizmor", "--offline", "--no-progress", "--persona", "auditor", "action.yml"],
        [tools / "check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
    ):
        done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
