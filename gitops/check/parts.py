"""A folder in which the same objects stand several times, once for each environment: what belongs together.

Judged as one, dev's NetworkPolicy would stand for prod's, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from gitops.policy.objects import Object

_Forks = Mapping[tuple[str, ...], frozenset[str]]
"""The folders below which the same objects stand more than once, each with the names that tell them apart there."""
Part = tuple[str, tuple[Object, ...]]
"""What is applied together, and the names of the folders or files that it lies in: nothing where all is."""


def parts(objects: Sequence[Object]) -> list[Part]:
    """`objects` as they are applied together: all of them, unless one stands in several files.

    Then they are told apart by the first name in which the paths of these files differ, the same names together
    wherever they stand (`wallet/dev`, `ledger/dev`); what lies beside these belongs to each.
    """
    forks = _forks(objects)
    keys = [_key(each, forks) for each in objects]
    begun = {key[:length] for key in keys for length in range(len(key))}
    ends = [key for key in dict.fromkeys(keys) if key not in begun]
    if len(ends) < 2:
        return [("", tuple(objects))]
    return [
        ("/".join(end), tuple(each for each, key in zip(objects, keys, strict=True) if _begins(end, key)))
        for end in ends
    ]


def _forks(objects: Iterable[Object]) -> _Forks:
    files: dict[tuple[str, ...], dict[str, None]] = {}
    for each in objects:
        if each.name:
            files.setdefault((each.group, each.kind, each.namespace, each.name), {})[each.file] = None
    found: dict[tuple[str, ...], set[str]] = {}
    for several in {tuple(each) for each in files.values() if len(each) > 1}:
        for one, other in pairwise(sorted(tuple(file.split("/")) for file in several)):  # neighbours show every fork
            depth = next(index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
            found.setdefault(one[:depth], set()).update((one[depth], other[depth]))
    return {folder: frozenset(names) for folder, names in found.items()}


def _key(each: Object, forks: _Forks) -> tuple[str, ...]:
    """The names by which the path of an object is told apart from others."""
    path = tuple(each.file.split("/"))
    return tuple(name for depth, name in enumerate(path) if name in forks.get(path[:depth], ()))


def _begins(key: tuple[str, ...], start: tuple[str, ...]) -> bool:
    return key[: len(start)] == start
