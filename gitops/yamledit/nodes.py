"""The documents of a YAML file as nodes that know the characters they stand on; nothing is resolved or followed."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from generator.document import syntax
from generator.errors import Problem, ShiplaneError

LARGEST = 8 * 1024 * 1024
"""Bytes of a file at most."""
_DEEPEST = 100  # levels
_DIRECTIVES = 100  # libyaml compares each with all before it
_DIRECTIVE = re.compile(r"(?:\A|[\n\r\x85\u2028\u2029])%TAG")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's: 66,000 events in 0.1 s


@dataclass(slots=True, eq=False)
class Scalar:
    """A scalar; `style` is empty for a plain one, else its quote, `|` or `>`. The span holds anchor and tag, too."""

    start: int
    end: int
    line: int
    text: str
    style: str
    tag: str | None
    anchor: str | None


@dataclass(slots=True, eq=False)
class Alias:
    """`*name`: what stands elsewhere."""

    start: int
    end: int
    line: int
    name: str


@dataclass(slots=True, eq=False)
class List:
    """A sequence. In block style `end` is where the next thing begins."""

    start: int
    end: int
    line: int
    flow: bool
    tag: str | None
    anchor: str | None
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Map:
    """A mapping, its entries in their order, repeated keys and all. In block style `end` is where the next begins."""

    start: int
    end: int
    line: int
    flow: bool
    tag: str | None
    anchor: str | None
    items: list[tuple[Node, Node]] = field(default_factory=list)


Node = Scalar | Alias | List | Map


@dataclass(frozen=True, slots=True)
class Document:
    """One of the documents of a file; `aliased` are the anchors that an alias in it refers to.

    `told` is what selectors have found in it, by their paths: many ask the same of each document of a file.
    """

    root: Node
    aliased: frozenset[str]
    told: dict[Hashable, str | bool | None] = field(default_factory=dict, compare=False)


@lru_cache(maxsize=8)  # a file that services share is read for each of them
def documents(text: str, place: str) -> tuple[Document, ...]:
    """Each document; raises ShiplaneError where `text`, which stands in `place`, is no YAML."""
    if text.count("%TAG") > _DIRECTIVES and len(_DIRECTIVE.findall(text)) > _DIRECTIVES:
        raise ShiplaneError(Problem(place, f"has more than {_DIRECTIVES} %TAG directives"))
    try:
        return tuple(_documents(iter(yaml.parse(text, _Loader)), place))
    except yaml.YAMLError as error:
        raise ShiplaneError(syntax(error, text, place)) from None
    except ValueError as error:  # a number in an escape that stands for no character
        raise ShiplaneError(Problem(place, f"is not YAML that can be read: {error}")) from None


def _documents(events: Iterator[Any], place: str) -> Iterator[Document]:
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            aliased: set[str] = set()
            root = _node(next(events), events, aliased, place, 0)
            yield Document(root, frozenset(aliased))


def _node(event: Any, events: Iterator[Any], aliased: set[str], place: str, depth: int) -> Node:
    start: Any = event.start_mark
    end: Any = event.end_mark
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(start.index, end.index, start.line + 1, event.value, event.style or "", event.tag, event.anchor)
    if isinstance(event, yaml.AliasEvent):
        name = str(event.anchor)
        aliased.add(name)
        return Alias(start.index, end.index, start.line + 1, name)
    if depth >= _DEEPEST:
        raise ShiplaneError(Problem(f"{place}:{start.line + 1}", f"is nested deeper than {_DEEPEST} levels"))
    facts = (start.index, end.index, start.line + 1, bool(event.flow_style), event.tag, event.anchor)
    if isinstance(event, yaml.SequenceStartEvent):
        found = List(*facts)
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.items.append(_node(event, events, aliased, place, depth + 1))
        found.end = _end(event)
        return found
    made = Map(*facts)
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(event, events, aliased, place, depth + 1)
        made.items.append((key, _node(next(events), events, aliased, place, depth + 1)))
    made.end = _end(event)
    return made


def _end(event: Any) -> int:
    return int(event.end_mark.index)
