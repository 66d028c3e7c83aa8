"""Trees and blueprints, built where the test says what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT_FOLDER = "{= cookiecutter.name =}"
BRACES = {
    "_jinja2_env_vars": {
        "variable_start_string": "{=",
        "variable_end_string": "=}",
        "block_start_string": "{=%",
        "block_end_string": "%=}",
        "comment_start_string": "{=#",
        "comment_end_string": "#=}",
        "trim_blocks": True,
        "lstrip_blocks": True,
    },
    "name": "",
}


def build(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `{path: text}` below `folder`; returns the folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def build_layer(
    folder: Path,
    files: Mapping[str, str | bytes],
    questions: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] = BRACES,
    conditions: Sequence[Mapping[str, Any]] = (),
    **about: object,
) -> Path:
    """Write a blueprint of `files` in our braces; `about` goes into its blueprint.yaml. Returns the folder."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": questions or {}}
    schema |= {"allOf": conditions} if conditions else {}
    (folder / ROOT_FOLDER).mkdir(parents=True, exist_ok=True)
    build(folder / ROOT_FOLDER, files)
    return build(
        folder,
        {
            "blueprint.yaml": json.dumps({"title": "A test", "version": "1.0.0", **about}),
            "cookiecutter.json": json.dumps(settings),
            "questions.json": json.dumps(schema),
        },
    )
