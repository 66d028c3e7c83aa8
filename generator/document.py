"""YAML files that people write: one plain mapping each, every mistake told with its file, line and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from generator.errors import Problem, ShiplaneError, printable
from generator.schema import check

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where PyYAML was built with it: 8 times faster
_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A parsed file: what it is called, its data, and the line of each key and item."""

    place: str
    data: Mapping[str, Any]
    lines: Mapping[_Path, int]

    def at(self, path: Sequence[str | int]) -> str:
        """Where `path` stands, as a person looks it up: `file:line: key.key`; of a missing key, where its parent is."""
        known = next((path[:end] for end in range(len(path), 0, -1) if tuple(path[:end]) in self.lines), ())
        line = f":{self.lines[tuple(known)]}" if known else ""
        key = printable(".".join(map(str, path)))
        return f"{self.place}{line}: {key}" if key else f"{self.place}{line}"


def read(data: bytes, place: str, schema: Mapping[str, Any]) -> Document:
    """The document in `data`, checked against a JSON Schema; raises ShiplaneError with all that is wrong."""
    document = parse(data, place)
    found = check(document.data, schema)
    if found:
        raise ShiplaneError(Problem(document.at(each.path), each.rule, each.mend) for each in found)
    return document


def parse(data: bytes, place: str) -> Document:
    """The one mapping in `data`, {} of an empty file; aliases, merges and repeated keys are refused: readers differ."""
    lines: dict[_Path, int] = {}
    try:
        loader = _Loader(data.decode("utf-8-sig"))
        try:
            node = loader.get_single_node()
            problems = list(_walk(node, (), lines, place)) if node else []
            content = loader.construct_document(node) if node and not problems else {}
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ShiplaneError(Problem(place, f"is not UTF-8 at byte {error.start}")) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = printable(getattr(error, "problem", None) or str(error))
        raise ShiplaneError(Problem(f"{place}:{mark.line + 1}" if mark else place, f"is not YAML: {said}")) from None
    except (ValueError, RecursionError) as error:
        raise ShiplaneError(Problem(place, f"is not YAML that can be read: {printable(str(error))}")) from None
    if problems:
        raise ShiplaneError(problems)
    if not isinstance(content, dict):
        raise ShiplaneError(Problem(place, "must be a mapping of keys to values"))
    return Document(place, content, lines)


def _walk(node: Any, path: _Path, lines: dict[_Path, int], place: str) -> list[Problem]:
    """Notes the line of each key below `node`; returns what is refused there."""
    problems: list[Problem] = []
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            problems += _walk(item, (*path, index), lines, place)
    if not isinstance(node, yaml.MappingNode):
        return problems
    for key, value in node.value:
        line = key.start_mark.line + 1
        here = (*path, str(key.value))
        rule = ""
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
            rule = "a key must be a plain word"
        elif here in lines:
            rule = f"{printable(key.value)} stands here twice"
        elif value.start_mark.index < key.end_mark.index:  # an alias: the value's node lies elsewhere
            rule = f"{printable(key.value)}: an alias is not followed; write the value"
        lines.setdefault(here, line)
        problems += [Problem(f"{place}:{line}", rule)] if rule else _walk(value, here, lines, place)
    return problems
