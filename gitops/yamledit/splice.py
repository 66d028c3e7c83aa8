"""The characters that an edit writes: in the place of a scalar, or as a new key in its map's own style."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitops.yamledit.locate import empty
from gitops.yamledit.nodes import Alias, List, Map, Node, Scalar
from gitops.yamledit.scalars import Value, ambiguous, plain, written

_BREAKS = ("\r\n", "\n", "\r")
_BLANK = re.compile(r" (?! *#)")
_STEP = 2  # columns that a map is indented by where the document shows no other


@dataclass(frozen=True, slots=True)
class Splice:
    """`text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def applied(text: str, splices: list[Splice]) -> str:
    """`text` with all `splices`, which do not overlap."""
    for each in sorted(splices, key=lambda each: each.start, reverse=True):
        text = text[: each.start] + each.text + text[each.end :]
    return text


def replacing(text: str, node: Scalar, above: tuple[Node, ...], value: Value) -> Splice:
    """`value` in the place of `node`: in its style, quoted where it is not, but could be misread."""
    style = node.style or ('"' if _like_json(above) else "")
    return _put(text, node, written(value, _able(value, style, above), flow=_in_flow(above)))


def adding(text: str, root: Node, above: tuple[Node, ...], key: str, value: Value) -> list[Splice]:
    """A new `key` with `value` at the end of the map that is the last of `above`, or that is made in null's place."""
    inside = above[-1]
    if isinstance(inside, Map) and not inside.flow:
        return [_line(text, inside, _entry(key, value, above))]
    if isinstance(inside, Map) and inside.items:
        return _in_braces(text, inside, _entry(key, value, above))
    if isinstance(inside, Map):
        start = text.index("{", inside.start) + 1  # an anchor comes before it
        return [Splice(start, start, _entry(key, value, above))]
    holder = above[-2]
    if inside.start == inside.end and isinstance(holder, Map) and not holder.flow:
        end = _line_end(text, inside.end)
        indent = " " * (_column(text, holder) + (_step(text, root) or _STEP))
        return [Splice(end, end, f"{_break(text, end)}{indent}{_entry(key, value, above)}")]
    made = "{" + _entry(key, value, above, flow=True) + "}"
    return [_put(text, inside, made)]


def _put(text: str, node: Node, new: str) -> Splice:
    """`new` in the place of `node`; where that is nothing at all, behind one blank."""
    if node.start < node.end or text[node.start - 1].isspace():
        return Splice(node.start, node.end, new)
    if _BLANK.match(text, node.start):
        return Splice(node.start + 1, node.start + 1, new)
    return Splice(node.start, node.start, f" {new}")


def _entry(key: str, value: Value, above: tuple[Node, ...], *, flow: bool = False) -> str:
    """`key: value` as those beside it are written."""
    inside, flow = above[-1], flow or _in_flow(above)
    json = _like_json(above)
    beside = [each for _, each in inside.items if isinstance(each, Scalar)] if isinstance(inside, Map) else []
    style = next((each.style for each in reversed(beside) if each.style in ("'", '"')), '"' if json else "")
    name = written(key, '"' if json else "", flow=flow)
    return f"{name}: {written(value, _able(value, style, above), flow=flow)}"


def _able(value: Value, style: str, above: tuple[Node, ...]) -> str:
    """`style`, or the quotes used around it where `value` cannot stand plain."""
    if style or not isinstance(value, str) or plain(value, flow=_in_flow(above)):
        return style
    inside = above[-1]
    beside = [each for _, each in inside.items] if isinstance(inside, Map) else getattr(inside, "items", [])
    styles = [each.style for each in beside if isinstance(each, Scalar)]
    return "'" if "'" in styles and '"' not in styles else '"'


def _line(text: str, inside: Map, entry: str) -> Splice:
    """A line of its own behind the last entry's last one."""
    indent, (end, whole) = " " * _column(text, inside), _content_end(inside)
    if not whole:
        end = _line_end(text, end)
        return Splice(end, end, f"{_break(text, end)}{indent}{entry}")
    line_break = _break(text, end)  # a block scalar's lines have their breaks
    if text[:end].endswith(_BREAKS):
        return Splice(end, end, f"{indent}{entry}{line_break}")
    return Splice(end, end, f"{line_break}{indent}{entry}")


def _in_braces(text: str, inside: Map, entry: str) -> list[Splice]:
    """Behind the last entry; on a line of its own where that one has one, and its comment keeps its place."""
    first, last = inside.items[-1][0].start, inside.items[-1][1].end
    start = _line_start(text, first)
    after = last + len(text[last : inside.end]) - len(text[last : inside.end].lstrip())
    comma = text[after] == ","
    end = _line_end(text, after if comma else last)
    if text[start:first].strip() or end >= inside.end:
        return [Splice(last, last, f", {entry}")]
    own = f"{_break(text, end)}{text[start:first]}{entry}"
    if comma:
        return [Splice(end, end, f"{own},")]
    return [Splice(end, end, f",{own}")] if end == last else [Splice(last, last, ","), Splice(end, end, own)]


def _content_end(node: Node) -> tuple[int, bool]:
    """Where the last thing in `node` ends, and whether that is a block scalar, whose span holds whole lines."""
    while isinstance(node, List | Map) and not node.flow and node.items:
        last = node.items[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node.end, isinstance(node, Scalar) and node.style in ("|", ">")


def _in_flow(above: tuple[Node, ...]) -> bool:
    inside = above[-1]
    return isinstance(inside, List | Map) and inside.flow


def _like_json(above: tuple[Node, ...]) -> bool:
    """Whether what is around it is written as JSON: braces, and every key in double quotes."""
    if empty(above[-1]):
        return len(above) > 1 and _like_json(above[:-1])
    if not _in_flow(above):
        return False
    around = [each for each in above if isinstance(each, Map) and each.flow and each.items]
    if not around:
        beside = above[-1].items if isinstance(above[-1], List) else []
        words = [each for each in beside if isinstance(each, Scalar) and not each.style]
        return isinstance(above[0], List | Map) and above[0].flow and all(ambiguous(each.text) for each in words)
    return all(isinstance(key, Scalar) and key.style == '"' for key, _ in around[-1].items)


def _step(text: str, node: Node) -> int:
    """How many columns the first map inside a map is indented by; 0 where there is none."""
    if isinstance(node, Alias | Scalar) or node.flow:
        return 0
    below = [each for _, each in node.items] if isinstance(node, Map) else node.items
    for each in below:
        if isinstance(node, Map) and isinstance(each, Map) and not each.flow:
            return _column(text, each) - _column(text, node)
        if found := _step(text, each):
            return found
    return 0


def _column(text: str, node: Map) -> int:
    start = node.items[0][0].start
    return start - _line_start(text, start)


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _line_end(text: str, at: int) -> int:
    return min((found for each in "\r\n" if (found := text.find(each, at)) >= 0), default=len(text))


def _break(text: str, at: int) -> str:
    """The line break at `at`; at the text's end, the one before it."""
    here = next((each for each in _BREAKS if text.startswith(each, at)), "")
    before = _line_start(text, at)
    return here or next((each for each in _BREAKS if text[:before].endswith(each)), "\n")
