"""The body of a pull request that pins releases: what moves, what changes by it, what was checked, and the way back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gitops.messages import change, gates, rendered, source
from gitops.messages.words import chart_remark as remark
from gitops.messages.words import code, count, sentence, short_digest
from gitops.model import NO_CHART, Pin
from gitops.step import Seen, Step, Told

MOST = 65_536
"""Characters that GitHub takes for a pull request's body."""
_DANGERS = 40  # that are told one by one
_FEW = 12  # services that are told one by one; of more the tables alone speak
_FEW_COMMITS = 5  # of each of several services
_SETTINGS, _TEXT = 200, 20  # lines of settings, and of one text in them
_SLACK = 10  # characters between the parts
_BETWEEN = "\n\n"


def body(pairs: Sequence[Told]) -> str:
    """The body for these steps, which all go into one environment by one pull request; never more than `MOST`.

    Of what is too long the rendered change is cut first, between resources; then what stands above it, between
    paragraphs. What decides stands at the end, and stays: gates, the way back, the machine's block.
    """
    steps = [step for step, _ in pairs]
    head = _joined(
        _lead(pairs),
        _dangers(pairs),
        *(part for step in steps for part in (_warnings(step), gates.overrides(step))),
        _table(pairs) if len(pairs) > 1 else _columns(*pairs[0]),
        *(_service(*pair, of=len(pairs)) for pair in pairs),
    )
    tail = _joined(gates.section(pairs), _way_back(steps), _machine(steps))
    changes = rendered.section(pairs, MOST - len(head) - len(tail) - _SLACK)
    whole = f"{_joined(head, changes, tail)}\n"
    if len(whole) <= MOST:
        return whole
    cut = _joined("_The rest is too long for a pull request._", tail)
    return f"{head[: MOST - len(cut) - _SLACK].rpartition(_BETWEEN)[0]}{_BETWEEN}{cut}\n"


def _joined(*parts: str) -> str:
    return _BETWEEN.join(part for part in parts if part)


def _lead(pairs: Sequence[Told]) -> str:
    """One line: what moves where, and whether anything speaks against it."""
    step = pairs[0][0]
    to = step.to.name
    exact = "byte for byte" if step.case.config.layout.own else f"with all else in {to}'s files as it is"
    name = f"**{step.service}**" if len(pairs) == 1 else f"**{count(len(pairs), 'service')}**"
    if step.back:
        held = "; what it leaves is held back" if step.held else ""
        moves = f"{name} goes back in **{to}** to what it has had there, {exact}{held}."
    elif step.source is None and len(pairs) > 1:  # the table has each one's source
        moves = f"{name} are released into **{to}**."
    elif step.source is None:
        moves = f"{name} is released into **{to}**, built from {source.source_link(step.new, step.case.config.server)}."
    else:
        goes, start = "goes" if len(pairs) == 1 else "go", step.source.name
        moves = f"{name} {goes} from **{start}** to **{to}**: what {start} has pinned, {exact}."
    return f"{moves} {_judged(pairs)}".rstrip()


def _judged(pairs: Sequence[Told]) -> str:
    found = [seen for _, seen in pairs if seen.difference or seen.untold]
    if not found:
        return ""
    dangers = sum(len(seen.difference.dangers) for seen in found if seen.difference)
    parts = [f"**{count(dangers, 'danger')}**, named below"] if dangers else []
    if any(seen.untold for seen in found):
        parts.append("**What changes in the cluster could not be told**")
    elif not dangers:
        parts.append("Nothing dangerous found")
    return f"{'; '.join(part for part in [*parts, gates.summary(pairs)] if part)}."


def _dangers(pairs: Sequence[Told]) -> str:
    several = len(pairs) > 1
    found = [
        (step.service if several else "", danger)
        for step, seen in pairs
        if seen.difference
        for danger in seen.difference.dangers
    ]
    if not found:
        return ""
    more = f"\n- and {len(found) - _DANGERS} more" if len(found) > _DANGERS else ""
    return f"### ⚠️ {count(len(found), 'danger')}\n{change.danger_lines(found[:_DANGERS])}{more}"


def _warnings(step: Step) -> str:
    """What its maker has to say, and that nobody can prove where it comes from."""
    noted = "".join(f"> [!WARNING]\n> {sentence(each)}\n" for each in step.warnings)
    if step.new.origin.proved or step.new.origin.chart == NO_CHART:
        return noted.rstrip()
    return noted + (
        "> [!WARNING]\n> **Not proved:** this chart comes from a folder, not from a commit of its repository.\n"
        "> Ask who built it, and from what."
    )


def _columns(step: Step, seen: Seen) -> str:
    """One service's table: now and after the merge."""
    old, new = step.old, step.new
    server = step.case.config.server
    before, after = _column(old, server), _column(new, server)
    if link := source.compare_link(step):
        after[1] += f" · [compare]({link})"
    names = [step.kind, "source"]
    if new.origin.chart != NO_CHART:
        names.append("chart")
        before.append(code(old.origin.chart) if old else "–")
        after.append(code(new.origin.chart) + (remark(old, new) if old else ""))
    rows = [f"| {' | '.join(row)} |" for row in zip(names, before, after, strict=True)]
    if seen.since and step.source:
        since = f"since {seen.since.merged:%a %Y-%m-%d %H:%M} UTC, by #{seen.since.number}"
        rows.append(f"| in {step.source.name} | | {since} |")
    return "\n".join([f"| | {step.to.name} now | after merge |", "|---|---|---|", *rows])


