"""What users say of prices: their own prices, other names of models, and discounts. Dated frozen values. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from monitor.errors import PricingError
from monitor.pricing.figures import CLASSES, exact
from monitor.pricing.steps import ALWAYS
from monitor.pricing.supplement import TIERS
from monitor.pricing.units import LARGEST_FACTOR, REGIONAL, can_be_factor, is_factor, is_unit

OWN_LIST: Final = "own prices"
"""What `price_list` says of an entry with such a price."""

_LARGEST_PRICE: Final = Decimal(100_000)
_LARGEST_FACTOR: Final = Decimal(1_000)
_QUANTUM: Final = Decimal("1E-18")
_FACTOR_QUANTUM: Final = Decimal("1E-6")


def is_pattern(name: str) -> bool:
    """Whether it stands for several names: `*`, `?` and `[…]` do, as in file names."""
    return any(letter in name for letter in "*?[")


def _fits(name: str, pattern: str) -> bool:
    # Of thousands of rows nearly all are plain names, and each pattern must be compiled.
    return name.lower() == pattern or (is_pattern(pattern) and fnmatchcase(name.lower(), pattern))


class _Dated(msgspec.Struct, frozen=True, kw_only=True):
    """What all of them say.

    Attributes:
        id: random; it names the row for good.
        created_at: when somebody said it, aware UTC.
        valid_from: first moment, aware UTC; None: always was.
        valid_to: first moment after it; None: still holds.
        note: why, in the words of who said it.
    """

    id: str
    created_at: datetime
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    note: str | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is valid then."""
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_to is None or moment < self.valid_to
        )

    @property
    def turns(self) -> tuple[datetime, ...]:
        """The moments at which it begins and ends to hold."""
        return tuple(moment for moment in (self.valid_from, self.valid_to) if moment is not None)


class OwnPrice(_Dated, frozen=True, kw_only=True):
    """Prices that hold in the place of those of the lists.

    Attributes:
        provider: as `provider_id` has it.
        model: the recorded name, or the id in the price list, or a pattern of either, in lower case.
        tiers: some of `TIERS`.
        prices: USD for one of each unit.
        above_input_tokens: they hold for prompts larger than that (-1: any).
    """

    provider: str
    model: str
    tiers: tuple[str, ...] = ("default",)
    prices: Mapping[str, Decimal]
    above_input_tokens: int = ALWAYS

    def is_about(self, *models: tuple[str, str | None]) -> bool:
        """Whether it says something of one that is any of these pairs of provider and model."""
        return any(
            provider == self.provider and name is not None and _fits(name, self.model) for provider, name in models
        )


class OwnName(_Dated, frozen=True, kw_only=True):
    """A name, or a pattern of names, by which a model goes that the lists know by another.

    Attributes:
        provider: whose model goes by the name, as `provider_id` has it.
        name: in lower case.
        model: what the lists call it.
        of_provider: in whose list it stands, as `provider_id` has it.
    """

    provider: str
    name: str
    model: str
    of_provider: str

    def is_about(self, provider: str, name: str) -> bool:
        """Whether a model of that provider goes by it."""
        return provider == self.provider and _fits(name, self.name)


class Discount(_Dated, frozen=True, kw_only=True):
    """What is paid of the list cost: the part of each class, 1 for all of it; more is a margin.

    Attributes:
        provider: as `provider_id` has it; None for all. So are the other three.
        model: the recorded name, or a pattern of it, in lower case.
        project: `sub_account_id`.
        key: `key_fingerprint`.
        factors: by class, one of `CLASSES`; a missing one is 1.
    """

    provider: str | None = None
    model: str | None = None
    project: str | None = None
    key: str | None = None
    factors: Mapping[str, Decimal]

    def factor(self, cost_class: str) -> Decimal:
        """The part that is paid of what a class costs."""
        return self.factors.get(cost_class, Decimal(1))

    @property
    def rank(self) -> tuple[bool, bool, bool, bool, datetime, str]:
        """The larger, the more closely it says for whom it holds; of two alike the later one holds."""
        closely = (self.key is not None, self.project is not None, self.model is not None, self.provider is not None)
        return (*closely, self.created_at, self.id)

    def is_about(self, provider: str, model: str, project: str | None, key: str | None) -> bool:
        """Whether it is for these requests."""
        return (
            self.provider in (None, provider)
            and (self.model is None or _fits(model, self.model))
            and self.project in (None, project)
            and self.key in (None, key)
        )


