"""What every blueprint writes, for every kind: linted, whole, and proof against odd answers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from generator.braces import markdown
from generator.render import render
from tests.blueprints.languages import LANGUAGES
from tests.blueprints.odd import ODD, odd
from tests.blueprints.rendered import MADE, YAMLLINT, Made, answers, service


def _tool(name: str, *arguments: str | Path) -> str:
    """What a development tool says; fails with it where it finds anything."""
    command = [str(Path(sys.executable).parent / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module", params=MADE, ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture(scope="module", params=["wallet", "null"], ids=["defaults", "odd"])
def root(made: Made, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = odd(made) if request.param == "null" else {}
    return service(tmp_path_factory.mktemp("service"), made, request.param, **given)


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


def test_the_same_answers_give_the_same_files(made: Made) -> None:
    once, again = (render(made.loaded, "wallet", answers(made)) for _ in range(2))
    assert once == again


def test_the_text_ends_with_its_last_line(root: Path) -> None:
    """A condition in a template leaves no blank lines behind, at the end or in a row."""
    for path in root.rglob("*"):
        if path.is_file() and path.suffix not in (".txt", ".json") and "chart" not in path.parts:
            text = path.read_text()
            assert text.endswith("\n")
            assert not text.endswith("\n\n"), path
            most = 3 if path.suffix == ".py" else 2
            assert "\n" * (most + 1) not in text, path


def test_free_text_arrives_as_it_was_given(made: Made, tmp_path: Path) -> None:
    root = service(tmp_path, made, "wallet", **odd(made))
    description, language = ODD["description"], LANGUAGES[made.blueprint]
    assert language.described((root / language.manifest).read_text()) == description
    shown = markdown(description)
    assert shown != description
    told = [path for path in root.rglob("*") if path.is_file() and shown in path.read_text()]
    assert {str(path.relative_to(root)) for path in told} == {"README.md", "docs/runbook.md"}
    for path in "Dockerfile", "Makefile", f".github/workflows/{root.name}.yaml":
        assert "odd" not in (root / path).read_text()


def test_the_readme_tells_what_this_kind_reads_and_answers(made: Made, tmp_path: Path) -> None:
    readme = (service(tmp_path, made) / "README.md").read_text()
    for word in "`PORT`", "`LOG_LEVEL`", "`FINISH_SECONDS`", "`/health`", "`/health/ready`", "`/metrics`":
        assert f"| {word} |" in readme
    assert ("DRAIN_SECONDS" in readme) == (made.kind == "http")
    assert ("queue" in readme) == (made.kind == "worker")


def test_the_runbook_names_the_service(root: Path) -> None:
    runbook = (root / "docs" / "runbook.md").read_text()
    assert runbook.startswith(f"# Runbook of {root.name}\n")
    assert f"shiplane.dev/service={root.name}" in runbook
