"""YAML files that people write: one plain mapping each, every mistake told with its file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.reader import ReaderError

from generator.errors import Problem, ShiplaneError, printable
from generator.schema import check

LARGEST = 1024 * 1024
"""Bytes of a file at most: what people write is far smaller."""
_DEEPEST = 100  # levels; libyaml's composer calls itself for each, and some ten thousands end the whole process
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
        line, key = self.line(path), _dotted(path)
        at = f"{self.place}:{line}" if line else self.place
        return f"{at}: {key}" if key else at

    def line(self, path: Sequence[str | int]) -> int:
        """The line of `path`, or of the nearest parent that is there; 0 for the document itself."""
        starts = (tuple(path[:end]) for end in range(len(path), 0, -1))
        return next((self.lines[start] for start in starts if start in self.lines), 0)


def read(data: bytes, place: str, schema: Mapping[str, Any]) -> Document:
    """The document in `data`, checked against a JSON Schema; raises ShiplaneError with all mistakes, in order."""
    document = parse(data, place)
    found = sorted(check(document.data, schema), key=lambda each: document.line(each.path))
    if found:
        raise ShiplaneError(Problem(document.at(each.path), each.rule, each.mend) for each in found)
    return document


def parse(data: bytes, place: str) -> Document:
    """The one mapping in `data`, empty for an empty file.

    Aliases, merges and repeated keys are refused, since readers differ on them.
    """
    if len(data) > LARGEST:
        raise ShiplaneError(Problem(place, f"is larger than {LARGEST} bytes"))
    lines: dict[_Path, int] = {}
    try:
        text = data.decode("utf-8-sig")
        problems = list(_events(text, place))
        loader = _Loader(text)
        try:
            node = None if problems else loader.get_single_node()
            problems += _walk(node, (), lines, place)
            content = loader.construct_document(node) if node and not problems else {}
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ShiplaneError(Problem(place, f"is not UTF-8 at byte {error.start}")) from None
    except yaml.YAMLError as error:
        raise ShiplaneError(syntax(error, text, place)) from None
    except (ValueError, RecursionError) as error:
        raise ShiplaneError(Problem(place, f"is not YAML that can be read: {printable(str(error))}")) from None
    if problems:
        raise ShiplaneError(problems)
    if not isinstance(content, dict):
        raise ShiplaneError(Problem(place, "must be a mapping of keys to values"))
    return Document(place, content, lines)


def _events(text: str, place: str) -> Iterator[Problem]:
    """What is refused before anything is built of it: aliases, which can multiply, and too deep a nesting."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        at = f"{place}:{event.start_mark.line + 1}" if event.start_mark else place
        if isinstance(event, yaml.AliasEvent):
            yield Problem(at, f"an alias is not followed; write the value in place of *{printable(event.anchor or '')}")
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                yield Problem(at, f"is nested deeper than {_DEEPEST} levels")
                return
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


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
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
            problems.append(Problem(f"{place}:{line}", "a key must be a plain word"))
            continue
        here = (*path, key.value)
        if here in lines:
            rule = f"stands here twice; first in line {lines[here]}"
            problems.append(Problem(f"{place}:{line}: {_dotted(here)}", rule))
            continue
        lines[here] = line
        problems += _walk(value, here, lines, place)
    return problems


def _dotted(path: Sequence[str | int]) -> str:
    return printable(".".join(str(key) if key != "" else '""' for key in path))


def syntax(error: yaml.YAMLError, text: str, place: str) -> Problem:
    """The reader's own words, on one line, behind the line that it complains of."""
    if isinstance(error, ReaderError):
        found = error.character if isinstance(error.character, str) else chr(error.character)
        line = text.count("\n", 0, text.find(found)) + 1
        return Problem(f"{place}:{line}", f"holds the control character #x{ord(found):04x}")
    mark = getattr(error, "problem_mark", None)
    told = [getattr(error, "problem", None) or str(error), getattr(error, "context", None)]
    said = ", ".join(printable(each) for each in told if each)
    return Problem(f"{place}:{mark.line + 1}" if mark else place, f"is not YAML: {said}")
