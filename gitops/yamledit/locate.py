"""Where a path leads in a document; what no edit can be sure of on the way is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from generator.errors import Problem, ShiplaneError, printable
from gitops.yamledit.nodes import Alias, Document, List, Map, Node, Scalar
from gitops.yamledit.path import Match, Path, Selector, shown

_NOTHING = ("", "~", "null", "Null", "NULL")
_KINDS = {Scalar: "a value", Alias: "an alias", List: "a list", Map: "a map"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a path leads: `node` in the last of `above`, which holds what is around it, outermost first.

    `node` is None where only the last key is missing; the last of `above` is then a map, or null in a map's place.
    """

    node: Node | None
    above: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """There is nothing, and nothing that a single key could be added to: the line of what is there, and why."""

    line: int
    rule: str


@dataclass(frozen=True, slots=True)
class Where:
    """The file and the path in it that a mistake is told of."""

    place: str
    path: Path

    def problem(self, line: int, rule: str, mend: str = "") -> Problem:
        """The mistake, placed at `file:line: path`."""
        at = f"{self.place}:{line}" if line else self.place
        return Problem(f"{at}: {printable(shown(self.path))}" if self.path else at, rule, mend)

    def refuse(self, line: int, rule: str, mend: str = "") -> NoReturn:
        """Raises ShiplaneError with the mistake."""
        raise ShiplaneError(self.problem(line, rule, mend))


def document(documents: Sequence[Document], select: Selector | None, where: Where) -> Document:
    """The one document that `select` means; without it, the only one that holds anything."""
    if isinstance(select, int):
        if select >= len(documents):
            where.refuse(0, f"has {len(documents)} documents, and none with the number {select}")
        return documents[select]
    if select is None:
        found = [each for each in documents if not empty(each.root)]
        told, mend = "", "say which one: kind=Application,metadata.name=wallet"
    else:
        found = [each for each in documents if meant(each, select, where)]
        told, mend = " with " + " and ".join(f"{shown(path)}={printable(value)}" for path, value in select), ""
    if len(found) != 1:
        count, line = (f"{len(found)} documents", found[1].root.line) if found else ("no document", 0)
        where.refuse(line, f"has {count}{told}, where one is meant", mend if found else "")
    return found[0]


def locate(document: Document, path: Path, where: Where) -> Spot | Missing:
    """Where `path` leads in `document`.

    Raises ShiplaneError for aliases and tags on the way, for what is used elsewhere by its anchor, and for maps with
    merges or repeated keys: there, a reader's answer is not simply what stands at the path.
    """
    above: list[Node] = []
    node = document.root
    for depth, step in enumerate(path):
        _passable(node, where, document.aliased)
        above.append(node)
        last = depth == len(path) - 1
        if isinstance(step, str) and empty(node) and last and depth:
            return Spot(None, tuple(above))
        if not isinstance(node, Map if isinstance(step, str) else List):
            wanted = "map" if isinstance(step, str) else "list"
            return Missing(node.line, f"{_told(path, depth)} is {_KINDS[type(node)]}, not a {wanted}")
        found = list(_entries(node, step, where))
        if len(found) > 1:
            where.refuse(found[1].line, f"{_told(path, depth + 1)} stands here twice")
        if not found:
            if isinstance(step, str) and last:
                return Spot(None, tuple(above))
            return Missing(node.line, f"there is no {_told(path, depth + 1)}")
        node = found[0]
    return Spot(node, tuple(above))


def empty(node: Node) -> bool:
    """Whether there is nothing: null, in whatever spelling."""
    return isinstance(node, Scalar) and not node.style and not node.tag and node.text in _NOTHING


def _told(path: Path, depth: int) -> str:
    return printable(shown(path[:depth])) if depth else "the document"


