"""Objects before and after, set against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from gitops.policy.finding import Subject, safe
from gitops.policy.objects import Object, text

_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")
_OPTIONS = "argocd.argoproj.io/sync-options"


@dataclass(frozen=True)
class Pair:
    """One object before and after; one of both may be missing."""

    old: Object | None
    new: Object | None
    namespace: str = ""

    @property
    def one(self) -> Object:
        """The object as it will be, else as it was."""
        found = self.new or self.old
        assert found is not None  # noqa: S101  # `paired` makes none without both
        return found

    @property
    def sides(self) -> tuple[Object, Object]:
        """Before and after; the same object twice where it is there only once."""
        return self.old or self.one, self.new or self.one

    @property
    def object(self) -> str:
        """`Kind/name`, printable."""
        return f"{safe(self.one.kind)}/{safe(self.one.name)}"

    @cached_property
    def hook(self) -> bool:
        """Whether Argo CD makes it anew at each sync, or never applies it: then nothing in it is immutable."""
        return any(key in self.one.annotations for key in _HOOKS)

    @cached_property
    def replaced(self) -> bool:
        """Whether Argo CD deletes and makes it anew where it cannot be changed (its user guide, "Sync Options")."""
        options = {each.strip() for each in text(self.one.annotations.get(_OPTIONS)).split(",")}
        return self.hook or {"Force=true", "Replace=true"} <= options

    @cached_property
    def kept(self) -> bool:
        """Whether the object stays in the cluster though it is no more in git."""
        options = [each.strip() for each in text(self.one.annotations.get(_OPTIONS)).split(",")]
        return "Prune=false" in options


@dataclass(frozen=True)
class Pairs:
    """All pairs, and either side as a whole."""

    pairs: tuple[Pair, ...]
    before: Subject
    after: Subject

    @cached_property
    def both(self) -> tuple[Pair, ...]:
        """Those that are there before and after."""
        return tuple(each for each in self.pairs if each.old and each.new)


def paired(before: Sequence[Object], after: Sequence[Object], namespace: str) -> Pairs:
    """Objects of one API group, kind, namespace and name; the version of the API is only how it is written.

    `namespace` is where those go that name none. An object that stands twice makes two pairs.
    """
    there, here = (_by_identity(side, namespace) for side in (before, after))
    pairs = [
        Pair(old, new, identity[2])
        for identity in [*here, *(each for each in there if each not in here)]
        for old, new in zip_longest(there.get(identity, ()), here.get(identity, ()))
    ]
    return Pairs(tuple(pairs), Subject(tuple(before)), Subject(tuple(after)))


def _by_identity(objects: Sequence[Object], namespace: str) -> dict[tuple[str, str, str, str], list[Object]]:
    found: dict[tuple[str, str, str, str], list[Object]] = {}
    for each in objects:
        found.setdefault((each.group, each.kind, each.namespace or namespace, each.name), []).append(each)
    return found
