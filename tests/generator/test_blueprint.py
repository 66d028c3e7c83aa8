"""Blueprints as they lie on disk: layers, questions, and every way in which one can be broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generator import blueprint
from generator.errors import ShiplaneError
from tests.generator.trees import build, build_layer

OWNER = {"title": "Owner", "type": "string", "default": "platform"}
PORT = {"title": "Port", "type": "integer", "default": 8080}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Our own collection: two layers, a blueprint over them, a golden chart."""
    build_layer(tmp_path / "blueprints/_shared", {"README.md": "x"}, {"owner": OWNER})
    build_layer(tmp_path / "blueprints/_web", {"web": "x"}, {"port": PORT}, layers=["_shared"])
    build_layer(
        tmp_path / "blueprints/python", {"app": "x"}, layers=["_shared", "_web"], chart="service", title="Python"
    )
    build(tmp_path / "charts/service", {"Chart.yaml": "name: service", "values.yaml": "a: 1\n# ---- defaults\nb: 1\n"})
    return tmp_path


def told(root: Path, name: str = "python") -> str:
    with pytest.raises(ShiplaneError) as caught:
        blueprint.load(name, root)
    return str(caught.value).replace(str(root / "blueprints"), "")


def test_layers_lie_lowest_first_each_once_and_their_questions_are_joined(root: Path) -> None:
    found = blueprint.load("python", root)

    kind = found.kind({})
    assert [layer.name for layer in kind.layers] == ["_shared", "_web", "python"]
    assert list(found.questions) == ["owner", "port"]
    assert (found.title, found.version, sorted(kind.chart or {})) == ("Python", "1.0.0", ["Chart.yaml", "values.yaml"])


def test_a_layer_is_not_offered(root: Path) -> None:
    assert blueprint.names(root) == ["python"]
    assert "there is no such blueprint" in told(root, "_shared")


@pytest.mark.parametrize(
    ("name", "rule"), [("pyhton", "did you mean python?"), ("zzz", "known: python"), ("", "known: python")]
)
def test_an_unknown_blueprint(root: Path, name: str, rule: str) -> None:
    assert rule in told(root, name)


def test_the_digest_is_of_the_sources_alone(root: Path) -> None:
    before = blueprint.load("python", root).digest
    folder = root / "blueprints/python"
    build(folder, {"NOTES.md": "not rendered", "{= cookiecutter.name =}/__pycache__/app.pyc": "compiled"})

    assert blueprint.load("python", root).digest == before

    for path in ("blueprints/_shared/{= cookiecutter.name =}/README.md", "charts/service/values.yaml"):
        before = blueprint.load("python", root).digest
        (root / path).write_text("y\n")
        assert blueprint.load("python", root).digest != before


def test_a_folder_of_one_s_own_lies_on_our_layers(root: Path) -> None:
    folder = build_layer(root / "elsewhere/mine", {"x": "x"}, layers=["_shared"])

    found = blueprint.load_folder(folder, root)

    assert (found.name, [each.name for each in found.kind({}).layers]) == ("mine", ["_shared", "mine"])


def test_a_folder_that_is_no_blueprint(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ShiplaneError, match="is no blueprint"):
            blueprint.load_folder(folder)


@pytest.mark.parametrize(
    ("file", "text", "rule"),
    [
        ("blueprint.yaml", "title: x\n", "/python/blueprint.yaml: version: is required"),
        ("blueprint.yaml", "title: x\nversion: 1.0\n", "/python/blueprint.yaml:2: version: must be text, not 1.0"),
        ("blueprint.yaml", "title: x\nversion: 1.0.0\nlayer: []\n", "blueprint.yaml:3: layer: is not known here; did"),
        ("blueprint.yaml", "title: [}", "blueprint.yaml:1: is not YAML"),
        ("blueprint.yaml", "{title: x, version: 1.0.0, layers: [_none]}", "blueprint.yaml:1: layers.0: there is no"),
        ("blueprint.yaml", "{title: x, version: 1.0.0, layers: [python]}", "layers.0: python lies on itself"),
        ("blueprint.yaml", "{title: x, version: 1.0.0, layers: [../x]}", 'layers.0: "../x" does not match'),
        ("blueprint.yaml", "{title: x, version: 1.0.0, chart: none}", "chart: there is no golden chart none"),
        ("cookiecutter.json", "{\n'a'}", "/python/cookiecutter.json:2: is not JSON"),
        ("cookiecutter.json", "[]", "/python/cookiecutter.json: must be an object"),
        ("cookiecutter.json", '{"a": 1, "a": 2}', "cookiecutter.json: is not JSON: a stands there twice"),
        ("cookiecutter.json", '{"_jinja2_env_vars": []}', "_jinja2_env_vars: must be a mapping, not []"),
        ("cookiecutter.json", "{}", "/python: needs one root folder of templates, not 0"),
        ("questions.json", "{", "/python/questions.json:1: is not JSON"),
    ],
)
def test_a_broken_blueprint_has_file_line_and_rule(root: Path, file: str, text: str, rule: str) -> None:
    (root / "blueprints/python" / file).write_text(text)

    assert rule in told(root)


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        ({}, "type: is required"),
        ({"properties": {"x": {"type": "string"}}}, "properties.x.title: is required"),
        ({"properties": {"x": {"title": "X", "type": "text"}}}, 'properties.x.type: "text" is not among those allowed'),
        ({"properties": {"X": {"title": "X", "type": "string"}}}, 'properties.X: "X" does not match'),
        ({"properties": {"name": {"title": "X", "type": "string"}}}, 'properties.name: "name" is taken'),
        ({"properties": {"x": {"title": "X", "type": "string", "pattern": "("}}}, "is not a 'regex'"),
        ({"properties": {"x": {"title": "X", "type": "string", "$ref": "http://x"}}}, "$ref is not followed"),
        ({"properties": {"x": {"title": "X", "type": "string"}}, "additionalProperties": True}, "must be false"),
        ({"properties": {"owner": OWNER}}, "questions.json: owner: is asked by a layer below already"),
    ],
)
def test_broken_questions(root: Path, schema: dict[str, Any], rule: str) -> None:
    whole = {"type": "object", "additionalProperties": False, **schema} if schema else {}
    (root / "blueprints/python/questions.json").write_text(json.dumps(whole))

    assert rule in told(root)


def test_links_are_refused_wherever_they_lie(root: Path) -> None:
    folder = root / "blueprints/python"
    (folder / "{= cookiecutter.name =}/link").symlink_to("app")
    assert "/python/link: is a symbolic link" in told(root)

    (folder / "{= cookiecutter.name =}/link").unlink()
    (folder / "questions.json").rename(folder / "other.json")
    (folder / "questions.json").symlink_to("other.json")
    assert "questions.json: is a symbolic link" in told(root)


def test_two_root_folders_are_one_too_many(root: Path) -> None:
    (root / "blueprints/python/{= cookiecutter.module =}").mkdir()

    assert "needs one root folder of templates, not 2" in told(root)
