"""The hourly rollup: sums appended by the drain, merged by the compaction."""

from typing import Final

from monitor.ledger.buckets import bucket_sql
from monitor.ledger.columns import MONEY, quoted
from monitor.ledger.ledger import Ledger
from monitor.pricing.figures import UNKNOWN_COST_STATES
from monitor.records import DIMENSIONS

_KEYS: Final = ", ".join(map(quoted, DIMENSIONS))
_UNKNOWN_COST: Final = ", ".join(f"'{state}'" for state in UNKNOWN_COST_STATES)
_COUNTED: Final = "pricing_state <> 'repeated'"

_MONEY: Final = ("list_cost", "estimated_list_cost")

TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_output_tokens",
)

RAW_MEASURES: Final = {
    "requests": "count(*)",
    "calls": "count(*) filter (attempt = 0)",
    "errors": "count(*) filter (error_class is not null)",
    "interrupted_requests": "count(*) filter (outcome = 'interrupted')",
    "unknown_requests": "count(*) filter (outcome = 'unknown')",
    "unpriced_requests": f"count(*) filter (pricing_state in ({_UNKNOWN_COST}))",
    "estimated_requests": "count(*) filter (usage_source = 'estimated')",
    "priced_requests": "count(list_cost)",
    "measured_requests": f"count(*) filter ({_COUNTED} and coalesce({', '.join(TOKENS)}) is not null)",
    **{name: f"sum({name}) filter ({_COUNTED})" for name in TOKENS},
    "list_cost": "sum(list_cost)",
    "estimated_list_cost": "sum(list_cost) filter (usage_source = 'estimated')",
}
"""How each measure of the rollup is made from rows like those of `requests`."""


_KNOWN_BY: Final = {
    **dict.fromkeys(TOKENS, "measured_requests"),
    "list_cost": "priced_requests",
    "estimated_list_cost": "estimated_requests",
}
"""Where nothing is left of a sum that was corrected it is unknown again, not zero: which count tells it."""


def measures_sql() -> str:
    """Select list of the measures over a group of rows like those of `requests`."""
    return ",\n".join(f"cast({sql} as {type_of(name)}) as {name}" for name, sql in RAW_MEASURES.items())


def rollup_select(source: str, *, step: str = "hour") -> str:
    """SQL that groups rows of `source` (shaped like `requests`) into rollup rows; a finer `step` is for questions."""
    return f"""
        select date_trunc('{step}', started_at) as hour, {_KEYS},
            {measures_sql()},
            histogram({bucket_sql("duration")}) filter (duration is not null) as duration_buckets,
            histogram({bucket_sql("time_to_first_chunk")}) filter (time_to_first_chunk is not null)
                as first_chunk_buckets
        from {source}
        group by all
    """


def type_of(name: str) -> str:
    """SQL type of a measure of the rollup."""
    return MONEY if name in _MONEY else "bigint"


def _sum_of(name: str) -> str:
    total = f"cast(sum(u.{name}) as {type_of(name)})"
    known_by = _KNOWN_BY.get(name)
    return f"case when sum(u.{known_by}) > 0 then {total} end" if known_by else total


SUMS: Final = ", ".join(f"{_sum_of(name)} as {name}" for name in RAW_MEASURES)
"""Select list that adds up the measures of rollup rows, whose alias is `u`."""


def compact_rollup(ledger: Ledger) -> int:
    """Merge the rollup rows of every hour that has more than one for the same dimensions; how many rows went."""
    with ledger.writing() as cursor:
        before = _count(cursor.execute("select count(*) from usage_hourly").fetchone())
        # Only hours that grew are rewritten. The maps are merged by adding the counts of equal buckets.
        cursor.execute(
            f"""
            create or replace temp table busy as
            select hour from (select hour, {_KEYS}, count(*) as pieces from usage_hourly group by all)
            group by hour having max(pieces) > 1
            """
        )
        cursor.execute(
            f"""
            create or replace temp table pieces as
            select dense_rank() over (order by hour, {_KEYS}) as piece, *
            from usage_hourly where hour in (select hour from busy)
            """
        )
        cursor.execute(
            f"""
            create or replace temp table merged as
            with sums as (
                select piece, hour, {_KEYS}, {SUMS} from pieces u group by all having sum(u.requests) <> 0
            )
            select * exclude (piece)
            from sums
            left join ({_added("duration_buckets")}) using (piece)
            left join ({_added("first_chunk_buckets")}) using (piece)
            """
        )
        cursor.execute("delete from usage_hourly where hour in (select hour from busy)")
        cursor.execute("insert into usage_hourly by name select * from merged")
        after = _count(cursor.execute("select count(*) from usage_hourly").fetchone())
    return before - after


def _added(column: str) -> str:
    """SQL that adds the counts of equal buckets over the pieces that belong together."""
    return f"""
        select piece, map_from_entries(list({{'key': bucket, 'value': requests}})) as {column}
        from (
            select piece, entry.key as bucket, cast(sum(entry.value) as bigint) as requests
            from (select piece, unnest(map_entries({column})) as entry from pieces)
            group by all having sum(entry.value) > 0
        )
        group by piece
    """


def _count(row: tuple[object, ...] | None) -> int:
    return int(str(row[0])) if row else 0
