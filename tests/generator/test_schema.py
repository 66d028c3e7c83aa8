"""Data against a schema: each mistake with its path, and in words."""

from __future__ import annotations

from typing import Any

import pytest

from generator.errors import Problem
from generator.schema import check

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["owner", "port"],
    "$defs": {"name": {"type": "string", "pattern": "^[a-z]+$", "not": {"enum": ["self"]}}},
    "properties": {
        "owner": {"type": "string", "pattern": "^[a-z]+$", "description": "The team"},
        "port": {"type": "integer", "minimum": 1024, "maximum": 65535},
        "merge": {"enum": ["auto", "manual"]},
        "calls": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/name"}},
        "gate": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"soak": {"type": "integer"}}}]},
        "env": {"type": "object", "propertyNames": {"pattern": "^[A-Z]+$"}, "additionalProperties": {"type": "string"}},
    },
}
GOOD: dict[str, Any] = {"owner": "payments", "port": 8080}


def test_nothing_wrong() -> None:
    assert check({**GOOD, "merge": "auto", "calls": ["ledger"], "env": {"A": "b"}}, SCHEMA) == []


@pytest.mark.parametrize(
    ("extra", "path", "rule"),
    [
        ({"prot": 1}, ("prot",), "is not known here; did you mean port?"),
        ({"zzz": 1}, ("zzz",), "is not known here; known: owner, port, merge, calls, gate, env"),
        ({"merge": "atuo"}, ("merge",), '"atuo" is not among those allowed; did you mean auto?'),
        ({"merge": 1}, ("merge",), "1 is not among those allowed; known: auto, manual"),
        ({"port": "8080"}, ("port",), 'must be a whole number, not "8080"'),
        ({"port": True}, ("port",), "must be a whole number, not true"),
        ({"port": 80}, ("port",), "must be at least 1024, not 80"),
        ({"port": 80000}, ("port",), "must be at most 65535, not 80000"),
        ({"owner": "A"}, ("owner",), '"A" does not match ^[a-z]+$'),
        ({"owner": "a\n"}, ("owner",), '"a\\n" does not match ^[a-z]+$'),
        ({"calls": ["a", "B"]}, ("calls", 1), '"B" does not match ^[a-z]+$'),
        ({"calls": ["a", "self"]}, ("calls", 1), '"self" is taken'),
        ({"calls": ["a", "a"]}, ("calls",), 'must not hold the same twice: ["a", "a"]'),
        ({"gate": {"soak": "x"}}, ("gate", "soak"), 'must be a whole number, not "x"'),
        ({"env": {"a": "b"}}, ("env", "a"), '"a" does not match ^[A-Z]+$'),
        ({"env": {"A": 1}}, ("env", "A"), "must be text, not 1"),
        ({"env": {True: "b"}}, ("env", "True"), "a key must be text, and this one reads as true"),
        ({"env": {"A\n": "b"}}, ("env", "A\n"), "a key must be printable text on one line"),
    ],
)
def test_one_mistake(extra: dict[str, Any], path: tuple[str | int, ...], rule: str) -> None:
    (mistake,) = check({**GOOD, **extra}, SCHEMA)

    assert (mistake.path, mistake.rule) == (path, rule)


def test_several_at_once_each_missing_key_by_its_name() -> None:
    mistakes = check({"calls": [1]}, SCHEMA, "answers.yaml")

    assert sorted(mistake.place for mistake in mistakes) == [
        "answers.yaml: calls[0]",
        "answers.yaml: owner",
        "answers.yaml: port",
    ]
    assert all(isinstance(mistake, Problem) for mistake in mistakes)


def test_a_description_is_the_way_out() -> None:
    (mistake,) = check({**GOOD, "owner": "A"}, SCHEMA)

    assert mistake.mend == "The team"


def test_the_whole_of_the_wrong_kind_has_the_place_alone() -> None:
    (mistake,) = check([], SCHEMA, "answers.yaml")

    assert str(mistake) == "answers.yaml: must be a mapping, not []"


@pytest.mark.parametrize("pattern", ["^a$", "^(a|b)$", "^a$|^b$", "^(?:a$)"])
def test_a_final_newline_passes_no_pattern(pattern: str) -> None:
    assert check("a", {"pattern": pattern}) == []
    assert len(check("a\n", {"pattern": pattern})) == 1


@pytest.mark.parametrize("pattern", [r"\$$", "[$]$"])
def test_a_literal_dollar_stays_one(pattern: str) -> None:
    assert check("a$", {"pattern": pattern}) == []
    assert len(check("a$\n", {"pattern": pattern})) == 1


def test_a_remote_reference_is_not_fetched() -> None:
    with pytest.raises(Exception, match="Unresolvable"):
        check({}, {"$ref": "http://127.0.0.1:9/schema.json"})
