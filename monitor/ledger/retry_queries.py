"""Questions about attempts that came to nothing, and about how fast answers flow. All read the requests of a slice."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from monitor.ledger.columns import MONEY
from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Slice, naive, where
from monitor.ledger.usage import rows

# A call belongs to the slice in which its first request began; its retries may come after the end of the slice.
_RETRIES_TAKE: Final = timedelta(hours=1)
_HAS_FAILED: Final = "outcome <> 'completed'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wasted:
    """Attempts of retried calls that failed in the same way; None where nothing tells how."""

    error_class: str | None
    error_reason: str | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedCalls:
    """What calls of more than one attempt came to.

    Attributes:
        calls: how many there were.
        succeeded: those whose last attempt was answered in full.
        wasted: their failed attempts by what went wrong, the most frequent first.
        failed_seconds: time spent in failed attempts; those of unknown duration are not in it.
        waited_seconds: time between the attempts.
        failed_input_tokens: of failed attempts, as far as known; None when nothing is.
        failed_output_tokens: the same of what came out.
        failed_list_cost: what failed attempts cost; None when none was priced.
    """

    calls: int
    succeeded: int
    wasted: tuple[Wasted, ...]
    failed_seconds: float
    waited_seconds: float
    failed_input_tokens: int | None
    failed_output_tokens: int | None
    failed_list_cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedCall:
    """One call of more than one attempt; `started_at` is aware UTC, `error_classes` those of its failed attempts."""

    call_id: str
    started_at: datetime
    service: str | None
    call_site: str | None
    endpoint: str
    model: str | None
    attempts: int
    has_succeeded: bool
    error_classes: tuple[str, ...]
    failed_seconds: float
    waited_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRate:
    """Output tokens a second after the first chunk, over the whole streams of one model."""

    model: str | None
    streams: int
    p50: float
    p95: float


def retried_calls(ledger: Ledger, span: Slice) -> RetriedCalls:
    """Calls of more than one attempt that began in the slice and of which a request meets its conditions."""
    attempts, values = _attempts(span)
    (found,) = rows(
        ledger,
        f"""
        with attempts as ({attempts})
        select count(distinct call_id) as calls,
            count(*) filter (is_last and not has_failed) as succeeded,
            coalesce(sum(duration) filter (has_failed), 0) as failed_seconds,
            coalesce(sum(waited), 0) as waited_seconds,
            cast(sum(input_tokens) filter (is_waste) as bigint) as failed_input_tokens,
            cast(sum(output_tokens) filter (is_waste) as bigint) as failed_output_tokens,
            cast(sum(list_cost) filter (has_failed) as {MONEY}) as failed_list_cost
        from attempts
        """,
        values,
    )
    wasted = rows(
        ledger,
        f"""
        select error_class, error_reason, count(*) as attempts from ({attempts}) where has_failed
        group by all order by attempts desc, error_class nulls last, error_reason nulls last
        """,
        values,
    )
    return RetriedCalls(**found, wasted=tuple(Wasted(**row) for row in wasted))


def worst_retried_calls(ledger: Ledger, span: Slice, *, limit: int) -> list[RetriedCall]:
    """The retried calls that lost the most time to failed attempts and the waits between them."""
    attempts, values = _attempts(span)
    found = rows(
        ledger,
        f"""
        select cast(call_id as varchar) as call_id, min(started_at) as started_at,
            first(service order by attempt) as service, first(call_site order by attempt) as call_site,
            first(endpoint order by attempt) as endpoint, last(model order by attempt) as model,
            count(*) as attempts, bool_or(is_last and not has_failed) as has_succeeded,
            coalesce(list(error_class order by attempt) filter (has_failed and error_class is not null), [])
                as error_classes,
            coalesce(sum(duration) filter (has_failed), 0) as failed_seconds,
            coalesce(sum(waited), 0) as waited_seconds
        from ({attempts}) group by call_id
        order by failed_seconds + waited_seconds desc, started_at desc, call_id limit ?
        """,
        [*values, limit],
    )
    return [_call(row) for row in found]


def output_rates(ledger: Ledger, span: Slice) -> list[OutputRate]:
    """How fast the streams of each model flowed, the most used model first; half of them, or 95 of 100, were slower."""
    scope = where(span.conditions)
    found = rows(
        ledger,
        f"""
        select model, count(*) as streams, quantile_cont(rate, 0.5) as p50, quantile_cont(rate, 0.95) as p95
        from (
            select model, output_tokens / (duration - time_to_first_chunk) as rate
            from requests
            where started_at >= ? and started_at < ? and {scope.sql}
                and is_streaming and outcome = 'completed' and usage_source = 'response'
                and output_tokens > 0 and duration > time_to_first_chunk
        )
        group by model order by streams desc, model nulls last
        """,
        [naive(span.start), naive(span.end), *scope.values],
    )
    return [OutputRate(**row) for row in found]


def _attempts(span: Slice) -> tuple[str, list[object]]:
    """SQL of the requests of the retried calls of a slice, and the values of its marks."""
    scope = where(span.conditions)
    sql = f"""
        select *, {_HAS_FAILED} as has_failed, has_failed and pricing_state <> 'repeated' as is_waste,
            lead(started_at) over one_call is null as is_last,
            epoch(lead(started_at) over one_call - started_at) - duration as waited
        from requests
        where started_at >= ? and started_at < ? and call_id in (
            select call_id from requests where started_at >= ? and started_at < ?
            group by call_id
            having count(*) > 1 and min(started_at) < ? and min(attempt) = 0 and bool_or({scope.sql})
        )
        window one_call as (partition by call_id order by attempt, started_at)
    """
    start, end = naive(span.start), naive(span.end)
    reach = end + _RETRIES_TAKE
    return sql, [start, reach, start, reach, end, *scope.values]


def _call(row: dict[str, Any]) -> RetriedCall:
    return RetriedCall(
        **row
        | {
            "call_id": row["call_id"].replace("-", ""),
            "started_at": row["started_at"].replace(tzinfo=UTC),
            "error_classes": tuple(row["error_classes"]),
        }
    )
