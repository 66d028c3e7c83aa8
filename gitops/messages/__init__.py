"""What people read of pull requests that pin: titles, bodies, commit messages, the plan. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.messages import change, gates
from gitops.messages.body import MOST, body
from gitops.messages.words import WHOLE, chart_change, count, quiet, short_digest, shown
from gitops.messages.words import change as moved
from gitops.model import NO_CHART, Draft, Move
from gitops.step import Seen, Step, Told

__all__ = ["LONGEST_TITLE", "MOST", "body", "commit_message", "steps", "title"]

LONGEST_TITLE = 120
"""Characters of a title at most: GitHub takes 256."""
_DANGERS = 10  # that a plan tells one by one


def title(told: Sequence[Step]) -> str:
    """One line: what moves where, from which release to which."""
    first = told[0]
    if len(told) == 1:
        move, where = first.move, "in" if first.back else "to"
        return f"{first.verb} {move.service} {where} {move.environment}: {moved(move.before, move.after, first.kind)}"
    whole = f"{first.verb} {count(len(told), 'service')} to {first.to.name}: {', '.join(each.service for each in told)}"
    return whole if len(whole) <= LONGEST_TITLE else f"{whole[: LONGEST_TITLE - 1]}…"


def steps(pairs: Sequence[Told]) -> tuple[str, ...]:
    """The plan for a terminal: image, chart, what changes, dangers, what the gates say."""
    several = len(pairs) > 1
    found: list[str] = []
    for step, seen in pairs:
        found += [*([step.service] if several else []), *_steps(step, seen)]
    return tuple(found)


def _steps(step: Step, seen: Seen) -> list[str]:
    old, new = step.old, step.new
    proved = "" if new.origin.proved else "   NOT PROVED: not committed at the tag"
    pinned = moved(old.release if old else None, new.release, step.kind)
    told = [
        f"{step.kind:7} {pinned}   {short_digest(new.release.digest)}".rstrip(),
        *([] if new.origin.chart == NO_CHART else [f"chart   {chart_change(old, new)}{proved}"]),
        *(f"note    {shown(each, WHOLE)}" for each in step.warnings),
    ]
    if step.settings:
        told.append(f"values  {step.settings}: {count(len(seen.settings), 'setting')} not as before")
    told += [
        shown(f"with    {each.path}: {each.before or '–'} → {each.after or '–'}", WHOLE)
        for each in seen.beside[:_DANGERS]
    ]
    told += [f"with    {len(seen.beside) - _DANGERS} values more"] if len(seen.beside) > _DANGERS else []
    if seen.untold:
        told.append(f"changes COULD NOT BE TOLD: {shown(seen.untold, WHOLE)}")
    if seen.difference:
        told.append(f"changes {change.headline(seen.difference)}")
        dangers = seen.difference.dangers
        told += [shown(f"danger  {each.name}: {each.object}: {each.sentence}", WHOLE) for each in dangers[:_DANGERS]]
        told += [f"danger  and {len(dangers) - _DANGERS} more"] if len(dangers) > _DANGERS else []
    verdicts = gates.told(step, seen)
    if seen.verdicts:
        told.append(f"gates   {gates.line(step, seen)}")
    return [*told, *(each.line for each in verdicts if not each.passed)]


def commit_message(draft: Draft) -> str:
    """The message of the commit: the title, then facts as trailers for `git log` (nothing believes them).

    An override stands in it, so that asking for another one makes another head: nobody's approval covers it unseen.
    """
    if not draft.moves:
        return f"{draft.title}\n"
    pins = "".join(map(_trailers, draft.moves))
    overrides = "".join(f"Shiplane-Override: {each.gate}: {quiet(each.reason)}\n" for each in draft.overrides)
    return f"{draft.title}\n\n{pins}{overrides}"


def _trailers(move: Move) -> str:
    service = f"Shiplane-Service: {move.service}\nShiplane-Environment: {move.environment}\n"
    release = f"Image: {move.after.digest}" if move.after.digest else f"Release: {move.after.tag}"
    return f"{release}\n{service}"
