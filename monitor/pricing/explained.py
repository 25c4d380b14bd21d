"""Which price holds for a request, and which list says so. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from monitor.pricing.book import PriceBook, provider_id
from monitor.pricing.entries import BATCH, PriceEntry, entry_at
from monitor.pricing.listed import STANDARD
from monitor.pricing.own import OWN_LIST, OwnPrice
from monitor.pricing.proposals import proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of which request the price is asked.

    Attributes:
        tier: one of `TIERS`; a batch is one.
        input_tokens: the size of its prompt.
    """

    provider: str
    model: str
    at: datetime
    tier: str = "default"
    input_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one of a unit costs in USD, and who says so."""

    unit: str
    usd: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a request costs what it costs.

    Attributes:
        price_key: provider and model of the list; None where none has a price.
        why: what matched, or why nothing did.
        entry: the entry that holds, if one does.
        prices: what it says.
        note: what to know, or to do, where there is no entry.
    """

    price_key: str | None
    why: str
    entry: PriceEntry | None
    prices: tuple[Said, ...]
    note: str | None


def explain(book: PriceBook, asked: Asked) -> Explanation:
    """What the book says to a request, unit by unit."""
    match = book.match(asked.provider, asked.model)
    entry = entry_of(match.entries, asked)
    prices = () if entry is None else tuple(_said(book, entry, asked))
    return Explanation(
        price_key=match.price_key, why=match.why, entry=entry, prices=prices, note=_note(book, match.entries, asked)
    )


def entry_of(entries: Iterable[PriceEntry], asked: Asked) -> PriceEntry | None:
    """The one of these entries that holds for the request."""
    is_batch = asked.tier == BATCH
    tier = STANDARD if is_batch else asked.tier
    return entry_at(entries, asked.at, tier=tier, is_batch=is_batch, input_tokens=asked.input_tokens)


def _said(book: PriceBook, entry: PriceEntry, asked: Asked) -> Iterable[Said]:
    layers = [(name, _prices(layer, asked)) for name, layer in book.layers()]
    provider, _, model = entry.price_key.partition("/")
    rows = book.own_prices((provider_id(asked.provider), asked.model), (provider, model))
    for unit, usd in entry.unit_prices.items():
        source = layers[0][0]
        for (_, before), (name, after) in pairwise(layers):
            if before.get(unit) != after.get(unit):
                source = name
        if source == OWN_LIST:
            source = _own_source(rows, unit, usd, asked) or (OWN_LIST if layers[-2][1] else layers[-2][0])
        yield Said(unit=unit, usd=usd, source=source)


def _prices(book: PriceBook, asked: Asked) -> Mapping[str, Decimal]:
    entry = entry_of(book.match(asked.provider, asked.model).entries, asked)
    return {} if entry is None else entry.unit_prices


def _own_source(rows: Iterable[OwnPrice], unit: str, usd: Decimal, asked: Asked) -> str | None:
    """The row that says so; the last one of several, which come the oldest first, if of this tier at best."""
    found = [row for row in rows if row.prices.get(unit) == usd and row.holds_at(asked.at)]
    best = [row for row in found if asked.tier in row.tiers] or found
    return f"{OWN_LIST}, {best[-1].id}" if best else None


def _note(book: PriceBook, entries: tuple[PriceEntry, ...], asked: Asked) -> str | None:
    if not entries:
        return f"To give it a price: {proposal(book, asked.provider, asked.model)}"
    if entry_of(entries, asked) is not None:
        return None
    tiers = {entry.tier for entry in entries}
    if asked.tier not in tiers:
        return f"It has no price in the tier {asked.tier}; it has one in: {', '.join(sorted(tiers))}."
    return f"It has no price on {asked.at:%Y-%m-%d}."
