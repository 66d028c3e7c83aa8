"""What people read: titles, bodies and commit messages of pull requests, as pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from generator.errors import printable
from gitops.catalog import Service
from gitops.config import Environment
from gitops.gates.verdict import Verdict
from gitops.model import NO_CHART, Draft, Move, Override, Pin, Release
from gitops.result import branch_of

LONGEST_TITLE = 120
"""Characters of a title at most: GitHub takes 256."""
MOST = 65_536
"""Characters that GitHub takes for a pull request's body."""
_LONGEST = 100  # characters of a stranger's word that are shown
_WHOLE = 1000  # of a reason, which is read whole
_ACTS = frozenset("\\`*_~<[|$@&")  # what Markdown and GitHub act on, apart from the number of a pull request


@dataclass(frozen=True)
class Facts:
    """What a pull request that pins a release is about.

    `folder` is where the service's files lie in `to`; `starts` are the files that a first release adds there; `source`
    is the environment that it is carried from, None for what CI built.
    """

    service: Service
    to: Environment
    old: Pin | None
    new: Pin
    folder: str
    starts: Sequence[str] = ()
    source: Environment | None = None
    verdicts: Sequence[Verdict] = ()
    back: bool = False
    warnings: Sequence[str] = ()
    overrides: Sequence[Override] = ()


def title(move: Move, verb: str) -> str:
    """One line: what moves where, from which release to which."""
    return f"{verb} {move.service} to {move.environment}: {_change(move.before, move.after)}"


def steps(old: Pin | None, new: Pin) -> tuple[str, ...]:
    """The same for a terminal: one line for the image, one for the chart."""
    image = _change(old.release if old else None, new.release)
    chart = f"chart   {_chart_change(old, new)}{'' if new.origin.proved else '   NOT PROVED: not committed at the tag'}"
    line = f"image   {image}   {_short_digest(new.release.digest)}".rstrip()
    return (line,) if new.origin.chart == NO_CHART else (line, chart)


def body(facts: Facts) -> str:
    """The body of a pull request that pins a release: what moves, what was checked, how to see more and to go back."""
    parts = [
        _lead(facts),
        _warning(facts),
        _overrides(facts),
        _table(facts),
        _starts(facts),
        _gates(facts),
        _see_more(facts),
        _way_back(facts),
    ]
    return _fitted("\n\n".join(part for part in parts if part), _machine(facts))


_STATES = {"passed": "✅", "waiting": "⏳", "refused": "❌"}


def commit_message(draft: Draft) -> str:
    """The message of the commit: the title, then facts as trailers for `git log` (nothing believes them).

    An override stands in it, so that asking for another one makes another head: nobody's approval covers it unseen.
    """
    move = draft.move
    if move is None:
        return f"{draft.title}\n"
    overrides = "".join(f"Shiplane-Override: {each.gate}: {each.reason}\n" for each in draft.overrides)
    return (
        f"{draft.title}\n\nImage: {move.after.digest}\n"
        f"Shiplane-Service: {move.service}\nShiplane-Environment: {move.environment}\n{overrides}"
    )


def _change(old: Release | None, new: Release) -> str:
    if old is None:
        return f"{new.short}, its first release there"
    if old.tag == new.tag:
        return f"{new.short}, {'image unchanged' if old.digest == new.digest else 'built again'}"
    return f"{old.short} → {new.short}"


def _lead(facts: Facts) -> str:
    name, to = facts.service.name, facts.to.name
    if facts.back:
        return f"**{name}** goes back in **{to}** to what it has had there, byte for byte; what it leaves is held back."
    if facts.source is None:
        return f"**{name}** is released into **{to}**, built from {_source(facts.new)}."
    return (
        f"**{name}** goes from **{facts.source.name}** to **{to}**: what {facts.source.name} has pinned, byte for byte."
    )


def _warning(facts: Facts) -> str:
    noted = "".join(f"> [!WARNING]\n> {_shown(each)}\n" for each in facts.warnings)
    if facts.new.origin.proved or facts.new.origin.chart == NO_CHART:
        return noted.rstrip()
    return noted + (
        "> [!WARNING]\n> **Not proved:** this chart comes from a folder, not from a commit of its repository.\n"
        "> Ask who built it, and from what."
    )


def _overrides(facts: Facts) -> str:
    """What a break-glass team is asked for: an approval by one of them grants it."""
    team = facts.to.gates.break_glass
    lines = "".join(f"> **{each.gate}** is to be overridden: {code(each.reason, _WHOLE)}\n" for each in facts.overrides)
    return f"> [!CAUTION]\n{lines}> An approval by somebody of {team} lets it through." if lines else ""


def _table(facts: Facts) -> str:
    old, new = facts.old, facts.new
    before, after = _column(old), _column(new)
    moved = old and old.release.tag != new.release.tag and old.origin.source == new.origin.source
    if old and moved and old.release.commit and new.release.commit:
        link = f"https://github.com/{new.origin.source}/compare/{old.release.tag}...{new.release.tag}"
        after[1] += f" · [compare]({link})"
    if old:
        after[2] += _chart_remark(old, new)
    cells = zip(("image", "source", "chart"), before, after, strict=True)
    rows = "\n".join(f"| {name} | {b} | {a} |" for name, b, a in cells)
    return f"| | {facts.to.name} now | after merge |\n|---|---|---|\n{rows}"


