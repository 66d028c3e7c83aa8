"""Manifests from bytes: several documents, lists of objects, YAML as Kubernetes reads it, and the line of every value.

What readers may take in different ways (a key that stands twice) or what could grow without end (aliases, nesting) is
refused: what was judged must be what is applied.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import yaml

from generator.document import syntax
from generator.errors import Problem, ShiplaneError
from gitops.policy.build import MOST, Builder
from gitops.policy.objects import Lines, Object, inside

LARGEST = 8 * 1024 * 1024
"""Bytes of a file at most: the API server takes objects of 3 MiB, and the largest bundles of definitions are 5."""
_SOURCE = "# Source: "
_SEPARATOR = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)  # at a line's start it is nothing else (YAML 1.1, 9.2)
_SHORT = 32 * 1024  # characters of a document that is kept
_Read = tuple[tuple[Object, ...], int]
_BUILD = ("kustomize.config.k8s.io",)  # what a build tool reads, and nobody applies


def read(data: bytes, file: str, chart: str = "") -> list[Object]:
    """The objects in `data`, which stands in `file`; documents that are no object are passed over.

    Of what helm rendered, `chart` is the folder of the chart: objects are then placed in their templates, without a
    line. Raises ShiplaneError with what cannot be read, with its line.
    """
    if len(data) > LARGEST:
        raise ShiplaneError(Problem(file, f"is larger than {LARGEST} bytes"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ShiplaneError(Problem(file, f"is not UTF-8 at byte {error.start}")) from None
    if not chart:
        return [each for value, lines in _documents(text, file) for each in _objects(value, lines, file)]
    documents = _SEPARATOR.split(text)
    try:
        return _sourced([(each, _kept(each) if len(each) <= _SHORT else _read(each)) for each in documents], chart)
    except ShiplaneError:  # read whole, it is told in which line; and directives stand in a document of their own
        return _sourced([(text, _read(text, file))], chart)


def _sourced(documents: Sequence[tuple[str, _Read]], chart: str) -> list[Object]:
    """The objects of all `documents`, each with the template that it comes from: helm says it in a comment before."""
    if sum(values for _, (_, values) in documents) > MOST:
        raise ShiplaneError(Problem("", f"more than {MOST} values"))
    found, template = [], ""
    for text, (objects, _) in documents:
        lines = text.split("\n") if _SOURCE in text else []
        sources = [(number, line) for number, line in enumerate(lines, 1) if line.startswith(_SOURCE)]
        for each in objects:
            at = bisect.bisect(sources, (each.line(()) + 1, "")) - 1
            if at >= 0:
                template = sources[at][1].removeprefix(_SOURCE).partition("/")[2].strip()
            found.append(Object(each.data, f"{chart}/{template}" if template else chart))
    return found


def _read(text: str, file: str = "") -> _Read:
    """The objects of a document, and how many values it holds."""
    builder = Builder(text, file)
    found = [each for value, lines in _documents(text, file, builder) for each in _objects(value, lines, file)]
    return tuple(found), builder.count


_kept = lru_cache(maxsize=256)(_read)  # two renderings of a service differ in few documents


def _objects(value: Any, lines: Lines, file: str) -> Iterator[Object]:
    """The objects that a document is: itself, or the items of a list of objects, which may leave out what they are."""
    if not isinstance(value, Mapping) or not {"apiVersion", "kind"} <= value.keys():
        return
    each = Object(value, file, lines)
    for key in ("apiVersion", "kind"):
        if not value[key] or not isinstance(value[key], str):
            raise ShiplaneError(Problem(_placed(file, each.line((key,))), f"its {key} is no text"))
    if not each.kind.endswith("List") or "items" not in value:
        if each.group not in _BUILD:
            yield each
        return
    if not isinstance(value["items"], list):
        raise ShiplaneError(Problem(_placed(file, each.line(("items",))), f"a {each.kind} whose items are no list"))
    typed = {} if each.kind == "List" else {"apiVersion": value["apiVersion"], "kind": each.kind.removesuffix("List")}
    for index, item in enumerate(value["items"]):
        if not isinstance(item, Mapping):
            raise ShiplaneError(Problem(_placed(file, each.line(("items", index))), "an item that is no object"))
        yield from _objects({**typed, **item}, inside(lines, "items", index) or 0, file)


def _documents(text: str, file: str, builder: Builder | None = None) -> Iterator[tuple[Any, Lines]]:
    """The documents of a file with the lines of their values. JSON is YAML but for its tabs, and read faster."""
    if text.lstrip()[:1] == "{":
        try:
            yield json.loads(text, object_pairs_hook=_unique, parse_constant=str), 0
            return
        except (ValueError, RecursionError):
            pass  # read as YAML it is told what is wrong, and where
    try:
        yield from (builder or Builder(text, file)).documents()
    except yaml.YAMLError as error:
        raise ShiplaneError(syntax(error, text, file)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _placed(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file
