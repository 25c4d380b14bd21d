"""What it costs to keep vector stores: sizes that answers stated become GiB-days, and these cost. Pure.

A size holds from the moment it was stated until the next statement about its store, or until the store expires.
Nothing is assumed before the first. All stores of an organisation share what a day of storage has for nothing.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from monitor.pricing.entries import PriceEntry
from monitor.pricing.figures import EXACT
from monitor.pricing.listed import STANDARD
from monitor.pricing.steps import ALWAYS
from monitor.pricing.units import STORAGE_FREE, STORED

VECTOR_STORE: Final = "vector_store"
"""What price lists call it, as no model is named."""

_UNIT: Final = f"{STORED}:{VECTOR_STORE}"
_FREE: Final = f"{STORAGE_FREE}:{VECTOR_STORE}"
_GIB: Final = 2**30
_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta.resolution
_TICKS_OF_DAY: Final = _DAY // _TICK
_NO_END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSize:
    """What an answer stated of a store.

    Attributes:
        seen_at: when, aware UTC.
        size: bytes; 0 of one that is deleted or has expired.
        expires_at: when the store goes if nobody uses it, aware UTC; None: it stays.
    """

    provider_name: str
    billing_account_id: str | None
    store_id: str
    seen_at: datetime
    size: int
    expires_at: datetime | None = None

    @property
    def order(self) -> tuple[str, str, datetime, int, datetime]:
        """Statements of one store stand together, in the order of time."""
        return self.provider_name, self.store_id, self.seen_at, self.size, self.expires_at or _NO_END


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePrice:
    """USD for one GiB for a day, and the GiB of an organisation that are stored for nothing."""

    usd: Decimal
    free_gib: Decimal


PriceOf = Callable[[str, datetime], StoragePrice | None]
"""Gives the price that a provider (as records call it) has on the day that begins then; None where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDay:
    """What the stores of one organisation come to on one day (UTC), as far as it was asked about.

    Attributes:
        byte_seconds: bytes times the seconds they were stored.
        gib_days: the same in GiB (2³⁰ bytes) and days.
        charged_gib_days: those that are not free; None without a price. So is the next.
        list_cost: USD.
    """

    day: date
    provider_name: str
    billing_account_id: str | None
    byte_seconds: Decimal
    gib_days: Decimal
    charged_gib_days: Decimal | None
    list_cost: Decimal | None


def stored_days(sizes: Iterable[StatedSize], start: datetime, end: datetime, price_of: PriceOf) -> list[StoredDay]:
    """What is stored in [start, end), by day and organisation, in this order; days without anything are left out.

    Of a day of which only a part is asked about, that part of what is free counts.
    """
    amounts: Counter[tuple[datetime, str, str | None]] = Counter()
    for stated, until in _held(sizes):
        for day, length in _by_day(max(stated.seen_at, start), min(until, end)):
            amounts[day, stated.provider_name, stated.billing_account_id] += stated.size * (length // _TICK)
    in_order = sorted(amounts.items(), key=lambda item: (*item[0][:2], item[0][2] or ""))
    return [
        _stored(key, amount, min(key[0] + _DAY, end) - max(key[0], start), price_of(key[1], key[0]))
        for key, amount in in_order
        if amount
    ]


def storage_price(entries: Sequence[PriceEntry], moment: datetime) -> StoragePrice | None:
    """The price that these entries have for storage at that moment."""
    for entry in entries:
        is_plain = entry.tier == STANDARD and entry.above_input_tokens == ALWAYS
        if is_plain and entry.holds_at(moment) and _UNIT in entry.unit_prices:
            free = entry.unit_prices.get(_FREE, Decimal())
            return StoragePrice(usd=entry.unit_prices[_UNIT], free_gib=free)
    return None


def gib_of(size: int) -> Decimal:
    """Bytes in GiB."""
    return _rounded(Fraction(size, _GIB))


def _held(sizes: Iterable[StatedSize]) -> Iterator[tuple[StatedSize, datetime]]:
    """Each size with the moment until which it holds."""
    ordered: list[StatedSize | None] = [*sorted(sizes, key=lambda stated: stated.order), None]
    for stated, following in itertools.pairwise(ordered):
        if stated is not None:
            is_same = following is not None and following.order[:2] == stated.order[:2]
            until = following.seen_at if following is not None and is_same else _NO_END
            yield stated, min(until, stated.expires_at or _NO_END)


def _by_day(start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The beginnings of the days that lie in the span, with how much of each does."""
    while start < end:
        day = datetime.combine(start.date(), time(), UTC)
        turn = min(day + _DAY, end)
        yield day, turn - start
        start = turn


def _stored(
    key: tuple[datetime, str, str | None], amount: int, asked: timedelta, price: StoragePrice | None
) -> StoredDay:
    """The day's sums; `amount` is in bytes times microseconds."""
    day, provider_name, account = key
    gib_days = Fraction(amount, _GIB * _TICKS_OF_DAY)
    free = None if price is None else Fraction(price.free_gib) * Fraction(asked // _TICK, _TICKS_OF_DAY)
    charged = None if free is None else max(gib_days - free, Fraction())
    return StoredDay(
        day=day.date(),
        provider_name=provider_name,
        billing_account_id=account,
        byte_seconds=Decimal(amount).scaleb(-6, EXACT),
        gib_days=_rounded(gib_days),
        charged_gib_days=None if charged is None else _rounded(charged),
        list_cost=None if charged is None or price is None else _rounded(charged * Fraction(price.usd)),
    )


def _rounded(value: Fraction) -> Decimal:
    """18 digits after the point, half up."""
    return Decimal(math.floor(value * 10**18 + Fraction(1, 2))).scaleb(-18, EXACT)
