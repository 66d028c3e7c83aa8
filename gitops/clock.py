"""The clock: the one door to it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC, to the second: as exact as the records that it is compared with."""
    return datetime.now(UTC).replace(microsecond=0)
