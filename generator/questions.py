"""What a blueprint asks: one JSON Schema, joined from the questions.json of its layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.errors import Problem, ShiplaneError, printable
from generator.layer import json_object, plain_bytes
from generator.schema import check

GIVEN = ("name", "module", "blueprint", "version", "proof")
"""What every template is told without asking; no question may have these names."""
Schema = Mapping[str, Any]
"""All that is asked: `properties` has the questions in the order of asking, `allOf` the conditions under which one of
them is answered by its default and by nothing else."""
NOTHING: Schema = {"type": "object", "additionalProperties": False, "properties": {}, "allOf": ()}
"""Where nothing is asked."""
_QUESTION: dict[str, Any] = {
    "type": "object",
    "required": ["title", "type"],
    "properties": {
        "title": {"type": "string"},
        "description": {"type": "string"},
        "type": {"enum": ["string", "integer", "number", "boolean", "array", "object"]},
    },
}
_CONDITION: dict[str, Any] = {
    "type": "object",
    "required": ["if", "then"],
    "additionalProperties": False,
    "properties": {
        "if": {
            "type": "object",
            "required": ["properties", "required"],
            "additionalProperties": False,
            "properties": {
                "properties": {"type": "object", "minProperties": 1},
                "required": {"type": "array", "items": {"type": "string"}},
            },
        },
        "then": {
            "type": "object",
            "required": ["properties"],
            "additionalProperties": False,
            "properties": {
                "properties": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "required": ["const"],
                        "additionalProperties": False,
                        "properties": {"const": {}, "description": {"type": "string"}},
                    },
                },
            },
        },
    },
}
_FILE: dict[str, Any] = {
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
        "allOf": {"type": "array", "items": _CONDITION},
    },
}


def added(below: Schema, folder: Path) -> Schema:
    """What is asked `below`, and then by the layer in `folder`; raises ShiplaneError with all that is wrong there."""
    place = printable(f"{folder}/questions.json")
    own = _read(folder / "questions.json", place)
    if twice := [key for key in own["properties"] if key in below["properties"]]:
        raise ShiplaneError(Problem(f"{place}: {key}", "is asked by a layer below already") for key in twice)
    asked = {**below["properties"], **own["properties"]}
    conditions = own.get("allOf", ())
    if problems := [each for condition in conditions for each in _unfit(condition, asked, f"{place}: allOf")]:
        raise ShiplaneError(problems)
    return {**below, "properties": asked, "allOf": (*below["allOf"], *conditions)}


def narrowed(schema: Schema, key: str, allowed: Sequence[str]) -> Schema:
    """`schema` where the question `key` takes these answers alone; its default is the first where it was another."""
    question = schema["properties"][key]
    default = question["default"] if question.get("default") in allowed else allowed[0]
    fitted = {**question, "enum": list(allowed), "default": default}
    return {**schema, "properties": {**schema["properties"], key: fitted}}


def settled(key: str, schema: Schema, given: Mapping[str, object]) -> bool:
    """Whether nothing but its default can answer `key`: because of what is `given`, or whatever is."""
    question = schema["properties"][key]
    if "default" in question and question.get("enum") == [question["default"]]:
        return True
    return any(key in each["then"]["properties"] and not check(given, each["if"]) for each in schema["allOf"])


def _read(path: Path, place: str) -> Mapping[str, Any]:
    if not path.exists():
        return NOTHING
    from jsonschema import Draft202012Validator, SchemaError

    schema = json_object(path)
    problems: list[Problem] = list(check(schema, _FILE, place))
    if b'"$ref"' in plain_bytes(path):
        problems.append(Problem(place, "a question stands by itself: $ref is not followed"))
    if not problems:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            problems.append(Problem(f"{place}: {'.'.join(map(str, error.path))}", printable(error.message)))
    if problems:
        raise ShiplaneError(problems)
    return schema


def _unfit(condition: Mapping[str, Any], asked: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """Why a condition cannot hold: prompts go from top to bottom, and what is not asked takes its default."""
    order = list(asked)
    causes, bound = condition["if"]["properties"], condition["then"]["properties"]
    unknown = [key for key in (*causes, *bound) if key not in asked]
    if unknown:
        yield Problem(place, f"{printable(unknown[0])} is no question here or below")
        return
    if set(causes) != set(condition["if"]["required"]):
        yield Problem(place, f"if: needs required: {sorted(causes)}, or it would hold where nothing is answered yet")
    for key, then in bound.items():
        late = [cause for cause in causes if order.index(cause) >= order.index(key)]
        if late:
            yield Problem(place, f"{key} is asked before {late[0]}, on which it depends")
        if "default" not in asked[key] or asked[key]["default"] != then["const"]:
            yield Problem(place, f"the const of {key} must be its default, which is what it is then")
