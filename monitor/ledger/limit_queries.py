"""What the provider's answers said about rate limits. Reads the requests of a slice."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Slice, naive, where
from monitor.ledger.usage import rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """One limit of one key and model, as the answers of a slice told of it; times are aware UTC.

    Attributes:
        provider_name: who limits.
        key_fingerprint: the key; None where none was sent.
        key_hint: its last characters, where they are known.
        model: as it was asked for: a refusal names no other. None where the request named none.
        kind: `requests`, `tokens`, or what else the headers name, as `project_tokens`; `deployment_utilization` is
            percent of what was provisioned.
        limit: what is allowed in a window, in the last answer that stated it.
        remaining: what was left of it then; can be below zero where more was used than provisioned.
        reset: seconds from then until all is there again; None where it was not stated.
        seen_at: when that request began.
        lowest_share: the least that was ever left in the slice, as a share of the limit.
        lowest_at: when that was, the last time.
        answers: how many answers stated the limit.
        refused: how many of them were refused because of it.
    """

    provider_name: str
    key_fingerprint: str | None
    key_hint: str | None
    model: str | None
    kind: str
    limit: float
    remaining: float
    reset: float | None
    seen_at: datetime
    lowest_share: float
    lowest_at: datetime
    answers: int
    refused: int


_WHOSE: Final = "provider_name, key_fingerprint, request_model"
_FACTS: Final = f"{_WHOSE}, key_hint, started_at, error_class, error_reason"
_UTILIZATION: Final = "deployment-utilization"

# Headers come in pairs `limit-…` and `remaining-…`; the utilization of a deployment is percent and comes alone.
_STATED: Final = f"""
    select {_FACTS}, 'requests' as kind, requests_limit as allowed, requests_remaining as remaining,
        requests_reset as reset
    from chosen
    union all
    select {_FACTS}, 'tokens', tokens_limit, tokens_remaining, tokens_reset from chosen
    union all
    select {_FACTS}, replace(name, '-', '_'), other_limits['limit-' || name], other_limits['remaining-' || name],
        other_limits['reset-' || name]
    from (
        select *, unnest(list_filter(map_keys(other_limits), key -> starts_with(key, 'limit-'))) as header,
            substr(header, 7) as name
        from chosen where other_limits is not null
    )
    union all
    select {_FACTS}, replace('{_UTILIZATION}', '-', '_'), 100, 100 - other_limits['{_UTILIZATION}'], null
    from chosen where other_limits is not null
"""


def limit_states(ledger: Ledger, span: Slice, *, limit: int) -> list[LimitState]:
    """The limits that answers stated, by key, model and kind; the one that came nearest to its end first."""
    scope = where(span.conditions)
    found = rows(
        ledger,
        f"""
        with chosen as (
            select * from requests
            where started_at >= ? and started_at < ? and {scope.sql}
                and (requests_limit is not null or tokens_limit is not null or other_limits is not null)
        ), stated as (
            select *, remaining / allowed as share from ({_STATED}) where allowed > 0 and remaining is not null
        )
        select provider_name, key_fingerprint, arg_max(key_hint, started_at) as key_hint, request_model as model, kind,
            arg_max({{'limit': allowed, 'remaining': remaining, 'reset': reset}}, started_at) as last,
            max(started_at) as seen_at, min(share) as lowest_share, count(*) as answers,
            arg_min(started_at, {{'share': share, 'ago': epoch_us(started_at) * -1}}) as lowest_at,
            count(*) filter (
                error_class = 'rate_limit'
                and (error_reason in (kind, kind || '_per_day') or (error_reason is null and remaining <= 0))
            ) as refused
        from stated
        group by {_WHOSE}, kind
        order by lowest_share, refused desc, seen_at desc, model nulls last, kind limit ?
        """,
        [naive(span.start), naive(span.end), *scope.values, limit],
    )
    return [_state(row) for row in found]


def _state(row: dict[str, Any]) -> LimitState:
    times = {name: row[name].replace(tzinfo=UTC) for name in ("seen_at", "lowest_at")}
    return LimitState(**row.pop("last") | row | times)