class OwnPrices(msgspec.Struct, frozen=True, kw_only=True):
    """All that users say; of two rows about the same thing the later one holds, of discounts the closest."""

    prices: tuple[OwnPrice, ...] = ()
    names: tuple[OwnName, ...] = ()
    discounts: tuple[Discount, ...] = ()

    def name_of(self, provider: str, name: str) -> OwnName | None:
        """What somebody said last of the model that goes by this name."""
        found = [row for row in self.names if row.is_about(provider, name)]
        return max(found, key=lambda row: (row.created_at, row.id)) if found else None

    def discount_spans(
        self, provider: str, model: str, project: str | None, key: str | None
    ) -> Iterator[tuple[datetime | None, datetime | None, Discount]]:
        """The discounts of requests: from when (None: always) and until when (None: still) each of them holds."""
        ours = [row for row in self.discounts if row.is_about(provider, model, project, key)]
        turns = sorted({moment for row in ours for moment in row.turns})
        starts = [None, *turns]
        spans: list[tuple[datetime | None, Discount | None]] = []
        for start in starts:
            holding = [row for row in ours if (row.valid_from is None if start is None else row.holds_at(start))]
            best = max(holding, key=lambda row: row.rank) if holding else None
            if not spans or spans[-1][1] is not best:
                spans.append((start, best))
        ends = [start for start, _ in spans[1:]]
        for (start, best), end in zip(spans, [*ends, None], strict=True):
            if best is not None:
                yield start, end, best


class OwnPriceIndex:
    """Finds the prices of a model among thousands of rows."""

    def __init__(self, own: OwnPrices) -> None:
        """All plain names in one table; patterns are few."""
        self._named: dict[tuple[str, str], list[OwnPrice]] = {}
        self._patterns: dict[str, list[OwnPrice]] = {}
        for row in own.prices:
            if is_pattern(row.model):
                self._patterns.setdefault(row.provider, []).append(row)
            else:
                self._named.setdefault((row.provider, row.model), []).append(row)

    def about(self, *models: tuple[str, str | None]) -> tuple[OwnPrice, ...]:
        """The prices of a model that is any of these pairs of provider and name, the oldest first."""
        # Rows of a file have no ids yet, but times.
        found: dict[tuple[datetime, str], OwnPrice] = {}
        for provider, name in models:
            rows = () if name is None else self._named.get((provider, name.lower()), ())
            patterns = (row for row in self._patterns.get(provider, ()) if row.is_about((provider, name)))
            found |= {(row.created_at, row.id): row for row in (*rows, *patterns)}
        return tuple(row for _, row in sorted(found.items()))


def require_price(row: OwnPrice) -> OwnPrice:
    """The same row.

    Raises:
        PricingError: a unit, a tier, a price or a date cannot be; the text says which.
    """
    _require_dates(row)
    if not row.prices:
        raise PricingError(f"No price is given for {row.model!r}. Name one, such as --input 2.50 for a million tokens.")
    for tier in row.tiers:
        if tier not in TIERS:
            raise PricingError(f"{tier!r} is no tier. The tiers are: {', '.join(TIERS)}.")
    for unit, price in row.prices.items():
        if not is_unit(unit):
            raise PricingError(f"{unit!r} is no unit that has a price. docs/pricing.md lists the units.")
        if is_factor(unit) and not can_be_factor(price):
            where = "in a region" if unit == REGIONAL else f"in the completion window {unit.partition(':')[2]}"
            raise PricingError(
                f"Tokens cannot cost {exact(price)} times as much {where}; up to {LARGEST_FACTOR} can be."
            )
        if not price.is_finite() or not 0 <= price <= _LARGEST_PRICE:
            raise PricingError(f"One {unit} cannot cost {price} USD; from 0 to {_LARGEST_PRICE:,} can be.")
        if price != price.quantize(_QUANTUM):
            raise PricingError(f"The price {price} of one {unit} has more than 18 digits after the point.")
    return row


def require_name(row: OwnName) -> OwnName:
    """The same row.

    Raises:
        PricingError: a name is missing, or stands for itself.
    """
    _require_dates(row)
    if row.turns:
        raise PricingError(f"The name {row.name!r} holds always: give dates to prices, not to names.")
    if not row.name or not row.model:
        raise PricingError("A name and the model that goes by it must be given.")
    if is_pattern(row.model):
        raise PricingError(f"{row.model!r} is a pattern; name the one model whose prices hold.")
    if (row.provider, row.name) == (row.of_provider, row.model):
        raise PricingError(f"{row.model!r} costs what it costs: name another model.")
    return row


def require_discount(row: Discount) -> Discount:
    """The same row.

    Raises:
        PricingError: a class, a factor or a date cannot be; the text says which.
    """
    _require_dates(row)
    if not row.factors:
        raise PricingError("The discount says nothing: give the part that is paid of at least one class of cost.")
    for name, factor in row.factors.items():
        if name not in CLASSES:
            raise PricingError(f"{name!r} is no class of cost. The classes are: {', '.join(CLASSES)}.")
        require_factor(factor)
    return row


def require_factor(factor: Decimal) -> Decimal:
    """The same part of a list cost.

    Raises:
        PricingError: nobody can pay it.
    """
    if not factor.is_finite() or not 0 <= factor <= _LARGEST_FACTOR:
        raise PricingError(f"{factor} times the list cost cannot be paid; from 0 to {_LARGEST_FACTOR:,} can be.")
    if factor != factor.quantize(_FACTOR_QUANTUM):
        raise PricingError(f"The factor {factor} has more than 6 digits after the point.")
    return factor


def _require_dates(row: _Dated) -> None:
    if row.valid_from is not None and row.valid_to is not None and row.valid_to <= row.valid_from:
        raise PricingError(
            f"It would end on {row.valid_to:%Y-%m-%d}, not after it begins on {row.valid_from:%Y-%m-%d}."
        )
