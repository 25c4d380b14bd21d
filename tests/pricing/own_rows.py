"""Own prices, names and discounts for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import msgspec
from genai_prices.data_snapshot import get_snapshot

from monitor.pricing.book import PriceBook
from monitor.pricing.figures import CLASSES
from monitor.pricing.installed import installed_supplement
from monitor.pricing.own import Discount, OwnName, OwnPrice, OwnPrices

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_numbers = count(1)


def day(number: int) -> datetime:
    """A day of November 2026."""
    return datetime(2026, 11, number, tzinfo=UTC)


def own_price(
    model: str,
    *,
    provider: str = "openai",
    tiers: tuple[str, ...] = ("default",),
    above: int = -1,
    start: datetime | None = None,
    end: datetime | None = None,
    **per_million: str,
) -> OwnPrice:
    """A row said after all rows before it."""
    number = next(_numbers)
    return OwnPrice(
        id=f"price_{number:08}",
        created_at=LONG_AGO + timedelta(seconds=number),
        valid_from=start,
        valid_to=end,
        provider=provider,
        model=model,
        tiers=tiers,
        above_input_tokens=above,
        prices={unit: Decimal(price).scaleb(-6) for unit, price in per_million.items()},
    )


def own_factors(
    factors: Mapping[str, str],
    *,
    provider: str = "openai",
    model: str = "*",
    start: datetime | None = None,
    end: datetime | None = None,
) -> OwnPrice:
    """Likewise of `regional` and `window:…`, which are no prices."""
    row = own_price(model, provider=provider, start=start, end=end)
    return msgspec.structs.replace(row, prices={unit: Decimal(times) for unit, times in factors.items()})


def own_name(name: str, model: str, *, provider: str = "openai", of_provider: str = "openai") -> OwnName:
    number = next(_numbers)
    return OwnName(
        id=f"name_{number:08}",
        created_at=LONG_AGO + timedelta(seconds=number),
        provider=provider,
        name=name,
        model=model,
        of_provider=of_provider,
    )


def discount(factor: str, *, model: str | None = None, **about: str) -> Discount:
    number = next(_numbers)
    return Discount(
        id=f"disc_{number:08}",
        created_at=LONG_AGO + timedelta(seconds=number),
        model=model,
        factors=dict.fromkeys(CLASSES, Decimal(factor)),
        **about,  # type: ignore[arg-type]  # provider, project or key
    )


def book_with(*rows: OwnPrice | OwnName | Discount) -> PriceBook:
    """The installed lists with these rows before them."""
    return PriceBook(get_snapshot().providers, "the list", None, installed_supplement(), own_of(*rows))


def own_of(*rows: OwnPrice | OwnName | Discount) -> OwnPrices:
    """All that is said."""
    return OwnPrices(
        prices=tuple(row for row in rows if isinstance(row, OwnPrice)),
        names=tuple(row for row in rows if isinstance(row, OwnName)),
        discounts=tuple(row for row in rows if isinstance(row, Discount)),
    )
