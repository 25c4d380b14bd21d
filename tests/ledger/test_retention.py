"""What is old goes, its sums stay, and nothing counts twice because of it."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.api import Question, report
from monitor.budgets.model import Matcher
from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.retention import forget, raw_from
from monitor.ledger.trusted_clock import is_trusted
from tests.factories import NOW, make_begin, make_record, make_usage
from tests.ledger.work_records import begun, line, polled
from tests.world import ALWAYS, DyingError, DyingLedger, World, fields_of, line_of, sealed

_DAY = timedelta(days=1)
_YEAR = 365 * _DAY
_BOTH = ("client", "gateway")


def _forget(world: World, days: float | None = 100, rollup: float | None = None) -> int:
    return forget(
        world.ledger,
        requests=None if days is None else timedelta(days=days),
        rollup=None if rollup is None else timedelta(days=rollup),
        pieces=_YEAR,
    )


def _pass(world: World, *, days: int) -> None:
    """The clock goes on, and the retention has seen it go."""
    for _ in range(days):
        world.clock.advance(days=1)
        is_trusted(world.ledger)


def _aged(world: World, *days: float) -> None:
    """Requests that began so many days ago."""
    world.store(*(make_record(started_at=NOW - timedelta(days=number)) for number in days))


def test_old_requests_go_and_their_sums_stay(world: World) -> None:
    """Whole days of UTC; a report says the same as before."""
    _aged(world, 0, 99, 101, 200, 201, 300)
    before = queries.totals(world.ledger, ALWAYS)

    assert _forget(world) == 4
    assert world.value("select count(*) from requests") == 2
    assert f"{raw_from(world.ledger):%Y-%m-%d %H:%M}" == "2026-08-12 00:00"
    assert queries.totals(world.ledger, ALWAYS) == before


def test_the_check_compares_what_is_kept(world: World) -> None:
    """Lines read are still requests stored; the sums of days that are gone have nothing to be compared with."""
    _aged(world, 0, 99, 101, 200)
    world.writer.begin(make_begin(started_at=NOW - timedelta(days=150)))
    world.writer.close()
    world.drain.run()
    _forget(world)
    found = check(world.ledger)

    assert (found.faults, found.days) == ((), 2)
    assert found.figures["requests stored"] == 5


def test_sums_go_only_when_told_and_never_before_the_requests(world: World) -> None:
    """And what is gone is remembered as a number."""
    _aged(world, 0, 150, 250)
    _forget(world, days=200, rollup=50)
    first = world.value("select min(hour) from usage_hourly")
    tables = ("usage_hourly_brief", "usage_daily", "usage_daily_users", "speeds_hourly", "speeds_daily")

    assert first == (NOW - timedelta(days=150)).replace(tzinfo=None)
    assert {world.value(f"select sum(requests) from {name}") for name in tables[:3]} == {2}
    assert {world.value(f"select sum(durations) from {name}") for name in tables[3:]} == {2}
    assert check(world.ledger).faults == ()


def test_nothing_goes_where_all_is_kept(world: World) -> None:
    """Forever is forever."""
    _aged(world, 0, 10_000)

    assert _forget(world, days=None, rollup=100) == 0
    assert world.value("select count(*) from requests") == 2
    assert raw_from(world.ledger) is None


def test_the_old_goes_in_bounded_bites(tmp_path: Path) -> None:
    """Each is a transaction of its own: who is killed between two goes on another time."""
    with World(tmp_path, ledger_type=DyingLedger) as world:
        ledger = world.ledger
        assert isinstance(ledger, DyingLedger)
        _aged(world, *(100 + number / 24 for number in range(100)))
        left = []
        for statement in (28, 40, None):
            ledger.dies_at(statement)
            with suppress(DyingError):
                forget(ledger, requests=100 * _DAY, rollup=None, pieces=_YEAR, at_once=10)
            ledger.dies_at(None)
            left.append(world.value("select count(*) from requests"))

        assert 100 > left[0] > left[1] > left[2] == 13
        assert check(ledger).faults == ()


def test_requests_are_kept_as_long_as_their_usage_may_come(world: World) -> None:
    """An answer that is read 30 days later still finds the request that began the work."""
    world.store(begun("resp_1", started_at=NOW - timedelta(days=30)))
    _forget(world, days=1)
    world.store(polled("resp_1", after=0))

    assert world.value("select sum(input_tokens) from usage_hourly") == 1_000
    assert world.value("select count(*) from requests where pricing_state = 'repeated'") == 1


def test_usage_that_comes_for_a_request_that_is_gone_counts_at_most_once(world: World) -> None:
    """Read again and again, by several answers."""
    world.store(begun("resp_1", started_at=NOW - timedelta(days=60)), polled("resp_1", after=-59 * 86_400))
    _forget(world, days=40)
    world.store(polled("resp_2", after=0), polled("resp_2", after=60), line(file="f"), line(file="f"))

    assert world.value("select sum(input_tokens) from usage_hourly") == 3_000
    assert check(world.ledger).faults == ()


def test_what_was_counted_is_forgotten_with_the_requests(world: World) -> None:
    """Not before: until then a second statement is recognised."""
    for days in (0, 150):
        at = NOW - timedelta(days=days)
        world.store(begun(f"resp-{days}", started_at=at), polled(f"resp-{days}", after=60 - days * 86_400))
    _forget(world)

    assert world.rows("select usage_key from counted_usages") == [("openai/resp-0",)]


def test_old_pieces_go_and_old_losses_are_summed(tmp_path: Path) -> None:
    """By reason; the check still agrees."""
    with World(tmp_path) as world:
        for _ in range(3):
            world.forge(sealed(b'{"seq":1,"kind":"dropped","reason":"disk_full","count":2'), sealed(b"bad"))
        world.drain.run()
        _pass(world, days=366)
        _forget(world)

        assert queries.losses(world.ledger) == {"disk_full": 6, "quarantined": 0}
        assert world.value("select count(*) from dropped") == 1
        assert check(world.ledger).faults == ()


def _lost(world: World, *jumps: float) -> list[int]:
    """How many requests are deleted each time that the retention runs after the clock has gone so many days."""
    gone = []
    for days in jumps:
        world.clock.advance(seconds=days * 86_400)
        gone.append(_forget(world, days=400))
    return gone


def test_a_clock_that_leaps_deletes_nothing(world: World) -> None:
    """Two years ahead for a while, and right again: all is kept, and what comes then is compared."""
    _aged(world, 0, 10)

    assert _lost(world, 0, 800, 0.5, -800.5) == [0, 0, 0, 0]
    assert world.value("select count(*) from requests") == 2
    assert raw_from(world.ledger) is None
    _aged(world, 0)
    assert (check(world.ledger).faults, check(world.ledger).days) == ((), 2)


def test_a_clock_that_leaps_before_the_retention_ever_ran_deletes_nothing(world: World) -> None:
    """Though what came since was read by that clock too."""
    _aged(world, 0)
    world.writer.close()
    world.clock.advance(days=800)
    world.forge(line_of(fields_of(make_record(started_at=world.clock()))))
    world.drain.run()

    assert _lost(world, 0) == [0]


def test_a_clock_that_leaps_again_is_not_believed_for_having_leapt_before(world: World) -> None:
    """As a machine's whose own clock is wrong at each start, until somebody tells it the time."""
    _aged(world, 0)

    assert _lost(world, 800, -800, 801, -801, 802, -802, 30, 0.5, 800) == 9 * [0]


