"""Kubernetes objects as rules look at them: whatever stands in a manifest, asking never raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""
Lines = Any
"""The lines of a value as nested as itself: a number, or (number, {key: Lines}), or (number, [Lines])."""


@dataclass(frozen=True, eq=False)
class Object:
    """One object of a manifest: its data, the file that it stands in and, where known, the line of each value."""

    data: Mapping[str, Any]
    file: str = ""
    lines: Lines = 0

    def get(self, *path: str | int) -> Any:
        """The value at `path`, or None."""
        return at(self.data, *path)

    @property
    def kind(self) -> str:
        """Its kind, empty where that is no text."""
        return text(self.data.get("kind"))

    @property
    def group(self) -> str:
        """The API group, empty for Kubernetes' core."""
        return text(self.data.get("apiVersion")).rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its name, or what its name will begin with."""
        return text(self.get("metadata", "name")) or text(self.get("metadata", "generateName"))

    @property
    def namespace(self) -> str:
        """Its namespace, empty where it says none."""
        return text(self.get("metadata", "namespace"))

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels that are text."""
        return texts(self.get("metadata", "labels"))

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations that are text."""
        return texts(self.get("metadata", "annotations"))

    def line(self, path: Sequence[str | int]) -> int:
        """The line of `path`, or of the nearest parent that is there; 0 where lines are not known."""
        number, lines = _line(self.lines), self.lines
        for key in path:
            lines = inside(lines, key)
            if lines is None:
                break
            number = _line(lines)
        return number


def at(value: Any, *path: str | int) -> Any:
    """What stands at `path` inside `value`, or None where there is nothing, or something else on the way."""
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def text(value: object) -> str:
    """`value` where it is text, else nothing."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> dict[str, str]:
    """The entries of a mapping whose key and value are text."""
    return {key: each for key, each in mapping(value).items() if isinstance(key, str) and isinstance(each, str)}


def mapping(value: object) -> Mapping[Any, Any]:
    """`value` where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> list[Any]:
    """`value` where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """The mappings in a list, each with its index."""
    return ((index, each) for index, each in enumerate(listed(value)) if isinstance(each, Mapping))


def selects(selector: object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector (matchLabels, matchExpressions) takes `labels`; an empty one takes everything.

    What is no selector takes nothing. Kubernetes: "Labels and Selectors".
    """
    if not isinstance(selector, Mapping):
        return False
    wanted = mapping(selector.get("matchLabels"))
    expressions = listed(selector.get("matchExpressions"))
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(mapping(each), labels) for each in expressions
    )


def _holds(expression: Mapping[Any, Any], labels: Mapping[str, str]) -> bool:
    key, values = text(expression.get("key")), listed(expression.get("values"))
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


def inside(lines: Lines, *path: str | int) -> Lines:
    """The lines of what stands at `path`, or None."""
    for key in path:
        lines = at(lines[1], key) if isinstance(lines, tuple) else None
    return lines


def _line(lines: Lines) -> int:
    return int(lines[0] if isinstance(lines, tuple) else lines)
