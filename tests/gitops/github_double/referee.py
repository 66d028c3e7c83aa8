"""Checks REST requests and answers against GitHub's OpenAPI document, and completes answers by it."""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DOCUMENT = Path(
    os.environ.get("SHIPLANE_OPENAPI")
    or Path(__file__).resolve().parents[4] / "shared" / "openapi" / "api.github.com.json.gz"
)
"""GitHub's description of its REST API (github/rest-api-description), which is not a part of this repository."""
_ROOT = "urn:github"
_FILLING = {"string": "x", "integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
_FORMATS = {"uri": "https://github.test/x", "date-time": "2026-01-01T00:00:00Z", "email": "x@acme.example"}


@functools.cache
def spec() -> dict[str, Any] | None:
    """The document, in the words of JSON Schema; None where there is none."""
    if not DOCUMENT.is_file():
        return None
    with gzip.open(DOCUMENT) as file:
        document: dict[str, Any] = json.load(file)
    _nullable(document["paths"])
    _nullable(document["components"])
    return document


def _nullable(node: Any) -> None:
    """OpenAPI 3.0 says `nullable: true` where JSON Schema says that a type may be null."""
    if isinstance(node, list):
        for each in node:
            _nullable(each)
    elif isinstance(node, dict):
        for each in node.values():
            _nullable(each)
        if node.pop("nullable", None) is True:
            inner = dict(node)
            node.clear()
            node["anyOf"] = [inner, {"type": "null"}]


@functools.cache
def _registry() -> Registry[Any]:
    made: Registry[Any] = Registry().with_resource(
        _ROOT, Resource.from_contents(spec(), default_specification=DRAFT202012)
    )
    return made


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Templates as patterns; `{ref}` may hold slashes, as GitHub has it, and the more is literal the better it fits."""
    document = spec() or {"paths": {}}
    made = [(re.sub(r"\\{ref\\}", ".+", re.escape(path)), path) for path in document["paths"]]
    found = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", pattern)), path) for pattern, path in made]
    return sorted(found, key=lambda each: (each[1].count("{"), -len(each[1])))


@functools.cache
def operation(verb: str, path: str) -> Mapping[str, Any] | None:
    """What the document says of a request; None where it knows none such."""
    document = spec()
    for pattern, template in _patterns():
        if document and pattern.fullmatch(path) and verb.lower() in document["paths"][template]:
            found: Mapping[str, Any] = document["paths"][template][verb.lower()]
            return found
    return None


def request_faults(verb: str, path: str, query: Mapping[str, str], body: Any) -> list[str]:
    """What is wrong with a request: a route, a parameter or a body that GitHub does not have."""
    if spec() is None:
        return []
    known = operation(verb, path)
    if known is None:
        return [f"{verb} {path}: no such operation"]
    names = {_resolved(each)["name"] for each in known.get("parameters", ())}
    wrong = [f"{verb} {path}: no parameter {name}" for name in query if name not in names]
    content = known.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and content:
        extra = set(body) - set(_properties(content["schema"]))
        wrong += [f"{verb} {path}: {error.message}" for error in _errors(content["schema"], body)]
        wrong += [f"{verb} {path}: no field {name}" for name in extra]
    return wrong


def answer(verb: str, path: str, status: int, data: Any) -> tuple[Any, list[str]]:
    """An answer with all that GitHub would have in it besides, and what is wrong with it."""
    known = operation(verb, path)
    if spec() is None or known is None or data is None:
        return data, []
    told = known["responses"].get(str(status))
    if told is None:  # errors that any operation may have (401, 403, 429, 5xx)
        return data, [] if status >= 400 else [f"{verb} {path}: no answer {status}"]
    content = _resolved(told).get("content", {}).get("application/json")
    if content is None or status >= 400:
        return data, []
    whole = filled(content["schema"], data)
    return whole, [
        f"{verb} {path} {status}: {error.json_path}: {error.message}" for error in _errors(content["schema"], whole)
    ]


def filled(schema: Mapping[str, Any], data: Any) -> Any:
    """`data` with everything that the schema requires and that it does not say."""
    schema = _resolved(schema)
    if isinstance(data, list):
        return [filled(schema.get("items", {}), each) for each in data]
    if not isinstance(data, dict):
        return data
    schema = _object(schema)
    properties = schema.get("properties", {})
    whole = {name: filled(properties.get(name, {}), value) for name, value in data.items()}
    for name in schema.get("required", ()):
        if name not in whole:
            whole[name] = _filling(properties.get(name, {}))
    return whole


def _object(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of the alternatives that is an object with properties; the schema itself where there is none."""
    schema = _resolved(schema)
    if schema.get("properties"):
        return schema
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found = _object(option)
        if found.get("properties"):
            return found
    return schema


def _filling(schema: Mapping[str, Any]) -> Any:
    schema = _resolved(schema)
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            options = [_resolved(each) for each in schema[key]]
            if {"type": "null"} in options:
                return None
            return _filling(options[0])
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        return filled(schema, {})
    return _FORMATS.get(schema.get("format", ""), _FILLING[kind])


def _properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(_resolved(schema).get("properties", {}))
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= _properties(option)
    return found


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        found: Any = spec()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def _errors(schema: Mapping[str, Any], data: Any) -> list[Any]:
    absolute = json.loads(json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{_ROOT}#/'))
    return list(Draft202012Validator(absolute, registry=_registry()).iter_errors(data))
