"""What is old goes, its sums stay, and nothing counts twice because of it."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from monitor.api import Question, report
from monitor.budgets.model import Matcher
from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.retention import forget, raw_from
from tests.factories import NOW, make_begin, make_record, make_usage
from tests.ledger.work_records import begun, line, polled
from tests.world import ALWAYS, DyingError, DyingLedger, World, sealed

_DAY = timedelta(days=1)
_YEAR = 365 * _DAY


def _forget(world: World, days: float | None = 100, rollup: float | None = None) -> int:
    return forget(
        world.ledger,
        requests=None if days is None else timedelta(days=days),
        rollup=None if rollup is None else timedelta(days=rollup),
        pieces=_YEAR,
    )


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
        for statement in (16, 28, None):
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
        world.clock.advance(seconds=366 * 86_400)
        _forget(world)

        assert queries.losses(world.ledger) == {"disk_full": 6, "quarantined": 0}
        assert world.value("select count(*) from dropped") == 1
        assert check(world.ledger).faults == ()


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
    assert report(world.ledger, odd)["lacks_before"] == "2026-08-12T00:00:00+00:00"
    assert report(world.ledger, both)["lacks_before"] == "2026-08-12T00:00:00+00:00"
