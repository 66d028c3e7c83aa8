"""Conditions among questions: what is refused because of another answer, what is not asked, and what cannot be said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from generator.answers import Given, complete, wrong
from generator.errors import ShiplaneError
from generator.questions import NOTHING, Schema, added, narrowed, settled
from tests.generator.conftest import Run
from tests.generator.trees import build_layer

KIND = {"title": "Kind", "type": "string", "enum": ["http", "worker"], "default": "http"}
CALLED_BY = {"title": "Called by", "type": "array", "items": {"type": "string"}, "default": []}
MIGRATION = {"title": "Migration", "type": "boolean", "default": False}
WAY_OUT = "nobody calls a worker: leave it out"


def when(key: str, then: Any, **causes: Any) -> dict[str, Any]:
    """A condition: where the answers fit `causes`, `key` is `then`."""
    return {
        "if": {"properties": causes, "required": list(causes)},
        "then": {"properties": {key: {"const": then, "description": WAY_OUT}}},
    }


QUESTIONS = {"kind": KIND, "called_by": CALLED_BY}
CONDITION = when("called_by", [], kind={"const": "worker"})


@pytest.fixture
def schema(tmp_path: Path) -> Schema:
    return added(NOTHING, build_layer(tmp_path / "own", {"a": "x"}, QUESTIONS, conditions=[CONDITION]))


def test_an_answer_that_makes_no_sense_with_another_is_at_fault_and_has_a_way_out(schema: Schema) -> None:
    given = {"kind": Given("worker", "--set kind=worker"), "called_by": Given(["gateway"], "answers.yaml:3: called_by")}

    (problem,) = wrong(given, schema)

    assert str(problem) == (f'answers.yaml:3: called_by: must be empty, not ["gateway"]\n  try: {WAY_OUT}')
    with pytest.raises(ShiplaneError, match="must be empty"):
        complete(given, schema)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "http", "called_by": ["gateway"]},
        {"called_by": ["gateway"]},  # nothing is said of the kind, and nothing is assumed
        {"kind": "worker", "called_by": []},
        {"kind": "worker"},
    ],
)
def test_what_goes_together_is_taken(schema: Schema, given: dict[str, Any]) -> None:
    asked = {key: Given(value, "") for key, value in given.items()}

    assert wrong(asked, schema) == []
    assert complete(asked, schema) == {"kind": "http", "called_by": [], **given}


def test_what_can_only_take_its_default_is_settled(schema: Schema) -> None:
    assert settled("called_by", schema, {"kind": "worker"})
    assert not settled("called_by", schema, {"kind": "http"})
    assert not settled("called_by", schema, {})
    assert not settled("kind", schema, {})
    assert settled("kind", narrowed(schema, "kind", ["worker"]), {})


def test_a_condition_may_stand_on_a_question_of_a_layer_below(tmp_path: Path) -> None:
    below = added(NOTHING, build_layer(tmp_path / "below", {"a": "x"}, QUESTIONS))
    none = {"not": {"contains": {"const": "gateway"}}}
    folder = build_layer(
        tmp_path / "own", {"b": "x"}, {"migration": MIGRATION}, conditions=[when("migration", False, called_by=none)]
    )

    schema = added(below, folder)

    assert settled("migration", schema, {"called_by": ["orders"]})
    assert not settled("migration", schema, {"called_by": ["orders", "gateway"]})


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        (when("called_by", [], kynd={"const": "worker"}), "allOf: kynd is no question here or below"),
        (when("caller", [], kind={"const": "worker"}), "allOf: caller is no question here or below"),
        (when("called_by", ["x"], kind={"const": "worker"}), "allOf: the const of called_by must be its default"),
        (when("kind", "http", called_by={"const": []}), "allOf: kind is asked before called_by, on which it depends"),
        (
            {**CONDITION, "if": {"properties": {"kind": {"const": "worker"}}, "required": []}},
            "allOf: if: needs required: ['kind'], or it would hold where nothing is answered yet",
        ),
        ({"if": CONDITION["if"]}, "allOf[0].then: is required"),
        ({**CONDITION, "else": {}}, "allOf[0].else: is not known here"),
        ({**CONDITION, "then": {"properties": {"kind": {"maxItems": 0}}}}, "kind.const: is required"),
        (when("called_by", [], kind={"enum": "worker"}), "is not of type 'array'"),
    ],
)
def test_a_condition_that_cannot_be_kept_is_refused(tmp_path: Path, condition: dict[str, Any], rule: str) -> None:
    folder = build_layer(tmp_path / "own", {"a": "x"}, QUESTIONS, conditions=[condition])

    with pytest.raises(ShiplaneError) as caught:
        added(NOTHING, folder)

    assert rule in str(caught.value)


def test_the_command_refuses_before_anything_is_rendered(run: Run, work: Path, tmp_path: Path) -> None:
    own = build_layer(tmp_path / "own", {"a": "x"}, QUESTIONS, conditions=[CONDITION])
    argv = ["--blueprint", own, "--trust", "--no-input", "--set", "kind=worker"]

    code, out, err = run("wallet", *argv, "--set", "called_by=gateway")

    assert (code, out, list(work.iterdir())) == (1, "", [])
    assert err == f'error: --set called_by=gateway: must be empty, not ["gateway"]\n  try: {WAY_OUT}\n'
    assert run("wallet", *argv)[0] == 0
