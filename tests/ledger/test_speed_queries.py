"""How long requests took, by model and over time."""

from datetime import timedelta

import pytest

from monitor.ledger.speed_queries import Percentiles, speed_series, speeds_by_model
from tests.factories import NOW, make_failure, make_record
from tests.world import ALWAYS, World, span

_HOUR = timedelta(hours=1)
_NOTHING = Percentiles(requests=0, p50=None, p95=None, p99=None)


def test_each_model_has_its_percentiles(world: World) -> None:
    """The most used first; of first chunks only streams tell."""
    world.store(
        *(make_record(duration=float(seconds)) for seconds in range(1, 101)),
        make_record(response_model="o3", duration=8.0, time_to_first_chunk=2.0),
    )
    usual, o3 = speeds_by_model(world.ledger, ALWAYS)

    assert (usual.model, usual.duration.requests, usual.first_chunk) == ("gpt-4o-2024-08-06", 100, _NOTHING)
    assert usual.duration.p50 == pytest.approx(50, rel=0.03)
    assert usual.duration.p95 == pytest.approx(95, rel=0.03)
    assert usual.duration.p99 == pytest.approx(99, rel=0.03)
    assert o3.model == "o3"
    assert o3.first_chunk.p99 == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize(
    ("step", "time_zone", "starts"),
    [
        ("minute", "UTC", [(12, 10), (12, 40)]),
        ("hour", "UTC", [(12, 0)]),
        ("hour", "Asia/Kolkata", [(11, 30), (12, 30)]),
        ("day", "Europe/Berlin", [(-1, 0)]),
        ("day", "Asia/Kolkata", [(-6, 30)]),
    ],
)
def test_each_step_has_its_percentiles(world: World, step: str, time_zone: str, starts: list[tuple[int, int]]) -> None:
    """Steps begin where those of the zone do."""
    world.store(*(make_record(started_at=NOW + timedelta(minutes=minutes), duration=4.0) for minutes in (10, 40)))
    found = speed_series(world.ledger, ALWAYS, step=step, time_zone=time_zone)
    midnight = NOW.replace(hour=0)

    assert [point.start for point in found] == [midnight + timedelta(hours=h, minutes=m) for h, m in starts]
    assert sum(point.duration.requests for point in found) == 2
    assert found[0].duration.p95 == pytest.approx(4, rel=0.02)
    assert found[0].first_chunk == _NOTHING


@pytest.mark.parametrize("step", ["minute", "hour", "day"])
def test_speeds_are_those_of_the_slice(world: World, step: str) -> None:
    """Within the span, with the conditions met; a request of unknown duration has no speed."""
    world.store(
        make_record(started_at=NOW - timedelta(minutes=1)),
        make_record(team="search"),
        make_failure(team="search", duration=None),
        make_record(started_at=NOW + _HOUR),
    )
    scope = span(NOW, _HOUR, team="search")

    assert [point.duration.requests for point in speed_series(world.ledger, scope, step=step, time_zone="UTC")] == [1]
    assert [speed.duration.requests for speed in speeds_by_model(world.ledger, scope)] == [1]
