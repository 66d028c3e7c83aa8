"""Sets scalars in YAML by changing exactly their bytes: what cannot be changed so is refused, never reformatted.

A scalar's place is told by the reader itself, new characters are put there, and the result is read again: anything but
the intended change is refused with its line. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generator.errors import Problem, ShiplaneError, printable
from gitops.yamledit import path as paths
from gitops.yamledit.locate import Missing, Spot, Where, locate, meant
from gitops.yamledit.locate import document as _selected
from gitops.yamledit.nodes import LARGEST, Document, Node, Scalar, documents
from gitops.yamledit.path import Path, Selector, shown
from gitops.yamledit.proof import prove
from gitops.yamledit.scalars import Plain, Value, ambiguous
from gitops.yamledit.splice import Splice, adding, applied, replacing

__all__ = [
    "LARGEST", "Edit", "Path", "Plain", "Selector", "Value", "outside", "parse_path", "parse_selector", "read",
    "selects", "set_scalars",
]  # fmt: skip
_BOM = "\ufeff"
_INSIDE = re.compile(r"(?:\A|[\r\n])\ufeff")  # libyaml skips it, others take it for a letter of the key


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to stand at a path, in the document that is selected where there are several."""

    path: Path
    value: Value
    document: Selector | None = None


def read(data: bytes, wanted: Iterable[Path], place: str, document: Selector | None = None) -> tuple[Value | None, ...]:
    """What stands at each path, None where nothing does; raises ShiplaneError where readers could differ on it."""
    found = documents(_decoded(data, place)[1], place)
    return tuple(_read(found, path, document, Where(place, path)) for path in wanted)


def selects(data: bytes, document: Selector, place: str) -> bool:
    """Whether any document is meant by `document`; raises ShiplaneError for more than one, and for no YAML."""
    found = documents(_decoded(data, place)[1], place)
    where = Where(place, ())
    if isinstance(document, int):
        return bool(_selected(found, document, where))
    these = [each for each in found if meant(each, document, where)]
    return bool(these and _selected(these, document, where))


def _read(found: Sequence[Document], path: Path, select: Selector | None, where: Where) -> Value | None:
    spot = locate(_selected(found, select, where), path, where)
    if isinstance(spot, Missing) or spot.node is None:
        return None
    node = spot.node
    if not isinstance(node, Scalar) or node.tag:
        where.refuse(node.line, "is no single value without a tag")
    return said(node)


def outside(data: bytes, paths: Iterable[Path], place: str, document: Selector | None = None) -> tuple[str, ...]:
    """All that stands around the scalars at `paths`, in pieces; what is missing leaves none. Raises as `read` does."""
    mark, text = _decoded(data, place)
    found = documents(text, place)
    spans, pieces, start = [], [mark], 0
    for path in paths:
        where = Where(place, path)
        spot = locate(_selected(found, document, where), path, where)
        if isinstance(spot, Spot) and spot.node is not None:
            _settable(text, spot.node, where)
            spans.append((spot.node.start, spot.node.end))
    for begin, end in sorted(spans):
        pieces.append(text[start:begin])
        start = end
    return (*pieces, text[start:])


def said(node: Scalar) -> Value:
    """What a scalar without a tag says."""
    return Plain(node.text) if not node.style and ambiguous(node.text) else node.text


def set_scalars(data: bytes, edits: Iterable[Edit], place: str) -> bytes:
    """`data` with each edit made, every other byte as it was; `place` is what the file is called.

    A key that is missing in a map that is there is added at its end, in its style. Raises ShiplaneError with all that
    is refused: what a path leads to is no single value, has an anchor, a tag or an alias, is a block scalar, or stands
    where merges, repeated keys or aliases make readers differ.
    """
    left = list(edits)
    for edit in left:
        if isinstance(edit.value, Plain) and not (ambiguous(edit.value.text) and edit.value.fits()):
            rule = f"{printable(edit.value.text)} cannot stand without quotes"
            Where(place, edit.path).refuse(0, rule, "give it as a string")
    mark, text = _decoded(data, place)
    while left:
        text, left = _round(text, left, place)
    return (mark + text).encode()


