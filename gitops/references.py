"""What a chart's schemas refer to: helm follows a `$ref` over the network and to any file of its machine."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = "values.schema.json"
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DRAFTS = ("http://json-schema.org/", "https://json-schema.org/")  # those are built into helm
_DEEPEST = 5  # charts inside packed charts
_LARGEST = 10 * 1024 * 1024  # bytes that a packed chart may unpack to


def outward(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """The schemas among `files`, in packed charts too, that lead out of themselves: their paths, and the rule."""
    for path, data in files.items():
        if path.split("/")[-1] == _NAME:
            yield from ((path, rule) for rule in dict.fromkeys(_of_schema(data)))
        elif path.startswith("charts/") and path.endswith((".tgz", ".tar.gz")):
            yield from _packed(path, data)


def _packed(path: str, data: bytes, depth: int = 0) -> Iterator[tuple[str, str]]:
    left = _LARGEST
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                left -= member.size
                if left < 0 or depth > _DEEPEST:
                    yield path, f"unpacks to more than {_LARGEST} bytes, or to charts in charts in charts"
                    return
                if not member.isfile():
                    continue
                inside, name = archive.extractfile(member), member.name.split("/")[-1]
                content = inside.read() if inside else b""
                if name == _NAME:
                    yield from ((f"{path}/{member.name}", rule) for rule in dict.fromkeys(_of_schema(content)))
                elif name.endswith((".tgz", ".tar.gz")):
                    yield from _packed(f"{path}/{member.name}", content, depth + 1)
    except (tarfile.TarError, OSError, EOFError, ValueError):
        yield path, "is no packed chart that can be read"


def _of_schema(data: bytes) -> Iterator[str]:
    pairs: list[tuple[str, Any]] = []

    def kept(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs.extend(found)  # each of them: of a key that stands there twice a reader may take either
        return dict(found)

    try:
        json.loads(data, object_pairs_hook=kept)
    except (ValueError, RecursionError):
        yield "is not JSON"
        return
    for key, value in pairs:
        if key in _REFERENCES and isinstance(value, str) and not value.startswith("#"):
            yield f"its {key} leads out of it; helm would follow it"
        if key == "$schema" and isinstance(value, str) and not value.startswith(_DRAFTS):
            yield "its $schema is none of json-schema.org; helm would fetch it"
