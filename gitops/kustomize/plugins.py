"""What configures kustomize's generators, transformers and validators: whether it runs, names or fetches anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.errors import ShiplaneError
from gitops.yamledit.nodes import List, Map, Node, Scalar, documents

_ADDRESS = re.compile(rb"\bhttps?:|://|::|github\.com|git@|gh:", re.IGNORECASE)
# keys by which kustomize's own take files, in any case, as Go's encoding/json takes keys; replacements may have a path
_FILES = frozenset({"files", "envs", "env", "path", "paths", "valuesfile", "additionalvaluesfiles"})
_REPLACED = "replacements"


def outward(data: bytes, place: str) -> str:
    """Why `data`, which stands in `place`, cannot be built here; empty where it is kustomize's own, and names no file.

    A program of somebody's own is run by kustomize only if told to, and Argo CD may be told to.
    """
    if _ADDRESS.search(data):
        return "names an address"
    try:
        every = documents(data.decode("utf-8-sig"), place)
    except (UnicodeDecodeError, ShiplaneError):
        return "cannot be read"
    for document in every:
        said = {key: value.text for key, value in _items(document.root) if isinstance(value, Scalar)}
        if said.get("apiVersion") != "builtin" or said.get("kind", "").lower() == "helmchartinflationgenerator":
            return "is a program of its own, or a chart from elsewhere"
        if document.aliased or _merges(document.root):
            return "refers to other places in itself, which is not followed"
        inside = [value for key, value in _items(document.root) if key.lower() == _REPLACED]
        keys = [key.lower() for key, _ in _items(document.root)]
        keys += [key.lower() for each in inside for item in _listed(each) for key, _ in _items(item)]
        if not _FILES.isdisjoint(keys):
            return "names files, which are not followed there"
    return ""


def _items(node: Node) -> Iterator[tuple[str, Node]]:
    for key, value in node.items if isinstance(node, Map) else ():
        if isinstance(key, Scalar):
            yield key.text, value


def _listed(node: Node) -> list[Node]:
    return node.items if isinstance(node, List) else []


def _merges(node: Node) -> bool:
    """Whether a map in it takes in another one by `<<`."""
    if isinstance(node, Map):
        return any((isinstance(key, Scalar) and key.text == "<<") or _merges(value) for key, value in node.items)
    return any(map(_merges, _listed(node)))
