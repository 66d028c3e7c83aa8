"""Where a service's files lie and which of them a promotion carries: the `layout` of shiplane.yaml, as data.

Shiplane's own layout carries whole files and a chart, by object ids. Any other carries the values of certain keys in
files that people write, and changes nothing else in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from generator.document import Document
from generator.errors import Problem, ShiplaneError
from gitops import recipe, tokens
from gitops.recipe import Recipe
from gitops.tokens import filled
from gitops.yamledit import parse_path, parse_selector

SERVICE = "environments/{environment}/{service}"
CHART = "chart"
CARRIES = ("release.yaml", "origin.yaml", CHART)
"""What Shiplane's own layout carries."""
FULL_SHA = "[0-9a-f]{40}"
_RAW = ({"file": "release.yaml"}, {"file": "origin.yaml"}, {"tree": CHART})
_OWN = re.compile(r"([a-z0-9_-][a-z0-9._-]*/)*\{environment\}/([a-z0-9_-][a-z0-9._-]*/)*\{service\}")
_TAKEN = ("apps", "bootstrap", "defaults", "holds", "projects", "services")
# what moves by custom: the names of branches and stages, and versions that leave a part out
_MOVING = ("latest", "main", "master", "develop", "dev", "staging", "prod", "production", "stable", "edge", "nightly",
           "head", "HEAD", "current", "release", "v1", "v1.2")  # fmt: skip
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
        """What is a service's own in an environment: its folder, or what is carried where others share that."""
        if tokens.both(self.service):
            return (self.folder(environment, service),)
        return self.paths(environment, service)

    def root(self) -> str:
        """The folder in which all services are, in all environments; empty for the whole repository."""
        return self.service.partition("{")[0].rpartition("/")[0]

    def fits(self, tag: str) -> bool:
        """Whether `tag` is one that a release may have."""
        return re.fullmatch(self.form, tag) is not None and not _moves(tag)

    def placed(self, path: str, environments: Collection[str]) -> tuple[str, str, str] | None:
        """The service, the environment and the name that `path` belongs to: a carried one, or what lies beside it.

        None where that cannot be told: in a folder that several services or environments share.
        """
        for name, pattern in self._patterns:
            found = pattern.fullmatch(path)
            if found and found["environment"] in environments:
                return found["service"], found["environment"], name or found["rest"]
        return None

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        """What paths look like: first those that are carried, then all else in a folder of a service's own."""
        below = {CHART: r"(?:/.*)?"}
        found = [(name, tokens.pattern(f"{self.service}/{name}", below.get(name, ""))) for name in self.carries]
        return [*found, ("", tokens.pattern(self.service, "/(?P<rest>.+)"))] if tokens.both(self.service) else found


def _moves(tag: str) -> bool:
    return tag in _MOVING or _NEWEST.fullmatch(tag) is not None


def parsed(raw: Mapping[str, Any]) -> Layout:
    """The layout in `raw`, of which `problems` finds nothing wrong."""
    carries = raw.get("carries", _RAW)
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


def problems(document: Document, raw: Mapping[str, Any], environments: Collection[str]) -> Iterator[Problem]:
    """What is wrong about the layout in `raw`, which fits the schema.

    Services must not share what is theirs, and gates tell by a path alone to which environment it belongs.
    """
    service, carries = raw.get("service", SERVICE), raw.get("carries", _RAW)
    if not any("keys" in each for each in carries):
        yield from _own_problems(document, service, carries, environments)
        if "render" in raw:
            yield Problem(document.at(("layout", "render")), "is for another layout: Shiplane's own renders its chart")
        return
    at = ("layout", "carries")
    if not tokens.path(service):
        yield Problem(document.at(("layout", "service")), "must be folders, with {environment} and {service} in them")
    for index, each in enumerate(carries):
        name = each.get("file") or each.get("tree", "")
        if ("file" in each) == ("tree" in each) or ("keys" in each and "tree" in each):
            yield Problem(document.at((*at, index)), "must be a file, a file with keys, or the tree chart")
        elif not tokens.path(name):
            yield Problem(document.at((*at, index, "file")), "must be a path; its tokens {environment}, {service}")
        elif not tokens.both(f"{service}/{name}"):
            rule = "{environment} and {service} must stand in its path, or in `service`: each has a file of its own"
            yield Problem(document.at((*at, index)), rule)
        yield from _key_problems(document, (*at, index), each)
    keys = [key for each in carries for key in each.get("keys", ())]
    for name in ("tag", "digest"):
        if (key := raw.get(name, {}).get("key")) is not None and key not in keys:
            yield Problem(document.at(("layout", name, "key")), "must be one of the keys that are carried")
    yield from _pattern_problems(document, raw.get("tag", {}).get("pattern"))
    if "render" in raw:
        yield from recipe.problems(
            document, raw["render"], [f"{service}/{each['file']}" for each in carries if "keys" in each]
        )


def _own_problems(
    document: Document, service: str, carries: Collection[Mapping[str, Any]], environments: Collection[str]
) -> Iterator[Problem]:
    if not _OWN.fullmatch(service):
        rule = "must be folders, then {environment}, and {service} last"
        yield Problem(document.at(("layout", "service")), rule, f"service: {SERVICE}")
    first = service.split("/")[0]
    for taken in sorted({first.replace("{environment}", name) for name in environments} & {*_TAKEN}):
        yield Problem(document.at(("layout", "service")), f"{taken}/ has another use")
    if sorted(map(str, carries)) != sorted(map(str, _RAW)):
        rule = "without keys it must be release.yaml, origin.yaml and the tree chart, all three and no other"
        yield Problem(document.at(("layout", "carries")), rule, "leave it out, or name the keys of your files")


def _key_problems(document: Document, at: tuple[str | int, ...], each: Mapping[str, Any]) -> Iterator[Problem]:
    """Keys that can be read, and a document that can be found."""
    for index, key in enumerate(each.get("keys", ())):
        try:
            parse_path(filled(key, "x", "x"))
        except ShiplaneError as error:
            yield Problem(document.at((*at, "keys", index)), error.problems[0].rule, error.problems[0].mend)
        if tokens.unknown(key):
            yield Problem(document.at((*at, "keys", index)), "may have {environment} and {service} in it, and no other")
    if "document" in each:
        try:
            parse_selector(filled(each["document"], "x", "x"))
        except ShiplaneError as error:
            yield Problem(document.at((*at, "document")), error.problems[0].rule, error.problems[0].mend)


def _pattern_problems(document: Document, pattern: str | None) -> Iterator[Problem]:
    """A tag that moves pins nothing: tomorrow it is another image."""
    if pattern is None:
        return
    at = document.at(("layout", "tag", "pattern"))
    try:
        moving = [tag for tag in _MOVING if re.fullmatch(pattern, tag)]
    except re.error as error:
        yield Problem(at, f"is no regular expression: {error}")
        return
    if moving:
        rule = f"takes {moving[0]}, a tag that moves: it would pin nothing"
        yield Problem(at, rule, f"a pattern of whole versions or commits, as {FULL_SHA}")