def _column(pin: Pin | None) -> list[str]:
    if pin is None:
        return ["–", "–", "–"]
    run = f", run {pin.origin.run}" if pin.origin.run is not None else ""
    image = f"`{pin.release.short}` `{_short_digest(pin.release.digest)}`".removesuffix(" ``")
    return [image, f"{_source(pin)}{run}", code(pin.origin.chart)]


def _starts(facts: Facts) -> str:
    if not facts.starts:
        return ""
    to = facts.to.name
    files = "\n".join(f"- `{path}`" for path in facts.starts)
    return f"### The first release in {to}\nAdded from `defaults/{to}/` and the catalog:\n{files}"


def _gates(facts: Facts) -> str:
    needed, proved = facts.to.gates.approvals, facts.new.origin.proved
    committed = "as committed where the image was built from" if proved else "not from a commit"
    helm = ("renders", "✅", f"by helm, with {facts.to.name}'s settings as they will be")
    rendered = [("chart", "✅" if proved else "⚠️", committed), helm]
    if facts.new.origin.chart == NO_CHART:
        rendered = [("renders", "–", "not proved: what this layout renders lies elsewhere")]
    rows = [
        *((each.gate, _STATES[each.state], _cell(each.why)) for each in facts.verdicts),
        *rendered,
        ("approvals", f"⏳ {needed}", "not by author, requester, a committer or a bot")
        if needed
        else ("approvals", "–", f"{facts.to.name} asks for none"),
        ("merge", "auto" if facts.to.merge else "⏳", "at once" if facts.to.merge else "by a person"),
    ]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"### Gates\n| gate | state | why |\n|---|---|---|\n{lines}"


def _see_more(facts: Facts) -> str:
    """A branch that merges at once is gone when somebody reads this."""
    branch = branch_of(facts.to.name, facts.service.name)
    history = f"git log --first-parent -m -p -- {facts.folder}"
    diff = history if facts.to.merge else f"git fetch origin {branch} && git diff HEAD...FETCH_HEAD"
    return f"### To see more\n`gitops status` · the diff: `{diff}`"


def _way_back(facts: Facts) -> str:
    """A first release has nothing to go back to: its merge is taken back instead."""
    name, to = facts.service.name, facts.to.name
    if facts.back:
        return f"### Way back\n`gitops unhold {name} --env {to}`, and promote it again."
    if facts.old:
        way = f"`gitops rollback {name} --env {to}` returns to `{facts.old.release.short}`, chart and all."
        return f"### Way back\n{way}"
    found = f"git log --first-parent -1 --format=%H -- {facts.folder} ':!{facts.folder}/values.yaml'"
    way = f"takes it out of {to} again (README.md says what then happens to what runs)"
    return f"### Way back\nAfter the merge, as a pull request: `git revert --mainline 1 $({found})` {way}."


def _machine(facts: Facts) -> str:
    new = facts.new.release
    carried = {"from": facts.source.name} if facts.source else {}
    told = {"service": facts.service.name, **carried, "to": facts.to.name, "tag": new.tag, "digest": new.digest}
    return f"<!-- shiplane:1 {json.dumps(told)} -->"


def _fitted(text: str, machine: str) -> str:
    """The body in the length that GitHub takes: cut between paragraphs, the machine's block kept whole."""
    whole = f"{text}\n\n{machine}\n"
    if len(whole) <= MOST:
        return whole
    cut = f"_The rest is too long for a pull request._\n\n{machine}\n"
    return text[: MOST - len(cut) - 2].rpartition("\n\n")[0] + f"\n\n{cut}"


def _chart_change(old: Pin | None, new: Pin) -> str:
    chart = _shown(new.origin.chart)
    if old is None:
        return chart
    if old.origin.chart == new.origin.chart:
        return f"{chart}{_chart_remark(old, new)}"
    return f"{_shown(old.origin.chart)} → {chart}"


def _chart_remark(old: Pin, new: Pin) -> str:
    if old.identity[-1] == new.identity[-1] or new.origin.chart == NO_CHART:
        return "" if new.origin.chart == NO_CHART else " (unchanged)"
    return " (changed, under the same version)" if old.origin.chart == new.origin.chart else ""


def _source(pin: Pin) -> str:
    source, release = pin.origin.source, pin.release
    at, below = (f"@{release.short}", f"/commit/{release.tag}") if release.commit else ("", "")
    return f"[{source}{at}](https://github.com/{source}{below})"


def _short_digest(digest: str) -> str:
    return f"{digest[:11]}…{digest[-4:]}" if digest else ""


def _shown(text: str, longest: int = _LONGEST) -> str:
    return printable(text if len(text) <= longest else f"{text[:longest]}…")


def _cell(text: str) -> str:
    """A gate's sentence: as it is, unless a stranger's word in it could act on what is around it."""
    return text if text.isprintable() and _ACTS.isdisjoint(text) else code(text, _WHOLE)


def code(text: str, longest: int = _LONGEST) -> str:
    """A stranger's word inside a table cell: as code, where neither markup nor a mention works, on one line."""
    return f"`{_shown(text, longest).replace('`', '´').replace('|', '¦')}`"
