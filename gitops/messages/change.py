"""The rendered change as people read it: as lines of a diff, for a pull request's body and for a terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from typing import TYPE_CHECKING

from gitops.messages.words import code, count, sentence

if TYPE_CHECKING:
    from gitops.diff.difference import Danger, Difference, Field, Resource

_GROUP = re.compile(r".*?(?:^|\.)(?:containers|initContainers)\[[^\]]*\]")
_KINDS = {
    "the image": re.compile(r"(^|\.)image$"),
    "version labels": re.compile(r"(^|\.)labels[.\[]"),
    "checksums": re.compile(r"(^|\.)annotations[.\[].*(checksum|sha256sum|hash)", re.IGNORECASE),
}
_OTHERWISE = "what names the version"
FEW = 3
"""Resources that stand open in a body; of more, each is opened by whoever wants to read it."""
_LINES = 60  # of one resource in a body
_TEXT = 20  # lines of one text in a body
_LONG = 300  # characters of a line in a body
_COMPARED = 25_000_000  # pairs of lines: two texts of more are told whole
_BEFORE = 40  # of them that are alike on both sides


def fields(told: Iterable[Field], *, text: int | None = None) -> list[str]:
    """Fields as lines of a diff: `-` is before, `+` after, and a line of its own names the container they are in.

    `text` is how many lines of one text are shown; None for all.
    """
    found: list[str] = []
    group = ""
    for field in told:
        here = _GROUP.match(field.path)
        if here and here[0] != group:
            found.append(f"  {here[0]}")
        group = here[0] if here else ""
        path = f"  {field.path[len(group) :].lstrip('.')}" if group else field.path
        found += _field(path, field, text)
    return found


def _field(path: str, field: Field, text: int | None) -> Iterator[str]:
    before, after = field.before, field.after
    if text is not None:
        before, after = _near(before, after)
    if "\n" not in f"{before}{after}":
        yield from (f"{sign} {path}: {value}" for sign, value in (("-", before), ("+", after)) if value is not None)
        return
    one, other = ([] if value is None else value.split("\n") for value in (before, after))
    if one and other and len(one) * len(other) <= _COMPARED:
        changed = list(unified_diff(one, other, lineterm="", n=2))[2:]
    else:
        changed = [*(f"-{line}" for line in one), *(f"+{line}" for line in other)]
    yield f"  {path}: |"
    for number, line in enumerate(changed):
        if text is not None and number >= text:
            yield f"  ... {count(len(changed) - number, 'more line')}"
            return
        yield f"{line[0]}   {line[1:]}" if line[0] in "+- " else f"  {line}"


def _near(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Two long values from shortly before they differ: a line is cut behind."""
    if before is None or after is None or "\n" in f"{before}{after}":
        return before, after
    pairs = enumerate(zip(before, after, strict=False))
    alike = next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))
    if alike < _LONG // 2:
        return before, after
    return f"…{before[alike - _BEFORE :]}", f"…{after[alike - _BEFORE :]}"


def headline(difference: Difference) -> str:
    """What changes, counted: `1 resource added, 2 changed`; or that nothing does."""
    told = [each.state for each in difference.telling]
    states = {state: told.count(state) for state in ("removed", "changed", "added")}
    parts = [f"{number} {state}" for state, number in states.items() if number]
    if not parts:
        kinds = _kinds(difference)
        return f"nothing but {'the image' if 'the image' in kinds else ', '.join(kinds)}" if kinds else "nothing"
    if len(parts) > 1:
        return f"{count(len(told), 'resource')} ({', '.join(parts)})"
    return f"{count(len(told), 'resource')} {parts[0].partition(' ')[2]}"


def folded(difference: Difference) -> str:
    """What is not shown since every release brings it."""
    number = len(difference.folded)
    return f"{', '.join(_kinds(difference))} in {count(number, 'resource')}, as expected" if number else ""


def _kinds(difference: Difference) -> list[str]:
    """What is folded away, by its kind: only what there is."""
    found = {_kind(path) for resource in difference.resources for path in resource.folded}
    return [kind for kind in (*_KINDS, _OTHERWISE) if kind in found]


def _kind(path: str) -> str:
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(path)), _OTHERWISE)


def danger_lines(dangers: Iterable[tuple[str, Danger]]) -> str:
    """The dangers as a list, each by its name, with its object; before it the service, where there are several."""
    return "\n".join(
        f"- **{each.name}** {f'{service}: ' if service else ''}{code(each.object)} {sentence(each.sentence)}"
        for service, each in dangers
    )


def blocks(difference: Difference, *, opened: bool) -> list[str]:
    """Each resource as a block of Markdown that opens and closes; what is removed is a line."""
    return [_block(each, opened=opened) for each in difference.telling]


def _block(resource: Resource, *, opened: bool) -> str:
    name = f"<code>{html.escape(resource.object)}</code>"
    if resource.state == "removed":
        return f"<details><summary>{name}: <b>removed</b></summary></details>"
    shown = fields(resource.fields, text=_TEXT)
    what = f"{count(len(resource.fields), 'field')}" if resource.state == "changed" else resource.state
    start = "<details open>" if opened else "<details>"
    return f"{start}<summary>{name}: {what}</summary>\n\n{fenced(shortened(shown, _LINES))}\n</details>"


def shortened(shown: Sequence[str], most: int) -> Sequence[str]:
    """The first `most` lines, each as long as a line should be, and how many more there are."""
    cut = [line if len(line) <= _LONG else f"{line[:_LONG]}…" for line in shown[:most]]
    more = len(shown) - most
    return [*cut, f"  ... {count(more, 'more line')}"] if more > 0 else cut


def fenced(shown: Sequence[str]) -> str:
    """Lines in a fence that nothing in them can close."""
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}diff", *shown, fence])
