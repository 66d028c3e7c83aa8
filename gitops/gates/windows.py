"""Windows of time in which nothing is merged: each day, each week, or once; in a zone's own clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
DAILY = rf"{_TIME}"
WEEKLY = rf"({'|'.join(DAYS)}) {_TIME}"
ONCE = rf"20\d{{2}}-\d{{2}}-\d{{2}} {_TIME}"  # a clock's first and last years do not exist in every zone
MOMENT = f"^({DAILY}|{WEEKLY}|{ONCE})$"
"""How a bound is written: `16:00`, `fri 16:00` or `2026-12-24 16:00`; both bounds of a window in the same way."""
_CHAINED = 1000  # windows that follow on each other: whoever has more is frozen for good


@dataclass(frozen=True, slots=True)
class Window:
    """From one bound to the next other one, in `zone`; `reason` is told to whoever waits."""

    start: str
    end: str
    zone: str
    reason: str = ""

    def spans(self, near: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans around `near`, in UTC, each from its first moment to just before its last.

        A bound that the clock shows twice or never (a change of summer time) is taken so that the span is the longer.
        """
        zone = ZoneInfo(self.zone)
        if re.fullmatch(ONCE, self.start):
            yield self._span(datetime.fromisoformat(self.start), datetime.fromisoformat(self.end), zone)
            return
        today = near.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
        weekly = " " in self.start
        period = timedelta(days=7 if weekly else 1)
        monday = today - timedelta(days=today.weekday()) if weekly else today
        length = (self._offset(self.end) - self._offset(self.start)) % period or period
        for turn in (-1, 0, 1):
            start = monday + turn * period + self._offset(self.start)
            yield self._span(start, start + length, zone)

    @staticmethod
    def _offset(bound: str) -> timedelta:
        """From the beginning of the day, or of the week."""
        day, _, time = bound.rpartition(" ")
        hours, minutes = map(int, time.split(":"))
        return timedelta(days=DAYS.index(day) if day else 0, hours=hours, minutes=minutes)

    @staticmethod
    def _span(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        starts, ends = ([each.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1)] for each in (start, end))
        return min(starts), max(ends)


def closed_until(windows: Sequence[Window], now: datetime) -> tuple[datetime, Window] | None:
    """When it opens again, and the last of the windows that keep it closed until then; None while it is open."""
    until, held = now.astimezone(UTC), None
    for _ in range(_CHAINED):
        inside = [(end, window) for window in windows for start, end in window.spans(until) if start <= until < end]
        if not inside:
            break
        until, held = max(inside, key=lambda each: each[0])
    return (until, held) if held else None
