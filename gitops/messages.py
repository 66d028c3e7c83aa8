"""What people read: titles, bodies and commit messages of pull requests, as pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from generator.errors import printable
from gitops.catalog import Service
from gitops.config import Environment
from gitops.model import Draft, Move, Pin

_MOST = 65_536
"""Characters that GitHub takes for a pull request's body."""


def title(move: Move, verb: str) -> str:
    """One line: what moves where, from which release to which."""
    change = (
        f"{move.before.short} → {move.after.short}" if move.before else f"{move.after.short}, its first release there"
    )
    return f"{verb} {move.service} to {move.environment}: {change}"


def steps(old: Pin | None, new: Pin) -> tuple[str, ...]:
    """The same for a terminal: one line for the image, one for the chart."""
    image = f"{old.release.short} → {new.release.short}" if old else f"{new.release.short} (its first release there)"
    return (
        f"image   {image}   {_short_digest(new.release.digest)}",
        f"chart   {_chart_change(old, new)}{'' if new.origin.proved else '   NOT PROVED: not committed at the tag'}",
    )


def release_body(service: Service, to: Environment, old: Pin | None, new: Pin, starts: Sequence[str]) -> str:
    """The body of a pull request that pins what CI built."""
    lead = f"**{service.name}** is released into **{to.name}**, built from {_source(service, new)}."
    return _body(lead, service, to, old, new, starts)


def promotion_body(
    service: Service, source: Environment, to: Environment, old: Pin | None, new: Pin, starts: Sequence[str]
) -> str:
    """The body of a pull request that carries a release from `source` one environment further."""
    way = f"from **{source.name}** to **{to.name}**"
    lead = f"**{service.name}** goes {way}: what {source.name} has pinned, object for object."
    return _body(lead, service, to, old, new, starts)


def onboarding_body(service: Service) -> str:
    """The body of a pull request that makes a service known."""
    rows = [
        ("owner", f"`{service.owner}`"),
        ("source", f"[{service.source}](https://github.com/{service.source})"),
        ("image", f"`{service.image}`"),
        ("tier", service.tier),
    ]
    table = "\n".join(f"| {key} | {value} |" for key, value in rows)
    return (
        f"**{service.name}** becomes known: from the merge on, its releases are taken.\n\n"
        f"| | |\n|---|---|\n{table}\n\n"
        "### To review\n"
        "- The source repository is the one whose CI may release this service.\n"
        "- The image's repository belongs to it alone.\n\n"
        "### Way back\nRevert the merge of this pull request; what runs keeps running, nothing new is taken.\n"
    )


def commit_message(draft: Draft) -> str:
    """The message of the commit: the title, then facts as trailers for `git log` (nothing believes them)."""
    move = draft.move
    if move is None:
        return f"{draft.title}\n"
    return (
        f"{draft.title}\n\nImage: {move.after.digest}\n"
        f"Shiplane-Service: {move.service}\nShiplane-Environment: {move.environment}\n"
    )


def _body(lead: str, service: Service, to: Environment, old: Pin | None, new: Pin, starts: Sequence[str]) -> str:
    parts = [lead, _table(service, to, old, new)]
    if not new.origin.proved:
        parts.append("> **Not proved:** this chart was not committed at the image's commit. Ask where it comes from.")
    if starts:
        files = "\n".join(f"- `{path}`" for path in starts)
        parts.append(f"### The first release in {to.name}\nAdded from `defaults/{to.name}/` and the catalog:\n{files}")
    parts += [_gates(to), _see_more(service, to), _way_back(service, to, old), _machine(service, to, new)]
    body = "\n\n".join(parts) + "\n"
    return body if len(body) <= _MOST else body[: _MOST - 1]


def _table(service: Service, to: Environment, old: Pin | None, new: Pin) -> str:
    def column(pin: Pin | None) -> list[str]:
        if pin is None:
            return ["–", "–", "–"]
        image = f"`{pin.release.short}` `{_short_digest(pin.release.digest)}`"
        run = f", run {pin.origin.run}" if pin.origin.run is not None else ""
        return [image, f"{_source(service, pin)}{run}", _plain(pin.origin.chart)]

    before, after = column(old), column(new)
    if old and old.release.tag != new.release.tag:
        link = f"https://github.com/{service.source}/compare/{old.release.tag}...{new.release.tag}"
        after[1] += f" · [compare]({link})"
    if old and old.identity[-1] == new.identity[-1]:
        after[2] += " (unchanged)"
    names = ("image", "source", "chart")
    rows = "\n".join(f"| {name} | {b} | {a} |" for name, b, a in zip(names, before, after, strict=True))
    return f"| | {to.name} now | after merge |\n|---|---|---|\n{rows}"


def _gates(to: Environment) -> str:
    asked = "none asked" if not to.approvals else f"{to.approvals} asked: not by author, requester, committer or a bot"
    by = "Shiplane, at once" if to.merge else "a person"
    rows = f"| renders | ✅ helm rendered the result |\n| approvals | {asked} |\n| merged by | {by} |"
    return f"### Gates\n| gate | |\n|---|---|\n{rows}"


def _see_more(service: Service, to: Environment) -> str:
    return f"### To see more\n`gitops status` · `git log --first-parent -- environments/{to.name}/{service.name}`"


def _way_back(service: Service, to: Environment, old: Pin | None) -> str:
    found = f"git log --first-parent -1 --format=%H -- environments/{to.name}/{service.name}"
    target = f"returns to `{old.release.short}`, chart and all" if old else f"takes it out of {to.name} again"
    return f"### Way back\n`git revert --mainline 1 $({found})` {target}."


def _machine(service: Service, to: Environment, new: Pin) -> str:
    facts = {"service": service.name, "to": to.name, "tag": new.release.tag, "digest": new.release.digest}
    return f"<!-- shiplane:1 {json.dumps(facts)} -->"


def _chart_change(old: Pin | None, new: Pin) -> str:
    if old and old.identity[-1] == new.identity[-1]:
        return f"{printable(new.origin.chart)} (unchanged)"
    return f"{printable(old.origin.chart)} → {printable(new.origin.chart)}" if old else printable(new.origin.chart)


def _source(service: Service, pin: Pin) -> str:
    address = f"https://github.com/{service.source}/commit/{pin.release.tag}"
    return f"[{service.source}@{pin.release.short}]({address})"


def _short_digest(digest: str) -> str:
    return f"{digest[:11]}…{digest[-4:]}"


def _plain(text: str) -> str:
    """Text of a stranger inside a table cell: no markup, no line break, no mention."""
    return "".join(c if c.isalnum() or c in ".+-_ " else f"&#{ord(c)};" for c in printable(text))
