"""What holds for the python blueprint alone: its locks, its names, its code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.blueprints.odd import odd
from tests.blueprints.rendered import MADE, Made, service
from tests.blueprints.running import placed

ROOT = Path(__file__).resolve().parent.parent.parent
NEEDED = {"http": {"fastapi", "uvicorn", "prometheus-client"}, "worker": {"prometheus-client"}}


@pytest.fixture(scope="module", params=[made for made in MADE if made.blueprint == "python"], ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture(scope="module")
def root(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return service(tmp_path_factory.mktemp("service"), made)


def test_its_own_linter_finds_nothing(made: Made, tmp_path: Path) -> None:
    root = service(tmp_path, made, "trading-engine", **odd(made))
    for command in ["check"], ["format", "--check"]:
        done = subprocess.run(
            [Path(sys.executable).parent / "ruff", *command, "--no-cache"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["queue", "email", "class", "signal", "fastapi", "service"])
def test_no_name_of_a_service_gets_in_the_way_of_python(made: Made, tmp_path: Path, name: str) -> None:
    with placed(tmp_path, made, name).started() as running:
        assert running.ask("/health")[0] == 200
        running.send()
        code, lines = running.ended()
    assert code == 0
    assert {line["service"] for line in lines} == {name}


def _pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.M))


def test_the_locks_hold_what_the_service_is_tested_with_here(made: Made, root: Path) -> None:
    known = _pins((ROOT / "requirements-dev.txt").read_text())
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    asked = {"requirements.txt": project["dependencies"]}
    asked["requirements-dev.txt"] = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    assert {each.partition("==")[0] for each in project["dependencies"]} == NEEDED[made.kind]
    for path, wanted in asked.items():
        text = (root / path).read_text()
        pins = _pins(text)
        assert dict(each.split("==") for each in wanted).items() <= pins.items()
        shared = pins.keys() & known.keys()
        assert {key: pins[key] for key in shared} == {key: known[key] for key in shared}
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", text)) >= len(pins)
        assert "://" not in text


def test_only_a_web_service_loads_a_web_framework(root: Path, made: Made) -> None:
    main = {"http": "server", "worker": "worker"}[made.kind]
    code = f"import sys; from service import {main}; print(*sorted({{'fastapi', 'uvicorn'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root / "src", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("fastapi uvicorn\n" if made.kind == "http" else "\n", "")


def test_the_code_is_typed(root: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", "-p", "service"]
    done = subprocess.run(command, cwd=root / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
