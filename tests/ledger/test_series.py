"""Series over time: each step begins where the clock on the wall says, whatever the zone does."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitor.ledger import queries
from monitor.ledger.compact import compact_rollup
from monitor.ledger.overview_queries import leading_series
from monitor.ledger.queries import Point
from monitor.ledger.scopes import Slice
from monitor.ledger.steps import TIME_STEPS
from monitor.records import Record
from tests.factories import make_record
from tests.world import World, span

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Apia",
)
# The ends of summer time in the north and its beginnings in the south, and the other way round.
_SEASONS = (datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC))
_EVERY = timedelta(minutes=13)
_DAYS = timedelta(days=5)


def _record(moment: datetime) -> Record:
    return make_record(started_at=moment, team=f"team {moment.minute % 3}", user=f"user {moment.minute % 2}")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with a request every few minutes around each change of the clocks."""
    with World(tmp_path_factory.mktemp("series")) as world:
        for season in _SEASONS:
            moments = [season + i * _EVERY for i in range(_DAYS // _EVERY)]
            world.store(*(_record(moment) for moment in moments))
        compact_rollup(world.ledger)
        yield world


def _step_of(moment: datetime, step: str, zone: ZoneInfo) -> datetime:
    """When the step began that the moment lies in, as a person with a calendar would say."""
    if step in ("minute", "hour"):
        offset = moment.astimezone(zone).utcoffset() or timedelta()
        length = timedelta(**{f"{step}s": 1})
        local = moment + offset
        return local - (local - datetime(2000, 1, 1, tzinfo=UTC)) % length - offset
    day = moment.astimezone(zone).date()
    if step == "week":
        day -= timedelta(days=day.weekday())
    if step == "month":
        day = day.replace(day=1)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _expected(chosen: Slice, step: str, zone: ZoneInfo) -> dict[datetime, int]:
    moments = [season + i * _EVERY for season in _SEASONS for i in range(_DAYS // _EVERY)]
    return Counter(_step_of(moment, step, zone) for moment in moments if chosen.start <= moment < chosen.end)


def _counts(points: list[Point]) -> dict[datetime, int]:
    return {point.start: point.totals.requests for point in points}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", TIME_STEPS)
def test_each_request_is_in_the_step_it_began_in(full: World, step: str, zone: str) -> None:
    """Days of 23 and 25 hours, hours that come twice, and zones that are half an hour off."""
    for season in _SEASONS:
        chosen = span(season + timedelta(minutes=607), _DAYS - timedelta(hours=17))
        points = queries.series(full.ledger, chosen, step=step, time_zone=zone)

        assert _counts(points) == _expected(chosen, step, ZoneInfo(zone))
        assert [point.start for point in points] == sorted(_counts(points))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_users_are_counted_in_the_days_of_every_zone(full: World, step: str, zone: str) -> None:
    """Their sums are by day of UTC: what of it lies in another day of the zone is looked up and moved, to the digit."""
    for season in _SEASONS:
        chosen = span(season + timedelta(minutes=607), _DAYS - timedelta(hours=17))
        found = queries.series(full.ledger, chosen, step=step, time_zone=zone, dimension="user")
        whole = queries.series(full.ledger, chosen, step=step, time_zone=zone)
        counts: Counter[datetime] = Counter()
        costs: dict[datetime, Decimal] = {}
        for point in found:
            counts[point.start] += point.totals.requests
            costs[point.start] = costs.get(point.start, Decimal(0)) + (point.totals.list_cost or Decimal(0))

        assert counts == _expected(chosen, step, ZoneInfo(zone))
        assert costs == {point.start: point.totals.list_cost for point in whole}
        assert len(found) == 2 * len(whole)


@pytest.mark.parametrize("zone", ZONES)
def test_users_are_counted_in_the_days_of_a_year(full: World, zone: str) -> None:
    """So many midnights are looked up in another way, to the same end."""
    chosen = Slice(start=_SEASONS[1] - timedelta(days=60, minutes=7), end=_SEASONS[0] + timedelta(days=30))
    counts: Counter[datetime] = Counter()
    for point in queries.series(full.ledger, chosen, step="day", time_zone=zone, dimension="user"):
        counts[point.start] += point.totals.requests

    assert counts == _expected(chosen, "day", ZoneInfo(zone))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_a_series_can_be_split_by_a_dimension(full: World, zone: str) -> None:
    """The parts of a step come to the step."""
    chosen = span(_SEASONS[0], _DAYS)
    parts: Counter[datetime] = Counter()
    for point in queries.series(full.ledger, chosen, step="day", time_zone=zone, dimension="team"):
        parts[point.start] += point.totals.requests

    assert parts == _expected(chosen, "day", ZoneInfo(zone))


def test_a_leading_series_and_its_rest_come_to_the_whole(full: World) -> None:
    """Two values stand out; all others are one."""
    chosen = span(_SEASONS[0], _DAYS)
    found = leading_series(full.ledger, chosen, "team", limit=2, step="day", time_zone="Asia/Kolkata")
    parts: Counter[datetime] = Counter()
    for point in (*found.points, *found.rest):
        parts[point.start] += point.totals.requests

    assert len(found.values) == 2
    assert parts == _expected(chosen, "day", ZoneInfo("Asia/Kolkata"))


def test_an_unknown_step_is_refused(full: World) -> None:
    """Its name never becomes SQL."""
    with pytest.raises(ValueError, match="is not one of minute, hour, day, week, month"):
        queries.series(full.ledger, span(_SEASONS[0], _DAYS), step="second", time_zone="UTC")


def test_the_machines_zone_does_not_matter(full: World) -> None:
    """Wherever it stands, the ledger counts in UTC."""
    assert full.value("select current_setting('TimeZone')") == "UTC"
