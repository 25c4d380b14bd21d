"""Our own dated prices: what genai-prices lacks or has wrong. The data stand in `supplement.toml`. Pure."""

import itertools
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from monitor.errors import PricingError
from monitor.pricing.figures import exact
from monitor.pricing.steps import ALWAYS, PER, unit_price
from monitor.pricing.units import can_be_factor, is_factor, is_unit

TIERS: Final = ("default", "flex", "priority", "batch", "ultrafast")
"""Names of tiers in the data; a batch has no tier, yet prices of its own."""

_EVERY: Final = "*"


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every row says.

    Attributes:
        provider: as genai-prices calls it.
        models: ids of models, as genai-prices or `names` call them, or patterns of them.
        source: one of `sources`.
        checked: the day on which somebody compared row and source.
        valid_from: the first day, UTC; None: always was.
        valid_to: the first day after; None: still holds.
    """

    provider: str
    models: tuple[str, ...]
    source: str
    checked: date
    valid_from: date | None = None
    valid_to: date | None = None

    def is_about(self, provider: str, model: str) -> bool:
        """Whether it says something of that model."""
        return provider == self.provider and any(fnmatchcase(model, pattern) for pattern in self.models)

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is valid then."""
        return (self.valid_from is None or midnight(self.valid_from) <= moment) and (
            self.valid_to is None or moment < midnight(self.valid_to)
        )


class PriceRow(_Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of units, in USD for one, a thousand or a million of them."""

    tiers: tuple[str, ...] = ("default",)
    above_input_tokens: int = ALWAYS
    each: dict[str, Decimal] = {}
    per_thousand: dict[str, Decimal] = {}
    per_million: dict[str, Decimal] = {}

    def unit_prices(self) -> Iterator[tuple[str, Decimal]]:
        """Each unit with the price of one."""
        for name, per in PER.items():
            for unit, usd in getattr(self, name).items():
                yield unit, unit_price(usd, per)


class MultipleRow(_Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of units that are so many times another price.

    Attributes:
        tiers: where they hold; `*` is every tier that the model has.
        units: what gets a price.
        times: how many times.
        of: the unit whose price is taken; None: its own.
        of_tier: the tier whose price is taken; None: the same.
        where: only where this unit has a price.
    """

    tiers: tuple[str, ...]
    units: tuple[str, ...]
    times: Decimal
    of: str | None = None
    of_tier: str | None = None
    where: str | None = None


class TierRow(_Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tier was there from `valid_from`, before the day that genai-prices names, at the ratio of that day."""

    tier: str


class NameRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names, or patterns of them, by which a model goes that genai-prices does not know by them."""

    provider: str
    model: str
    names: tuple[str, ...]
    source: str
    checked: date


class Supplement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rows; of two that say the same the later one holds."""

    version: date
    sources: dict[str, str]
    names: tuple[NameRow, ...] = ()
    prices: tuple[PriceRow, ...] = ()
    multiples: tuple[MultipleRow, ...] = ()
    tiers: tuple[TierRow, ...] = ()

    @property
    def name(self) -> str:
        """What `price_list` says of its prices."""
        return f"supplement {self.version}"

    def model_of(self, provider: str, name: str) -> str | None:
        """The id of the model that goes by this name."""
        for row in self.names:
            if row.provider == provider and any(fnmatchcase(name.lower(), pattern) for pattern in row.names):
                return row.model
        return None

    def about(self, provider: str, model: str) -> "Supplement":
        """What it says of one model."""
        return Supplement(
            version=self.version,
            sources=self.sources,
            prices=tuple(row for row in self.prices if row.is_about(provider, model)),
            multiples=tuple(row for row in self.multiples if row.is_about(provider, model)),
            tiers=tuple(row for row in self.tiers if row.is_about(provider, model)),
        )

    @property
    def tiers_named(self) -> frozenset[str]:
        """The tiers that it gives prices."""
        named = itertools.chain(*(row.tiers for row in self.prices), *(row.tiers for row in self.multiples))
        return frozenset(named) - {_EVERY}

    @property
    def days(self) -> frozenset[date]:
        """Those on which something of it begins or ends to hold."""
        rows: Sequence[_Row] = (*self.prices, *self.multiples, *self.tiers)
        return frozenset(day for row in rows for day in (row.valid_from, row.valid_to) if day is not None)


def midnight(day: date) -> datetime:
    """The moment at which a day begins."""
    return datetime.combine(day, time(), tzinfo=UTC)


def read_supplement(text: str) -> Supplement:
    """The supplement that a TOML text says.

    Raises:
        PricingError: it is no TOML, a row is not as rows are, or names a unit, a tier or a source that is not there.
    """
    try:
        found = msgspec.convert(tomllib.loads(text, parse_float=Decimal), Supplement)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PricingError(f"The supplement of prices cannot be read: {error}. Mend that place in it.") from error
    faults = list(_faults(found))
    if faults:
        raise PricingError(f"The supplement of prices has faults: {'; '.join(faults)}. Mend these rows.")
    return found


def _faults(found: Supplement) -> Iterator[str]:
    rows = (*found.prices, *found.multiples, *found.tiers)
    used = {row.source for row in found.names} | {row.source for row in rows}
    yield from (f"{source} is no source of it" for source in sorted(used - found.sources.keys()))
    for row in found.prices:
        yield from _faults_of_prices(row)
    for multiple in found.multiples:
        units = [*multiple.units, *(unit for unit in (multiple.of, multiple.where) if unit is not None)]
        yield from (f"{unit} is no unit" for unit in units if not is_unit(unit))
        tiers = [*multiple.tiers, multiple.of_tier or _EVERY]
        yield from (f"{tier} is no tier" for tier in tiers if tier not in (*TIERS, _EVERY))
    yield from (f"{there.tier} is no tier" for there in found.tiers if there.tier not in TIERS)


def _faults_of_prices(row: PriceRow) -> Iterator[str]:
    yield from (f"{tier} is no tier" for tier in row.tiers if tier not in TIERS)
    for unit, price in row.unit_prices():
        if not is_unit(unit):
            yield f"{unit} is no unit"
        if not price.is_finite() or price < 0:
            yield f"{unit} cannot cost {price}"
        elif is_factor(unit) and not can_be_factor(price):
            yield f"{unit} cannot be {exact(price)} times"