def _decoded(data: bytes, place: str) -> tuple[str, str]:
    """The byte order mark, and the text behind it: libyaml counts from behind it, too."""
    if len(data) > LARGEST:
        raise ShiplaneError(Problem(place, f"is larger than {LARGEST} bytes"))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ShiplaneError(Problem(place, f"is not UTF-8 at byte {error.start}")) from None
    mark, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    if _BOM in text and (inside := _INSIDE.search(text)):
        line = text.count("\n", 0, inside.end()) + 1
        raise ShiplaneError(Problem(f"{place}:{line}", "begins with a byte order mark inside the file: readers differ"))
    return mark, text


def _round(text: str, edits: Sequence[Edit], place: str) -> tuple[str, list[Edit]]:
    """`text` with every scalar set that is there, or else with keys added as `_apart` has them; and what is left."""
    before = documents(text, place)
    found = _spots(text, before, edits, place)
    wanted: dict[int, Value] = {}
    added: dict[int, tuple[str, Value]] = {}
    splices: list[Splice] = []
    left = [(edit, spot) for edit, spot in found if spot.node is None]
    for edit, spot in found:
        if isinstance(spot.node, Scalar) and said(spot.node) != edit.value:
            wanted[id(spot.node)] = edit.value
            splices.append(replacing(text, spot.node, spot.above, edit.value))
    if len(left) == len(found):
        now, left = _apart(left)
        for edit, spot in now:
            key = str(edit.path[-1])
            added[id(spot.above[-1])] = key, edit.value
            splices += adding(text, spot.above[0], spot.above, key, edit.value)
    after = applied(text, splices)
    if splices:
        prove(before, after, wanted, added, place)
    return after, [edit for edit, _ in left]


def _apart(found: Sequence[tuple[Edit, Spot]]) -> tuple[list[tuple[Edit, Spot]], list[tuple[Edit, Spot]]]:
    """Those whose maps are all different and none in another, so that they grow by one reading; and the rest."""
    now, later = [], []
    growing: set[int] = set()
    around: set[int] = set()
    for each in found:
        above = [id(node) for node in each[1].above]
        if above[-1] in around or not growing.isdisjoint(above):
            later.append(each)
        else:
            now.append(each)
            growing.add(above[-1])
            around.update(above)
    return now, later


def _spots(text: str, before: Sequence[Document], edits: Sequence[Edit], place: str) -> list[tuple[Edit, Spot]]:
    """Where each edit's path leads; raises ShiplaneError with all that is refused, and where two lead to one place."""
    found: dict[tuple[int, str], tuple[Edit, Spot]] = {}
    problems: list[Problem] = []
    for edit in edits:
        where = Where(place, edit.path)
        try:
            spot = _spot(text, before, edit, where)
        except ShiplaneError as error:
            problems += error.problems
            continue
        at = (id(spot.node), "") if spot.node is not None else (id(spot.above[-1]), str(edit.path[-1]))
        if at in found:
            problems.append(where.problem(0, f"is to be set twice, as {shown(found[at][0].path)} too"))
        found[at] = edit, spot
    if problems:
        raise ShiplaneError(problems)
    return list(found.values())


def _spot(text: str, found: Sequence[Document], edit: Edit, where: Where) -> Spot:
    spot = locate(_selected(found, edit.document, where), edit.path, where)
    if isinstance(spot, Missing):
        where.refuse(spot.line, spot.rule, "write it there first, by hand: only a value is set")
    if spot.node is not None:
        _settable(text, spot.node, where)
    elif isinstance(spot.above[-1], Scalar):  # null, in whose place a map is to stand
        _settable(text, spot.above[-1], where)
    return spot


def _settable(text: str, node: Node, where: Where) -> None:
    """Refuses what is no scalar that stands for itself alone, on characters that are surely its own."""
    mend = "edit it by hand, once, into a plain or quoted value"
    if not isinstance(node, Scalar):
        kind = type(node).__name__.lower()
        where.refuse(node.line, f"is {'an' if kind == 'alias' else 'a'} {kind}, not a single value")
    for mark, name in ((node.anchor, "an anchor"), (node.tag, "a tag")):
        if mark:
            where.refuse(node.line, f"has {name}, {printable(mark)}, which an edit would lose", mend)
    if node.style in ("|", ">"):
        where.refuse(node.line, "is a block scalar", mend)
    held = text[node.start : node.end]
    if not (held.startswith(node.style) and (node.style or "\n" in held or held == node.text)):
        where.refuse(node.line, "where it stands cannot be told", mend)


parse_path = paths.parse
"""The path that a text says: see `gitops.yamledit.path`."""
parse_selector = paths.selector
"""The selector of a document that a text says: see `gitops.yamledit.path`."""
