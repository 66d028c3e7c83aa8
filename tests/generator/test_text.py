"""Free text from a person: refused with a reason, or found again in every format as it was typed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generator import blueprint
from generator.answers import Given, complete, wrong
from generator.blueprint import Blueprint
from generator.plan import plan
from generator.proof import Proof
from generator.record import LOCK
from generator.render import render
from generator.service import NAME
from tests.generator.trees import build_layer

TEXT = {"title": "What", "type": "string", "default": ""}
FILES = {
    "a.yaml": "text: {= cookiecutter.description | tojson =}\nlist: {= cookiecutter.calls | tojson =}\n",
    "a.json": '{"text": {= cookiecutter.description | tojson =}, "list": {= cookiecutter.calls | tojson =}}\n',
    "a.toml": "text = {= cookiecutter.description | tojson =}\nlist = {= cookiecutter.calls | tojson =}\n",
    "a.md": "{= cookiecutter.description =}\n",
    "{= cookiecutter.name =}.{= cookiecutter.module =}": "{= cookiecutter.name =}\n",
}
READERS: dict[str, Callable[[bytes], Any]] = {
    "a.yaml": yaml.safe_load,
    "a.json": json.loads,
    "a.toml": lambda data: tomllib.loads(data.decode()),
}

VISIBLE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=200)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Blueprint:
    questions = {"description": TEXT, "calls": {"title": "Calls", "type": "array", "default": []}}
    return blueprint.load_folder(build_layer(tmp_path_factory.mktemp("own"), FILES, questions))


@settings(deadline=None, max_examples=60)
@given(name=st.from_regex(NAME[1:-1], fullmatch=True), text=st.text(), texts=st.lists(st.text(max_size=5), max_size=3))
@example(
    name="a", text="yes: {no} 'single' \"double\" \\ <b>&amp; # %s ${X} `id` {{ x }} ]]>", texts=["on", "~", "1e3"]
)
@example(name="a", text="ü 日本 🚀 ﷽  nbsp", texts=[" ", "🚀"])
@example(name="a", text="{= cookiecutter.name =}", texts=[])
@example(name="a", text="ends in a backslash \\", texts=["\\"])
def test_text_is_refused_or_kept(own: Blueprint, name: str, text: str, texts: list[str]) -> None:
    asked = {"description": Given(text, "description"), "calls": Given(texts, "calls")}
    if problems := wrong(asked, own.questions, own.marks):
        assert all(problem.rule.startswith(("must be visible text", "must not hold")) for problem in problems)
        return
    answers = complete(asked, own.questions, own.marks)

    rendered = render(own, name, answers)

    for path, read in READERS.items():
        assert read(rendered[path].data) == {"text": text, "list": texts}
    assert rendered["a.md"].data.decode() == f"{text}\n"
    assert rendered[f"{name}.{name.replace('-', '_')}"].data.decode() == f"{name}\n"
    lock = plan(name, own, answers, rendered, Proof((), "no chart")).files[LOCK]
    assert yaml.safe_load(lock.data)["answers"] == answers


@settings(deadline=None, max_examples=15)
@given(name=st.from_regex(NAME[1:-1], fullmatch=True), text=VISIBLE)
@example(name="on", text="yes: {no} 'single' \"double\" \\ <b>&amp; # %s ${X} `id` {{ x }}")
@example(name="null", text="--- |")
@example(name="x" * 40, text="x" * 200)
def test_the_python_blueprint_keeps_it_too(name: str, text: str) -> None:
    ours = _python()
    asked = {"description": Given(text, "description")}
    if wrong(asked, ours.questions, ours.marks):
        return

    rendered = render(ours, name, complete(asked, ours.questions, ours.marks))

    for path, file in rendered.items():
        read = {".json": json.loads, ".toml": READERS["a.toml"]}.get(Path(path).suffix)
        if read:
            assert read(file.data)
        elif path.endswith((".yaml", ".yml")) and "/templates/" not in path:
            assert yaml.safe_load(file.data)
    chart = yaml.safe_load(rendered["chart/Chart.yaml"].data)
    assert (chart["name"], chart["description"]) == (name, text)
    assert text in rendered["README.md"].data.decode()


def _python() -> Blueprint:
    if "python" not in blueprint.names():
        pytest.skip("there is no python blueprint yet")
    return blueprint.load("python")
