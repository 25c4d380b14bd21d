"""Questions about requests that failed, by class and reason, and about those that are still out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Slice, naive, where
from monitor.ledger.steps import Cut, cut_of, step_start
from monitor.ledger.usage import rows, stepped, usage_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The requests that failed in one way.

    `last_at` is aware UTC; all that stands after it is of that last request. `error_reason` is None where nothing
    tells it.
    """

    error_class: str
    error_reason: str | None
    requests: int
    last_at: datetime
    status: int | None
    error_type: str | None
    error_code: str | None
    model: str | None
    service: str | None
    call_site: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePoint:
    """How many requests failed in one way in a step of time that begins at `start`, aware UTC."""

    start: datetime
    error_class: str
    error_reason: str | None
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Requests that are out, and since when the oldest of them is, aware UTC; None when none is."""

    requests: int
    oldest_at: datetime | None


_KIND: Final = ("error_class", "error_reason")
_HAS_FAILED: Final = "error_class is not null"
_BY_HOURS: Final = Cut(steps=("hour",), moments="hour")
_EXAMPLE: Final = ("status", "error_type", "error_code", "model", "service", "call_site")


def failures(ledger: Ledger, span: Slice) -> list[Failure]:
    """The failed requests of the slice by class and reason, the most frequent first."""
    source = usage_rows(span, by=_KIND, only=_HAS_FAILED, cut=_BY_HOURS)
    found = rows(
        ledger,
        f"""
        select error_class, error_reason, cast(sum(u.requests) as bigint) as requests, max(u.moment) as hour
        from {source.sql} u group by all having sum(u.requests) <> 0
        order by requests desc, error_class, error_reason nulls last
        """,
        source.values,
    )
    examples = _last_of_each(ledger, span, {row["hour"] for row in found})
    return [_failure(row, examples) for row in found]


def _last_of_each(ledger: Ledger, span: Slice, hours: set[datetime]) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The last failed request of each kind in these hours (ledger times), one of which has it."""
    scope = where(span.conditions)
    example = ", ".join(f"'{name}': {name}" for name in _EXAMPLE)
    each = " union all ".join(
        f"select * from requests where started_at >= ? and started_at < ? and {_HAS_FAILED} and {scope.sql}"
        for _ in hours
    )
    values: list[object] = []
    for hour in hours:
        begin, end = max(hour, naive(span.start)), min(hour + timedelta(hours=1), naive(span.end))
        values += [begin, end, *scope.values]
    sql = f"""
        select error_class, error_reason, max(started_at) as last_at,
            arg_max({{{example}}}, started_at) as example
        from ({each}) group by all
    """
    found = rows(ledger, sql, values) if hours else []
    return {(row["error_class"], row["error_reason"]): row for row in found}


def failures_over_time(ledger: Ledger, span: Slice, *, step: str, time_zone: str) -> list[FailurePoint]:
    """The failed requests by step, class and reason; steps without failures lack.

    Args:
        ledger: the ledger.
        span: which requests.
        step: one of `TIME_STEPS`.
        time_zone: IANA zone in which hours and days begin.

    Raises:
        ValueError: there is no such step.
    """
    cut = cut_of(span, step, ZoneInfo(time_zone))
    source = stepped(usage_rows(span, by=_KIND, only=_HAS_FAILED, cut=cut), step, time_zone)
    found = rows(
        ledger,
        f"""
        select start, error_class, error_reason, cast(sum(u.requests) as bigint) as requests
        from {source.sql} u group by all having sum(u.requests) <> 0 order by all
        """,
        source.values,
    )
    return [FailurePoint(**row | {"start": step_start(step, row["start"], time_zone)}) for row in found]


def under_way(ledger: Ledger) -> UnderWay:
    """Requests that began, have not ended, and whose process still lives; of all programs."""
    (bounds,) = rows(ledger, "select min(started_at) as first, max(started_at) as last from begins", [])
    if bounds["first"] is None:
        return UnderWay(requests=0, oldest_at=None)
    # The bounds are values, so that only the parts of the table are read that can hold the ends.
    (found,) = rows(
        ledger,
        """
        select count(*) as requests, min(started_at) as oldest_at from begins
        where record_id not in (select record_id from requests where started_at between ? and ?)
        """,
        [bounds["first"], bounds["last"]],
    )
    oldest = found["oldest_at"]
    return UnderWay(requests=found["requests"], oldest_at=oldest and oldest.replace(tzinfo=UTC))


def _failure(row: dict[str, Any], examples: dict[tuple[str, str | None], dict[str, Any]]) -> Failure:
    last = examples[row["error_class"], row["error_reason"]]
    return Failure(
        error_class=row["error_class"],
        error_reason=row["error_reason"],
        requests=row["requests"],
        last_at=last["last_at"].replace(tzinfo=UTC),
        **last["example"],
    )
