"""YAML files that Shiplane reads: one plain mapping each, every mistake told with its file, line and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from generator.errors import Problem, ShiplaneError, printable
from generator.schema import check

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where PyYAML was built with it: 8 times faster


@dataclass(frozen=True)
class Document:
    """A parsed file: its data, and where each key stands."""

    place: str
    data: Mapping[str, Any]
    lines: Mapping[tuple[str | int, ...], int]

    def at(self, path: Sequence[str | int]) -> str:
        """The place of `path` as a person looks it up: `file:line: key.key`."""
        known = next((tuple(path[:end]) for end in range(len(path), 0, -1) if tuple(path[:end]) in self.lines), ())
        line = f":{self.lines[known]}" if known else ""
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
    """The single mapping in `data`; aliases, merges and repeated keys are refused: two readers may differ on them."""
    try:
        loader = _Loader(data.decode("utf-8"))
        try:
            node = loader.get_single_node()
            lines: dict[tuple[str | int, ...], int] = {}
            _walk(node, (), lines, place)
            content = loader.construct_document(node) if node else {}
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ShiplaneError(Problem(place, f"is not UTF-8 at byte {error.start}")) from None
    except yaml.YAMLError as error:
        raise ShiplaneError(_syntax(error, place)) from None
    except (ValueError, RecursionError) as error:
        raise ShiplaneError(Problem(place, f"is not YAML that can be read: {printable(str(error))}")) from None
    if not isinstance(content, dict):
        raise ShiplaneError(Problem(place, "must be a mapping of keys to values"))
    return Document(place, content, lines)


def _walk(node: Any, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], place: str) -> None:
    if node is None:
        return
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            _walk(item, (*path, index), lines, place)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            here = (*path, key.value if isinstance(key.value, str) else str(key.value))
            if key.tag == "tag:yaml.org,2002:merge" or not isinstance(key, yaml.ScalarNode):
                raise ShiplaneError(Problem(f"{place}:{line}", "a key must be a plain word"))
            if here in lines:
                raise ShiplaneError(Problem(f"{place}:{line}: {printable(str(key.value))}", "stands here twice"))
            lines[here] = line
            if value.start_mark.index < key.end_mark.index:  # an alias: the value's node lies elsewhere
                raise ShiplaneError(
                    Problem(f"{place}:{line}: {key.value}", "an alias is not followed; write the value")
                )
            _walk(value, here, lines, place)


def _syntax(error: yaml.YAMLError, place: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark else ""
    return Problem(f"{place}{line}", f"is not YAML: {printable(getattr(error, 'problem', None) or str(error))}")
