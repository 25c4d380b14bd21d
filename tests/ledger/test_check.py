"""The check: it finds nothing where all is well, and every kind of disagreement by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from monitor.errors import LedgerError
from monitor.jobs.upkeep import compact
from monitor.ledger.check import Check, check, require_agreement, told
from monitor.ledger.check_lines import READ, REQUESTS
from monitor.ledger.check_sums import day_faults, recount
from monitor.ledger.ledger import Ledger
from monitor.ledger.retention import forget
from tests.factories import NOW, make_begin, make_failure, make_record
from tests.ledger.work_records import batch_begun, batch_polled, begun, line, polled
from tests.world import World, sealed


def _busy(world: World) -> None:
    """Two days with all that happens: retries, late usage, corrections, requests without an end, losses."""
    for day in range(2):
        at = NOW + timedelta(days=day)
        names = [f"{day}-{number}" for number in range(20)]
        world.spool(*(make_record(user=name, team=name[-1], started_at=at) for name in names), make_failure())
        world.spool(begun(f"resp-{day}"), polled(f"resp-{day}"), batch_begun(f"batch-{day}"))
        world.writer.begin(make_begin())
        world.drain.run()
        world.store(batch_polled(f"batch-{day}", file=f"{day}"), line(file=f"{day}"), polled("nobody began it"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("check")) as world:
        _busy(world)
        yield world


def _whats(found: Check) -> set[str]:
    return {fault.what for fault in found.faults}


def test_a_ledger_that_is_well_agrees(shared: World) -> None:
    """Every line read is a request or something else, every sum that of its requests."""
    found = check(shared.ledger)

    assert found.faults == ()
    assert found.figures[REQUESTS] == found.figures[READ] == 2 * 27
    assert found.days == 2
    assert told(found).startswith("Spool, requests and sums agree: 54 requests")
    require_agreement(found)


def test_it_agrees_after_the_compaction_and_when_programs_have_died(tmp_path: Path) -> None:
    """Rows of unknown outcome come from begin lines, and damaged lines are in quarantine."""
    with World(tmp_path) as world:
        _busy(world)
        world.writer.close()
        world.forge(sealed(b"bad"))
        world.drain.run()
        compact(world.ledger, world.home.spool, keep=0)
        found = check(world.ledger)

    assert found.faults == ()
    assert found.figures["… begun by a program that died (outcome unknown)"] == 2
    assert found.figures["… in quarantine"] == 1


def _noted(world: World) -> None:
    """A request that two have seen, one that was not brought to its end, a loss, and pieces that are no records."""
    world.store(make_record(response_id=_ID), make_record(response_id=_ID, source="gateway"))
    world.writer.begin(make_begin())
    world.forge(sealed(b'{"seq":1,"kind":"end","odd":1'), sealed(b"bad"))
    world.forge(sealed(b'{"seq":1,"kind":"dropped","reason":"disk_full","count":2'))
    world.drain.run()


_ID = "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT"
_NOTES = (
    ("sightings", "delete from sightings"),
    ("sightings", "insert into sightings select * replace (uuid() as seen_record_id, 9 as seq) from sightings"),
    ("sighting stored more than once", "insert into sightings select * from sightings"),
    ("sightings", "delete from checkpoints where segment in (select segment from sightings)"),
    ("requests with all their facts", "delete from requests"),
    ("pieces in quarantine", "delete from checkpoints where quarantined > 0"),
    ("pieces in quarantine", "delete from quarantine"),
    ("line in quarantine", "update quarantine set line = replace(line, 'odd', 'add')"),
    ("losses that programs told", "delete from checkpoints where lines = 2 and records = 0"),
    ("requests that began", "update begins set segment = 'another'"),
    ("note of what was let go of: requests", "insert into forgotten values ('requests', now(), 0, now())"),
    ("requests with all their facts", "insert into forgotten values ('requests', '2026-01-01', 1, now())"),
    ("note of what was let go of: usage", "insert into forgotten values ('usage', '2028-01-01', 1, now())"),
    ("note of what was let go of: clock", "insert into forgotten from range(2) select 'clock', '2026-01-01', 0, now()"),
    ("pieces in quarantine", "insert into forgotten values ('quarantine', '2026-11-21', 1, now())"),
)


@pytest.mark.parametrize(("what", "sql"), _NOTES, ids=[f"{number}" for number in range(len(_NOTES))])
def test_changed_notes_are_named(tmp_path: Path, what: str, sql: str) -> None:
    """What is kept beside the requests is proved too: who else saw them, what was read, and what was let go of."""
    with World(tmp_path) as world:
        _noted(world)
        before = check(world.ledger)
        with world.ledger.writing() as cursor:
            cursor.execute(sql)
        found = check(world.ledger)

    assert before.faults == ()
    assert what in _whats(found)
    assert all(fault.where and fault.one != fault.other and fault.mend for fault in found.faults)


def test_a_note_of_what_was_let_go_of_hides_nothing(tmp_path: Path) -> None:
    """Days of which no request is missing are compared, whatever the note says."""
    with World(tmp_path) as world:
        _busy(world)
        with world.ledger.writing() as cursor:
            cursor.execute("insert into forgotten values ('requests', '2026-12-24', 1, '2026-11-20')")
            cursor.execute("update requests set list_cost = list_cost + 1")
        found = check(world.ledger)

    assert found.days == 2
    assert "usage_hourly.list_cost" in _whats(found)


def test_a_check_that_compares_no_day_is_no_proof(world: World) -> None:
    """Such as when old lines come of days whose requests are gone."""
    old = make_record(started_at=NOW - timedelta(days=60)), make_record(started_at=NOW - timedelta(days=60))
    world.store(old[0])
    forget(world.ledger, requests=timedelta(days=40), rollup=None, pieces=timedelta(days=400))
    world.store(old[1])
    found = check(world.ledger)

    assert (found.faults, found.days, found.is_proof) == ((), 0, False)
    assert told(found).startswith("No day could be compared")


_DAMAGES = {
    "requests": "update usage_hourly set requests = requests + 1 where team = '1'",
    "usage_hourly.list_cost": "update usage_hourly set list_cost = list_cost + 0.000000000000000001 where team = '2'",
    "usage_daily_users.input_tokens": "update usage_daily_users set input_tokens = 7 where \"user\" = '0-3'",
    "usage_hourly_brief.calls": "delete from usage_hourly_brief where team = '4'",
    "speeds_hourly.durations": "delete from speeds_hourly where team = '5'",
    "usage_daily.requests": "delete from requests where \"user\" = '1-6'",
    "request stored more than once": "insert into requests select * from requests where \"user\" = '0-7'",
    "pieces in quarantine": "update checkpoints set quarantined = quarantined + 1",
    "missing lines": "update checkpoints set last_seq = last_seq + 5",
    "report: requests and list cost": "update usage_daily set list_cost = 9 where team = '8'",
}


def test_what_does_not_agree_is_named(tmp_path: Path) -> None:
    """Whichever figure somebody changes: which it is, where, both values, and what to do."""
    with World(tmp_path) as world:
        _busy(world)
        with world.ledger.writing() as cursor:
            for sql in _DAMAGES.values():
                cursor.execute(sql)
        found = check(world.ledger)

    assert _DAMAGES.keys() - _whats(found) == set()
    assert all(fault.where and fault.one != fault.other and fault.mend for fault in found.faults)
    with pytest.raises(LedgerError, match="Something does not agree"):
        require_agreement(found)


def test_a_segment_that_was_read_twice_is_named(tmp_path: Path) -> None:
    """It has more lines than numbers."""
    with World(tmp_path) as world:
        world.store(make_record())
        with world.ledger.writing() as cursor:
            cursor.execute("update checkpoints set lines = lines + 1, records = records + 1")
        found = check(world.ledger)

    assert [(fault.what, fault.where) for fault in found.faults] == [
        ("requests", "the whole ledger"),
        ("lines", found.faults[1].where),
    ]
    assert found.faults[1].where.endswith(".ndjson")


def test_a_day_can_be_counted_anew(tmp_path: Path) -> None:
    """From its requests; other days stay as they are."""
    with World(tmp_path) as world:
        _busy(world)
        with world.ledger.writing() as cursor:
            cursor.execute("delete from usage_hourly where hour < ?", [NOW.replace(tzinfo=None) + timedelta(hours=1)])
            cursor.execute("update usage_daily_users set requests = 7")
        days = sorted({fault.day for fault in check(world.ledger).faults if fault.day})
        for day in days:
            recount(world.ledger, day)

        assert [f"{day:%d}" for day in days] == ["20", "21"]
        assert check(world.ledger).faults == ()


def test_a_short_check_looks_at_the_last_days_only(tmp_path: Path) -> None:
    """It runs each hour beside the drain."""
    with World(tmp_path) as world:
        _busy(world)

        assert check(world.ledger, last_days=1).days == 1


class _Meanwhile(Ledger):
    """A ledger in which something happens before each look at it."""

    happens: Callable[[], None] | None = None

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        with super().cursor() as cursor:
            yield cursor
        self.happens = happens


def test_requests_that_come_during_a_check_are_no_disagreement(tmp_path: Path) -> None:
    """A busy server is checked each hour."""
    with World(tmp_path, ledger_type=_Meanwhile) as world:
        _busy(world)
        ledger = world.ledger
        assert isinstance(ledger, _Meanwhile)
        came = [make_record() for _ in range(40)]
        ledger.happens = lambda: world.store(came.pop())
        found = check(ledger)

    assert found.faults == ()
    assert len(came) < 40


def test_a_day_whose_requests_go_meanwhile_is_neither_wrong_nor_counted_anew(tmp_path: Path) -> None:
    """Its sums know more than what is left of its requests."""
    with World(tmp_path) as world:
        _busy(world)
        before = world.rows("select sum(requests), sum(list_cost) from usage_hourly")
        # A clock that leaps is trusted when it has run on.
        for days in (99, 1):
            world.clock.advance(days=days)
            forget(world.ledger, requests=timedelta(days=40), rollup=None, pieces=timedelta(days=400))
        day = NOW.replace(tzinfo=None, hour=0)
        found = list(day_faults(world.ledger, day))
        recount(world.ledger, day)

        assert world.value("select count(*) from requests") == 0
        assert found == []
        assert world.rows("select sum(requests), sum(list_cost) from usage_hourly") == before
