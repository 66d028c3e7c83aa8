"""How a layout of somebody else's becomes manifests: `layout.render` of shiplane.yaml, as data.

Either kustomize builds a folder, or helm renders a chart of the same repository with files of values. What is not said
here lies elsewhere, and is not rendered.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.document import Document
from generator.errors import Problem
from gitops import tokens
from gitops.tokens import filled

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?")  # helm: at most 53 characters
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "kustomize": {"type": "string", "minLength": 1},
        "helm": {"type": "string", "minLength": 1},
        "values": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
        "release": {"type": "string", "minLength": 1},
    },
}
"""The shape of `layout.render` as a JSON Schema (draft 2020-12)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`kustomize` is the folder that it builds; or `helm` is a chart's folder, `values` its files, later ones win.

    `release` is the name that helm gives the release. `{environment}` and `{service}` are filled in everywhere.
    """

    kustomize: str = ""
    helm: str = ""
    values: tuple[str, ...] = ()
    release: str = "{service}"

    @property
    def whole(self) -> bool:
        """Whether one rendering has all services of an environment: nothing of it tells them apart."""
        named = (self.kustomize, self.helm, *self.values, self.release if self.helm else "")
        return not any("{service}" in each for each in named)

    def place(self, environment: str, service: str) -> str:
        """The folder that is rendered: what kustomize builds, or a chart."""
        return filled(self.kustomize or self.helm, environment, service)

    def settings(self, environment: str, service: str) -> tuple[str, ...]:
        """The files of values, in their order."""
        return tuple(filled(each, environment, service) for each in self.values)

    def named(self, environment: str, service: str) -> str:
        """The name of helm's release."""
        return filled(self.release, environment, service)


def parsed(raw: Mapping[str, Any]) -> Recipe:
    """The recipe in `raw`, of which `problems` finds nothing wrong."""
    own = {key: raw[key] for key in ("kustomize", "helm", "release") if key in raw}
    return Recipe(**own, values=tuple(raw.get("values", ())))


def problems(document: Document, raw: Mapping[str, Any], carried: Collection[str]) -> Iterator[Problem]:
    """What is wrong about the recipe in `raw`, which fits the schema; `carried` are the paths of the carried files."""
    at = ("layout", "render")
    if ("kustomize" in raw) == ("helm" in raw):
        yield Problem(document.at(at), "must be kustomize, a folder, or helm, a chart's folder")
        return
    for key in ("kustomize", "helm"):
        if key in raw and not tokens.path(raw[key]):
            yield Problem(document.at((*at, key)), "must be a folder; its tokens {environment}, {service}")
    if "kustomize" in raw:
        for key in ("values", "release"):
            if key in raw:
                yield Problem(document.at((*at, key)), "is helm's: kustomize takes none")
        shared = not any("{service}" in each for each in carried)  # then one folder is built of all services
        if not (tokens.both(raw["kustomize"]) or (shared and "{environment}" in raw["kustomize"])):
            rule = "{environment} and {service} must stand in it: each has a folder of its own to build"
            yield Problem(document.at((*at, "kustomize")), rule)
        return
    values = raw.get("values", ())
    for index, each in enumerate(values):
        if not tokens.path(each):
            yield Problem(document.at((*at, "values", index)), "must be a path; its tokens {environment}, {service}")
    if left := sorted({*carried} - {*values}):
        rule = f"must have {left[0]} among its values: a release would change nothing otherwise"
        yield Problem(document.at((*at, "values") if values else at), rule)
    release = raw.get("release", "")
    one = not any("{service}" in each for each in (raw["helm"], *values))
    if one and (not release or "{service}" in release):
        rule = "its release must be the one that has all services, by its name: nothing here tells them apart"
        yield Problem(document.at((*at, "release") if release else at), rule, "release: shop")
    if release and (tokens.unknown(release) or not _NAME.fullmatch(filled(release, "x", "x"))):
        rule = "must be a name of small letters, digits and dashes; its tokens {environment}, {service}"
        yield Problem(document.at((*at, "release")), rule)
