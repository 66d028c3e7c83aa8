"""What holds for the node blueprint alone: its locks, its names, its compiler and its linter."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.blueprints import node
from tests.blueprints.odd import odd
from tests.blueprints.rendered import MADE, Made, service
from tests.blueprints.running import placed

NEEDED = {"http": {"fastify", "prom-client"}, "worker": {"prom-client"}}


@pytest.fixture(scope="module", params=[made for made in MADE if made.blueprint == "node"], ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture(scope="module")
def root(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return service(tmp_path_factory.mktemp("service"), made)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_the_lock_pins_by_version_and_hash_and_names_no_address(made: Made, root: Path) -> None:
    manifest, lock = _read(root / "package.json"), _read(root / "package-lock.json")
    assert manifest["dependencies"].keys() == NEEDED[made.kind]
    assert all(
        re.fullmatch(r"[\d.]+", each) for each in (manifest["dependencies"] | manifest["devDependencies"]).values()
    )
    own = lock["packages"].pop("")
    for key in "name", "dependencies", "devDependencies", "engines":
        assert own[key] == manifest[key]
    assert len(lock["packages"]) > 30
    for path, package in lock["packages"].items():
        assert "resolved" not in package
        assert package["version"]
        assert re.match(r"sha512-[\w+/]{86}==$", package["integrity"]), path
        assert "hasInstallScript" not in package or package.get("dev")  # nothing of its is run, and nothing needs it


def test_the_kinds_agree_on_what_both_need() -> None:
    held = []
    for kind in NEEDED:
        folder = node.BLUEPRINT / kind / "{= cookiecutter.name =}"
        held.append({k: v["integrity"] for k, v in _read(folder / "package-lock.json")["packages"].items() if k})
    shared = held[0].keys() & held[1].keys()
    assert "node_modules/prom-client" in shared
    assert {key: held[0][key] for key in shared} == {key: held[1][key] for key in shared}


@pytest.mark.parametrize("name", ["fastify", "node", "constructor"])
def test_no_name_of_a_service_gets_in_the_way_of_node(tmp_path: Path, name: str) -> None:
    with placed(tmp_path, Made("node", "http"), name).started() as running:
        assert running.ask("/health")[0] == 200
        running.send()
        code, lines = running.ended()
    assert code == 0
    assert {line["service"] for line in lines} == {name}


def test_odd_answers_are_compiled_and_linted_too(made: Made, tmp_path: Path) -> None:
    found = placed(tmp_path, made, "null", **odd(made))
    assert _linted(found.root) == ""


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("export const found: any = 1;", "no-explicit-any"),
        ("Promise.resolve();", "no-floating-promises"),
        ("if (process.argv == null) process.exit();", "eqeqeq"),
        ("export const found = {a : 1}", "src/fault.ts"),
    ],
)
def test_the_linter_finds_a_planted_fault(tmp_path: Path, line: str, rule: str) -> None:
    root = service(tmp_path, Made("node", "worker"))
    node.furnish(root)
    (root / "src" / "fault.ts").write_text(f"{line}\n")
    assert rule in _linted(root)


def _linted(root: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    command = [node.NPM, "run", "--silent", "lint"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (done.stdout == ""), done.stdout + done.stderr
    return done.stdout
