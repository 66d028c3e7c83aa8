"""What `gitops adopt` says: for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from generator.errors import printable
from gitops.adopt import Proposal
from gitops.adopt.sites import by_reason
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
    reasons = by_reason(proposal.unread)
    yield from ("", "not read:") if reasons else ()
    yield from (f"  {printable(each)}" for each in reasons[:_MOST])
    if len(reasons) > _MOST:
        yield f"  and for {len(reasons) - _MOST} reasons more: --json has them all"
    yield from ("", "assumed; look at it before you merge it:") if proposal.assumed else ()
    yield from (f"  {printable(each)}" for each in proposal.assumed)


def items(proposal: Proposal) -> list[dict[str, object]]:
    """The same, for programs (`shiplane/adoption/1`): one item."""
    return [
        {
            "environments": list(proposal.environments),
            "services": {
                service: {name: {"tag": each.tag, "digest": each.digest or None} for name, each in cells.items()}
                for service, cells in sorted(proposal.table.items())
            },
            "unread": [{"file": each.file, "why": each.why} for each in proposal.unread],
            "assumed": list(proposal.assumed),
            "files": {path: data.decode() for path, data in proposal.files.items()},
        }
    ]
