"""The commits of a service's source between two releases, and what their messages say by the rules of the field."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(r"(?P<type>[A-Za-z]+)(\((?P<scope>[^()\n]*)\))?(?P<breaking>!)?: +\S")
_FOOTER = re.compile(r"^BREAKING[ -]CHANGE: +\S", re.MULTILINE)
_MIGRATION = re.compile(r"migrat(e|es|ion|ions)", re.IGNORECASE)
_MIGRATES = re.compile(r"^Migrations?(: +| #)\S", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a service's source: its id, its whole message, its author as the forge names people."""

    sha: str
    message: str
    author: str = ""

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return next(iter(self.message.strip().splitlines()), "")

    @property
    def breaking(self) -> bool:
        """Whether it says that it breaks something: a `!` before the colon, or a footer BREAKING CHANGE.

        Conventional Commits 1.0.0, rules 11 to 13, 15 and 16.
        """
        header = _HEADER.match(self.subject)
        return bool(header and header["breaking"]) or bool(_FOOTER.search(self._rest))

    @property
    def migration(self) -> bool:
        """Whether it says that it migrates: as its type, as its scope, or by a footer `Migration: ...`."""
        header = _HEADER.match(self.subject)
        words = (header["type"], header["scope"] or "") if header else ()
        return any(map(_MIGRATION.fullmatch, words)) or bool(_MIGRATES.search(self._rest))

    @property
    def _rest(self) -> str:
        return self.message.strip().partition("\n")[2]


@dataclass(frozen=True, slots=True)
class Compared:
    """What lies between two commits of a source, `old` and `new`.

    `commits` are those that `new` has and `old` lacks, the newest first; of many, the newest of the `total`. `missing`
    is how many `old` has that `new` lacks: all of them on a way back, some where two lines were never brought together.
    """

    commits: tuple[Commit, ...]
    total: int
    missing: int = 0
