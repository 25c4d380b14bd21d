"""Questions about requests that failed, by class and reason, and about those that are still out.

The rollup does not know reasons: these read the failed requests of a slice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Slice, naive, where
from monitor.ledger.steps import step_sql, step_start
from monitor.ledger.usage import rows


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


_EXAMPLE: Final = ("status", "error_type", "error_code", "model", "service", "call_site")


def failures(ledger: Ledger, span: Slice) -> list[Failure]:
    """The failed requests of the slice by class and reason, the most frequent first."""
    scope = where(span.conditions)
    example = ", ".join(f"'{name}': {name}" for name in _EXAMPLE)
    found = rows(
        ledger,
        f"""
        select error_class, error_reason, count(*) as requests, max(started_at) as last_at,
            arg_max({{{example}}}, started_at) as example
        from requests
        where started_at >= ? and started_at < ? and error_class is not null and {scope.sql}
        group by error_class, error_reason
        order by requests desc, error_class, error_reason nulls last
        """,
        [naive(span.start), naive(span.end), *scope.values],
    )
    return [_failure(row) for row in found]


def failures_over_time(ledger: Ledger, span: Slice, *, step: str, time_zone: str) -> list[FailurePoint]:
    """The failed requests by step, class and reason; steps without failures lack.

    Args:
        ledger: the ledger.
        span: which requests.
        step: `minute`, `hour` or `day`.
        time_zone: IANA zone in which hours and days begin.
    """
    scope = where(span.conditions)
    start, marks = step_sql(step, "started_at")
    found = rows(
        ledger,
        f"""
        select {start} as start, error_class, error_reason, count(*) as requests
        from requests
        where started_at >= ? and started_at < ? and error_class is not null and {scope.sql}
        group by all order by all
        """,
        [*[time_zone] * marks, naive(span.start), naive(span.end), *scope.values],
    )
    return [FailurePoint(**row | {"start": step_start(step, row["start"], time_zone)}) for row in found]


def under_way(ledger: Ledger) -> UnderWay:
    """Requests that began, have not ended, and whose process still lives; of all programs."""
    (found,) = rows(
        ledger,
        """
        select count(*) as requests, min(started_at) as oldest_at from begins b
        where not exists (from requests r where r.record_id = b.record_id)
        """,
        [],
    )
    oldest = found["oldest_at"]
    return UnderWay(requests=found["requests"], oldest_at=oldest and oldest.replace(tzinfo=UTC))


def _failure(row: dict[str, Any]) -> Failure:
    example = row.pop("example")
    return Failure(**row | example | {"last_at": row["last_at"].replace(tzinfo=UTC)})
