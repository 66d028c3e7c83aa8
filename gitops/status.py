"""`gitops status`: what each environment has pinned of each service, since when, and what is on its way."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from generator.errors import ShiplaneError, printable
from gitops import catalog, pins
from gitops.config import Config, Environment
from gitops.model import EXECUTABLE, FILE, Pin, Release, Snapshot
from gitops.pull_request import PullRequest


@dataclass(frozen=True, slots=True)
class Cell:
    """One service in one environment. `problem` is set where the pin cannot be read; the rest is then empty.

    `behind` are the environments of its `from` that have something else.
    """

    release: Release | None = None
    since: datetime | None = None
    behind: tuple[str, ...] = ()
    request: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Row:
    """One service, with a cell for each environment in the lane's order."""

    service: str
    cells: Mapping[str, Cell]


def roots(config: Config) -> list[str]:
    """The folders to list before judging; none for all of the repository."""
    if not config.layout.own:
        return ["services", config.layout.root()] if config.layout.root() else []
    return ["services", *(config.layout.folder(name, "").rstrip("/") for name in config.environments)]


def files(config: Config, listing: Snapshot) -> list[str]:
    """The files to read of a listing of `roots`."""
    pinned = [
        file
        for service in services(config, listing)
        for name in config.environments
        for file in pins.files(config, name, service)
    ]
    return [path for path in pinned if (entry := listing.get(path)) and entry.mode in (FILE, EXECUTABLE)]


def services(config: Config, listing: Snapshot) -> list[str]:
    """Every service of the catalog, and every one that an environment has without being in it."""
    known = {*catalog.names(listing)}
    if not config.layout.own:
        found = (config.layout.placed(path, config.environments) for path in listing.entries)
        known.update(place[0] for place in found if place and place[2] in config.layout.carries)
        return sorted(service for service in known if "/" not in service)
    for name in config.environments:
        root = config.layout.folder(name, "")
        below = (path[len(root) :] for path in listing.entries if path.startswith(root))
        known.update(path.removesuffix("/release.yaml") for path in below if path.endswith("/release.yaml"))
    return sorted(service for service in known if "/" not in service)


def rows(
    config: Config,
    snapshot: Snapshot,
    opened: Sequence[PullRequest],
    merged: Mapping[tuple[str, str], PullRequest],
) -> list[Row]:
    """The table, as values."""
    waiting = {(move.service, move.environment): r.number for r in opened for move in r.moves}
    found = []
    for service in services(config, snapshot):
        pinned = {name: _pin(config, snapshot, name, service) for name in config.environments}
        cells = {
            name: _cell(pinned, config.environments[name], merged.get((service, name)), waiting.get((service, name)))
            for name in config.environments
        }
        found.append(Row(printable(service), cells))
    return found


def table(config: Config, rows: Sequence[Row], now: datetime) -> str:
    """The table, as text: all columns aligned, `← behind` where a pin is not the one of the environment before.

    Where several come before it, they are named: `← behind staging-eu`.
    """
    columns = [["service", *(row.service for row in rows)]]
    for name, environment in config.environments.items():
        several = len(environment.before) > 1
        columns.append([name, *_told([row.cells[name] for row in rows], now, several=several)])
    return "\n".join(side_by_side(columns, "  "))


def items(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The table, for programs (`shiplane/status/1`)."""
    return [
        {
            "service": row.service,
            "environments": {
                name: {
                    "tag": cell.release and cell.release.tag,
                    "digest": (cell.release and cell.release.digest) or None,
                    "since": cell.since and cell.since.isoformat(),
                    "behind": bool(cell.behind),
                    "behind_of": list(cell.behind),
                    "pull_request": cell.request,
                    "problem": cell.problem or None,
                }
                for name, cell in row.cells.items()
            },
        }
        for row in rows
    ]


def age(since: timedelta) -> str:
    """A length of time in its largest whole unit: `2 d`, `3 h`, `10 min`, `now`."""
    minutes = int(since.total_seconds() // 60)
    for size, unit in ((24 * 60, "d"), (60, "h"), (1, "min")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return "now"


def _pin(config: Config, snapshot: Snapshot, name: str, service: str) -> Pin | ShiplaneError | None:
    try:
        return pins.pin(snapshot, config, name, service)
    except ShiplaneError as error:
        return error


def _cell(
    pinned: Mapping[str, Pin | ShiplaneError | None],
    environment: Environment,
    merged: PullRequest | None,
    waiting: int | None,
) -> Cell:
    """Nobody is behind an environment that has nothing, or nothing that can be read."""
    pin = pinned[environment.name]
    if isinstance(pin, ShiplaneError):
        return Cell(problem=str(pin), request=waiting)
    before = {name: each for name in environment.before if isinstance(each := pinned[name], Pin)}
    behind = tuple(name for name, each in before.items() if pin is None or each.identity != pin.identity)
    if pin is None:
        return Cell(behind=behind, request=waiting)
    by_that = merged and merged.move and merged.move.after == pin.release
    return Cell(pin.release, merged.merged if merged and by_that else None, behind, waiting)


def _told(cells: Sequence[Cell], now: datetime, *, several: bool) -> list[str]:
    """The cells of one environment: pin, age, open pull request and remark, each under its like.

    `several` come before it, so that the remark says which.
    """
    ages = [age(now - cell.since).rpartition(" ") if cell.since else ("", "", "") for cell in cells]
    digits = max((len(number) for number, _, _ in ages), default=0)
    parts = [
        ["unreadable" if cell.problem else cell.release.short if cell.release else "–" for cell in cells],
        [f"{number:>{digits}} {unit}".rstrip() for number, _, unit in ages],
        [f"#{cell.request}" if cell.request else "" for cell in cells],
        [_remark(cell, several=several) for cell in cells],
    ]
    return side_by_side([part for part in parts if any(part)], "  ")


def _remark(cell: Cell, *, several: bool) -> str:
    if not (cell.behind and cell.release):
        return ""
    return f"← behind {', '.join(cell.behind)}" if several else "← behind"


def side_by_side(columns: Sequence[Sequence[str]], gap: str) -> list[str]:
    """Lines in which each column is as wide as its widest text."""
    widths = [max(map(_width, column), default=0) for column in columns]
    return [
        gap.join(text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*columns, strict=True)
    ]


def _width(text: str) -> int:
    """Places that a terminal gives to `text`: two for wide characters, none for combining ones (Unicode, UAX 11)."""
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
