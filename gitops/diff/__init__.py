"""Two renderings compared, resource by resource: for `gitops diff`, and for the body of a pull request. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from generator.document import parse
from generator.errors import printable
from gitops.diff.dangers import dangers
from gitops.diff.difference import Difference, Field, Resource, State
from gitops.diff.hidden import HIDDEN, called, hidden, said
from gitops.diff.leaves import MISSING, Leaf, leaves
from gitops.diff.noise import NO_RELEASES, Releases, expected, ordinary
from gitops.diff.pairs import Pair, paired
from gitops.policy.finding import safe
from gitops.policy.objects import Object, Path
from gitops.policy.reading import read
from gitops.yamledit import Plain, Value

_NAMES = ("kind", "metadata.name", "metadata.namespace")  # of what is new or gone, its heading says them
_VARIABLE = re.compile(r"(\.env\[[^\]]*\])\.value$")


def compared(old: bytes | None, new: bytes | None, namespace: str = "", releases: Releases = NO_RELEASES) -> Difference:
    """What `new` changes of `old`, both streams of manifests; None where there is nothing, as before a first release.

    `namespace` is where objects go that name none; `releases` tells which differences every release brings. Raises
    ShiplaneError where one of them cannot be read: what is not understood is never called unchanged.
    """
    before, after = _objects(old, "what was rendered before"), _objects(new, "what is rendered now")
    pairs = paired(before, after, namespace)
    found = dangers(pairs)
    resources = [each for pair in pairs.pairs if (each := _resource(pair, releases))]
    return Difference(tuple(_sorted(resources, {each.object for each in found})), tuple(found), len(after))


def settings(old: bytes, new: bytes) -> tuple[Field, ...]:
    """In what two files of settings differ: what is called a secret, or looks like one, is not repeated.

    Raises ShiplaneError where one of them cannot be read.
    """
    sides = [Object(parse(each, "values.yaml").data) for each in (old, new)]
    secrets = [hidden(each) for each in sides]
    before, after = (each.data or MISSING for each in sides)
    found = leaves(before, after)
    return tuple(_field(each, secrets[0] | called(each.old), secrets[1] | called(each.new)) for each in found)


def values(before: Mapping[str, Value], after: Mapping[str, Value]) -> tuple[Field, ...]:
    """In what single values differ, by their keys: secrets are not repeated, as in settings."""
    keys = [key for key in {**after, **before} if before.get(key) != after.get(key)]
    return tuple(Field(key, _value(key, before.get(key)), _value(key, after.get(key))) for key in keys)


def _value(key: str, value: Value | None) -> str | None:
    secrets = called((key,))
    if isinstance(value, Plain):
        return HIDDEN if secrets else printable(value.text)
    return said(MISSING if value is None else value, (key,), secrets)


def _objects(data: bytes | None, place: str) -> tuple[Object, ...]:
    return () if data is None else tuple(read(data, place, "chart"))


def _sorted(resources: Iterable[Resource], endangered: set[str]) -> list[Resource]:
    """What is removed first, then what is in danger, then the rest; each by kind and name."""
    ranks = {"removed": 0, "changed": 1, "added": 2}
    return sorted(resources, key=lambda r: (bool(ranks[r.state]), r.object not in endangered, ranks[r.state], r.object))


def _resource(pair: Pair, releases: Releases) -> Resource | None:
    """What a pair makes of itself; None where nothing in it differs."""
    before, after = (each.data if each else MISSING for each in (pair.old, pair.new))
    both = pair.old is not None and pair.new is not None
    if before is after:  # one document, read once
        return None
    telling: list[Leaf] = []
    folded: list[str] = []
    for leaf in leaves(before, after):
        if expected(leaf, releases) if both else ordinary(leaf):
            folded.append(_label(leaf))
        elif both or leaf.label not in _NAMES:
            telling.append(leaf)
    if not telling and not folded and both:
        return None
    secrets = (hidden(pair.old), hidden(pair.new)) if telling else (frozenset[Path](), frozenset[Path]())
    fields = tuple(_field(leaf, *secrets) for leaf in telling)
    state: State = "changed" if both else "added" if pair.new else "removed"
    one = pair.one
    return Resource(safe(one.kind), safe(one.name), safe(pair.namespace), state, fields, tuple(folded))


def _field(leaf: Leaf, before: frozenset[Path], after: frozenset[Path]) -> Field:
    return Field(_label(leaf), said(leaf.before, leaf.old, before), said(leaf.after, leaf.new, after))


def _label(leaf: Leaf) -> str:
    """Its path; a variable is called by its name alone."""
    return _VARIABLE.sub(r"\1", leaf.label)
