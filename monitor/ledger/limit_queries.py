"""What the provider's answers said about rate limits."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from monitor.ledger.digests import digested_rows
from monitor.ledger.ledger import Ledger
from monitor.ledger.limit_facts import LIMITS
from monitor.ledger.scopes import Slice
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


_WHOSE: Final = ("provider_name", "key_fingerprint", "request_model", "kind")


def limit_states(ledger: Ledger, span: Slice, *, limit: int) -> list[LimitState]:
    """The limits that answers stated, by key, model and kind; the one that came nearest to its end first."""
    source = digested_rows(ledger, span, by=_WHOSE, facts=LIMITS)
    found = rows(
        ledger,
        f"""
        select {", ".join(_WHOSE)}, {LIMITS.added()} from {source.sql} u group by all having {LIMITS.is_there}
        order by lowest_share, refused desc, last_at desc, request_model nulls last, kind limit ?
        """,
        [*source.values, limit],
    )
    return [_state(row) for row in found]


def _state(row: dict[str, Any]) -> LimitState:
    return LimitState(
        provider_name=row["provider_name"],
        key_fingerprint=row["key_fingerprint"],
        key_hint=row["key_hint"],
        model=row["request_model"],
        kind=row["kind"],
        limit=row["last_allowed"],
        remaining=row["last_remaining"],
        reset=row["last_reset"],
        seen_at=row["last_at"].replace(tzinfo=UTC),
        lowest_share=row["lowest_share"],
        lowest_at=row["lowest_at"].replace(tzinfo=UTC),
        answers=int(row["answers"]),
        refused=int(row["refused"]),
    )
