"""Where two values differ, leaf by leaf: items of lists are told by their names where they have them, else by place.

Nothing that differs is passed over: a list that is only ordered otherwise, and `1` in place of `"1"`, differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from gitops.policy.finding import dotted, safe
from gitops.policy.objects import Path

_KEYS = (
    "name", "mountPath", "containerPort", "port", "alert", "record", "secretKey", "host", "path", "ip", "key",
    "topologyKey", "type",
)  # fmt: skip
_ORDER = "(order)"
_COMPARED = 4_000_000  # pairs of items: of two longer lists each item is held against the one in its place


class _Missing:
    """The value of a field that is not there."""


MISSING: Final = _Missing()
"""No value; an empty one, as `{}`, is a value."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One place in which two values differ.

    `label` is its path as people write it; `old` and `new` are its paths on either side, where items count from 0.
    """

    label: str
    old: Path
    new: Path
    before: Any
    after: Any


def leaves(before: Any, after: Any, label: str = "", old: Path = (), new: Path = ()) -> Iterator[Leaf]:
    """The places in which `before` and `after` differ: in the order of `after`, then what only `before` has."""
    if same(before, after):
        return
    shapes = {shape for each in (before, after) if (shape := _shape(each))}
    if len(shapes) > 1:
        yield from leaves(before, MISSING, label, old, new)
        yield from leaves(MISSING, after, label, old, new)
    elif shapes == {"mapping"}:
        one, other = _mapping(before), _mapping(after)
        for key in dict.fromkeys([*other, *one]):
            there, here = one.get(key, MISSING), other.get(key, MISSING)
            if same(there, here):  # most are: no path is written down for them
                continue
            yield from leaves(there, here, _below(label, key), (*old, key), (*new, key))
    elif shapes == {"list"}:
        yield from _items(_list(before), _list(after), label, old, new)
    else:
        yield Leaf(label, old, new, before, after)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, and of one type: Python holds 1, 1.0 and True for equal."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (isinstance(one, float) and one != one and other != other)


def canonical(value: Any) -> str:
    """Equal texts for equal values."""
    return json.dumps(value, sort_keys=True, default=str, skipkeys=True)


def _shape(value: Any) -> str:
    """What can be looked into; an empty one is a value like any other."""
    if isinstance(value, Mapping) and value:
        return "mapping"
    if isinstance(value, list) and value:
        return "list"
    return "" if value is MISSING else "scalar"


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _below(label: str, key: Any) -> str:
    part = dotted((key if isinstance(key, str) else str(key),))
    return f"{label}{'' if not label or part.startswith('[') else '.'}{part}"


def _items(before: list[Any], after: list[Any], label: str, old: Path, new: Path) -> Iterator[Leaf]:
    key = _key(before, after)
    if not key:
        yield from _by_place(before, after, label, old, new)
        return
    there, here = ({each[key]: index for index, each in enumerate(side)} for side in (before, after))
    for name in [*here, *(name for name in there if name not in here)]:
        one = before[there[name]] if name in there else MISSING
        other = after[here[name]] if name in here else MISSING
        at, now = (*old, there.get(name, 0)), (*new, here.get(name, 0))
        yield from leaves(one, other, f"{label}[{safe(name)}]", at, now)
    kept, keeps = [name for name in there if name in here], [name for name in here if name in there]
    if kept != keeps:  # containers start, and variables refer to each other, in their order
        told = (", ".join(safe(name) for name in order) for order in (kept, keeps))
        yield Leaf(f"{label}{_ORDER}", old, new, *told)


def _key(*sides: Sequence[Any]) -> str:
    """The first key that names every item of both lists, each by another text or number; none where there is none."""
    for key in _KEYS:
        if all(_named(side, key) for side in sides):
            return key
    return ""


def _named(items: Sequence[Any], key: str) -> bool:
    names = [each.get(key) if isinstance(each, Mapping) else None for each in items]
    kinds = {type(name) for name in names}
    return kinds <= {str} or kinds <= {int} if len(set(map(str, names))) == len(names) else False


def _by_place(before: list[Any], after: list[Any], label: str, old: Path, new: Path) -> Iterator[Leaf]:
    """Items without names: what is equal on both sides is set against each other, what stands between is compared."""
    for tag, start, end, begin, stop in _aligned(before, after):
        if tag == "equal":
            continue
        for offset in range(max(end - start, stop - begin)):
            at, now = start + offset, begin + offset
            one = before[at] if at < end else MISSING
            other = after[now] if now < stop else MISSING
            shown = now if other is not MISSING else at
            yield from leaves(one, other, f"{label}[{shown}]", (*old, at), (*new, now))


def _aligned(before: list[Any], after: list[Any]) -> Sequence[tuple[str, int, int, int, int]]:
    """Which items stand for which, as `SequenceMatcher.get_opcodes` tells it."""
    if len(before) * len(after) > _COMPARED:
        return [("replace", 0, len(before), 0, len(after))]
    there, here = ([canonical(each) for each in side] for side in (before, after))
    return SequenceMatcher(None, there, here, autojunk=False).get_opcodes()