def _column(pin: Pin | None, server: str) -> list[str]:
    if pin is None:
        return ["–", "–"]
    run = f", run {pin.origin.run}" if pin.origin.run is not None else ""
    return [_image(pin), f"{source.source_link(pin, server)}{run}"]


def _image(pin: Pin | None) -> str:
    return f"`{pin.release.short}` `{short_digest(pin.release.digest)}`".removesuffix(" ``") if pin else "–"


def _table(pairs: Sequence[Told]) -> str:
    """Several services' table: a row each."""
    first = pairs[0][0]
    head = ["service", f"{first.to.name} now", "after merge", "chart", "source"]
    charts = first.new.origin.chart != NO_CHART
    if not charts:
        head.remove("chart")
    rows = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for step, seen in pairs:
        chart = f" {code(step.new.origin.chart)}{remark(step.old, step.new) if step.old else ''} |" if charts else ""
        link = source.compare_link(step)
        where = f"[{source.counted(seen)}]({link})" if link else source.source_link(step.new, step.case.config.server)
        since = f" · in {step.source.name} by #{seen.since.number}" if seen.since and step.source else ""
        rows.append(f"| {step.service} | {_image(step.old)} | {_image(step.new)} |{chart} {where}{since} |")
    return "\n".join(rows)


def _service(step: Step, seen: Seen, of: int) -> str:
    """What is told of one service: its first files, its commits, the settings that go with it."""
    if of > _FEW:
        return _joined(_settings(step, seen), _beside(step, seen, of))
    commits = source.commits(step, seen, _FEW_COMMITS if of > 1 else source.MOST)
    if of > 1:
        commits = commits.replace("### What is in it", f"### What is in {step.service}", 1)
    return _joined(_starts(step), commits, _settings(step, seen), _beside(step, seen, of))


def _starts(step: Step) -> str:
    if not step.starts:
        return ""
    to = step.to.name
    files = "\n".join(f"- `{path}`" for path in step.starts)
    return f"### The first release of {step.service} in {to}\nAdded from `defaults/{to}/` and the catalog:\n{files}"


def _settings(step: Step, seen: Seen) -> str:
    """A person's settings go with it: every one that is not as before."""
    if not step.settings:
        return ""
    lines = change.shortened(change.fields(seen.settings, text=_TEXT), _SETTINGS)
    return f"### Settings that go with it: `{step.settings}`\n{change.fenced(lines)}" if lines else ""


def _beside(step: Step, seen: Seen, of: int) -> str:
    """What else a layout of somebody else's carries, where it is not as before."""
    lines = change.shortened(change.fields(seen.beside, text=_TEXT), _SETTINGS)
    whose = f" of {step.service}" if of > 1 else ""
    return f"### What goes with it{whose}: {count(len(seen.beside), 'value')}\n{change.fenced(lines)}" if lines else ""


def _way_back(steps: Sequence[Step]) -> str:
    """A first release has nothing to go back to: its merge is taken back instead."""
    if steps[0].back:
        step = steps[0]
        again = f"{'promote' if step.to.sources else 'release'} it again."
        lifted = f"`gitops unhold {step.service} --env {step.to.name}`, and " if step.held else ""
        return f"### Way back\n{lifted}{again if lifted else again.capitalize()}"
    if len(steps) > _FEW:
        return f"### Way back\n`gitops rollback SERVICE --env {steps[0].to.name}` for each that has been there before."
    return "### Way back\n" + "\n".join(map(_way, steps))


def _way(step: Step) -> str:
    to, folder = step.to.name, step.case.folder
    if step.old:
        whole = "" if step.new.origin.chart == NO_CHART else ", chart and all"
        way = f"`gitops rollback {step.service} --env {to}` returns to `{step.old.release.short}`{whole}."
        return f"{way}  "
    if not step.case.config.layout.own:  # what is carried may lie in files that others share
        return "Revert the merge of this pull request."
    found = f"git log --first-parent -1 --format=%H -- {folder} ':!{folder}/values.yaml'"
    way = f"takes it out of {to} again (README.md says what then happens to what runs)"
    return f"After the merge, as a pull request: `git revert --mainline 1 $({found})` {way}."


def _machine(steps: Sequence[Step]) -> str:
    """For programs, which must not believe it: a body is anybody's to edit. Everything in it is checked text."""
    first = steps[0]
    carried = {"from": first.source.name} if first.source else {}
    pins = [{"service": each.service, "tag": each.new.release.tag, "digest": each.new.release.digest} for each in steps]
    return f"<!-- shiplane:1 {json.dumps({**carried, 'to': first.to.name, 'pins': pins})} -->"
