"""What the python blueprint writes: linted, whole, and proof against odd answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator import blueprint
from generator import helm as door
from generator.braces import markdown
from generator.render import DEFAULTS, render
from generator.schema import check
from tests.blueprints.rendered import answers, service
from tests.charts.golden import CHART, KINDS, objects

ODD: dict[str, Any] = {
    "description": """It's "odd": {{ x }} ${{ y }} <b> # & \\ 'é' 💶 - [a](b) | c""",
    "owner": "off",
    "organisation": "Acme-2",
    "port": 65535,
    "calls": ["on", "yes"],
    "called_by": ["null", "a" * 40],
    "dependencies": ["s3", "postgres", "kafka", "redis"],
    "data_cidrs": ["10.255.0.0/8", "0.0.0.0/32"],
    "secrets": ["Y", "DATABASE_PASSWORD"],
    "tier": "critical",
    "slo": "99.999",
    "monitoring_label": "acme.example/prometheus=on",
    "gitops_repository": "Acme-2/git.ops_repo",
    "registry": "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "publish_role": "push+only",
    "shiplane": "git+https://github.com/acme/shiplane@" + "1f" * 20,
}
# Comments may stand at the end of short lines, and lines be as long as our own.
YAMLLINT = """
extends: default
rules:
  line-length: {max: 130}
  document-start: disable
  comments: {min-spaces-from-content: 1}
  truthy: {check-keys: false}
"""


