"""Where a service's files lie and which of them a promotion carries: the `layout` of shiplane.yaml, as data.

Shiplane's own layout carries whole files and a chart, by object ids. Any other carries the values of certain keys in
files that people write, and changes nothing else in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gitops import recipe, tokens
from gitops.recipe import Recipe
from gitops.tokens import filled

SERVICE = "environments/{environment}/{service}"
CHART = "chart"
CARRIES = ("release.yaml", "origin.yaml", CHART)
"""What Shiplane's own layout carries."""
FULL_SHA = "[0-9a-f]{40}"
RAW: tuple[Mapping[str, Any], ...] = ({"file": "release.yaml"}, {"file": "origin.yaml"}, {"tree": CHART})
MOVING = ("latest", "main", "master", "develop", "dev", "staging", "prod", "production", "stable", "edge", "nightly",
           "head", "HEAD", "current", "release", "v1", "v1.2")  # fmt: skip
"""What moves by custom: the names of branches and stages, and versions that leave a part out."""
_NEWEST = re.compile(r"(?i)(?:.*[._-])?(snapshot|latest)")  # of a version or a branch: whatever was built last
_KEYS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "minLength": 1},
        "tree": {"const": CHART},
        "keys": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
        "document": {"type": "string", "minLength": 1},
    },
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "service": {"type": "string"},
        "carries": {"type": "array", "minItems": 1, "items": _KEYS},
        "tag": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"key": {"type": "string"}, "pattern": {"type": "string", "minLength": 1, "maxLength": 200}},
        },
        "digest": {
            "type": "object",
            "additionalProperties": False,
            "required": ["key"],
            "properties": {"key": {"type": "string"}},
        },
        "render": recipe.SCHEMA,
    },
}
"""The shape of `layout` as a JSON Schema (draft 2020-12)."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The values of a file that are carried: where they stand, and in which document; `{service}` is filled in."""

    paths: tuple[str, ...]
    document: str = ""


@dataclass(frozen=True)
class Layout:
    """`service` is the folder of a service in an environment, `carries` are names in it, in their order.

    Of a name in `keys` only these values are carried. `tag` and `digest` are the keys among them that hold the release;
    a tag fits `form`, a full SHA unless said otherwise. `render` is how somebody else's becomes manifests, if said.
    """

    service: str = SERVICE
    carries: tuple[str, ...] = CARRIES
    keys: Mapping[str, Keys] = field(default_factory=dict)
    tag: str = ""
    digest: str = ""
    form: str = FULL_SHA
    render: Recipe | None = None

    @property
    def own(self) -> bool:
        """Whether it is Shiplane's: whole files and a chart, with Applications and settings where it puts them."""
        return not self.keys

    @property
    def options(self) -> str:
        """What `gitops release` takes here besides the service, as a hint shows it."""
        digest = " --digest sha256:..." if self.own or self.digest else ""
        return f"--tag {'SHA' if self.form == FULL_SHA else 'TAG'}{digest}{' --chart DIR' if self.own else ''}"

    def folder(self, environment: str, service: str) -> str:
        """The folder of `service` in `environment`."""
        return filled(self.service, environment, service)

    def path(self, environment: str, service: str, name: str) -> str:
        """Where the carried `name` of a service lies in an environment."""
        return f"{self.folder(environment, service)}/{filled(name, environment, service)}"

    def paths(self, environment: str, service: str) -> tuple[str, ...]:
        """All that is carried, in its order."""
        return tuple(self.path(environment, service, name) for name in self.carries)

    def alone(self, environment: str, service: str) -> tuple[str, ...]:
        """What is a service's own in an environment: its folder, or what is carried where others share that.

        Nothing of a file in which services stand beside each other.
        """
        if tokens.both(self.service):
            return (self.folder(environment, service),)
        own = (name for name in self.carries if not self.shares(name))
        return tuple(self.path(environment, service, name) for name in own)

    def shares(self, name: str) -> bool:
        """Whether services stand beside each other in the carried `name`, told apart by their keys alone."""
        return "{service}" not in f"{self.service}/{name}"

    def root(self) -> str:
        """The folder in which all services are, in all environments; empty for the whole repository."""
        return self.service.partition("{")[0].rpartition("/")[0]

    def fits(self, tag: str) -> bool:
        """Whether `tag` is one that a release may have."""
        return re.fullmatch(self.form, tag) is not None and not _moves(tag)

    def placed(self, path: str, environments: Collection[str]) -> tuple[str, str, str] | None:
        """The service, the environment and the name that `path` belongs to: a carried one, or what lies beside it.

        None where that cannot be told: in a folder, or a file, that several services or environments share.
        """
        for name, pattern in self._patterns:
            found = pattern.fullmatch(path)
            if found and found["environment"] in environments:
                return found["service"], found["environment"], name or found["rest"]
        return None

    def shared(self, path: str, environments: Collection[str]) -> tuple[str, str] | None:
        """The environment and the name of a file in which services stand beside each other; None for any other."""
        for name, pattern in self._shared:
            found = pattern.fullmatch(path)
            if found and found["environment"] in environments:
                return found["environment"], name
        return None

    def environment(self, path: str, environments: Collection[str]) -> str:
        """The environment that `path` belongs to; empty where that cannot be told."""
        if place := self.placed(path, environments):
            return place[1]
        return (self.shared(path, environments) or ("", ""))[0]

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        """What paths look like: first those that are carried, then all else in a folder of a service's own."""
        below = {CHART: r"(?:/.*)?"}
        mine = (name for name in self.carries if not self.shares(name))
        found = [(name, tokens.pattern(f"{self.service}/{name}", below.get(name, ""))) for name in mine]
        return [*found, ("", tokens.pattern(self.service, "/(?P<rest>.+)"))] if tokens.both(self.service) else found

    @cached_property
    def _shared(self) -> list[tuple[str, re.Pattern[str]]]:
        return [(name, tokens.pattern(f"{self.service}/{name}")) for name in self.carries if self.shares(name)]


def _moves(tag: str) -> bool:
    return tag in MOVING or _NEWEST.fullmatch(tag) is not None


def parsed(raw: Mapping[str, Any]) -> Layout:
    """The layout in `raw`, of which `problems` finds nothing wrong."""
    carries = raw.get("carries", RAW)
    keys = {each["file"]: Keys(tuple(each["keys"]), each.get("document", "")) for each in carries if "keys" in each}
    every = [path for each in keys.values() for path in each.paths]
    ends = [path for path in every if re.search(r"(^|\.)digest$", path)]
    return Layout(
        raw.get("service", SERVICE),
        tuple(each.get("file") or each["tree"] for each in carries),
        keys,
        raw.get("tag", {}).get("key", every[0] if every else ""),
        raw.get("digest", {}).get("key", ends[0] if len(ends) == 1 else ""),
        raw.get("tag", {}).get("pattern", FULL_SHA),
        recipe.parsed(raw["render"]) if "render" in raw else None,
    )
