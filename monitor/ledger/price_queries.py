"""Questions about prices: what has none, and what has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from monitor.alerts.unpriced_alert import STATES, UnpricedModel
from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Slice, naive
from monitor.ledger.steps import Cut
from monitor.ledger.usage import rows, usage_rows

_STATES: Final = ", ".join(f"'{state}'" for state in STATES)
_MOST_FIGURES: Final = 5_000
_AHEAD: Final = timedelta(days=1)
"""Clocks of programs may go before."""

_MOST_MODELS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a unit cost before and costs now, in USD for one; None where there was no price, or is none any more."""

    above_input_tokens: int
    unit: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPrices:
    """What a refresh found changed in one tier of a model from one moment on.

    Attributes:
        seen_at: when it was noticed, aware UTC.
        valid_from: since when it holds.
    """

    seen_at: datetime
    price_key: str
    service_tier: str
    is_batch: bool
    valid_from: datetime
    price_list: str
    figures: tuple[Figure, ...]


_CHANGED: Final = ("seen_at", "price_key", "service_tier", "is_batch", "valid_from", "price_list")


def price_changes(ledger: Ledger, *, limit: int) -> list[ChangedPrices]:
    """The newest changes of prices."""
    found = rows(
        ledger,
        "from price_changes order by seen_at desc, price_key, is_batch, service_tier <> 'default', service_tier,"
        " valid_from, above_input_tokens, unit limit ?",
        [_MOST_FIGURES],
    )
    groups: dict[tuple[Any, ...], list[Figure]] = {}
    for row in found:
        figure = Figure(**{field.name: row[field.name] for field in fields(Figure)})
        groups.setdefault(tuple(row[name] for name in _CHANGED), []).append(figure)
    return [
        ChangedPrices(**_aware(dict(zip(_CHANGED, facts, strict=True)), ("seen_at", "valid_from")), figures=(*figures,))
        for facts, figures in list(groups.items())[:limit]
    ]


def seen_elsewhere(ledger: Ledger) -> dict[str, int]:
    """How often requests were told of a second time, by who did."""
    found = rows(ledger, "select source, count(*) as n from sightings group by 1 order by 2 desc", [])
    return {row["source"]: int(row["n"]) for row in found}


def unpriced_since(ledger: Ledger, since: datetime) -> list[UnpricedModel]:
    """The models with requests of unknown cost that began since then, those with most of them first.

    Of many more than anybody can read, only the first.
    """
    span = Slice(start=since, end=ledger.clock() + _AHEAD)
    source = usage_rows(
        span, by=["pricing_state"], only=f"pricing_state in ({_STATES})", cut=Cut(steps=("hour",), moments="hour")
    )
    hours = rows(
        ledger,
        f"select moment from {source.sql} u group by 1 having sum(requests) <> 0 order by 1",
        source.values,
    )
    if not hours:
        return []
    first, last = (hours[index]["moment"] for index in (0, -1))
    found = rows(
        ledger,
        f"""
        with unpriced as (
            select provider_name, model, pricing_state, count(*) as requests,
                cast(sum(input_tokens) as bigint) as input_tokens, cast(sum(output_tokens) as bigint) as output_tokens,
                min(started_at) as first_at, max(started_at) as last_at
            from requests
            where started_at >= ? and started_at < ? and pricing_state in ({_STATES})
            group by all
        )
        select u.*, m.why, u.pricing_state = 'unpriced' and m.price_key in (
            select price_key from price_changes where seen_at > u.last_at
        ) as is_mended
        from unpriced u left join price_matches m on m.provider_name = u.provider_name and m.model = u.model
        order by requests desc, u.provider_name, u.model nulls last, u.pricing_state limit ?
        """,
        [max(first, naive(since)), last + timedelta(hours=1), _MOST_MODELS],
    )
    return [
        UnpricedModel(**_aware(row, ("first_at", "last_at")) | {"is_mended": bool(row["is_mended"])}) for row in found
    ]


def _aware(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {**row, **{name: row[name] and row[name].replace(tzinfo=UTC) for name in names}}