def _tool(name: str, *arguments: str | Path) -> str:
    """What a development tool says; fails with it where it finds anything."""
    command = [str(Path(sys.executable).parent / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module", params=[("wallet", {}), ("null", ODD)], ids=["defaults", "odd"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, given = request.param
    return service(tmp_path_factory.mktemp("service"), name, **given)


def _workflow(root: Path) -> Path:
    (only,) = (root / ".github" / "workflows").iterdir()
    assert only.name == f"{root.name}.yaml"
    return only


def test_the_dockerfile_has_no_findings(root: Path) -> None:
    assert _tool("hadolint", "--disable-ignore-pragma", root / "Dockerfile") == ""


@pytest.mark.parametrize("persona", ["regular", "auditor"])
def test_the_workflow_has_no_findings(root: Path, persona: str) -> None:
    said = _tool("zizmor", "--offline", "--no-progress", "--no-ignores", "--persona", persona, _workflow(root))
    assert "No findings to report" in said


def test_the_workflow_is_one(root: Path) -> None:
    _tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", _workflow(root))


def test_the_yaml_is_tidy(root: Path) -> None:
    files = [_workflow(root), root / "chart" / "values.yaml", root / "chart" / "Chart.yaml"]
    assert _tool("yamllint", "--strict", "-d", YAMLLINT, *files) == ""


def test_no_mark_of_a_template_is_left(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            left = re.search(rb"\{=|=\}|\{%|%\}|cookiecutter", path.read_bytes())
            assert left is None, f"{path}: {left}"


def test_the_same_answers_give_the_same_files() -> None:
    once, again = (render(blueprint.load("python"), "wallet", answers()) for _ in range(2))
    assert once == again


def test_its_answers_pass_its_own_questions() -> None:
    questions = blueprint.load("python").questions
    schema = {"type": "object", "additionalProperties": False, "properties": questions}
    assert check(answers(), schema) == []
    assert check(ODD, schema) == []


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("description", "two\nlines"),
        ("description", ""),
        ("description", "x" * 201),
        ("description", "bell\x07"),
        ("description", "turned \u202e around"),
        ("owner", "Payments"),
        ("organisation", "acme/x"),
        ("organisation", "$(id)"),
        ("port", 80),
        ("port", 65536),
        ("port", "8080"),
        ("calls", ["orders", "orders"]),
        ("calls", ["../orders"]),
        ("called_by", "gateway"),
        ("dependencies", ["oracle"]),
        ("dependencies", "postgres"),
        ("data_cidrs", []),
        ("data_cidrs", ["0.0.0.0/0"]),
        ("data_cidrs", ["10.0.0.256/8"]),
        ("data_cidrs", ["postgres.acme.example"]),
        ("secrets", ["password"]),
        ("secrets", ["PORT"]),
        ("secrets", ["A=b"]),
        ("tier", "gold"),
        ("slo", "90"),
        ("slo", "100"),
        ("slo", "99.50"),
        ("monitoring_label", "release"),
        ("monitoring_label", 'a="b'),
        ("gitops_repository", "acme"),
        ("gitops_repository", "acme/x;y"),
        ("registry", "registry.acme.example"),
        ("registry", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/x"),
        ("publish_role", "a b"),
        ("shiplane", "shiplane; id"),
        ("shiplane", "git+https://acme.example/acme/shiplane@v1"),
    ],
)
def test_an_answer_that_could_do_harm_is_refused(key: str, answer: object) -> None:
    question = blueprint.load("python").questions[key]
    assert check(answer, question)


def test_the_chart_is_the_golden_one_but_for_its_facts(root: Path) -> None:
    own = {"values.yaml", "Chart.yaml"}
    golden_files = {path.relative_to(CHART) for path in CHART.rglob("*") if path.is_file()}
    golden = {path for path in golden_files if path.parts[0] != "ci"}  # its variants stay here
    chart = root / "chart"
    assert {path.relative_to(chart) for path in chart.rglob("*") if path.is_file()} == golden
    for path in golden:
        if str(path) not in own:
            assert (chart / path).read_bytes() == (CHART / path).read_bytes()
    start = (CHART / "values.yaml").read_bytes().index(DEFAULTS)
    assert (chart / "values.yaml").read_bytes().endswith((CHART / "values.yaml").read_bytes()[start:])


def test_default_answers_give_the_golden_values(tmp_path: Path) -> None:
    values = service(tmp_path, "service") / "chart" / "values.yaml"
    assert values.read_text() == (CHART / "values.yaml").read_text()


@pytest.mark.parametrize("major", ["helm3", "helm4"])
def test_the_chart_renders(root: Path, tmp_path: Path, major: str, request: pytest.FixtureRequest) -> None:
    helm: Path = request.getfixturevalue(major)
    rendered = objects(helm, tmp_path, chart=root / "chart", release=root.name)
    named = yaml.safe_load((root / "chart" / "values.yaml").read_text())["secrets"]
    assert rendered.keys() == KINDS | ({"ExternalSecret"} if named else set())
    for each in rendered.values():
        assert each["metadata"]["labels"]["app.kubernetes.io/name"] == root.name
    door.lint(helm, root / "chart", [tmp_path / "release.yaml"])


def test_free_text_arrives_as_it_was_given(tmp_path: Path) -> None:
    root = service(tmp_path, "wallet", **ODD)
    description = ODD["description"]
    assert yaml.safe_load((root / "chart" / "Chart.yaml").read_text())["description"] == description
    assert tomllib.loads((root / "pyproject.toml").read_text())["project"]["description"] == description
    shown = markdown(description)
    assert shown != description
    told = [path for path in root.rglob("*") if path.is_file() and shown in path.read_text()]
    assert {str(path.relative_to(root)) for path in told} == {"README.md", "docs/runbook.md"}
    for path in "Dockerfile", "Makefile", f".github/workflows/{root.name}.yaml":
        assert "odd" not in (root / path).read_text()


def test_the_workflow_needs_no_edit(tmp_path: Path) -> None:
    given = {"gitops_repository": "acme/lanes", "registry": "210987654321.dkr.ecr.us-gov-west-1.amazonaws.com"}
    root = service(tmp_path, "trading-engine", **given)
    jobs = yaml.safe_load(_workflow(root).read_text())["jobs"]
    (assume,) = [step["with"] for step in jobs["publish"]["steps"] if "role-to-assume" in step.get("with", {})]
    assert assume["aws-region"] == "us-gov-west-1"
    assert assume["role-to-assume"] == "arn:aws-us-gov:iam::210987654321:role/github-publish"
    assert jobs["publish"]["env"] == {"REGISTRY": given["registry"], "REPOSITORY": "trading-engine"}
    (token,) = [step["with"] for step in jobs["release"]["steps"] if "private-key" in step.get("with", {})]
    assert (token["owner"], token["repositories"]) == ("acme", "lanes")


def test_only_the_job_that_pushes_may_ask_for_an_identity(root: Path) -> None:
    workflow = yaml.safe_load(_workflow(root).read_text())
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["publish"]
    assert all(
        value == "read" for job in jobs.values() for key, value in job["permissions"].items() if key != "id-token"
    )
    assert all(job["timeout-minutes"] <= 20 for job in jobs.values())
    used = re.findall(r"uses: (\S+)(.*)", _workflow(root).read_text())
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


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
def test_the_gate_passes_when_no_job_failed(tmp_path: Path, results: str, code: int) -> None:
    (step,) = yaml.safe_load(_workflow(service(tmp_path)).read_text())["jobs"]["gate"]["steps"]
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
        ("src/service/app.py", "true"),
        ("chart/values.yaml", "true"),
        ("Dockerfile", "true"),
    ],
)
def test_words_alone_release_nothing(tmp_path: Path, changed: str, counts: str) -> None:
    root = service(tmp_path)
    before = _commit(root)
    with (root / changed).open("a") as file:
        file.write("\n# more\n")
    _commit(root)
    assert _compare(root, before) == counts


