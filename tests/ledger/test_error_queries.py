"""What failed, why, when last; and what is still out."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.ledger.error_queries import (
    Failure,
    FailurePoint,
    UnderWay,
    failures,
    failures_over_time,
    under_way,
)
from tests.factories import NOW, make_begin, make_failure, make_record
from tests.world import ALWAYS, World, span

_HOUR = timedelta(hours=1)


def test_failures_are_counted_by_class_and_reason(world: World) -> None:
    """The most frequent first; the example is that of the last request, whole."""
    world.store(
        make_failure(error_reason="tokens", call_site="early.py:1", error_code="x"),
        make_failure(error_reason="tokens", call_site=None, error_type="tokens", started_at=NOW + _HOUR),
        make_failure(),
        make_record(),
    )
    first, second = failures(world.ledger, ALWAYS)

    assert first == Failure(
        error_class="rate_limit",
        error_reason="tokens",
        requests=2,
        last_at=NOW + _HOUR,
        status=429,
        error_type="tokens",
        error_code=None,
        model="gpt-4o",
        service="shop",
        call_site=None,
    )
    assert (second.error_class, second.error_reason, second.requests) == ("rate_limit", None, 1)


def test_failures_are_those_of_the_slice(world: World) -> None:
    """From the start on, before the end, and with the conditions met."""
    world.store(*(make_failure(started_at=NOW + timedelta(minutes=minutes)) for minutes in (-1, 0, 60)))
    world.store(make_failure(team="ads"))

    assert [failure.requests for failure in failures(world.ledger, span(NOW, _HOUR, team=None))] == [1]
    assert failures(world.ledger, span(NOW, _HOUR, team="search")) == []


@pytest.mark.parametrize(
    ("step", "time_zone", "starts"),
    [
        ("minute", "UTC", [(12, 0), (12, 40)]),
        ("hour", "UTC", [(12, 0)]),
        ("hour", "Asia/Kolkata", [(11, 30), (12, 30)]),
        ("day", "UTC", [(0, 0)]),
        ("day", "Europe/Berlin", [(-1, 0)]),
    ],
)
def test_failures_over_time_lie_in_the_steps_of_the_zone(
    world: World, step: str, time_zone: str, starts: list[tuple[int, int]]
) -> None:
    """An hour of Kolkata begins at half past; a day of Berlin in the evening before."""
    world.store(*(make_failure(started_at=NOW + timedelta(minutes=minutes, seconds=7)) for minutes in (0, 40)))
    found = failures_over_time(world.ledger, ALWAYS, step=step, time_zone=time_zone)
    midnight = NOW.replace(hour=0)

    assert [point.start for point in found] == [midnight + timedelta(hours=h, minutes=m) for h, m in starts]
    assert sum(point.requests for point in found) == 2


def test_both_hours_of_a_clock_set_back_are_there(world: World) -> None:
    """They have the same name on the wall and are two steps."""
    hours = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    world.store(*(make_failure(started_at=hour, error_reason="tokens") for hour in hours))

    assert failures_over_time(world.ledger, ALWAYS, step="hour", time_zone="Europe/Berlin") == [
        FailurePoint(start=hour.replace(minute=0), error_class="rate_limit", error_reason="tokens", requests=1)
        for hour in hours
    ]


def test_a_step_that_is_none_is_named(world: World) -> None:
    """Its name never becomes SQL."""
    with pytest.raises(ValueError, match="'second' is not one of minute, hour, day, week, month"):
        failures_over_time(world.ledger, ALWAYS, step="second", time_zone="UTC")


def test_requests_that_are_out_are_counted_with_the_oldest(world: World) -> None:
    """One that ended is not among them."""
    ended = make_record(started_at=NOW - _HOUR)
    assert under_way(world.ledger) == UnderWay(requests=0, oldest_at=None)
    world.writer.begin(make_begin(ended))
    for minutes in (3, 1):
        world.writer.begin(make_begin(started_at=NOW - timedelta(minutes=minutes)))
    world.store(ended)

    assert under_way(world.ledger) == UnderWay(requests=2, oldest_at=NOW - timedelta(minutes=3))
