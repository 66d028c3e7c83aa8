"""What a rule says and what it is given: findings, their places, the rules themselves, the facts that are known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from generator import credentials
from generator.errors import printable
from gitops.policy.objects import Object, Path
from gitops.policy.pods import Container, Pod, pods

Severity = Literal["error", "warning"]
OWNER_LABEL = "shiplane.dev/owner"
"""The label that names the owning team, unless shiplane.yaml names another."""
HIDDEN = "(hidden: it looks like a credential)"
_LONGEST = 120  # characters of a value that a finding repeats
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: the object, the container and field in it, the file and, where known (not 0), its line."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    container: str = ""
    field: str = ""
    file: str = ""
    line: int = 0
    service: str = ""
    environment: str = ""

    @property
    def object(self) -> str:
        """The object as exceptions name it: `Kind/name`."""
        return f"{self.kind}/{self.name}" if self.kind else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found, and the way out. No text in it repeats a credential."""

    rule: str
    severity: Severity
    place: Place
    message: str
    fix: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about the objects besides themselves; what is empty is unknown, and then not judged."""

    service: str = ""
    environment: str = ""
    namespace: str = ""
    registry: str = ""
    owner: str = ""
    owner_label: str = OWNER_LABEL


@dataclass(frozen=True, eq=False)
class Mark:
    """What a rule points at: a path in an object, and what is wrong there."""

    object: Object
    path: Path
    message: str
    container: str = ""


@dataclass(frozen=True, eq=False)
class Subject:
    """All objects that are applied together, and what is known about them."""

    objects: tuple[Object, ...]
    context: Context = field(default_factory=Context)

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Every pod that they make."""
        return tuple(pods(self.objects))

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Every container of those pods."""
        return tuple(container for pod in self.pods for container in pod.containers)

    def of(self, kind: str, *groups: str) -> Iterator[Object]:
        """The objects of a kind, from these API groups only where some are named."""
        return (each for each in self.objects if each.kind == kind and (not groups or each.group in groups))

    def together(self, one: str, other: str) -> bool:
        """Whether two namespaces, as objects say them, can be the same; one that is not said is the context's."""
        one, other = one or self.context.namespace, other or self.context.namespace
        return one == other or not (one and other)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its stable name, how bad a finding is, the function that finds, and the way out."""

    id: str
    severity: Severity
    check: Callable[[Subject], Iterator[Mark]]
    fix: str

    @property
    def reason(self) -> str:
        """Why the rule is there: its function's docstring."""
        return " ".join((self.check.__doc__ or "").split())


def on(where: Pod | Container, message: str, *path: str | int) -> Mark:
    """A mark at `path` in a container, or in a pod's template."""
    if isinstance(where, Container):
        return Mark(where.pod.owner, (*where.path, *path), message, where.name)
    return Mark(where.owner, (*where.path, *path), message)


def found(rule: Rule, mark: Mark, context: Context) -> Finding:
    """The finding that a mark of `rule` is."""
    it = mark.object
    place = Place(
        kind=safe(it.kind),
        namespace=safe(it.namespace or context.namespace),
        name=safe(it.name),
        container=safe(mark.container),
        field=dotted(mark.path),
        file=it.file,
        line=it.line(mark.path),
        service=context.service,
        environment=context.environment,
    )
    return Finding(rule.id, rule.severity, place, mark.message, rule.fix, rule.reason)


def safe(value: object) -> str:
    """A value of a manifest as a finding may repeat it: printable, cut when long, hidden when it is a credential."""
    told = value if isinstance(value, str) else json.dumps(value) if _scalar(value) else "(no text)"
    if credentials.kind(told):
        return HIDDEN
    told = printable(told[: _LONGEST + 1])
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def _scalar(value: object) -> bool:
    """Whether JSON writes it in a word; Python refuses to write a number of thousands of digits."""
    return value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and value.bit_length() < 64)


def dotted(path: Path) -> str:
    """A path as people write it: `spec.containers[0].image`, a key with other signs in brackets."""
    parts = (f".{key}" if isinstance(key, str) and _PLAIN.fullmatch(key) else f"[{key}]" for key in map(_key, path))
    return "".join(parts).removeprefix(".")


def _key(key: str | int) -> str | int:
    return safe(key) if isinstance(key, str) else key
