"""From layers and answers to files: what is rendered, and what is refused with file and line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from generator import blueprint
from generator.errors import ShiplaneError
from generator.render import render
from generator.tree import PLAIN, PROGRAM, Tree
from tests.generator.trees import BRACES, ROOT_FOLDER, build, build_layer

BINARY = bytes(range(256)) * 8  # one line end in each 256
GOLDEN = {
    "Chart.yaml": "name: service\n",
    "values.yaml": "port: 1\n\n# ---- defaults (the same for every service)\nreplicas: 2\n",
    "templates/a.yaml": "{{ .Values.port }} {= not ours =}\n",
}


def rendered(root: Path, name: str = "trading-engine", **answers: Any) -> Tree:
    return render(blueprint.load("python", root), name, answers)


def texts(tree: Tree) -> dict[str, str]:
    return {path: file.data.decode() for path, file in tree.items()}


def told(root: Path, **answers: Any) -> list[str]:
    with pytest.raises(ShiplaneError) as caught:
        rendered(root, **answers)
    return [f"{problem.place}: {problem.rule}" for problem in caught.value.problems]


def python(root: Path, files: dict[str, str | bytes], **about: Any) -> Path:
    return build_layer(root / "blueprints/python", files, **about)


def test_answers_reach_contents_and_names_as_what_they_are(tmp_path: Path) -> None:
    text = "{= cookiecutter.port + 1 =} {=% for c in cookiecutter.calls %=}<{= c =}>{=% endfor %=}."
    python(
        tmp_path,
        {
            "src/{= cookiecutter.module =}/{= cookiecutter.name =}.txt": text + "\n",
            "about": "{= cookiecutter.blueprint =} {= cookiecutter.version =}{=# a comment #=}.\n",
            "{=% if cookiecutter.port == 1 %=}left-out{=% endif %=}": "x\n",
        },
    )

    assert texts(rendered(tmp_path, port=8080, calls=["a", "b"])) == {
        "about": "python 1.0.0.\n",
        "src/trading_engine/trading-engine.txt": "8081 <a><b>.\n",
    }


def test_other_languages_braces_are_left_alone(tmp_path: Path) -> None:
    text = "{{ helm }} ${{ github }} [[ -n x ]] ${#a[@]} ${x:=} {% raw %} {# x #} sum({job=~'a'}) $(( 1 % 2 ))\r\n"
    python(tmp_path, {"a": text})

    assert texts(rendered(tmp_path)) == {"a": text}


def test_modes_are_two_and_bytes_of_any_kind_travel(tmp_path: Path) -> None:
    folder = python(tmp_path, {"run.sh": "#!/bin/sh\n", "logo.bin": BINARY, "empty": ""}) / ROOT_FOLDER
    (folder / "run.sh").chmod(0o711)
    (folder / "empty").chmod(0o600)

    tree = rendered(tmp_path)

    assert tree["logo.bin"] == (PLAIN, BINARY)
    assert (tree["run.sh"].mode, tree["empty"]) == (PROGRAM, (PLAIN, b""))


def test_two_renders_are_byte_equal_and_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    python(tmp_path, {"b": "{= cookiecutter.calls | tojson =}\n", "a": "x\n"})
    here = Path.cwd()

    first, second = rendered(tmp_path, calls=["x"]), rendered(tmp_path, calls=["x"])

    assert list(first.items()) == list(second.items())
    assert (list((tmp_path / "tmp").iterdir()), Path.cwd()) == ([], here)


def test_hooks_are_not_run_and_what_pip_compiled_is_no_template(tmp_path: Path) -> None:
    folder = python(tmp_path, {"a": "x\n", "src/__pycache__/a.cpython-311.pyc": b"{= compiled \xff"})
    build(folder, {"hooks/pre_gen_project.sh": f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n"})
    (folder / "hooks/pre_gen_project.sh").chmod(0o755)

    assert texts(rendered(tmp_path)) == {"a": "x\n"}
    assert not (tmp_path / "ran").exists()


def test_the_golden_chart_is_copied_and_its_defaults_follow_the_facts(tmp_path: Path) -> None:
    build(tmp_path / "charts/service", GOLDEN)
    build_layer(
        tmp_path / "blueprints/_shared",
        {"chart/Chart.yaml": "name: {= cookiecutter.name =}\n", "chart/values.yaml": "port: {= cookiecutter.port =}\n"},
        replaces=["chart/Chart.yaml"],
    )
    python(tmp_path, {"a": "x\n"}, layers=["_shared"], chart="service")

    assert texts(rendered(tmp_path, port=9000)) == {
        "a": "x\n",
        "chart/Chart.yaml": "name: trading-engine\n",
        "chart/templates/a.yaml": GOLDEN["templates/a.yaml"],
        "chart/values.yaml": "port: 9000\n\n# ---- defaults (the same for every service)\nreplicas: 2\n",
    }


@pytest.mark.parametrize(
    ("facts", "golden", "rule"),
    [
        ("replicas: 1\n", GOLDEN["values.yaml"], "among the defaults: replicas"),
        ("a: [\n", GOLDEN["values.yaml"], "is not YAML"),
        ("port: 1\n", "port: 1\n", "has no line '# ---- defaults'"),
        (None, GOLDEN["values.yaml"], "is written by no layer of python"),
    ],
)
def test_values_that_cannot_be_joined(tmp_path: Path, facts: str | None, golden: str, rule: str) -> None:
    build(tmp_path / "charts/service", {**GOLDEN, "values.yaml": golden})
    python(tmp_path, {"a": "x", **({"chart/values.yaml": facts} if facts else {})}, chart="service")

    (problem,) = told(tmp_path)

    assert problem.startswith("chart/values.yaml: ")
    assert rule in problem


def test_double_writes_are_refused_all_at_once_unless_the_later_layer_says_so(tmp_path: Path) -> None:
    build_layer(tmp_path / "blueprints/_shared", {"a": "1\n", "b": "1\n", "c": "1\n"})
    python(tmp_path, {"a": "2\n", "b": "2\n", "c": "2\n"}, layers=["_shared"], replaces=["c"])
    assert told(tmp_path) == [f"python/{path}: is written by _shared already" for path in "ab"]

    python(tmp_path, {}, layers=["_shared"], replaces=["a", "b", "c"])
    assert texts(rendered(tmp_path)) == dict.fromkeys("abc", "2\n")


@pytest.mark.parametrize(
    ("files", "places"),
    [
        ({"a": "one\n{= cookiecutter.ownr =}\n"}, ["python/a:2: 'dict object' has no attribute 'ownr'"]),
        ({"a": "\n\n{= x"}, ["python/a:3: "]),
        ({"a": "\n{=% if true %=}\n"}, ["python/a:2: "]),
        ({"a": "\n{= 1 / 0 =}\n"}, ["python/a:2: ZeroDivisionError: division by zero"]),
        ({"a": "\n{=% include '../../../etc/passwd' %=}\n"}, ["python/a:2: "]),
        ({"{= cookiecutter.ownr =}": ""}, ["python: cannot be rendered: 'dict object' has no attribute 'ownr'"]),
        ({"a": bytes(range(256)) + b"\n{= x =}\n\n{= x =}\n"}, ["python/a:3: {= is left", "python/a:5: {= is left"]),
        ({"a": "x {=% raw %=}{= left =}{=% endraw %=}\n"}, ["python/a:1: {= is left in the rendered file"]),
    ],
)
def test_a_broken_template_has_file_and_line(tmp_path: Path, files: dict[str, str | bytes], places: list[str]) -> None:
    python(tmp_path, files)

    problems = told(tmp_path)

    assert len(problems) == len(places)
    for problem, place in zip(problems, places, strict=True):
        assert problem.startswith(place)
        assert "Traceback" not in problem


def test_an_included_template_s_error_is_told_where_it_is(tmp_path: Path) -> None:
    folder = python(tmp_path, {"a": "{=% include 'part' %=}\n"})
    build(folder, {"templates/part": "x\n{= nothing =}\n"})

    assert told(tmp_path) == ["python/../templates/part:2: 'nothing' is undefined"]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("../../escaped", "leads out"),
        ("/escaped", "leads out"),
        (".git/hooks/pre-commit", "git's own"),
        (".newservice/lock.yaml", "the generator's own"),
        ("wallet.txt", "the same as"),
        ("a\nb", "no printable name"),
    ],
)
def test_a_template_s_name_leads_nowhere_else(tmp_path: Path, name: str, rule: str) -> None:
    python(tmp_path / "root", {"{= cookiecutter.file =}": "x\n", "wallet.txt": "x\n"})
    before = sorted(tmp_path.rglob("*"))

    (problem,) = told(tmp_path / "root", file=name)

    assert rule in problem
    assert sorted(tmp_path.rglob("*")) == before


def test_layers_may_not_collide_where_case_does_not_count(tmp_path: Path) -> None:
    build_layer(tmp_path / "blueprints/_shared", {"README.md": "x\n"})
    python(tmp_path, {"Readme.md": "x\n"}, layers=["_shared"])

    assert told(tmp_path) == ["Readme.md: a file that is the same as README.md where case does not count"]


def test_text_beyond_the_basic_plane_is_no_pair_of_halves(tmp_path: Path) -> None:
    python(tmp_path, {"a": "{= cookiecutter.description | tojson =}\n"})

    assert texts(rendered(tmp_path, description="ü 🚀")) == {"a": '"ü 🚀"\n'}


def test_cookiecutter_s_own_braces_work_too(tmp_path: Path) -> None:
    folder = tmp_path / "blueprints/python"
    build_layer(folder, {}, settings={})
    (folder / ROOT_FOLDER).rename(folder / "{{ cookiecutter.name }}")
    build(folder / "{{ cookiecutter.name }}", {"a": "{{ cookiecutter.name }} {= left =}\n"})

    assert texts(rendered(tmp_path)) == {"a": "trading-engine {= left =}\n"}


def test_an_extension_that_is_not_there_is_told(tmp_path: Path) -> None:
    python(tmp_path, {"a": "x"}, settings={**BRACES, "_extensions": ["no.such.Extension"]})

    (problem,) = told(tmp_path)

    assert problem.startswith("python: cannot be rendered: ")
    assert "No module named 'no'" in problem


def test_a_full_disk_is_no_fault_of_a_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    python(tmp_path, {"a": "x"})

    with pytest.raises(OSError, match=os.strerror(2)):
        rendered(tmp_path)
