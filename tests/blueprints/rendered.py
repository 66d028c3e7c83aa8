"""Services rendered from our blueprints, each kind of each, as newservice renders them, placed in a folder."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from generator import blueprint as blueprints
from generator.answers import Given, complete
from generator.data import ROOT
from generator.render import render

# Comments may stand at the end of short lines, and lines be as long as our own.
YAMLLINT = """
extends: default
rules:
  line-length: {max: 130}
  document-start: disable
  comments: {min-spaces-from-content: 1}
  truthy: {check-keys: false}
"""
ROOT_FOLDER = "{= cookiecutter.name =}"


class Made(NamedTuple):
    """One blueprint and one of the kinds that it makes."""

    blueprint: str
    kind: str

    def __str__(self) -> str:
        return f"{self.blueprint}-{self.kind}"

    @property
    def loaded(self) -> blueprints.Blueprint:
        """The blueprint."""
        return _loaded(self.blueprint)

    @property
    def chart(self) -> Path:
        """The golden chart of this kind; a skip where it is not there yet."""
        found = ROOT / "charts" / _chart(self)
        if not found.is_dir():
            pytest.skip(f"charts/{found.name} is not there yet")
        return found


MADE = [
    Made(name, folder.parent.name)
    for name in blueprints.names()
    for folder in sorted((ROOT / "blueprints" / name).glob(f"*/{ROOT_FOLDER}"))
]
"""Every blueprint and kind that has files of its own; a kind is here before newservice offers it."""


def answers(made: Made, **given: Any) -> dict[str, Any]:
    """The defaults of every question, and `given` over them."""
    found = {"kind": made.kind, **given}
    return complete({key: Given(value, key) for key, value in found.items()}, made.loaded.schema, made.loaded.marks)


def service(folder: Path, made: Made, /, name: str = "wallet", **given: Any) -> Path:
    """The folder of the service `name`, with the blueprint's defaults where nothing is `given`."""
    root = folder / name
    for path, file in render(made.loaded, name, answers(made, **given)).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(file.mode)
    return root


def _chart(made: Made) -> str:
    kinds = yaml.safe_load((_data() / "blueprints" / made.blueprint / "blueprint.yaml").read_text())["kinds"]
    chart: str = kinds[made.kind]["chart"]
    return chart


@cache
def _loaded(name: str) -> blueprints.Blueprint:
    return blueprints.load(name, _data())


@cache
def _data() -> Path:
    """Our blueprints and charts; where a kind waits for its chart, a copy with an empty one, named after the kind."""
    waiting = [made for made in MADE if made.kind not in blueprints.load(made.blueprint).kinds]
    if not waiting:
        return ROOT
    copy = Path(tempfile.mkdtemp(prefix="shiplane-blueprints-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for folder in "blueprints", "charts":
        shutil.copytree(ROOT / folder, copy / folder)
    for made in waiting:
        path = copy / "blueprints" / made.blueprint / "blueprint.yaml"
        told = yaml.safe_load(path.read_text())
        told["kinds"][made.kind] = {"title": made.kind, "chart": made.kind}
        path.write_text(json.dumps(told))
        chart = copy / "charts" / made.kind
        if not chart.exists():
            chart.mkdir()
            (chart / "Chart.yaml").write_text("name: none\n")
            (chart / "values.yaml").write_text("\n# ---- defaults: none\n")
    return copy
