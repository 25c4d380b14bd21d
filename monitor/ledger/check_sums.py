"""Compares the rollups with the requests, day by day and in every cell, and the rollups with each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb

from monitor.ledger.columns import quoted
from monitor.ledger.digests import has_changed
from monitor.ledger.ledger import Ledger, named_rows, transaction
from monitor.ledger.retention import raw_kept_from
from monitor.ledger.rollup import DIGESTS, ROLLUPS, SOURCE_COLUMNS, Rollup, append, counted

_DAY: Final = timedelta(days=1)
_LISTED: Final = 10
_RAW: Final = "(select * from requests where started_at >= $1 and started_at < $2)"
_RECOUNT: Final = "Count the day anew from its requests: monitor ledger check --recount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Two figures that should be the same: of what, where, both with the words where they are from, what to do.

    `day` is that of sums which do not agree with the requests of the day; they can be counted anew.
    """

    what: str
    where: str
    one: str
    other: str
    mend: str = "Report it with this table"
    day: datetime | None = None

    def __str__(self) -> str:
        """A sentence without its full stop."""
        return f"{self.what} ({self.where}): {self.one}, {self.other}"


def day_faults(ledger: Ledger, day: datetime) -> Iterator[Fault]:
    """What does not agree in a day (ledger time) between requests and rollups, and requests that are there twice."""
    with ledger.cursor() as cursor, transaction(cursor):
        kept_from = raw_kept_from(cursor)
        if _is_let_go(cursor, day, kept_from):
            return
        values = [day, day + _DAY]
        cursor.execute(f"select record_id, count(*) from {_RAW} group by 1 having count(*) > 1 limit {_LISTED}", values)
        for record_id, times in cursor.fetchall():
            yield Fault(
                what="request stored more than once", where=str(record_id), one=f"{times:,} rows", other="one can be"
            )
        # Of hours before that no digest is made any more.
        is_digested = (kept_from is None or day >= kept_from) and not has_changed(cursor, day, day + _DAY)
        for rollup in (*ROLLUPS, *(DIGESTS if is_digested else ())):
            for cell in named_rows(cursor.execute(_cells(rollup), values)):
                yield from _cell_faults(rollup, cell, day=day)


def level_faults(ledger: Ledger) -> Iterator[Fault]:
    """What does not agree between a rollup and the finer one that it is made of, over all time."""
    for rollup in (*ROLLUPS, *DIGESTS):
        base = next((other for other in (*ROLLUPS, *DIGESTS) if other.table == rollup.base), None)
        if base is None:
            continue
        with ledger.cursor() as cursor:
            for cell in named_rows(cursor.execute(_levels(rollup, base))):
                yield from _cell_faults(rollup, cell, one=base.table)


def recount(ledger: Ledger, day: datetime) -> None:
    """Make the sums of a day (ledger time) anew from its requests; nothing happens where not all are kept any more."""
    values = [day, day + _DAY]
    columns = ", ".join(map(quoted, SOURCE_COLUMNS))
    with ledger.writing() as cursor:
        if _is_let_go(cursor, day, raw_kept_from(cursor)):
            return
        cursor.execute(f"create or replace temp table recounted as select {columns} from {_RAW}", values)
        for rollup in ROLLUPS:
            step = quoted(rollup.step)
            cursor.execute(f"delete from {rollup.table} where {step} >= $1 and {step} < $2", values)
        append(cursor, "recounted")
        cursor.execute("drop table recounted")


def _is_let_go(cursor: duckdb.DuckDBPyConnection, day: datetime, kept_from: datetime | None) -> bool:
    """Whether requests of the day were deleted for their age, perhaps since somebody listed it: sums know more then."""
    if kept_from is None or day >= kept_from:
        return False
    values = [day, day + _DAY]
    found = cursor.execute(
        f"select (select count(*) from {_RAW})"
        " <> (select coalesce(sum(requests), 0) from usage_hourly where hour >= $1 and hour < $2)",
        values,
    ).fetchone()
    return bool(found and found[0])


def _cell_faults(
    rollup: Rollup, cell: dict[str, Any], *, one: str = "requests", day: datetime | None = None
) -> Iterator[Fault]:
    place = ", ".join(f"{name}={cell[name]}" for name in rollup.keys if cell.get(name) is not None)
    where = f"{cell['step']:%Y-%m-%d %H:%M}{f', {place}' if place else ''}"
    for name in rollup.facts.sums:
        found, told = cell[name], cell[f"{name}_told"]
        if found != told:
            yield Fault(
                what=f"{rollup.table}.{name}",
                where=where,
                one=f"{found} from the {one}",
                other=f"{told} in the sums",
                mend=_RECOUNT,
                day=day,
            )


def _cells(rollup: Rollup) -> str:
    """SQL of the cells of a rollup of which the requests say something else."""
    keys = ", ".join(map(quoted, rollup.keys))
    step = quoted(rollup.step)
    raw = counted(rollup.facts, _RAW, rollup.step, rollup.dimensions)
    told = (
        f"select {step}, {keys}, {rollup.facts.added()} from {rollup.table} u where {step} >= $1 and {step} < $2"
        f" group by all"
    )
    return _differing(rollup, raw, told, f"{step}, {keys}")


def _levels(rollup: Rollup, base: Rollup) -> str:
    """SQL of the days on which a rollup says something else than its base."""
    sums = rollup.facts.added()
    one, other = (
        f"select date_trunc('day', {quoted(each.step)}) as {quoted(rollup.step)}, {sums} from {each.table} u group by 1"
        for each in (base, rollup)
    )
    return _differing(rollup, one, other, quoted(rollup.step))


def _differing(rollup: Rollup, one: str, other: str, keys: str) -> str:
    # Nothing known and nothing there are the same to a sum.
    sums = ", ".join(
        f"coalesce(sum({name}) filter (not is_told), 0) as {name},"
        f" coalesce(sum({name}) filter (is_told), 0) as {name}_told"
        for name in rollup.facts.sums
    )
    differs = " or ".join(f"{name} <> {name}_told" for name in rollup.facts.sums)
    return f"""
        with both_ as (
            select *, false as is_told from ({one}) union all by name select *, true as is_told from ({other})
        ), cells as (select {keys}, {sums} from both_ group by {keys})
        select {quoted(rollup.step)} as step, * exclude ({quoted(rollup.step)}) from cells where {differs}
        order by step limit {_LISTED}
    """
