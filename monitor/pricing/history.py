"""Prices that change: what was asked of requests of the past stays, what is new holds from now on. Pure.

Time and size of prompt are cut into cells, at the borders of all entries; in each of them what is known meets what the
lists say now.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from monitor.pricing.entries import PriceEntry, identified
from monitor.pricing.own import OWN_LIST

_ONE_BY_ONE: Final = ("tool:", "container:", "window:", "trained", "character")
_OF_A_KIND: Final = ("image:", "video_second:")
"""Units without which nothing was known of a cost: each of them alone, or all of the kind together. A token without a
price of its own costs what its whole costs, so that a price of its own changes a cost that was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """One figure that is another than before.

    Attributes:
        before: USD for one of the unit; None where there was no price.
        after: likewise; None where there is none any more.
        valid_from: since when it holds.
        price_list: who says so.
    """

    price_key: str
    service_tier: str
    is_batch: bool
    above_input_tokens: int
    unit: str
    before: Decimal | None
    after: Decimal | None
    valid_from: datetime
    price_list: str


@dataclass(frozen=True, slots=True)
class _Said:
    """The prices of a cell, and who said them."""

    unit_prices: Mapping[str, Decimal]
    own_units: tuple[str, ...]
    price_list: str


_Band = tuple[int, int | None, _Said]


@dataclass(frozen=True, slots=True)
class _Tier:
    """The entries of one tier, old and new, and the cells that their borders cut."""

    service_tier: str
    is_batch: bool
    old: Sequence[PriceEntry]
    new: Sequence[PriceEntry]

    def spans(self, *more: datetime) -> list[tuple[datetime, datetime | None]]:
        moments = {moment for one in (*self.old, *self.new) for moment in (one.valid_from, one.valid_to) if moment}
        starts = sorted(moments | set(more))
        return list(zip(starts, [*starts[1:], None], strict=True))

    def bands(self) -> list[tuple[int, int | None]]:
        sizes = {
            size
            for one in (*self.old, *self.new)
            for size in (one.above_input_tokens, one.upto_input_tokens)
            if size is not None
        }
        floors = sorted(sizes)
        return list(zip(floors, [*floors[1:], None], strict=True))


def kept_past(old: Sequence[PriceEntry], new: Sequence[PriceEntry], now: datetime) -> list[PriceEntry]:
    """The entries that hold when lists say what is new: before now the old ones where there were any, then the new.

    What had no price before gets the new one for the past as well, and so does what the user's own prices say, or
    said: they hold as they are dated.

    Args:
        old: those that held until now; none overlap.
        new: what the lists and the user say now, likewise; it gives the price key.
        now: aware UTC.
    """
    return [entry for tier in _tiers(old, new) for entry in _merged(tier, (*new, *old)[0].price_key, now)]


def changed_figures(old: Sequence[PriceEntry], new: Sequence[PriceEntry], now: datetime) -> list[PriceChange]:
    """The figures in which two lists of entries differ, each with the moment from which it does.

    A price for what had none is told only if it holds now or later.
    """
    return [change for tier in _tiers(old, new) for change in _changes(tier, (*new, *old)[0].price_key, now)]


def _tiers(old: Sequence[PriceEntry], new: Sequence[PriceEntry]) -> Iterator[_Tier]:
    for name, is_batch in sorted({(one.service_tier, one.is_batch) for one in (*old, *new)}):
        ours, theirs = (
            [one for one in entries if (one.service_tier, one.is_batch) == (name, is_batch)] for entries in (old, new)
        )
        yield _Tier(name, is_batch, ours, theirs)


def _merged(tier: _Tier, price_key: str, now: datetime) -> Iterator[PriceEntry]:
    for start, end, bands in _runs(tier, now):
        for above, upto, said in bands:
            entry = PriceEntry(
                sku_price_id="",
                price_key=price_key,
                service_tier=tier.service_tier,
                is_batch=tier.is_batch,
                above_input_tokens=above,
                upto_input_tokens=upto,
                valid_from=start,
                valid_to=end,
                unit_prices=dict(said.unit_prices),
                price_list=said.price_list,
                own_units=said.own_units,
            )
            yield identified(entry)


