"""What vector stores hold and what that costs, of the sizes that answers stated; beside the spend of requests."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import naive
from monitor.ledger.usage import rows
from monitor.pricing.book import PriceBook
from monitor.pricing.figures import EXACT
from monitor.pricing.storage import (
    VECTOR_STORE,
    StatedSize,
    StoragePrice,
    StoredDay,
    gib_of,
    storage_price,
    stored_days,
)

# A store that is asked about every second says the same for hours: only what is new counts. Its organisation is what
# any answer about it told. Of what was said before the span, only the last still holds in it.
_SIZES: Final = """
    with stores as (
        select provider_name, store_id, arg_max(billing_account_id, seen_at) as account,
            max(seen_at) filter (where seen_at < $2) as last_seen_at
        from stored_bytes group by all
    ), told as (
        select provider_name, store_id, seen_at, bytes, expires_at,
            bytes is distinct from lag(bytes) over ordered
            or expires_at is distinct from lag(expires_at) over ordered as is_new
        from stored_bytes where seen_at < $2
        window ordered as (partition by provider_name, store_id order by seen_at, bytes, expires_at)
    ), changes as (
        select *, lead(seen_at) over ordered as next_at from told where is_new
        window ordered as (partition by provider_name, store_id order by seen_at, bytes, expires_at)
    )
    select provider_name, account, store_id, seen_at, bytes, expires_at, last_seen_at
    from changes join stores using (provider_name, store_id) where next_at is null or next_at > $1
    order by provider_name, store_id, seen_at, bytes, expires_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSum:
    """What is stored on a day (UTC), or on all of them where `day` is None.

    Attributes:
        charged_gib_days: those that are not free, where that is known; None where it is known nowhere.
        list_cost: USD, of the stores that have a price; None where none has.
        unpriced_gib_days: of the stores that have none.
    """

    day: date | None
    gib_days: Decimal
    charged_gib_days: Decimal | None
    list_cost: Decimal | None
    unpriced_gib_days: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState:
    """What a store holds at the end of what was asked: `size` bytes, as an answer said at `last_seen_at`, aware UTC."""

    provider_name: str
    billing_account_id: str | None
    store_id: str
    size: int
    gib: Decimal
    last_seen_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What is stored in a span of time: by day, in all, and by store, the largest first."""

    days: tuple[StorageSum, ...]
    total: StorageSum
    stores: tuple[StoreState, ...]


def storage(ledger: Ledger, book: Callable[[], PriceBook], start: datetime, end: datetime) -> Storage:
    """What vector stores hold in [start, end), as far as answers told their sizes.

    Args:
        ledger: where the sizes stand.
        book: gives the prices; it is asked only where there are sizes.
        start: aware.
        end: aware; a size goes on to hold until then, so it is at most now.
    """
    found = rows(ledger, _SIZES, [naive(start), naive(end)])
    sizes = [_size(row) for row in found]
    days = stored_days(sizes, start, end, _prices(book())) if sizes else []
    last = {(one.provider_name, one.store_id): (one, row) for one, row in zip(sizes, found, strict=True)}
    states = (_state(one, _aware(row["last_seen_at"]), end) for one, row in last.values())
    return Storage(
        days=tuple(_sum(day, list(of_day)) for day, of_day in groupby(days, key=lambda one: one.day)),
        total=_sum(None, days),
        stores=tuple(sorted(states, key=lambda state: (-state.size, state.provider_name, state.store_id))),
    )


def _prices(book: PriceBook) -> Callable[[str, datetime], StoragePrice | None]:
    entries = functools.cache(lambda provider_name: book.match(provider_name, VECTOR_STORE).entries)
    return functools.cache(lambda provider_name, moment: storage_price(entries(provider_name), moment))


def _size(row: Mapping[str, Any]) -> StatedSize:
    return StatedSize(
        provider_name=row["provider_name"],
        billing_account_id=row["account"],
        store_id=row["store_id"],
        seen_at=_aware(row["seen_at"]),
        size=row["bytes"],
        expires_at=None if row["expires_at"] is None else _aware(row["expires_at"]),
    )


def _state(stated: StatedSize, last_seen_at: datetime, end: datetime) -> StoreState:
    is_gone = stated.expires_at is not None and stated.expires_at <= end
    size = 0 if is_gone else stated.size
    return StoreState(
        provider_name=stated.provider_name,
        billing_account_id=stated.billing_account_id,
        store_id=stated.store_id,
        size=size,
        gib=gib_of(size),
        last_seen_at=last_seen_at,
        expires_at=stated.expires_at,
    )


def _sum(day: date | None, of: list[StoredDay]) -> StorageSum:
    return StorageSum(
        day=day,
        gib_days=_added(one.gib_days for one in of),
        charged_gib_days=_known([one.charged_gib_days for one in of]),
        list_cost=_known([one.list_cost for one in of]),
        unpriced_gib_days=_added(one.gib_days for one in of if one.list_cost is None),
    )


def _known(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Where nothing is stored, that is known: nothing."""
    found = [amount for amount in amounts if amount is not None]
    return _added(found) if found or not amounts else None


def _added(amounts: Iterable[Decimal]) -> Decimal:
    return functools.reduce(EXACT.add, amounts, Decimal())


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
