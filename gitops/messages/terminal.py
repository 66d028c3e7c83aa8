"""A comparison for a terminal: whole, a line for each thing, told apart by how it begins."""

from __future__ import annotations

from collections.abc import Iterator

from generator.errors import printable
from gitops.diff.difference import Difference, Resource
from gitops.messages import change

DANGER = "! "
"""What a line about a danger begins with; `- ` is before, `+ ` is after, and a heading begins with a letter."""


def lines(heading: str, difference: Difference) -> Iterator[str]:
    """What changes, after `heading`: dangers first, then each resource with its fields."""
    yield f"{heading}: {change.headline(difference)}"
    for danger in difference.dangers:
        yield printable(f"{DANGER}{danger.name}: {danger.object}: {danger.sentence}")
    for resource in difference.telling:
        yield f"{resource.object} {resource.state}{_inside(resource)}"
        yield from change.fields(resource.fields)
    if beside := change.folded(difference):
        yield f"  {'and ' if difference.telling else ''}{beside}"


def _inside(resource: Resource) -> str:
    return f" (namespace {resource.namespace})" if resource.namespace else ""
