"""The table of the audit: a line for each subject, a column for each tool, in each cell the failed checks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scripts.audit.findings import Finding, Skip, unlisted

LEGEND = "failed checks; +n: as many more are listed in docs/findings.md; -: not judged by this tool"


def table(ran: Collection[tuple[str, str]], found: Collection[Finding], skips: Sequence[Skip], baseline: str) -> str:
    """`ran` holds (subject, tool), in the order to show; `baseline` is the subject that no skip is for."""
    subjects, tools = (list(dict.fromkeys(pair[side] for pair in ran)) for side in (0, 1))
    rows = [["", *tools]]
    for subject in subjects:
        of = [finding for finding in found if finding.subject == subject]
        left = of if subject == baseline else unlisted(of, skips)
        cells = [_cell(of, left, tool) if (subject, tool) in ran else "-" for tool in tools]
        rows.append([subject, *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = [[f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)] for row in rows]
    lines = ["  ".join([row[0].ljust(widths[0]), *right[1:]]) for row, right in zip(rows, aligned, strict=True)]
    return "\n".join([*lines, f"({LEGEND})"])


def _cell(found: Sequence[Finding], left: Sequence[Finding], tool: str) -> str:
    both = [sum(finding.tool == tool for finding in findings) for findings in (found, left)]
    listed = both[0] - both[1]
    return f"{both[1]}+{listed}" if listed else str(both[1])
