"""Free text from a person: refused with a reason, or found again in every format as it was typed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from generator import blueprint
from generator.answers import Given, complete, wrong
from generator.blueprint import Blueprint
from generator.braces import markdown
from generator.plan import plan
from generator.proof import Proof
from generator.record import LOCK
from generator.render import render
from generator.schema import check
from generator.service import NAME
from generator.tree import Tree
from tests.generator.trees import build_layer

TEXT = {"title": "What", "type": "string", "default": ""}
FILES = {
    "a.yaml": "text: {= cookiecutter.description | tojson =}\nlist: {= cookiecutter.calls | tojson =}\n",
    "a.json": '{"text": {= cookiecutter.description | tojson =}, "list": {= cookiecutter.calls | tojson =}}\n',
    "a.toml": "text = {= cookiecutter.description | tojson =}\nlist = {= cookiecutter.calls | tojson =}\n",
    "a.md": "{= cookiecutter.description | markdown =}\n",
    "{= cookiecutter.name =}.{= cookiecutter.module =}": "{= cookiecutter.name =}\n",
}
READERS: dict[str, Callable[[bytes], Any]] = {
    "a.yaml": yaml.safe_load,
    "a.json": json.loads,
    "a.toml": lambda data: tomllib.loads(data.decode()),
}

VISIBLE_CHARACTER = st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"))
COMMONMARK = MarkdownIt("commonmark").enable(["table", "strikethrough"])


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
    if problems := wrong(asked, own.schema, own.marks):
        rules = ("must be visible text", "must not hold", "must not begin or end")
        assert all(problem.rule.startswith(rules) for problem in problems)
        return
    answers = complete(asked, own.schema, own.marks)

    rendered = render(own, name, answers)

    for path, read in READERS.items():
        assert read(rendered[path].data) == {"text": text, "list": texts}
    assert shown(rendered["a.md"].data.decode()) == text
    assert rendered[f"{name}.{name.replace('-', '_')}"].data.decode() == f"{name}\n"
    lock = plan(name, own, answers, rendered, Proof((), "no chart")).files[LOCK]
    assert yaml.safe_load(lock.data)["answers"] == answers


def shown(text: str) -> str:
    """What a reader of Markdown sees, where it is plain text alone."""
    tokens = COMMONMARK.parse(text)
    if not tokens:
        return ""
    paragraph, inline, end = tokens
    assert (paragraph.type, end.type) == ("paragraph_open", "paragraph_close")
    assert {child.type for child in inline.children or ()} <= {"text"}
    return inline.content and "".join(child.content for child in inline.children or ())


MARKS = st.sampled_from(list("#*_`~[]()<>&;:|!+-=.1 \\$\"'{}ab/@"))
NASTY = st.text(st.one_of(MARKS, VISIBLE_CHARACTER), min_size=1, max_size=80).map(str.strip).filter(bool)
# libyaml's, as Shiplane reads YAML: it is all files of a service, for each answer that is tried
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@settings(deadline=None, max_examples=300)
@given(NASTY)
@example("1. one")
@example("123456789) one")
@example("- [ ] one")
@example("---")
@example("&copy; &#35; <b>x</b> ![x](y) **x** _x_ trading_engine [x]: y ~~x~~ `x` $x$ \\")
@example("<http://localhost>")
@example("| a | b |")
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    assert shown(markdown(text)) == text
    assert shown(f"It {markdown(text)}") == f"It {text}"


def test_markdown_stays_readable() -> None:
    text = "keeps customers' balances (trading_engine's, too): 100% & more - since 2024. Why? {x} = \"y\""

    assert markdown(text) == text


def answer_to(key: str, question: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any answer that the question's schema takes; free text of the worst kind."""
    if "enum" in question:
        return st.sampled_from(question["enum"])
    match question["type"]:
        case "integer":
            return st.integers(question.get("minimum"), question.get("maximum"))
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(answer_to(key, question.get("items", {"type": "string"})), max_size=3, unique=True)
        case "string" if key != "description":
            pattern = question.get("pattern", "^[a-z]+$")
            text = st.from_regex(pattern.removesuffix("$") + r"\Z")
            return text.filter(lambda found: not check(found, question))
    return NASTY


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(name=st.from_regex(NAME[1:-1], fullmatch=True), data=st.data())
@pytest.mark.parametrize("ours", blueprint.names())
def test_our_blueprints_take_any_answers(ours: str, name: str, data: st.DataObject) -> None:
    chosen = _loaded(ours)
    asked = {key: Given(data.draw(answer, label=key), key) for key, answer in _answers(ours).items()}
    odd = wrong(asked, chosen.schema, chosen.marks, name)
    event("refused" if odd else "rendered")
    assume(not odd)
    answers = complete(asked, chosen.schema, chosen.marks, name)

    rendered = render(chosen, name, answers)

    _parsed(rendered)
    chart = yaml.safe_load(rendered["chart/Chart.yaml"].data)
    values = yaml.safe_load(rendered["chart/values.yaml"].data)
    assert (chart["name"], chart["description"]) == (name, answers["description"])
    assert (values["owner"], values.get("port", answers["port"])) == (answers["owner"], answers["port"])
    other = render(chosen, name, {**answers, "description": "x"})
    for path in filter(executed, rendered):  # free text is nowhere in them, quoted or not
        assert rendered[path] == other[path]


def executed(path: str) -> bool:
    """What a shell, docker, make or the workflow's runner would act on."""
    bare = path.rpartition("/")[2] in ("Dockerfile", "Makefile", ".dockerignore", "package.json")
    return bare or path.endswith((".sh", ".py", ".js", ".go", ".ts")) or path.startswith(".github/")


@settings(deadline=None, max_examples=15)
@given(name=st.from_regex(NAME[1:-1], fullmatch=True), text=NASTY)
@example(name="on", text="yes: {no} 'single' \"double\" \\ <b>&amp; # %s ${X} `id` {{ x }}")
@example(name="null", text="--- |")
@example(name="x" * 40, text="x" * 200)
@example(name="rtl", text="שלום: العربية — 🚀 {x} 'y'")
def test_the_python_blueprint_keeps_it_too(name: str, text: str) -> None:
    ours = _loaded("python")
    asked = {"description": Given(text, "description")}
    if wrong(asked, ours.schema, ours.marks):
        return

    rendered = render(ours, name, complete(asked, ours.schema, ours.marks))

    _parsed(rendered)
    chart = yaml.safe_load(rendered["chart/Chart.yaml"].data)
    assert (chart["name"], chart["description"]) == (name, text)
    readme = rendered["README.md"].data.decode()
    assert text in readme or markdown(text) in readme


def _parsed(rendered: Tree) -> None:
    for path, file in rendered.items():
        read = {".json": json.loads, ".toml": READERS["a.toml"]}.get(Path(path).suffix)
        if read:
            assert read(file.data)
        elif path.endswith((".yaml", ".yml")) and "/templates/" not in path:
            yaml.load(file.data, _LOADER)


@cache
def _loaded(name: str) -> Blueprint:
    return blueprint.load(name)


@cache
def _answers(ours: str) -> dict[str, st.SearchStrategy[Any]]:
    """Any answers to the questions of a blueprint; kept, since Hypothesis works each pattern out anew for a new one."""
    return {key: answer_to(key, dict(question)) for key, question in _loaded(ours).questions.items()}
