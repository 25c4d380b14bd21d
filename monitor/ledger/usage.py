"""What was used in a slice of time: the rollup for whole hours, the requests for the parts of hours at the ends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from monitor.ledger.columns import quoted
from monitor.ledger.ledger import Ledger
from monitor.ledger.rollup import RAW_MEASURES, rollup_select
from monitor.ledger.scopes import Slice, Where, edges, naive, where
from monitor.records import DIMENSIONS

_DIMENSIONS: Final = ", ".join(map(quoted, DIMENSIONS))
_MEASURES: Final = ", ".join(RAW_MEASURES)
_COLUMNS: Final = f"hour, {_DIMENSIONS}, {_MEASURES}, duration_buckets, first_chunk_buckets"


def usage_rows(span: Slice, *, split_hours: Sequence[datetime] = ()) -> Where:
    """SQL of a subquery with rollup-shaped rows that cover exactly the slice.

    Args:
        span: the slice.
        split_hours: hours (ledger times) in which a step of time begins that is no whole hour; their rows, and those
            of the parts at the ends, are cut into minutes.
    """
    start, end = naive(span.start), naive(span.end)
    (first, last), parts = edges(start, end)
    scope = where(span.conditions)
    step = "minute" if split_hours else "hour"
    built = Where(
        sql=f"select {_COLUMNS} from usage_hourly where hour >= ? and hour < ? and {scope.sql}",
        values=[first, last, *scope.values],
    )
    sources = [Where(sql="true", values=[begin, stop]) for begin, stop in parts]
    if split_hours:
        built.also("not list_contains(?, hour)", list(split_hours))
        inside = "list_contains(?, date_trunc('hour', started_at))"
        sources.append(Where(sql=inside, values=[first, last, list(split_hours)]))
    for source in sources:
        chosen = f"(select * from requests where started_at >= ? and started_at < ? and {source.sql} and {scope.sql})"
        built.sql += f" union all by name select {_COLUMNS} from ({rollup_select(chosen, step=step)})"
        built.values += [*source.values, *scope.values]
    built.sql = f"({built.sql})"
    return built


def rows(ledger: Ledger, sql: str, values: list[object]) -> list[dict[str, Any]]:
    """The answer to a question as plain rows."""
    with ledger.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