def _runs(tier: _Tier, now: datetime) -> list[tuple[datetime, datetime | None, list[_Band]]]:
    """The bands of each stretch of time in which no price changes."""
    runs: list[tuple[datetime, datetime | None, list[_Band]]] = []
    for start, end in tier.spans(now):
        bands = _bands_at(tier, start, is_past=start < now)
        is_same = bool(runs) and _figures(runs[-1][2]) == _figures(bands)
        # Of two that say the same the later one knows better who said it.
        runs.append((runs.pop()[0] if is_same else start, end, bands))
    return runs


def _figures(bands: Sequence[_Band]) -> list[tuple[int, int | None, Mapping[str, Decimal]]]:
    return [(above, upto, said.unit_prices) for above, upto, said in bands]


def _bands_at(tier: _Tier, moment: datetime, *, is_past: bool) -> list[_Band]:
    """The prices of a moment by size of prompt; sizes without a price lack."""
    found: list[_Band] = []
    for above, upto in tier.bands():
        old, new = (_at(entries, moment, above) for entries in (tier.old, tier.new))
        said = _of_the_past(old, new) if is_past and old is not None else new
        if said is None:
            continue
        if found and found[-1][1] == above and found[-1][2].unit_prices == said.unit_prices:
            found[-1] = (found[-1][0], upto, said)
        else:
            found.append((above, upto, said))
    return found


def _at(entries: Sequence[PriceEntry], moment: datetime, above: int) -> _Said | None:
    one = next((one for one in entries if one.holds_at(moment) and _is_in_band(one, above)), None)
    return None if one is None else _Said(one.unit_prices, one.own_units, one.price_list)


def _is_in_band(one: PriceEntry, above: int) -> bool:
    """Whether it holds for prompts that are just larger than that."""
    return one.above_input_tokens <= above and (one.upto_input_tokens is None or above < one.upto_input_tokens)


def _of_the_past(old: _Said, new: _Said | None) -> _Said | None:
    dated = {*old.own_units, *(new.own_units if new else ())}
    kept = {unit: price for unit, price in old.unit_prices.items() if unit not in dated}
    if not kept:
        return new
    if new is None:
        return _Said(kept, (), old.price_list)
    more = {
        unit: price
        for unit, price in new.unit_prices.items()
        if unit not in kept and (unit in dated or _is_first(unit, kept))
    }
    prices = kept | more
    if prices == new.unit_prices:
        return new
    is_named = not new.own_units or OWN_LIST in old.price_list
    return _Said(prices, new.own_units, old.price_list if is_named else f"{old.price_list} and {OWN_LIST}")


def _is_first(unit: str, known: Collection[str]) -> bool:
    """Whether nothing was known of what the unit costs."""
    kind = next((kind for kind in _OF_A_KIND if unit.startswith(kind)), None)
    return unit.startswith(_ONE_BY_ONE) if kind is None else not any(other.startswith(kind) for other in known)


def _changes(tier: _Tier, price_key: str, now: datetime) -> Iterator[PriceChange]:
    units = sorted({unit for one in (*tier.old, *tier.new) for unit in one.unit_prices})
    below: set[tuple[str, datetime, Decimal | None, Decimal | None]] = set()
    for above, _ in tier.bands():
        found = [(unit, *change) for unit in units for change in _changes_of(tier, above, unit, now)]
        for unit, start, before, after, price_list in found:
            if (unit, start, before, after) not in below:
                yield PriceChange(
                    price_key=price_key,
                    service_tier=tier.service_tier,
                    is_batch=tier.is_batch,
                    above_input_tokens=above,
                    unit=unit,
                    before=before,
                    after=after,
                    valid_from=start,
                    price_list=price_list,
                )
        below = {(unit, start, before, after) for unit, start, before, after, _ in found}


def _changes_of(
    tier: _Tier, above: int, unit: str, now: datetime
) -> Iterator[tuple[datetime, Decimal | None, Decimal | None, str]]:
    """The changes of one figure in the order of time."""
    last: tuple[Decimal | None, Decimal | None] = (None, None)
    for start, end in tier.spans():
        old, new = (_at(entries, start, above) for entries in (tier.old, tier.new))
        before, after = (said.unit_prices.get(unit) if said else None for said in (old, new))
        is_over = before is None and end is not None and end <= now
        pair = (None, None) if before == after or is_over else (before, after)
        said = new or old
        if pair not in ((None, None), last) and said is not None:
            yield start, before, after, said.price_list
        last = pair
