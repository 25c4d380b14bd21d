"""Merges the rows of the rollups that belong together: only steps of time that grew, so many rows at once."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import duckdb

from monitor.ledger.columns import quoted
from monitor.ledger.ledger import Ledger
from monitor.ledger.rollup import ROLLUPS, Rollup

_AT_ONCE: Final = 200_000
"""Rows that are merged in one transaction: the drain waits for it, readers do not."""
_WORTH_IT: Final = 50
"""A step is merged when at least one of so many of its rows is new; rewriting it for less only wears the disk."""


def compact_rollup(ledger: Ledger) -> int:
    """Merge the rows of each rollup that have the same step of time and dimensions; how many rows went."""
    return sum(_merge(ledger, rollup, steps) for rollup in ROLLUPS for steps in _grown(ledger, rollup))


def _grown(ledger: Ledger, rollup: Rollup) -> Iterator[list[datetime]]:
    """The steps that are to be merged, as many together as one transaction takes."""
    step = quoted(rollup.step)
    with ledger.cursor() as cursor:
        found = cursor.execute(
            f"""
            select {step}, count(*) from {rollup.table}
            where {step} in (select {step} from {rollup.table} where not is_merged)
            group by 1 having count(*) filter (not is_merged) * {_WORTH_IT} >= count(*) order by 1
            """
        ).fetchall()
    steps: list[datetime] = []
    room = _AT_ONCE
    for moment, rows in found:
        if steps and rows > room:
            yield steps
            steps, room = [], _AT_ONCE
        steps.append(moment)
        room -= rows
    if steps:
        yield steps


def _merge(ledger: Ledger, rollup: Rollup, steps: list[datetime]) -> int:
    keys = ", ".join(map(quoted, (rollup.step, *rollup.keys)))
    # The bounds let all other parts of the table be passed over.
    chosen = f"{quoted(rollup.step)} between ? and ? and list_contains(?, {quoted(rollup.step)})"
    values = [steps[0], steps[-1], steps]
    with ledger.writing() as cursor:
        before = _count(cursor.execute(f"select count(*) from {rollup.table} where {chosen}", values))
        cursor.execute(
            f"""
            create or replace temp table merged as
            select {keys}, {rollup.facts.added()}, true as is_merged from {rollup.table} u where {chosen}
            group by all having {rollup.facts.is_there}
            """,
            values,
        )
        cursor.execute(f"delete from {rollup.table} where {chosen}", values)
        cursor.execute(f"insert into {rollup.table} by name from merged order by {keys}")
        after = _count(cursor.execute("select count(*) from merged"))
        cursor.execute("drop table merged")
    return before - after


def _count(found: duckdb.DuckDBPyConnection) -> int:
    row = found.fetchone()
    return int(row[0]) if row else 0
