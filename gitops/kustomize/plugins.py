"""What configures kustomize's generators, transformers and validators: whether it runs, names or fetches anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.errors import ShiplaneError
from gitops.yamledit.nodes import Alias, Map, Node, Scalar, documents

_ADDRESS = re.compile(rb"\bhttps?:|://|::|github\.com|git@|gh:", re.IGNORECASE)
# keys by which kustomize's own take files, in any case, as Go's encoding/json takes keys
_FILES = frozenset({"files", "envs", "env", "path", "paths", "valuesfile", "additionalvaluesfiles"})


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
        said = dict(_pairs(document.root))
        if said.get("apiVersion") != "builtin" or said.get("kind", "").lower() == "helmchartinflationgenerator":
            return "is a program of its own, or a chart from elsewhere"
        if any(text.lower() in _FILES for text in _scalars(document.root)):
            return "names files, which are not followed there"
    return ""


def _pairs(node: Node) -> Iterator[tuple[str, str]]:
    for key, value in node.items if isinstance(node, Map) else ():
        if isinstance(key, Scalar) and isinstance(value, Scalar):
            yield key.text, value.text


def _scalars(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Alias):
        yield "path"  # what stands elsewhere may be anything
    else:
        for item in node.items:
            for each in item if isinstance(item, tuple) else (item,):
                yield from _scalars(each)