def test_a_machine_that_was_off_for_long_deletes_a_day_later(world: World) -> None:
    """After a weekend at once."""
    _aged(world, 0, 399, 395, 390)

    assert _lost(world, 0, 2.9, 15, 0.9, 0.2) == [0, 1, 0, 0, 2]
    assert check(world.ledger).faults == ()


def test_a_server_that_is_on_for_an_hour_a_week_lets_go_of_what_is_old(world: World) -> None:
    """A week later than another."""
    _aged(world, 0, 399)

    assert _lost(world, 0, 7, 7, 7, 7) == [0, 0, 1, 0, 0]


def test_what_is_old_goes_though_nothing_new_comes(world: World) -> None:
    """A server that runs knows that time goes on."""
    _aged(world, 0)

    assert sum(_lost(world, *(2 for _ in range(201)))) == 1


def test_that_nothing_went_because_of_the_clock_is_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """In the log and among the counters."""
    _aged(world, 0)
    world.clock.advance(days=800)
    forget(world.ledger, requests=_YEAR, rollup=None, pieces=_YEAR, health=world.health)

    assert world.health.counts()["retention_skipped_total"] == 1
    assert "The clock says 2029-01-28 12:00 UTC, which is days ahead" in caplog.text


def test_sightings_go_with_the_requests_of_their_time(world: World) -> None:
    """How many went is noted, also of those that an earlier version let go of without a note."""
    for age in (0, 150, 250):
        at = NOW - timedelta(days=age)
        world.store(*(make_record(source=name, response_id=f"chatcmpl-{age:030}", started_at=at) for name in _BOTH))
    _forget(world, days=200)
    first = world.rows("select number from forgotten where kind = 'sightings'")
    with world.ledger.writing() as cursor:
        cursor.execute("delete from forgotten where kind = 'sightings'")
    before = check(world.ledger).faults
    _forget(world)

    assert (first, world.rows("select number from forgotten where kind = 'sightings'")) == ([(1,)], [(2,)])
    assert (before, check(world.ledger).faults) == ((), ())


def test_the_space_is_used_again(tmp_path: Path) -> None:
    """The file does not grow when as much comes as goes."""
    with World(tmp_path) as world:
        sizes = []
        for age in (300, 200, 0):
            _forget(world)
            at = NOW - timedelta(days=age)
            world.store(*(make_record(started_at=at, usage=make_usage(input_tokens=n)) for n in range(3_000)))
            world.ledger.checkpoint()
            sizes.append(world.ledger.path.stat().st_size)

        assert world.value("select count(*) from requests") == 3_000
        # The first checkpoint of all has nothing to keep beside what it writes.
        assert sizes[2] <= 1.5 * sizes[1]


def test_a_report_says_what_it_lacks(world: World) -> None:
    """Whole hours are answered by sums; parts of an hour are not, nor users and places in the code together."""
    _aged(world, 0, 150, 151)
    _forget(world)
    whole = Question(by="team", start=NOW - 300 * _DAY, end=NOW)
    odd = replace(whole, start=NOW - 150 * _DAY - timedelta(minutes=5))
    both = replace(whole, by="user", matchers=(Matcher.parse("call_site=a.py:1"),))

    assert "lacks_before" not in report(world.ledger, whole)
    assert report(world.ledger, whole)["total"]["requests"] == 2
    assert report(world.ledger, odd)["lacks_before"] == "2026-06-24T00:00:00+00:00"
    assert report(world.ledger, both)["lacks_before"] == "2026-06-24T00:00:00+00:00"
