"""Services rendered from our blueprints, as newservice renders them, placed in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generator import blueprint
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


def answers(**given: Any) -> dict[str, Any]:
    """The defaults of every question of the python blueprint, and `given` over them."""
    asked = blueprint.load("python").questions
    assert given.keys() <= asked.keys()
    return {**{key: question["default"] for key, question in asked.items()}, **given}


def service(folder: Path, name: str = "wallet", **given: Any) -> Path:
    """The folder of the python service `name`, with the blueprint's defaults where nothing is `given`."""
    root = folder / name
    for path, file in render(blueprint.load("python"), name, answers(**given)).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(file.mode)
    return root
