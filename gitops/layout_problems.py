"""What is wrong about the `layout` of shiplane.yaml, each with its line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from generator.document import Document
from generator.errors import Problem, ShiplaneError
from gitops import recipe, tokens
from gitops.layout import FULL_SHA, MOVING, RAW, SERVICE
from gitops.tokens import filled
from gitops.yamledit import parse_path, parse_selector

_OWN = re.compile(r"([a-z0-9_-][a-z0-9._-]*/)*\{environment\}/([a-z0-9_-][a-z0-9._-]*/)*\{service\}")
_TAKEN = ("apps", "bootstrap", "defaults", "holds", "projects", "services")


def problems(document: Document, raw: Mapping[str, Any], environments: Collection[str]) -> Iterator[Problem]:
    """What is wrong about the layout in `raw`, which fits the schema.

    Services must not share what is theirs, and gates tell by a path alone to which environment it belongs.
    """
    service, carries = raw.get("service", SERVICE), raw.get("carries", RAW)
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
        elif not tokens.both(f"{service}/{name}") and not _told_apart(service, each):
            rule = "{environment} must stand in its path, or in `service`, and {service} there or in each of its keys"
            yield Problem(document.at((*at, index)), rule)
        if name in [other.get("file") or other.get("tree") for other in carries[:index]]:
            rule = f"carries {name} again: of a file there is one entry, with all of its keys"
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


def _told_apart(service: str, each: Mapping[str, Any]) -> bool:
    """Whether a file that services share says of each value, by its key or its document, whose it is."""
    if "{environment}" not in f"{service}/{each.get('file')}" or "keys" not in each:
        return False
    return "{service}" in each.get("document", "") or all("{service}" in key for key in each["keys"])


def _own_problems(
    document: Document, service: str, carries: Collection[Mapping[str, Any]], environments: Collection[str]
) -> Iterator[Problem]:
    if not _OWN.fullmatch(service):
        rule = "must be folders, then {environment}, and {service} last"
        yield Problem(document.at(("layout", "service")), rule, f"service: {SERVICE}")
    first = service.split("/")[0]
    for taken in sorted({first.replace("{environment}", name) for name in environments} & {*_TAKEN}):
        yield Problem(document.at(("layout", "service")), f"{taken}/ has another use")
    if sorted(map(str, carries)) != sorted(map(str, RAW)):
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
        moving = [tag for tag in MOVING if re.fullmatch(pattern, tag)]
    except re.error as error:
        yield Problem(at, f"is no regular expression: {error}")
        return
    if moving:
        rule = f"takes {moving[0]}, a tag that moves: it would pin nothing"
        yield Problem(at, rule, f"a pattern of whole versions or commits, as {FULL_SHA}")
