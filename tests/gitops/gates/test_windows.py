"""Windows of freezes: on the wall's clock, over midnight, the week's end and every change of summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.gates.windows import DAYS, Window, closed_until

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Pacific/Chatham", "UTC")
"""Summer time on both halves of the world, of half an hour too; a zone without it; offsets of 45 minutes."""
MINUTE = timedelta(minutes=1)


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    """The moment at which the clock in `zone` shows `text`; the second time with `fold`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def opens(now: datetime, *windows: Window) -> str | None:
    """When it opens again, on the clock of the last window; None while it is open."""
    found = closed_until(windows, now)
    if found is None:
        return None
    until, window = found
    return f"{until.astimezone(ZoneInfo(window.zone)):%Y-%m-%d %H:%M}"


WEEKEND = Window("fri 16:00", "mon 08:00", "Europe/London")
NIGHT = Window("22:00", "06:00", "Europe/London")
LUNCH = Window("12:00", "13:00", "Europe/London")
HOLIDAYS = Window("2026-12-24 12:00", "2027-01-02 09:00", "Europe/London")
MIDWEEK = Window("tue 00:00", "thu 00:00", "Europe/London")
WHOLE_WEEK_BUT_AN_HOUR = Window("mon 09:00", "mon 08:00", "Europe/London")


@pytest.mark.parametrize(
    ("window", "now", "until"),
    [
        (WEEKEND, "2026-01-09 15:59", None),  # a Friday
        (WEEKEND, "2026-01-09 16:00", "2026-01-12 08:00"),
        (WEEKEND, "2026-01-11 23:59", "2026-01-12 08:00"),
        (WEEKEND, "2026-01-12 00:00", "2026-01-12 08:00"),  # over the week's end
        (WEEKEND, "2026-01-12 07:59", "2026-01-12 08:00"),
        (WEEKEND, "2026-01-12 08:00", None),
        (WEEKEND, "2025-12-31 12:00", None),
        (WEEKEND, "2026-01-03 12:00", "2026-01-05 08:00"),  # a week that began in another year
        (NIGHT, "2026-01-09 21:59", None),
        (NIGHT, "2026-01-09 22:00", "2026-01-10 06:00"),
        (NIGHT, "2026-01-10 00:00", "2026-01-10 06:00"),  # over midnight
        (NIGHT, "2026-01-10 05:59", "2026-01-10 06:00"),
        (NIGHT, "2026-01-10 06:00", None),
        (NIGHT, "2028-02-29 23:00", "2028-03-01 06:00"),  # a leap day
        (NIGHT, "2026-12-31 23:00", "2027-01-01 06:00"),
        (LUNCH, "2026-01-09 11:59", None),
        (LUNCH, "2026-01-09 12:00", "2026-01-09 13:00"),
        (LUNCH, "2026-01-09 13:00", None),
        (HOLIDAYS, "2026-12-24 11:59", None),
        (HOLIDAYS, "2026-12-24 12:00", "2027-01-02 09:00"),
        (HOLIDAYS, "2027-01-02 08:59", "2027-01-02 09:00"),
        (HOLIDAYS, "2027-01-02 09:00", None),
        (HOLIDAYS, "2027-12-25 12:00", None),
        (MIDWEEK, "2026-01-05 23:59", None),
        (MIDWEEK, "2026-01-06 00:00", "2026-01-08 00:00"),
        (MIDWEEK, "2026-01-08 00:00", None),
        (WHOLE_WEEK_BUT_AN_HOUR, "2026-01-12 08:30", None),
        (WHOLE_WEEK_BUT_AN_HOUR, "2026-01-12 09:00", "2026-01-19 08:00"),
        (Window("2028-02-29 00:00", "2028-03-01 00:00", "UTC"), "2028-02-29 12:00", "2028-03-01 00:00"),
        (Window("sun 23:00", "sun 22:00", "UTC"), "2026-01-11 21:59", "2026-01-11 22:00"),
        (Window("sun 23:00", "sun 22:00", "UTC"), "2026-01-11 22:30", None),
    ],
)
def test_each_form(window: Window, now: str, until: str | None) -> None:
    assert opens(at(now, window.zone), window) == until


