import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.budgets.model import PERIOD_KINDS, PeriodKind
from monitor.budgets.periods import period_before, period_of

# Zones that skip midnight, repeat it, drop a whole day, or change by half an hour.
ODD_ZONES = (
    "Africa/Cairo",
    "America/Asuncion",
    "America/Havana",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Toronto",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
zones = st.sampled_from(ODD_ZONES) | st.sampled_from(sorted(zoneinfo.available_timezones()))
seconds = st.integers(-70 * 365 * 86_400, 130 * 365 * 86_400) | st.floats(0, 4e9)
moments = seconds.map(lambda second: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
kinds = st.sampled_from(PERIOD_KINDS)


@given(kind=kinds, zone=zones, moment=moments)
def test_a_period_holds_its_moment(kind: PeriodKind, zone: str, moment: datetime) -> None:
    """Whatever the zone, a moment lies in its period."""
    period = period_of(kind, zone, moment)

    assert period.start <= moment < period.end


@given(kind=kinds, zone=zones, moment=moments)
def test_periods_leave_no_gap_and_do_not_overlap(kind: PeriodKind, zone: str, moment: datetime) -> None:
    """The period after begins where this one ends, and every moment of a period finds the same period."""
    period = period_of(kind, zone, moment)

    assert period_of(kind, zone, period.end).start == period.end
    assert period_before(kind, zone, period).end == period.start
    assert period_of(kind, zone, period.start) == period
    assert period_of(kind, zone, period.end - timedelta.resolution) == period


def _transitions() -> list[tuple[str, datetime]]:
    found = []
    for zone in ODD_ZONES:
        info = zoneinfo.ZoneInfo(zone)
        hour = datetime(1985, 1, 1, tzinfo=UTC)
        while hour < datetime(2030, 1, 1, tzinfo=UTC):
            after = hour + timedelta(days=1)
            if hour.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
                found.append((zone, hour))
            hour = after
    return found


def test_days_are_whole_around_every_change_of_clocks() -> None:
    """Around each change of an odd zone since 1985, half-hour by half-hour, days follow each other."""
    for zone, day in _transitions():
        for half_hour in range(-4, 2 * 26):
            moment = day + timedelta(minutes=30 * half_hour)
            period = period_of("day", zone, moment)
            assert period.start <= moment < period.end, (zone, moment)
            assert period_of("day", zone, period.end).start == period.end, (zone, moment)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29T12:00Z", 23), ("2026-10-25T12:00Z", 25), ("2026-06-01T12:00Z", 24)],
)
def test_days_have_23_24_or_25_hours(day: str, hours: int) -> None:
    """A calendar day in Berlin is as long as its clocks say."""
    period = period_of("day", "Europe/Berlin", datetime.fromisoformat(day))

    assert period.end - period.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "moment", "start"),
    [
        # Midnight is skipped: 00:00 to 01:00 do not exist.
        ("America/Havana", "2026-03-08T12:00+00:00", "2026-03-08T05:00+00:00"),
        # In 1919 Toronto skipped 23:30 to 00:30, so the day begins half an hour into its own clock.
        ("America/Toronto", "1919-03-31T12:00+00:00", "1919-03-31T04:30+00:00"),
        # Midnight comes twice: the first one counts.
        ("America/Havana", "2026-11-01T12:00+00:00", "2026-11-01T04:00+00:00"),
        # Clocks went back from 00:01 to 23:01 of the day before: the day had begun already.
        ("America/St_Johns", "2010-11-07T02:40+00:00", "2010-11-07T02:30+00:00"),
        # 30 December 2011 did not happen in Samoa.
        ("Pacific/Apia", "2011-12-30T10:00+00:00", "2011-12-30T10:00+00:00"),
    ],
)
def test_a_day_begins_at_its_first_valid_midnight(zone: str, moment: str, start: str) -> None:
    """A skipped midnight is the first moment after it, a doubled one the first of the two."""
    period = period_of("day", zone, datetime.fromisoformat(moment))

    assert period.start == datetime.fromisoformat(start)


def test_a_week_begins_on_monday() -> None:
    """Sunday belongs to the week before."""
    sunday = datetime(2026, 6, 21, 23, 59, tzinfo=UTC)

    assert period_of("week", "UTC", sunday).start == datetime(2026, 6, 15, tzinfo=UTC)


def test_a_month_ends_where_the_zone_says() -> None:
    """The last evening of June in New York is July in UTC, and June's budget all the same."""
    evening = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)

    period = period_of("month", "America/New_York", evening)

    assert (period.start, period.end) == (datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC))
