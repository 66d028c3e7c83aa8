"""YAML that people write: read as every reader would read it, or refused with file, line and key."""

from __future__ import annotations

import codecs
import time
from typing import Any

import pytest

from generator.document import LARGEST, parse, read
from generator.errors import ShiplaneError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["owner"],
    "properties": {
        "owner": {"type": "string"},
        "ports": {"type": "array", "items": {"type": "integer"}},
        "image": {"type": "object", "additionalProperties": False, "properties": {"tag": {"type": "string"}}},
    },
}


def refusal(data: bytes) -> list[str]:
    with pytest.raises(ShiplaneError) as caught:
        parse(data, "a.yaml")
    return [f"{problem.place}: {problem.rule}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("data", "content"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"# nothing but a comment\n", {}, id="comment"),
        pytest.param(codecs.BOM_UTF8 + b"a: 1\n", {"a": 1}, id="bom"),
        pytest.param(b"a: 1\r\nb:\r\n  c: x\r\n", {"a": 1, "b": {"c": "x"}}, id="crlf"),
        pytest.param(b"a: 1\nb: 2", {"a": 1, "b": 2}, id="no-final-newline"),
        pytest.param("größe: ünï\n".encode(), {"größe": "ünï"}, id="unicode"),
        pytest.param(b"a: &x 1\n", {"a": 1}, id="an-anchor-that-nobody-uses"),
        pytest.param(b"a: " + b"[" * 40 + b"]" * 40, None, id="forty-levels"),
    ],
)
def test_what_is_read(data: bytes, content: dict[str, Any] | None) -> None:
    found = parse(data, "a.yaml").data

    assert found == content or (content is None and found["a"])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"a: 1\nb: [1\n", "a.yaml:3: is not YAML: ", id="unclosed"),
        pytest.param(b"a: 1\n\tb: 2\n", "a.yaml:2: is not YAML: ", id="tab"),
        pytest.param(b"a: b: c\n", "a.yaml:1: is not YAML: mapping values are not allowed", id="two-colons"),
        pytest.param(
            b"a: 1\n---\nb: 2\n",
            "a.yaml:2: is not YAML: but found another document",
            id="two-documents",
        ),
        pytest.param(b"a: 1\nb: 2\na: 3\n", "a.yaml:3: a: stands here twice", id="twice"),
        pytest.param(b'a: {b: 1, "b": 2}\n', "a.yaml:1: a.b: stands here twice", id="twice-below"),
        pytest.param(b'"": 1\n"": 2\n', 'a.yaml:2: "": stands here twice', id="twice-an-empty-key"),
        pytest.param(b"a: &x {b: 1}\nc: *x\n", "a.yaml:2: an alias is not followed", id="alias"),
        pytest.param(b"a: &x 1\nc: [*x]\n", "a.yaml:2: an alias is not followed", id="alias-in-a-list"),
        pytest.param(b"a: &x b\n*x : 1\n", "a.yaml:2: an alias is not followed", id="alias-as-a-key"),
        pytest.param(b"&x a: &y [*y]\n", "a.yaml:1: an alias is not followed", id="alias-to-itself"),
        pytest.param(b"<<: {a: 1}\n", "a.yaml:1: a key must be a plain word", id="merge"),
        pytest.param(b"a:\n  [b]: 1\n", "a.yaml:2: a key must be a plain word", id="list-as-a-key"),
        pytest.param("a: ü\n".encode("latin-1"), "a.yaml: is not UTF-8 at byte 3", id="latin-1"),
        pytest.param("a: 1\n".encode("utf-16"), "a.yaml: is not UTF-8 at byte 0", id="utf-16"),
        pytest.param(b"a: 1\nb: \x1b[31m\n", "a.yaml:2: holds the control character #x001b", id="escape"),
        pytest.param(b"a: 1\nb: \x00\n", "a.yaml:2: holds the control character #x0000", id="nul"),
        pytest.param(b"- a\n", "a.yaml: must be a mapping of keys to values", id="list"),
        pytest.param(b"5\n", "a.yaml: must be a mapping of keys to values", id="number"),
        pytest.param(b"~\n", "a.yaml: must be a mapping of keys to values", id="null"),
        pytest.param(b"a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor", id="code"),
        pytest.param(b"a: 2024-13-45\n", "month must be in 1..12", id="no-such-month"),
        pytest.param(b"a: " + b"9" * 5000, "is not YAML that can be read", id="a-number-of-5000-digits"),
        pytest.param(b"# \n" * LARGEST, f"a.yaml: is larger than {LARGEST} bytes", id="too-large"),
    ],
)
def test_what_is_refused(data: bytes, told: str) -> None:
    said = refusal(data)

    assert any(told in line for line in said), said
    assert all(line.isprintable() for line in said)


@pytest.mark.parametrize("data", [b"[" * 100_000, b"a: " + b"[" * 100_000, b"{a: " * 100_000, b"- " * 100_000])
def test_nesting_ends_neither_the_stack_nor_the_process(data: bytes) -> None:
    """libyaml's composer calls itself for each level: 100,000 of them end the process without a word."""
    started = time.monotonic()

    assert "is nested deeper than" in refusal(data)[0]
    assert time.monotonic() - started < 10


def test_a_bomb_of_aliases_is_refused_before_it_is_read() -> None:
    levels = [b"a0: &a0 [x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]".encode() for n in range(1, 30)]

    assert refusal(b"\n".join(levels))[0].startswith("a.yaml:2: an alias")


def test_everything_is_told_at_once_with_line_and_key() -> None:
    with pytest.raises(ShiplaneError) as caught:
        read(b"ports:\n  - 1\n  - x\nimage:\n  tga: a\n", "a.yaml", SCHEMA)

    assert [problem.place for problem in caught.value.problems] == [
        "a.yaml: owner",
        "a.yaml:3: ports.1",
        "a.yaml:5: image.tga",
    ]
    assert "did you mean tag?" in str(caught.value)


def test_a_missing_key_is_placed_where_its_parent_stands() -> None:
    document = parse(b"a: 1\nimage:\n  tag: x\n", "a.yaml")

    assert document.at(("image", "digest")) == "a.yaml:2: image.digest"
    assert document.at(("nothing",)) == "a.yaml: nothing"
    assert document.at(()) == "a.yaml"