def test_a_bound_is_read_on_the_zones_own_clock() -> None:
    """At one moment it is Friday afternoon in Tokyo and Friday morning in New York."""
    now = at("2026-01-09 17:00", "Asia/Tokyo")

    assert opens(now, Window("fri 16:00", "sat 16:00", "Asia/Tokyo")) == "2026-01-10 16:00"
    assert opens(now, Window("fri 16:00", "sat 16:00", "America/New_York")) is None


# Where the clock leaves out a bound, or shows it twice, the window is the longer of the two. 29 March 2026: 01:00 is
# followed by 02:00 in London; 25 October: 02:00 by 01:00. 8 March and 1 November in New York, at 2. On Lord Howe Island
# half an hour: 4 October at 2, 5 April at 2.
@pytest.mark.parametrize(
    ("window", "before", "first", "last", "after"),
    [
        pytest.param(
            Window("01:30", "05:00", "Europe/London"),
            "2026-03-29 00:29", "2026-03-29 00:30", "2026-03-29 03:59", "2026-03-29 04:00", id="begins-in-a-gap",
        ),
        pytest.param(
            Window("00:15", "01:30", "Europe/London"),
            "2026-03-29 00:14", "2026-03-29 00:15", "2026-03-29 01:29", "2026-03-29 01:30", id="ends-in-a-gap",
        ),
        pytest.param(
            Window("01:15", "01:45", "Europe/London"),
            "2026-03-29 00:14", "2026-03-29 00:15", "2026-03-29 01:44", "2026-03-29 01:45", id="lies-in-a-gap",
        ),
        pytest.param(
            Window("01:30", "05:00", "Europe/London"),
            "2026-10-25 00:29", "2026-10-25 00:30", "2026-10-25 04:59", "2026-10-25 05:00", id="begins-twice",
        ),
        pytest.param(
            Window("00:15", "01:30", "Europe/London"),
            "2026-10-24 23:14", "2026-10-24 23:15", "2026-10-25 01:29", "2026-10-25 01:30", id="ends-twice",
        ),
        pytest.param(
            Window("sat 16:00", "sun 12:00", "America/New_York"),
            "2026-03-07 20:59", "2026-03-07 21:00", "2026-03-08 15:59", "2026-03-08 16:00", id="23-hours-over-a-night",
        ),
        pytest.param(
            Window("sat 16:00", "sun 12:00", "America/New_York"),
            "2026-10-31 19:59", "2026-10-31 20:00", "2026-11-01 16:59", "2026-11-01 17:00", id="25-hours",
        ),
        pytest.param(
            Window("2026-03-08 02:30", "2026-03-08 04:00", "America/New_York"),
            "2026-03-08 06:29", "2026-03-08 06:30", "2026-03-08 07:59", "2026-03-08 08:00", id="once-from-a-gap",
        ),
        pytest.param(
            Window("02:15", "03:00", "Australia/Lord_Howe"),  # +10:30, then +11
            "2026-10-03 15:14", "2026-10-03 15:15", "2026-10-03 15:59", "2026-10-03 16:00", id="half-an-hour-left-out",
        ),
        pytest.param(
            Window("01:45", "03:00", "Australia/Lord_Howe"),
            "2026-04-04 14:44", "2026-04-04 14:45", "2026-04-04 16:29", "2026-04-04 16:30", id="half-an-hour-twice",
        ),
    ],
)  # fmt: skip
def test_changes_of_summer_time(window: Window, before: str, first: str, last: str, after: str) -> None:
    """All moments are in UTC."""
    closed = [closed_until([window], at(moment)) is not None for moment in (before, first, last, after)]

    assert closed == [False, True, True, False]