def _passable(node: Node, where: Where, aliased: frozenset[str]) -> None:
    if isinstance(node, Alias):
        where.refuse(node.line, f"*{node.name} stands for what is elsewhere", "write out there what it stands for")
    if node.tag:
        where.refuse(node.line, f"is below the tag {printable(node.tag)}, and readers differ on what that is")
    if node.anchor in aliased:
        where.refuse(node.line, f"is below &{node.anchor}, which is used elsewhere: that would change, too")
    if isinstance(node, Map):
        _plain_map(node, where)


def _plain_map(node: Map, where: Where) -> None:
    """Refuses a map in which what a key says is not simply the one value behind it."""
    seen: dict[str, int] = {}
    for key, _ in node.items:
        if not isinstance(key, Scalar) or key.tag:
            where.refuse(key.line, "a key beside it is no plain word")
        if key.text == "<<" and not key.style:
            where.refuse(key.line, "<< merges another map into this one", "write out what it brings")
        if key.text in seen:
            rule = f"{printable(key.text)} stands here twice, first in line {seen[key.text]}: readers differ"
            where.refuse(key.line, rule, "take one of them away")
        seen[key.text] = key.line


def _entries(node: Map | List, step: str | int | Match, where: Where) -> Iterator[Node]:
    """What in `node` the step leads to."""
    if isinstance(node, Map):
        yield from (value for key, value in node.items if isinstance(key, Scalar) and key.text == step)
    elif isinstance(step, int):
        yield from node.items[step : step + 1]
    elif isinstance(step, Match):
        for item in node.items:
            if isinstance(item, Map) and _has(item, step, where):
                _plain_map(item, where)
                yield item
            elif isinstance(item, Alias):
                where.refuse(item.line, f"the item *{item.name} stands for what is elsewhere", "write it out there")


def _has(item: Map, step: Match, where: Where) -> bool:
    """Whether it is the item that is meant; refused where a reader could take it for that by what is elsewhere."""
    found = False
    for key, value in item.items:
        merges = isinstance(key, Scalar) and key.text == "<<" and not key.style
        if merges or isinstance(key, Alias) or (isinstance(key, Scalar) and key.tag):
            where.refuse(key.line, f"which {printable(step.key)} the item has, readers differ on", "write it out there")
        if isinstance(key, Scalar) and key.text == step.key:
            if isinstance(value, Alias) or value.tag:
                where.refuse(value.line, f"readers differ on the {printable(step.key)} of the item", "write it out")
            found = found or (isinstance(value, Scalar) and value.text == step.value)
    return found


def meant(document: Document, select: Iterable[tuple[Path, str]], where: Where) -> bool:
    """Whether all that `select` asks for stands in `document`; refused where readers could differ on that."""
    asked = [*select]
    said = [_says(document, path, value) for path, value in asked]
    if None in said and False not in said:
        words = [*_words(document.root)]
        if all(value in words or None in words for _, value in asked):  # an alias stands for what is in its document
            told = " and ".join(f"{shown(path)}={printable(value)}" for path, value in asked)
            where.refuse(document.root.line, f"whether this document is {told}, readers differ on", "write it out")
    return all(said)


def _says(document: Document, path: Path, value: str) -> bool | None:
    """Whether `value` stands at `path`; None where that cannot be told."""
    if path not in document.told:
        document.told[path] = _told_at(document, path)
    found = document.told[path]
    return None if found is None else found == value


def _told_at(document: Document, path: Path) -> str | bool | None:
    """The text at `path`, False where there is none, None where that cannot be told."""
    try:
        found = locate(document, path, Where("", path))
    except ShiplaneError:
        return None
    if not isinstance(found, Spot) or found.node is None:
        return False
    if isinstance(found.node, Alias) or found.node.tag:
        return None
    return isinstance(found.node, Scalar) and found.node.text


def _words(node: Node) -> Iterator[str | None]:
    """All that stands anywhere in it; None for what a tag makes something else of."""
    if isinstance(node, Scalar):
        yield None if node.tag else node.text
    elif isinstance(node, List):
        for item in node.items:
            yield from _words(item)
    elif isinstance(node, Map):
        for key, value in node.items:
            yield from _words(key)
            yield from _words(value)
