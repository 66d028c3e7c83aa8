"""Values from YAML's events, in one pass: with lines, with bounds, and without what readers take differently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from generator.errors import Problem, ShiplaneError, printable
from gitops.policy.finding import safe
from gitops.policy.objects import Lines
from gitops.policy.scalars import plain

_DEEPEST = 100  # levels; more is no manifest, and would exhaust the stack of whoever walks it
MOST = 300_000
"""Values of a file at most, counted as if each alias were written out."""
_TAGS = "tag:yaml.org,2002:"
_KNOWN = {f"{_TAGS}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Node = tuple[Any, Lines, int]
"""A value, its lines, and how many levels it is high."""


class Builder:
    """Builds the documents of one text; raises ShiplaneError, and yaml.YAMLError where it is no YAML.

    `count` is how many values it has built so far.
    """

    def __init__(self, text: str, file: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, _Loader))
        self._file = file
        self._anchors: dict[str, tuple[_Node, int]] = {}
        self.count = 0

    def documents(self) -> Iterator[tuple[Any, Lines]]:
        """Each document's value and its lines."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                value, lines, _ = self._node(next(self._events), 0)
                yield value, lines

    def _node(self, event: Any, depth: int) -> _Node:
        before, line = self.count, event.start_mark.line + 1
        self._counted(event, 1)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if depth > _DEEPEST:
            self._refuse(event, f"is nested deeper than {_DEEPEST} levels")
        if event.tag is not None and event.tag.startswith(_TAGS) and event.tag not in _KNOWN:
            self._refuse(event, f"is tagged {safe(event.tag)}, and readers differ on what that is")
        if isinstance(event, yaml.ScalarEvent):
            node: _Node = _scalar(event), line, 0
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node, self.count - before
        return node

    def _sequence(self, start: Any, depth: int) -> _Node:
        values, lines, height = [], [], 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            value, line, high = self._node(event, depth + 1)
            values.append(value)
            lines.append(line)
            height = max(height, high + 1)
        return values, (start.start_mark.line + 1, lines), height

    def _mapping(self, start: Any, depth: int) -> _Node:
        values: dict[str, Any] = {}
        lines: dict[str, Lines] = {}
        merged: tuple[Any, Lines] = None, 0
        height = 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            merges = _is_plain(event) and event.value == "<<"
            key, _, _ = self._node(event, depth + 1)
            if isinstance(key, (dict, list)):
                self._refuse(event, "a key must be a plain word")
            key = key if isinstance(key, str) else str(getattr(event, "value", key))
            if key in values or (merges and merged[1]):
                self._refuse(event, f"{safe(key)} stands here twice, and readers differ on which one counts")
            value, below, high = self._node(next(self._events), depth + 1)
            height = max(height, high + 1)
            if merges:
                merged = value, below
                if early := values.keys() & _merge({}, {}, *merged).keys():
                    rule = (
                        f"{safe(min(early))} stands before a << that brings it too, and readers differ on which counts"
                    )
                    self._refuse(event, rule)
                continue
            line = event.start_mark.line + 1
            values[key], lines[key] = value, ((line, below[1]) if isinstance(below, tuple) else line)
        _merge(values, lines, *merged)
        return values, (start.start_mark.line + 1, lines), height

    def _alias(self, event: Any, depth: int) -> _Node:
        if event.anchor not in self._anchors:
            self._refuse(event, f"*{printable(event.anchor)} stands for nothing before it")
        node, weight = self._anchors[event.anchor]
        self._counted(event, weight)
        if depth + node[2] > _DEEPEST:
            self._refuse(event, f"is nested deeper than {_DEEPEST} levels")
        return node

    def _counted(self, event: Any, more: int) -> None:
        self.count += more
        if self.count > MOST:
            self._refuse(event, f"holds more than {MOST} values, its aliases written out")

    def _refuse(self, event: Any, rule: str) -> NoReturn:
        raise ShiplaneError(Problem(f"{self._file}:{event.start_mark.line + 1}", rule))


def _is_plain(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.tag is None and bool(event.implicit[0])


def _scalar(event: Any) -> Any:
    """What stands there; under a tag of YAML's own it is read as if it were plain, under any other it is text."""
    tagged = event.tag is not None and event.tag.startswith(_TAGS) and event.tag != f"{_TAGS}str"
    return plain(event.value) if tagged or _is_plain(event) else event.value


def _merge(values: dict[str, Any], lines: dict[str, Lines], value: Any, below: Lines) -> dict[str, Any]:
    """Adds what `<<` brings: the keys of a mapping, or of several, that are not there yet; the first of them counts."""
    nested = below[1] if isinstance(below, tuple) else None
    if isinstance(value, list) and isinstance(nested, list):
        for each, line in zip(value, nested, strict=True):
            if isinstance(each, dict):
                _merge(values, lines, each, line)
    elif isinstance(value, dict) and isinstance(nested, dict):
        for key, each in value.items():
            if key not in values:
                values[key], lines[key] = each, nested[key]
    return values
