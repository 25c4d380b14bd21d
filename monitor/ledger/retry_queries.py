"""Questions about attempts that came to nothing: of the requests of a slice that failed or were tried again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any, Final, TypeVar

from monitor.ledger.attempts import ATTEMPT_COLUMNS, HAS_FAILED, IS_ATTEMPT
from monitor.ledger.columns import MONEY, quoted
from monitor.ledger.digests import digested_until
from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Slice, naive, where
from monitor.ledger.usage import rows

_Number = TypeVar("_Number", int, Decimal)
# A call belongs to the slice in which its first request began; its retries may come after the end of the slice.
_RETRIES_TAKE: Final = timedelta(hours=1)
_COLUMNS: Final = ", ".join(map(quoted, ATTEMPT_COLUMNS))


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


def retried_calls(ledger: Ledger, span: Slice) -> RetriedCalls:
    """Calls of more than one attempt that began in the slice and of which a request meets its conditions."""
    attempts, values = _attempts(ledger, span)
    found = rows(
        ledger,
        f"""
        select has_failed, error_class, error_reason, count(*) as attempts, count(*) filter (is_last) as last_attempts,
            coalesce(sum(duration), 0) as seconds, coalesce(sum(waited), 0) as waited_seconds,
            cast(sum(input_tokens) filter (is_waste) as bigint) as input_tokens,
            cast(sum(output_tokens) filter (is_waste) as bigint) as output_tokens,
            cast(sum(list_cost) as {MONEY}) as list_cost
        from ({attempts}) group by all
        order by attempts desc, error_class nulls last, error_reason nulls last
        """,
        values,
    )
    failed = [row for row in found if row["has_failed"]]
    return RetriedCalls(
        calls=sum(row["last_attempts"] for row in found),
        succeeded=sum(row["last_attempts"] for row in found if not row["has_failed"]),
        wasted=tuple(
            Wasted(error_class=row["error_class"], error_reason=row["error_reason"], attempts=row["attempts"])
            for row in failed
        ),
        failed_seconds=sum(row["seconds"] for row in failed),
        waited_seconds=sum(row["waited_seconds"] for row in found),
        failed_input_tokens=_sum_known(row["input_tokens"] for row in failed),
        failed_output_tokens=_sum_known(row["output_tokens"] for row in failed),
        failed_list_cost=_sum_known(row["list_cost"] for row in failed),
    )


def _sum_known(numbers: Iterable[_Number | None]) -> _Number | None:
    """The sum of the numbers that are known; None where none is."""
    known = [number for number in numbers if number is not None]
    return reduce(add, known) if known else None


def worst_retried_calls(ledger: Ledger, span: Slice, *, limit: int) -> list[RetriedCall]:
    """The retried calls that lost the most time to failed attempts and the waits between them."""
    attempts, values = _attempts(ledger, span)
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


def _attempts(ledger: Ledger, span: Slice) -> tuple[str, list[object]]:
    """SQL of the requests of the retried calls of a slice, and the values of its marks."""
    scope = where(span.conditions)
    sql = f"""
        with chosen as materialized (
            select *, {scope.sql} as is_meant
            from (
                select {_COLUMNS} from attempts where started_at >= ? and started_at < ?
                union all select {_COLUMNS} from requests where started_at >= ? and started_at < ? and {IS_ATTEMPT}
            )
        )
        select *, {HAS_FAILED} as has_failed, has_failed and pricing_state <> 'repeated' as is_waste,
            lead(started_at) over one_call is null as is_last,
            epoch(lead(started_at) over one_call - started_at) - duration as waited
        from chosen
        where call_id in (
            select call_id from chosen group by call_id
            having count(*) > 1 and min(started_at) < ? and min(attempt) = 0 and bool_or(is_meant)
        )
        window one_call as (partition by call_id order by attempt, started_at)
    """
    whole = replace(span, end=span.end + _RETRIES_TAKE)
    start, until, end = naive(whole.start), naive(digested_until(ledger, whole)), naive(whole.end)
    return sql, [*scope.values, start, until, until, end, naive(span.end)]


def _call(row: dict[str, Any]) -> RetriedCall:
    return RetriedCall(
        **row
        | {
            "call_id": row["call_id"].replace("-", ""),
            "started_at": row["started_at"].replace(tzinfo=UTC),
            "error_classes": tuple(row["error_classes"]),
        }
    )
