"""The section of a body that tells what changes in the cluster, in as many characters as there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops.messages import change
from gitops.messages.words import count, sentence
from gitops.step import Seen, Step, Told

_TITLE = "### What changes in the cluster"
_USUAL = "nothing but the image"
_NOTE = 100  # characters of the sentence on what is left out


@dataclass(frozen=True)
class _Part:
    """Of one service: the heading, a block for each resource, and what stands below them."""

    head: str
    blocks: Sequence[str] = ()
    foot: str = ""


def section(pairs: Sequence[Told], left: int) -> str:
    """The rendered change of all steps in at most `left` characters: whole resources, and how many more there are."""
    several = len(pairs) > 1
    plain = [pair for pair in pairs if several and pair[1].difference and not pair[1].difference.telling]
    untold = [pair for pair in pairs if several and pair[1].untold]
    alike = {step.service for step, _ in (*plain, *untold)}
    parts = [part for pair in pairs if pair[0].service not in alike and (part := _part(*pair, several=several))]
    if plain:
        names = ", ".join(_named(*pair) for pair in plain)
        parts.append(_Part(f"{_TITLE} by the others: {_USUAL}\n{names}"))
    if untold:
        lines = "\n".join(f"- {step.service}: {sentence(seen.untold)}" for step, seen in untold)
        parts.append(_Part(f"{_TITLE} could not be told of {count(len(untold), 'service')}\n{lines}"))
    room = left - sum(len(part.head) + len(part.foot) + _NOTE for part in parts)
    told = []
    for part in parts:
        kept: list[str] = []
        for block in part.blocks:
            if len(block) + 1 > room:
                break
            room -= len(block) + 1
            kept.append(block)
        cut = len(part.blocks) - len(kept)
        note = f"**{count(cut, 'more resource')} changed, too long for a pull request.**" if cut else ""
        told.append("\n\n".join(each for each in (part.head, "\n".join(kept), note, part.foot) if each))
    return "\n\n".join(told)


def _named(step: Step, seen: Seen) -> str:
    """A service of which nothing telling changes; what does, where that is not the image."""
    what = change.headline(seen.difference) if seen.difference else _USUAL
    return step.service if what == _USUAL else f"{step.service} ({what})"


def _part(step: Step, seen: Seen, *, several: bool) -> _Part | None:
    title = f"{_TITLE} by {step.service}" if several else _TITLE
    if seen.untold:
        return _Part(f"{title}\n**This could not be told:** {sentence(seen.untold)}")
    found = seen.difference
    if found is None:
        return None
    blocks = change.blocks(found, opened=len(found.telling) <= change.FEW and not several)
    beside = change.folded(found)
    rest = f"and {beside}. " if beside and blocks else f"{beside[:1].upper()}{beside[1:]}. " if beside else ""
    foot = f"<sub>{rest}All of it: {_command(step)}</sub>"
    return _Part(f"{title}: {change.headline(found)}", blocks, foot)


def _command(step: Step) -> str:
    """What shows the whole change while the pull request is open; one that merges at once is known by its number."""
    if step.source is not None:
        return f"<code>gitops diff {step.service} --to {step.to.name} --from {step.source.name}</code>"
    return "<code>gitops diff --pr N</code>, with this pull request's number"
