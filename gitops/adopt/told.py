"""What `gitops adopt` says: for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from generator.errors import printable
from gitops.adopt import Proposal
from gitops.status import side_by_side

_MOST = 30  # reasons why something was not read; the rest is counted


def text(proposal: Proposal) -> str:
    """The table, what was not read and why, and what was assumed."""
    return "\n".join(_lines(proposal))


def _lines(proposal: Proposal) -> Iterator[str]:
    services = sorted(proposal.table)
    columns = [["service", *services]]
    for name in proposal.environments:
        releases = [proposal.table[service].get(name) for service in services]
        columns.append([name, *(printable(each.short) if each else "–" for each in releases)])
    yield from side_by_side(columns, "  ")
    reasons: dict[str, list[str]] = {}
    for each in proposal.unread:
        reasons.setdefault(each.why, []).append(each.file)
    yield from ("", "not read:") if reasons else ()
    for why, files in [*reasons.items()][:_MOST]:
        more = f" (and {len(files) - 1} more)" if len(files) > 1 else ""
        yield f"  {printable(files[0])}{more}: {printable(why)}"
    if left := sum(map(len, [*reasons.values()][_MOST:])):
        yield f"  and {left} more: --json has them all"
    yield from ("", "assumed; look at it before you merge it:") if proposal.assumed else ()
    yield from (f"  {printable(each)}" for each in proposal.assumed)


def items(proposal: Proposal) -> list[dict[str, object]]:
    """The same, for programs (`shiplane/adoption/1`): one item."""
    return [
        {
            "environments": list(proposal.environments),
            "services": {
                service: {name: {"tag": each.tag, "digest": each.digest} for name, each in cells.items()}
                for service, cells in sorted(proposal.table.items())
            },
            "unread": [{"file": each.file, "why": each.why} for each in proposal.unread],
            "assumed": list(proposal.assumed),
            "files": {path: data.decode() for path, data in proposal.files.items()},
        }
    ]
