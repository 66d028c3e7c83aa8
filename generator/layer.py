"""One layer of a blueprint: a folder of templates, and what it says of itself."""

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

_MARKS = {
    "variable_start_string": "{{",
    "block_start_string": "{%",
    "block_end_string": "%}",
    "comment_start_string": "{#",
}
_FILES = ("blueprint.yaml", "cookiecutter.json", "questions.json")
_CHART: dict[str, Any] = {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"}
_KIND: dict[str, Any] = {
    "type": "object",
    "required": ["title"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "chart": _CHART,
        "replaces": {"type": "array", "items": {"type": "string"}},
    },
}
_DESCRIPTION: dict[str, Any] = {
    "type": "object",
    "required": ["title", "version"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$", "description": 'in quotes, as "1.0.0"'},
        "chart": _CHART,
        "kinds": {
            "type": "object",
            "minProperties": 1,
            # hooks and templates are cookiecutter's own folders
            "propertyNames": {"pattern": "^[a-z][a-z0-9-]*$", "not": {"enum": ["hooks", "templates"]}},
            "additionalProperties": _KIND,
        },
        "layers": {"type": "array", "items": {"type": "string", "pattern": "^_?[a-z][a-z0-9-]*$"}},
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
    return read(plain_bytes(folder / "blueprint.yaml"), printable(f"{folder}/blueprint.yaml"), _DESCRIPTION)


def read_layer(folder: Path) -> Layer:
    """The layer in `folder`; raises ShiplaneError with all that is wrong in its files."""
    path = folder / "cookiecutter.json"
    settings = {key: value for key, value in json_object(path).items() if key.startswith("_")}
    problems = check(settings, _SETTINGS, printable(str(path)))
    if problems:
        raise ShiplaneError(problems)
    start = {**_MARKS, **settings.get("_jinja2_env_vars", {})}["variable_start_string"]
    roots = sorted(each.name for each in folder.iterdir() if "cookiecutter" in each.name and start in each.name)
    if len(roots) != 1:  # cookiecutter would take any
        raise ShiplaneError(Problem(printable(str(folder)), f"needs one root folder of templates, not {len(roots)}"))
    replaces = frozenset(described(folder).data.get("replaces", ()))
    return Layer(folder.resolve().name, folder, roots[0], tree.read(folder / roots[0], str(folder)), settings, replaces)


def kind_layers(layer: Layer) -> dict[str, Layer]:
    """What only the services of one kind get, by the kind: the folders of that name among the layer's own.

    The settings are the layer's, and a kind without such a folder is left out. Raises ShiplaneError where anything lies
    beside the root folder of templates.
    """
    found: dict[str, Layer] = {}
    for kind, about in described(layer.folder).data.get("kinds", {}).items():
        folder = layer.folder / kind
        files = tree.read(folder, str(folder)) if folder.is_dir() else {}
        inside = {path.removeprefix(f"{layer.root}/"): file for path, file in files.items()}
        if odd := [path for path in files if path in inside]:
            rule = f"lies beside {layer.root}, and a kind's folder holds nothing else"
            raise ShiplaneError(Problem(printable(f"{folder}/{path}"), rule) for path in odd)
        if inside:
            replaces = frozenset(about.get("replaces", ()))
            found[kind] = Layer(f"{layer.name}/{kind}", folder, layer.root, inside, layer.settings, replaces)
    return found


def sources(layer: Layer) -> Tree:
    """All that a render depends on; whatever else lies in the folder is not read."""
    beside = [path for name in _FILES if (path := layer.folder / name).exists()]
    shared = layer.folder / "templates"  # where cookiecutter's templates may include from
    return {
        **{path.name: File(PLAIN, plain_bytes(path)) for path in beside},
        **{f"root/{path}": file for path, file in layer.sources.items()},
        **{f"templates/{path}": file for path, file in (tree.read(shared) if shared.is_dir() else {}).items()},
    }


def plain_bytes(path: Path) -> bytes:
    """What is in the file at `path`; raises ShiplaneError where it is a link or not there."""
    if path.is_symlink() or not path.is_file():
        rule = "is a symbolic link, and only plain files travel" if path.is_symlink() else "is not there"
        raise ShiplaneError(Problem(printable(str(path)), rule))
    return path.read_bytes()


def json_object(path: Path) -> dict[str, Any]:
    """The one object in the JSON file at `path`; raises ShiplaneError where it is none, or has a key twice."""
    place = printable(str(path))
    try:
        data = json.loads(plain_bytes(path), object_pairs_hook=_once)
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
