"""Answers: text to values, who goes before whom, and where each wrong one came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.answers import Given, complete, from_file, from_settings, text_of, typed, wrong
from generator.errors import ShiplaneError
from generator.questions import NOTHING, Schema
from generator.schema import shown

QUESTIONS: dict[str, dict[str, Any]] = {
    "description": {"title": "What", "type": "string", "default": "A service"},
    "owner": {"title": "Owner", "type": "string", "pattern": "^[a-z]+$"},
    "port": {"title": "Port", "type": "integer", "minimum": 1024, "default": 8080},
    "calls": {"title": "Calls", "type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "default": []},
}


def schema(questions: Mapping[str, Any], *conditions: Mapping[str, Any]) -> Schema:
    return {**NOTHING, "properties": questions, "allOf": conditions}


SCHEMA = schema(QUESTIONS)


@pytest.mark.parametrize(
    ("text", "question", "value"),
    [
        ("8080", {"type": "integer"}, 8080),
        (" -1 ", {"type": "integer"}, -1),
        ("08080", {"type": "integer"}, "08080"),
        ("8_080", {"type": "integer"}, "8_080"),
        ("8080.0", {"type": "integer"}, "8080.0"),
        ("٣", {"type": "integer"}, "٣"),
        ("9" * 5000, {"type": "integer"}, "9" * 5000),
        ("1.5", {"type": "number"}, 1.5),
        ("yes", {"type": "boolean"}, True),
        ("False", {"type": "boolean"}, False),
        ("maybe", {"type": "boolean"}, "maybe"),
        ("", {"type": "array"}, []),
        ("a, b", {"type": "array"}, ["a", "b"]),
        ("a,,b", {"type": "array"}, ["a", "", "b"]),
        ('["a,b", "c"]', {"type": "array"}, ["a,b", "c"]),
        ("[a", {"type": "array"}, "[a"),
        ("1,2", {"type": "array", "items": {"type": "integer"}}, [1, 2]),
        ('{"a": 1}', {"type": "object"}, {"a": 1}),
        (" kept as it is ", {"type": "string"}, " kept as it is "),
        ("[1]", {"type": "string"}, "[1]"),
    ],
)
def test_text_says_a_value_of_its_type_or_stays_text(text: str, question: dict[str, Any], value: object) -> None:
    assert typed(text, question) == value


@given(st.one_of(st.lists(st.text(min_size=1)), st.lists(st.just(""), min_size=2)))
def test_a_list_s_text_is_read_back(value: list[str]) -> None:
    text = text_of(value)

    assert typed(text, {"type": "array"}) == value


def test_options_name_the_option_that_is_wrong() -> None:
    found, problems = from_settings(["owner", "port=1", "port=2", "=x", "calls=a\nb"], QUESTIONS)

    assert found["port"] == Given(1, "--set port=1")
    assert found["calls"].place == "--set calls=a\\nb"
    assert [(problem.place, problem.rule) for problem in problems] == [
        ("--set owner", "expected NAME=VALUE"),
        ("--set port=2", "port is set twice"),
        ("--set =x", "expected NAME=VALUE"),
    ]


def test_a_file_s_answers_have_file_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("owner: payments\n# the port\nport: '80'\nprot: 1\n")

    found = from_file(path)

    assert found["owner"].value == "payments"
    assert [str(problem) for problem in wrong(found, SCHEMA)] == [
        f"{path}:4: prot: is not known here; did you mean port?",
        f'{path}:3: port: must be a whole number, not "80"',
    ]


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(ShiplaneError, match=f"--answers {path}"):
            from_file(path)


def test_given_answers_go_before_defaults_and_keep_the_order_of_asking() -> None:
    answers = complete({"port": Given(9000, ""), "owner": Given("payments", "")}, SCHEMA)

    assert list(answers.items()) == [
        ("description", "A service"),
        ("owner", "payments"),
        ("port", 9000),
        ("calls", []),
    ]


def test_a_whole_number_has_no_point() -> None:
    answers = complete({"port": Given(9000.0, ""), "owner": Given("a", "")}, SCHEMA)

    assert repr(answers["port"]) == "9000"


def test_what_is_not_answered_and_what_is_wrong_are_told_together() -> None:
    with pytest.raises(ShiplaneError) as caught:
        complete({"port": Given("x", "--set port=x")}, SCHEMA)

    assert [problem.place for problem in caught.value.problems] == ["--set port=x", "owner"]
    assert caught.value.problems[1].mend == "--set owner=..."


def test_a_default_of_the_blueprint_that_does_not_hold_is_named() -> None:
    with pytest.raises(ShiplaneError, match="the blueprint's default for port: must be a whole number"):
        complete({}, schema({"port": {"title": "Port", "type": "integer", "default": "x"}}))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a\nb", "U+000A"),
        ("a\x7f", "U+007F"),
        ("a\x85b", "U+0085"),
        ("a\u2028b", "U+2028"),
        ("a\u202eb", "U+202E"),
        ("a\ufeffb", "U+FEFF"),
        ("a\udcffb", "U+DCFF"),
        ("a {= b", "must not hold {="),
    ],
)
def test_text_that_breaks_lines_hides_or_marks_is_refused(text: str, rule: str) -> None:
    for value, key in ((text, "description"), ([text], "calls")):
        questions = {key: {"title": "", "type": "array" if isinstance(value, list) else "string"}}
        (problem,) = wrong({key: Given(value, "here")}, schema(questions), ("{=",))

        assert problem.place == "here"
        assert rule in problem.rule


@pytest.mark.parametrize("key", ["calls", "called_by"])
def test_a_service_does_not_call_itself(key: str) -> None:
    questions = {key: {"title": "", "type": "array", "items": {"type": "string"}}}
    asked = {key: Given(["ledger", "wallet"], "here")}

    (problem,) = wrong(asked, schema(questions), service="wallet")

    assert str(problem) == "here: must not name wallet, the service itself\n  try: leave it out"
    assert wrong(asked, schema(questions), service="orders") == []
    with pytest.raises(ShiplaneError, match="the service itself"):
        complete(asked, schema(questions), service="wallet")


@pytest.mark.parametrize("value", [["a", "b", "a"], [{"a": 1}, {"a": 1}]])
def test_no_list_holds_the_same_twice_whatever_its_schema_says(value: list[object]) -> None:
    (problem,) = wrong({"x": Given(value, "here")}, schema({"x": {"title": "", "type": "array"}}))

    assert problem.rule == f"must not hold the same twice: {shown(value[0])}"