@pytest.mark.parametrize("before", ["0" * 40, "", "1f" * 20])
def test_a_change_that_cannot_be_told_counts(tmp_path: Path, before: str) -> None:
    root = service(tmp_path)
    _commit(root)
    assert _compare(root, before) == "true"


def _commit(root: Path) -> str:
    for arguments in ["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Change"]:
        subprocess.run(["git", *arguments], cwd=root, check=True)
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
    return said.stdout.strip()


def _compare(root: Path, before: str) -> str:
    steps = yaml.safe_load(_workflow(root).read_text())["jobs"]["changes"]["steps"]
    (step,) = [step for step in steps if step.get("id") == "compare"]
    output = root.parent / "output"
    code, said = _bash(step["run"], root, BEFORE=before, GITHUB_OUTPUT=str(output))
    assert code == 0, said
    return output.read_text().strip().removeprefix("service=")


def test_the_image_takes_nothing_that_is_not_named(root: Path) -> None:
    lines = [line for line in (root / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert all(line.startswith("!") for line in lines[1:])
    named = [line.removeprefix("!") for line in lines[1:]]
    # files that hold secrets or history, one of each kind: no pattern may reach them
    for path in [".env", "src/.env", "src/service/key.pem", ".git/config", ".npmrc", "chart/values.yaml", "id_rsa"]:
        assert not any(Path(path).match(pattern) for pattern in named), path


def test_the_image_runs_as_nobody_in_particular(root: Path) -> None:
    text = (root / "Dockerfile").read_text()
    assert text.count("\nUSER 10001:10001\n") == 1
    pinned = re.findall(r"^(?:# syntax=|FROM )\S+:[\w.-]+@sha256:[0-9a-f]{64}( AS base)?$", text, re.M)
    assert pinned == ["", " AS base"]
    others = set(re.findall(r"^FROM (.*) AS ", text, re.M)[1:])
    assert others == {"base", "build"}
    assert "HEALTHCHECK" in text
    assert "curl" not in text
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)", text, re.M)[0]) == ["python", "-m", "service"]


def test_the_runbook_names_the_service(root: Path) -> None:
    runbook = (root / "docs" / "runbook.md").read_text()
    assert runbook.startswith(f"# Runbook of {root.name}\n")
    assert f"shiplane.dev/service={root.name}" in runbook


def anchors(runbook: str) -> list[str]:
    """The anchors that GitHub gives to the headings."""
    prose = re.sub(r"^```.*?^```", "", runbook, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)", prose, re.M)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_every_alert_and_every_task_has_its_section_in_the_runbook(root: Path, helm3: Path, tmp_path: Path) -> None:
    runbook = (root / "docs" / "runbook.md").read_text()
    found = anchors(runbook)
    assert len(found) == len(set(found))
    groups = objects(helm3, tmp_path, chart=root / "chart", release=root.name)["PrometheusRule"]["spec"]["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    organisation = ODD["organisation"] if root.name == "null" else "acme"
    for alert in alerts:
        page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert page == f"https://github.com/{organisation}/{root.name}/blob/main/docs/runbook.md"
        assert anchor in found
    for task in "deploy", "promote", "roll-back", "rotate-secrets", "scale", "drain", "restore":
        assert task in found
    assert set(re.findall(r"\]\(#([^)]*)\)", runbook)) <= set(found)


@pytest.mark.parametrize(
    ("given", "replicas", "slo"),
    [
        ({}, 2, 99.5),
        ({"tier": "critical"}, 3, 99.9),
        ({"tier": "critical", "slo": "99.99"}, 3, 99.99),
        ({"slo": "97"}, 2, 97),
    ],
)
def test_the_tier_says_how_many_copies_and_what_is_promised(
    tmp_path: Path, given: dict[str, str], replicas: int, slo: float
) -> None:
    values = yaml.safe_load((service(tmp_path, **given) / "chart" / "values.yaml").read_text())
    assert (values["tier"], values["replicas"], values["slo"]) == (given.get("tier", "standard"), replicas, slo)
