"""One layer of a blueprint: a folder of templates, what it asks, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator import tree
from generator.document import Document, read
from generator.errors import Problem, ShiplaneError, printable
from generator.schema import check
from generator.tree import PLAIN, File, Tree

GIVEN = ("name", "module", "blueprint", "version")
"""What every template is told without asking; no question may have these names."""
_MARKS = {
    "variable_start_string": "{{",
    "block_start_string": "{%",
    "block_end_string": "%}",
    "comment_start_string": "{#",
}
_FILES = ("blueprint.yaml", "cookiecutter.json", "questions.json")
NAME = "^_?[a-z][a-z0-9-]*$"
_DESCRIPTION: dict[str, Any] = {
    "type": "object",
    "required": ["title", "version"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$", "description": 'in quotes, as "1.0.0"'},
        "chart": {"type": "string", "pattern": NAME},
        "layers": {"type": "array", "items": {"type": "string", "pattern": NAME}},
        "replaces": {"type": "array", "items": {"type": "string"}},
    },
}
_SETTINGS: dict[str, Any] = {
    "properties": {
        "_jinja2_env_vars": {"type": "object", "properties": {key: {"type": "string"} for key in _MARKS}},
        "_extensions": {"type": "array", "items": {"type": "string"}},
        "_copy_without_render": {"type": "array", "items": {"type": "string"}},
    }
}
_QUESTION: dict[str, Any] = {
    "type": "object",
    "required": ["title", "type"],
    "properties": {
        "title": {"type": "string"},
        "description": {"type": "string"},
        "type": {"enum": ["string", "integer", "number", "boolean", "array", "object"]},
    },
}
_QUESTIONS: dict[str, Any] = {
    "type": "object",
    "required": ["type", "additionalProperties", "properties"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://json-schema.org/draft/2020-12/schema"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "type": {"const": "object"},
        "additionalProperties": {"const": False},
        "properties": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$", "not": {"enum": list(GIVEN)}},
            "additionalProperties": _QUESTION,
        },
    },
}


@dataclass(frozen=True)
class Layer:
    """One folder of templates: its root folder and the files in it, cookiecutter's settings, what it may rewrite."""

    name: str
    folder: Path
    root: str
    sources: Tree
    settings: Mapping[str, Any]
    replaces: frozenset[str]

    @property
    def marks(self) -> tuple[str, ...]:
        """What marks a place in its templates, and so may be left in no file: openings, and the ends of blocks."""
        own = self.settings.get("_jinja2_env_vars", {})
        return tuple(own.get(key, usual) for key, usual in _MARKS.items())


def described(folder: Path) -> Document:
    """The blueprint.yaml of `folder`; raises ShiplaneError with all that is wrong in it."""
    return read(_bytes(folder / "blueprint.yaml"), printable(f"{folder}/blueprint.yaml"), _DESCRIPTION)


def read_layer(folder: Path) -> Layer:
    """The layer in `folder`; raises ShiplaneError with all that is wrong in its files."""
    path = folder / "cookiecutter.json"
    settings = {key: value for key, value in _json(path).items() if key.startswith("_")}
    problems = check(settings, _SETTINGS, printable(str(path)))
    if problems:
        raise ShiplaneError(problems)
    start = {**_MARKS, **settings.get("_jinja2_env_vars", {})}["variable_start_string"]
    roots = sorted(each.name for each in folder.iterdir() if "cookiecutter" in each.name and start in each.name)
    if len(roots) != 1:  # cookiecutter would take any
        raise ShiplaneError(Problem(printable(str(folder)), f"needs one root folder of templates, not {len(roots)}"))
    replaces = frozenset(described(folder).data.get("replaces", ()))
    return Layer(folder.resolve().name, folder, roots[0], tree.read(folder / roots[0], str(folder)), settings, replaces)


def sources(layer: Layer) -> Tree:
    """All that a render depends on; whatever else lies in the folder is not read."""
    beside = [path for name in _FILES if (path := layer.folder / name).exists()]
    shared = layer.folder / "templates"  # where cookiecutter's templates may include from
    return {
        **{path.name: File(PLAIN, _bytes(path)) for path in beside},
        **{f"root/{path}": file for path, file in layer.sources.items()},
        **{f"templates/{path}": file for path, file in (tree.read(shared) if shared.is_dir() else {}).items()},
    }


def questions(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """What the layer in `folder` asks, in the order of asking; raises ShiplaneError with all that is wrong in it."""
    path = folder / "questions.json"
    if not path.exists():
        return {}
    from jsonschema import Draft202012Validator, SchemaError

    place = printable(str(path))
    schema = _json(path)
    problems: list[Problem] = list(check(schema, _QUESTIONS, place))
    if b'"$ref"' in _bytes(path):
        problems.append(Problem(place, "a question stands by itself: $ref is not followed"))
    if not problems:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            problems.append(Problem(f"{place}: {'.'.join(map(str, error.path))}", printable(error.message)))
    if problems:
        raise ShiplaneError(problems)
    return dict(schema["properties"])


def _bytes(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        rule = "is a symbolic link, and only plain files travel" if path.is_symlink() else "is not there"
        raise ShiplaneError(Problem(printable(str(path)), rule))
    return path.read_bytes()


def _json(path: Path) -> dict[str, Any]:
    place = printable(str(path))
    try:
        data = json.loads(_bytes(path), object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ShiplaneError(Problem(f"{place}:{error.lineno}", f"is not JSON: {error.msg}")) from None
    except (ValueError, RecursionError) as error:
        raise ShiplaneError(Problem(place, f"is not JSON: {printable(str(error))}")) from None
    if not isinstance(data, dict):
        raise ShiplaneError(Problem(place, "must be an object"))
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)} stands there twice")
    return found
