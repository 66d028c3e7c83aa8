"""`gitops status`: what each environment has pinned of each service, since when, and what is on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from generator.errors import ShiplaneError
from gitops import pins
from gitops.config import Config
from gitops.model import PullRequest, Release, Snapshot


@dataclass(frozen=True, slots=True)
class Cell:
    """One service in one environment. `problem` is set where the pin cannot be read; the rest is then empty."""

    release: Release | None = None
    since: datetime | None = None
    behind: bool = False
    request: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Row:
    """One service, with a cell for each environment in the lane's order."""

    service: str
    cells: Mapping[str, Cell]


def roots(config: Config) -> list[str]:
    """The folders to list before judging."""
    return ["services", *(config.layout.folder(name, "").rstrip("/") for name in config.environments)]


def files(config: Config, listing: Snapshot) -> list[str]:
    """The files to read of a listing of `roots`."""
    pinned = [
        f"{config.layout.folder(name, service)}/{file}"
        for service in services(config, listing)
        for name in config.environments
        for file in ("release.yaml", "origin.yaml")
    ]
    return [path for path in pinned if path in listing.entries]


def services(config: Config, listing: Snapshot) -> list[str]:
    """Every service of the catalog, and every one that an environment has without being in it."""
    known = {path[len("services/") : -len(".yaml")] for path in listing.entries if _is_catalog_entry(path)}
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
    waiting = {(r.move.service, r.move.environment): r.number for r in opened if r.move}
    return [
        Row(
            service,
            {
                name: _cell(config, snapshot, service, name, merged.get((service, name)), waiting.get((service, name)))
                for name in config.environments
            },
        )
        for service in services(config, snapshot)
    ]


def table(config: Config, rows: Sequence[Row], now: datetime) -> str:
    """The table, as text: columns aligned, `← behind` where an environment lacks what the one before it has."""
    names = list(config.environments)
    lines = [["service", *names]]
    lines += [[row.service, *(_told(row.cells[name], now) for name in names)] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names) + 1)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def items(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The table, for programs (`shiplane/status/1`)."""
    return [
        {
            "service": row.service,
            "environments": {
                name: {
                    "tag": cell.release and cell.release.tag,
                    "digest": cell.release and cell.release.digest,
                    "since": cell.since and cell.since.isoformat(),
                    "behind": cell.behind,
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


def _is_catalog_entry(path: str) -> bool:
    return path.startswith("services/") and path.endswith(".yaml")


def _cell(
    config: Config, snapshot: Snapshot, service: str, name: str, merged: PullRequest | None, waiting: int | None
) -> Cell:
    try:
        pin = pins.pin(snapshot, config, name, service)
    except ShiplaneError as error:
        return Cell(problem=str(error), request=waiting)
    source = config.environments[name].source
    ids = pins.identity(snapshot, config, name, service)
    before = pins.identity(snapshot, config, source, service) if source else ids
    behind = any(before) and before != ids
    if pin is None:
        return Cell(behind=behind, request=waiting)
    by_that = merged and merged.move and merged.move.after == pin.release
    return Cell(pin.release, merged.merged if merged and by_that else None, behind, waiting)


def _told(cell: Cell, now: datetime) -> str:
    if cell.problem:
        return "unreadable"
    parts = [cell.release.short if cell.release else "–"]
    if cell.since:
        parts.append(age(now - cell.since))
    if cell.request:
        parts.append(f"#{cell.request}")
    if cell.behind:
        parts.append("← behind")
    return "  ".join(parts)
