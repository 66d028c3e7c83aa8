"""The second look at an edit: the result is read again and held against what was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generator.errors import Problem, ShiplaneError
from gitops.yamledit.nodes import Alias, Document, List, Map, Node, Scalar, documents
from gitops.yamledit.scalars import Plain, Value, ambiguous

_MEND = "edit it by hand"


def prove(
    before: Sequence[Document],
    after: str,
    wanted: Mapping[int, Value],
    added: Mapping[int, tuple[str, Value]],
    place: str,
) -> None:
    """Raises ShiplaneError unless `after` differs from `before` in what is wanted and in nothing else.

    `wanted` are the scalars that were set, `added` the maps that got a key, or null that became such a map, each by the
    identity of its node.
    """
    try:
        found = documents(after, place)
    except ShiplaneError as error:
        told = [Problem(each.place, f"after the edit it {each.rule}", _MEND) for each in error.problems]
        raise ShiplaneError(told) from None
    line = _Compared(wanted, added).all([each.root for each in before], [each.root for each in found])
    if line:
        raise ShiplaneError(Problem(f"{place}:{line}", "the edit would change more than was asked for", _MEND))


class _Compared:
    """Compares nodes; answers with the line of the first difference, 0 where there is none."""

    def __init__(self, wanted: Mapping[int, Value], added: Mapping[int, tuple[str, Value]]) -> None:
        self._wanted, self._added = wanted, added

    def all(self, before: Sequence[Node], after: Sequence[Node]) -> int:
        if len(before) != len(after):
            return after[-1].line if after else 1
        return next((line for one, other in zip(before, after, strict=True) if (line := self.node(one, other))), 0)

    def node(self, before: Node, after: Node) -> int:
        if id(before) in self._wanted:
            return 0 if _says(after, self._wanted[id(before)]) else after.line
        if id(before) in self._added:
            return self._grown(before, after, *self._added[id(before)])
        if isinstance(before, Map) and isinstance(after, Map):
            return self._map(before, after, len(before.items))
        if isinstance(before, List) and isinstance(after, List) and _dress(before) == _dress(after):
            return self.all(before.items, after.items)
        if isinstance(before, Scalar) and isinstance(after, Scalar):
            return (
                0
                if (before.text, before.style, *_dress(before))
                == (
                    after.text,
                    after.style,
                    *_dress(after),
                )
                else after.line
            )
        same = isinstance(before, Alias) and isinstance(after, Alias) and before.name == after.name
        return 0 if same else after.line

    def _map(self, before: Map, after: Map, count: int) -> int:
        if _dress(before) != _dress(after) or len(after.items) != count:
            return after.line
        pairs = zip(before.items, after.items, strict=False)  # one more at the end, where a key was added
        sides = ((one, other) for (key, value), (name, new) in pairs for one, other in ((key, name), (value, new)))
        return next((line for one, other in sides if (line := self.node(one, other))), 0)

    def _grown(self, before: Node, after: Node, key: str, value: Value) -> int:
        """The map with one more entry, or the map of one entry in the place of nothing."""
        if not isinstance(after, Map) or not after.items:
            return after.line
        name, new = after.items[-1]
        if not _says(name, key) or not _says(new, value):
            return name.line
        if isinstance(before, Map):
            return self._map(before, after, len(before.items) + 1)
        return 0 if len(after.items) == 1 and _dress(after) == (None, None) else after.line


def _dress(node: Scalar | List | Map) -> tuple[str | None, str | None]:
    return node.tag, node.anchor


def _says(node: Node, value: Value) -> bool:
    """Whether a scalar, without anchor or tag, says `value` to every reader."""
    if not isinstance(node, Scalar) or _dress(node) != (None, None) or node.style in ("|", ">"):
        return False
    if isinstance(value, Plain):
        return node.style == "" and node.text == value.text
    return node.text == value and (node.style != "" or not ambiguous(value))
