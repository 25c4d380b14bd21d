"""Every rollup says what the requests say, whatever was stored, corrected, merged and converted."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from monitor.ledger import queries
from monitor.ledger.columns import quoted
from monitor.ledger.compact import compact_rollup
from monitor.ledger.ledger import Ledger
from monitor.ledger.migrate import migrate
from monitor.ledger.rollup import ROLLUPS, Rollup, counted
from tests.factories import NOW, make_failure, make_record, make_usage
from tests.ledger.work_records import begun, polled
from tests.world import ALWAYS, World

_SECOND = timedelta(seconds=1)


def _cells(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def _both(connection: duckdb.DuckDBPyConnection, rollup: Rollup) -> tuple[list[Any], list[Any]]:
    """The sums that stand in the rollup and those of the requests."""
    keys = ", ".join(map(quoted, (rollup.step, *rollup.keys)))
    stored = f"select {keys}, {rollup.facts.added()} from {rollup.table} u group by all having {rollup.facts.is_there}"
    made = counted(rollup.facts, "requests", rollup.step, rollup.dimensions)
    return (
        _cells(connection, f"from ({stored}) order by all"),
        _cells(connection, f"from (select {keys}, {', '.join(rollup.facts.measures)} from ({made})) order by all"),
    )


def _limits(number: int) -> dict[str, Any]:
    other = {"limit-project-tokens": 100.0, "remaining-project-tokens": 10.0 * number, "reset-project-tokens": 1.0}
    return {"tokens_limit": 9, "tokens_remaining": 5 - number, "other_limits": other if number % 2 else None}


def _store_much(world: World) -> None:
    """Records of three days in small batches, one of which is corrected later."""
    start = begun(duration=2.0, response_model=None, user="u", team="search", **_limits(9))
    world.store(start)
    for number in range(4):
        moment = NOW - timedelta(hours=20 * number)
        facts: dict[str, Any] = {"user": f"u{number % 2}", "call_site": f"a.py:{number % 3}", **_limits(number)}
        stream: dict[str, Any] = {"is_streaming": True, "time_to_first_chunk": 0.5}
        world.store(
            make_record(started_at=moment, **facts, usage=make_usage(output_tokens=None)),
            make_record(started_at=moment + _SECOND, **facts, **stream, response_model="o3"),
            make_record(started_at=moment + 2 * _SECOND, **facts, usage=make_usage(cache_read_input_tokens=5_000)),
            make_failure(started_at=moment + 3 * _SECOND, **facts, error_reason="tokens" if number else None),
        )
    world.store(polled(duration=0.5))


@pytest.mark.parametrize("is_merged", [False, True])
def test_every_rollup_has_the_sums_of_the_requests(world: World, *, is_merged: bool) -> None:
    """For each of its steps and dimensions, and nothing besides."""
    _store_much(world)
    merged = compact_rollup(world.ledger) if is_merged else 0
    with world.ledger.cursor() as cursor:
        found = {rollup.table: _both(cursor, rollup) for rollup in ROLLUPS}

    assert bool(merged) is is_merged
    for table, (stored, expected) in found.items():
        assert stored == expected, table
        assert stored


def test_merging_leaves_one_row_for_each_step_and_dimensions(world: World) -> None:
    """And nothing of what was taken back; what is merged is not merged again."""
    _store_much(world)
    compact_rollup(world.ledger)

    for rollup in ROLLUPS:
        keys = ", ".join(map(quoted, (rollup.step, *rollup.keys)))
        sql = f"select count(*), count(distinct ({keys})), bool_and(is_merged) from {rollup.table}"
        assert world.rows(sql) == [(count := world.value(f"select count(*) from {rollup.table}"), count, True)]
    assert compact_rollup(world.ledger) == 0


def _old_row(connection: duckdb.DuckDBPyConnection, hour: datetime, requests: int, cost: str | None) -> None:
    connection.execute(
        """
        insert into usage_hourly by name
        select ?::timestamp as hour, 'gpt-4o' as model, 'u' as "user", 'a.py:1' as call_site, ? as requests,
            ? as calls, 0 as errors, 0 as interrupted_requests, 0 as unknown_requests, 0 as unpriced_requests,
            0 as estimated_requests, ? as priced_requests, 0 as measured_requests, ?::decimal(38, 18) as list_cost,
            map {4: ?, 9: 0} as duration_buckets
        """,
        [hour, requests, requests, requests if cost else 0, cost, requests],
    )


def test_an_older_rollup_is_converted_to_the_last_digit(tmp_path: Path) -> None:
    """What only the rollup knows is kept; rows that take back count against those they took back."""
    path = tmp_path / "ledger.duckdb"
    migrate(path, to="0002")
    day = datetime.fromisoformat("2026-11-19")
    with duckdb.connect(str(path)) as connection:
        for hour, requests, cost in ((3, 3, "0.000000000000000003"), (3, -1, "-0.000000000000000001"), (20, 2, None)):
            _old_row(connection, day + timedelta(hours=hour), requests, cost)
    with Ledger.open(path) as ledger:
        by_user = [
            (g.value, g.totals.requests, str(g.totals.list_cost)) for g in queries.by_dimension(ledger, ALWAYS, "user")
        ]
        with ledger.cursor() as cursor:
            speeds = [
                _cells(cursor, f"select sum(durations) from {name}") for name in ("speeds_hourly", "speeds_daily")
            ]

    assert by_user == [("u", 4, "2E-18")]
    assert speeds == [[(4,)], [(4,)]]
