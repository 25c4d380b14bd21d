"""Which models the ledger knows, and which of its requests a change of prices is about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import naive


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenModel:
    """A model of stored requests, by the names that they have, and the key of its prices, if it has any."""

    provider_name: str
    model: str
    price_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Stored requests that a change is about, and when the first of them was."""

    requests: int
    first_at: datetime | None


def seen_models(ledger: Ledger) -> tuple[SeenModel, ...]:
    """Every model that answered, was asked or was used by a tool, by name."""
    with ledger.cursor() as cursor:
        rows = cursor.execute(
            "select provider_name, model, price_key from price_matches order by provider_name, model"
        ).fetchall()
    return tuple(SeenModel(provider_name=row[0], model=row[1], price_key=row[2]) for row in rows)


def priced_otherwise(ledger: Ledger, models: Sequence[tuple[str, str]]) -> Touched:
    """The requests of these pairs of provider and model that were priced by another entry than holds for them now."""
    with ledger.cursor() as cursor:
        row = cursor.execute(
            """
            select count(*), min(started_at)
            from requests r
            join (select unnest(?::varchar[]) as provider_name, unnest(?::varchar[]) as model) s
                on s.provider_name = r.provider_name and s.model = r.model
            join price_matches m on m.provider_name = r.provider_name and m.model = r.model
            left join prices p on p.is_current and p.sku_price_id = r.sku_price_id
                and r.started_at >= p.valid_from and (p.valid_to is null or r.started_at < p.valid_to)
            where r.pricing_state in ('priced', 'unpriced', 'impossible') and p.sku_price_id is null
                and (r.sku_price_id is not null or exists (
                    from prices e
                    where e.is_current and e.price_key = m.price_key
                        and r.started_at >= e.valid_from and (e.valid_to is null or r.started_at < e.valid_to)
                ))
            """,
            [[name for name, _ in models], [model for _, model in models]],
        ).fetchone()
    return _touched(*(row or (0, None)))


Payer = tuple[str, str, str | None, str | None]
"""Provider as recorded, model, project and key of requests."""


def costing(ledger: Ledger, start: datetime | None, end: datetime | None, is_meant: Callable[[Payer], bool]) -> Touched:
    """The requests from start to end (None: all) that have a cost and whose payer is meant."""
    with ledger.cursor() as cursor:
        rows = cursor.execute(
            """
            select provider_name, model, sub_account_id, key_fingerprint, count(*), min(started_at)
            from requests
            where list_cost is not null and model is not null
                and started_at >= coalesce(?, '-infinity'::timestamp)
                and started_at < coalesce(?, 'infinity'::timestamp)
            group by all
            """,
            [naive(start), naive(end)],
        ).fetchall()
    found = [(number, first) for *payer, number, first in rows if is_meant(tuple(payer))]
    return _touched(sum(number for number, _ in found), min((first for _, first in found), default=None))


def _touched(requests: int, first_at: datetime | None) -> Touched:
    return Touched(requests=requests, first_at=None if first_at is None else first_at.replace(tzinfo=UTC))
