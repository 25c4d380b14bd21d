"""How long requests took, by model and over time; at most 2 % off. Whole hours are read from the rollup."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.ledger.buckets import quantile
from monitor.ledger.ledger import Ledger
from monitor.ledger.rollup import rollup_select
from monitor.ledger.scopes import Slice, Where, is_whole_hours, naive, split_hours, where
from monitor.ledger.steps import step_sql, step_start
from monitor.ledger.usage import rows, usage_rows

_DURATION: Final = "duration_buckets"
_FIRST_CHUNK: Final = "first_chunk_buckets"
_Buckets = dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Seconds that half of so many requests took at most, and 95 and 99 of 100; None where there are none."""

    requests: int
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpeed:
    """The durations of the requests of one model; of the first chunk only streams tell."""

    model: str | None
    duration: Percentiles
    first_chunk: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedPoint:
    """The durations in a step of time that begins at `start`, aware UTC."""

    start: datetime
    duration: Percentiles
    first_chunk: Percentiles


def speeds_by_model(ledger: Ledger, span: Slice) -> list[ModelSpeed]:
    """The durations of each model, the most used first."""
    source = usage_rows(span)
    whole, first = (_buckets(ledger, source, "model", [], column) for column in (_DURATION, _FIRST_CHUNK))
    found = [
        ModelSpeed(model=model, duration=_percentiles(buckets), first_chunk=_percentiles(first.get(model, {})))
        for model, buckets in whole.items()
    ]
    return sorted(found, key=lambda speed: (-speed.duration.requests, speed.model or ""))


def speed_series(ledger: Ledger, span: Slice, *, step: str, time_zone: str) -> list[SpeedPoint]:
    """The durations in each step of time, in order; steps without requests lack.

    Args:
        ledger: the ledger.
        span: which requests.
        step: `minute`, `hour` or `day`.
        time_zone: IANA zone in which hours and days begin.
    """
    source = _source(span, step, ZoneInfo(time_zone))
    start, marks = step_sql(step, "hour")
    zones: list[object] = [time_zone] * marks
    whole, first = (_buckets(ledger, source, start, zones, column) for column in (_DURATION, _FIRST_CHUNK))
    return [
        SpeedPoint(
            start=step_start(step, found, time_zone),
            duration=_percentiles(whole[found]),
            first_chunk=_percentiles(first.get(found, {})),
        )
        for found in sorted(whole)
    ]


def _source(span: Slice, step: str, zone: ZoneInfo) -> Where:
    if step == "day":
        return usage_rows(span, split_hours=split_hours(span, zone))
    if step == "hour" and is_whole_hours(span, zone):
        return usage_rows(span)
    scope = where(span.conditions)
    chosen = f"(select * from requests where started_at >= ? and started_at < ? and {scope.sql})"
    return Where(
        sql=f"({rollup_select(chosen, step='minute')})",
        values=[naive(span.start), naive(span.end), *scope.values],
    )


def _buckets(ledger: Ledger, source: Where, key: str, marks: list[object], column: str) -> dict[Any, _Buckets]:
    """The counts of each bucket for each value of an SQL expression."""
    found = rows(
        ledger,
        f"""
        select key, entry.key as bucket, cast(sum(entry.value) as bigint) as requests
        from (select {key} as key, unnest(map_entries({column})) as entry from {source.sql} u)
        group by all having sum(entry.value) > 0
        """,
        [*marks, *source.values],
    )
    groups: dict[Any, _Buckets] = defaultdict(dict)
    for row in found:
        groups[row["key"]][row["bucket"]] = row["requests"]
    return dict(groups)


def _percentiles(buckets: _Buckets) -> Percentiles:
    return Percentiles(
        requests=sum(buckets.values()),
        p50=quantile(buckets, 0.5),
        p95=quantile(buckets, 0.95),
        p99=quantile(buckets, 0.99),
    )