def test_windows_that_follow_on_each_other_are_one_wait() -> None:
    chain = [
        Window("2026-12-24 12:00", "2026-12-27 00:00", "UTC", "holidays"),
        Window("2026-12-27 00:00", "2026-12-28 08:00", "UTC", "audit"),
        Window("2026-12-28 07:00", "2026-12-28 09:00", "UTC", "listing"),
        Window("2026-12-28 10:00", "2026-12-28 11:00", "UTC", "later"),
    ]
    found = closed_until(chain, at("2026-12-25 12:00"))

    assert found is not None
    assert (found[0], found[1].reason) == (at("2026-12-28 09:00"), "listing")


def test_whoever_is_closed_for_ever_is_told_a_far_day() -> None:
    always = [Window("00:00", "12:00", "UTC"), Window("12:00", "00:00", "UTC")]
    found = closed_until(always, at("2026-01-09 10:00"))

    assert found is not None
    assert found[0] > at("2027-01-01 00:00")


CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
BOUNDS = st.one_of(
    st.tuples(CLOCK, CLOCK),
    st.tuples(*[st.builds("{} {}".format, st.sampled_from(DAYS), CLOCK)] * 2),
).filter(lambda each: each[0] != each[1])


def shows_closed(window: Window, moment: datetime) -> bool:
    """Whether the wall's clock stands between the bounds: minute by minute, with no arithmetic on time at all."""
    wall = moment.astimezone(ZoneInfo(window.zone))
    words = f"{wall:%H:%M}"
    if " " in window.start:
        start, end, shown = (
            f"{DAYS.index(b[:3])}{b[3:]}" for b in (window.start, window.end, DAYS[wall.weekday()] + f" {words}")
        )
    else:
        start, end, shown = window.start, window.end, words
    return start <= shown < end if start < end else shown >= start or shown < end


def shifts_near(zone: str, moment: datetime, hours: int = 2) -> bool:
    """Whether the clock is put forward or back within so many hours."""
    around = (moment + timedelta(hours=each) for each in range(-hours, hours + 1))
    return len({each.astimezone(ZoneInfo(zone)).utcoffset() for each in around}) > 1


@given(BOUNDS, st.sampled_from(ZONES), st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1)))  # UTC
def test_closed_whenever_the_walls_clock_says_so(bounds: tuple[str, str], zone: str, moment: datetime) -> None:
    window, now = Window(*bounds, zone), moment.replace(second=0, microsecond=0, tzinfo=UTC)
    closed = closed_until([window], now) is not None

    assert closed or not shows_closed(window, now)
    assert closed == shows_closed(window, now) or shifts_near(zone, now)


SHIFTS = {
    "Europe/London": ("2026-03-29 01:00", "2026-10-25 01:00"),
    "America/New_York": ("2026-03-08 07:00", "2026-11-01 06:00"),
    "Australia/Lord_Howe": ("2026-10-03 15:30", "2026-04-04 15:00"),
}


@settings(deadline=None)  # three hundred minutes each
@given(BOUNDS, st.sampled_from([(zone, at(shift)) for zone, both in SHIFTS.items() for shift in both]))
def test_the_longer_of_two_around_every_shift(bounds: tuple[str, str], shift: tuple[str, datetime]) -> None:
    """Minute by minute over the hours around a shift: never open where the wall's clock says closed."""
    zone, moment = shift
    window = Window(*bounds, zone)
    minutes = [moment + number * MINUTE for number in range(-150, 150)]
    wrong = [each for each in minutes if shows_closed(window, each) and closed_until([window], each) is None]

    assert wrong == []


@given(BOUNDS, st.sampled_from(ZONES), st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1)))  # UTC
def test_it_opens_when_it_said(bounds: tuple[str, str], zone: str, moment: datetime) -> None:
    window, now = Window(*bounds, zone), moment.replace(tzinfo=UTC)
    found = closed_until([window], now)

    if found:
        assert found[0] > now
        assert closed_until([window], found[0]) is None
        assert closed_until([window], found[0] - MINUTE) is not None
