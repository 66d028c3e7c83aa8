"""What the tools found, and the skips: the findings that stay, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

SKIPS = Path(__file__).with_name("skips.yaml")
BEGIN, END = "<!-- skips -->\n", "<!-- /skips -->\n"
"""Around the table in docs/findings.md that is made from the skips."""


class AuditError(Exception):
    """Why the audit cannot be done, in a sentence for the user."""


@dataclass(frozen=True, order=True)
class Finding:
    """One failed check. `where` is the object, or the file, that failed it."""

    subject: str
    tool: str
    check: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.tool}: {self.where}: {self.check}: {self.message}"


@dataclass(frozen=True)
class Skip:
    """Findings that stay. `subject` and `where` are patterns, as of a shell's file names."""

    tool: str
    check: str
    subject: str
    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.tool}: {self.where}: {self.check}"

    def covers(self, finding: Finding) -> bool:
        """Whether this is the reason why `finding` stays."""
        same = (self.tool, self.check) == (finding.tool, finding.check)
        return same and fnmatchcase(finding.subject, self.subject) and fnmatchcase(finding.where, self.where)


def load(path: Path = SKIPS) -> list[Skip]:
    """The skips in `path`; AuditError for an entry that lacks one of its words, or has another."""
    wanted = set(Skip.__dataclass_fields__)
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    for number, entry in enumerate(entries, 1):
        if set(entry) != wanted or not all(isinstance(text, str) and text.strip() for text in entry.values()):
            raise AuditError(f"{path.name}: entry {number}: it has to say {', '.join(sorted(wanted))}, and only these")
    return [Skip(**entry) for entry in entries]


def unlisted(findings: Iterable[Finding], skips: Sequence[Skip]) -> list[Finding]:
    """The findings that no skip covers."""
    return sorted(finding for finding in findings if not any(skip.covers(finding) for skip in skips))


def stale(findings: Collection[Finding], skips: Iterable[Skip], not_run: Collection[str]) -> list[Skip]:
    """The skips that cover nothing any more; a tool that did not run leaves open whether they do."""
    judged = [skip for skip in skips if skip.tool not in not_run]
    return [skip for skip in judged if not any(skip.covers(finding) for finding in findings)]


def documented(page: str, skips: Iterable[Skip]) -> str:
    """`page` with the table of the skips between its two marks."""
    above, _, rest = page.partition(BEGIN)
    _, mark, below = rest.partition(END)
    if not mark:
        raise AuditError(f"docs/findings.md: it has to hold {BEGIN.strip()} and {END.strip()}, each in a line")
    rows = "".join(
        f"| {skip.tool} | `{skip.check}` | `{skip.subject}` | `{skip.where}` | {skip.reason.strip()} |\n"
        for skip in skips
    )
    head = "| tool | check | in | on | why it stays |\n|---|---|---|---|---|\n"
    return f"{above}{BEGIN}{head}{rows}{END}{below}"
