"""What a comparison of two renderings gives: resources with their fields, and dangers. Nothing in it is a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

State = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Danger:
    """What a reviewer must not miss: its name, which never changes, the object (`Kind/name`), and one sentence."""

    name: str
    object: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field that differs: its path as people write it, and its values as text; None where it is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Resource:
    """One object that is added, removed or changed.

    `folded` are the paths that differ only as every release makes them differ: the image and its version's labels,
    checksums.
    """

    kind: str
    name: str
    namespace: str
    state: State
    fields: tuple[Field, ...]
    folded: tuple[str, ...] = ()

    @property
    def object(self) -> str:
        """The object as people name it: `Kind/name`."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Difference:
    """All that differs between two renderings; `objects` is how many there are afterwards."""

    resources: tuple[Resource, ...]
    dangers: tuple[Danger, ...]
    objects: int = 0

    @property
    def telling(self) -> tuple[Resource, ...]:
        """The resources of which more differs than every release brings."""
        return tuple(each for each in self.resources if each.fields or each.state != "changed")

    @property
    def folded(self) -> tuple[Resource, ...]:
        """The resources in which something is folded away."""
        return tuple(each for each in self.resources if each.folded)


def item(difference: Difference) -> dict[str, object]:
    """A comparison for programs (`shiplane/diff/1`)."""
    return {
        "dangers": [{"name": d.name, "object": d.object, "sentence": d.sentence} for d in difference.dangers],
        "resources": [_resource(each) for each in difference.resources],
    }


def _resource(each: Resource) -> Mapping[str, object]:
    return {
        "kind": each.kind,
        "name": each.name,
        "namespace": each.namespace or None,
        "state": each.state,
        "fields": [{"path": f.path, "before": f.before, "after": f.after} for f in each.fields],
        "folded": list(each.folded),
    }
