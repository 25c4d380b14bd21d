"""What a record costs, and sums over some records. Pure, and light: the price list is not needed for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from monitor.records import Record

EXACT: Final = Context(prec=76, rounding=ROUND_HALF_UP)
"""Money is never rounded by the context of the program that happens to run this."""

UNKNOWN_COST_STATES: Final = ("unpriced", "impossible", "no_usage")
"""The states in which money was probably spent and the figure is not known: counted as unpriced requests."""

_NOTHING: Final = Decimal(0)


def exact(number: Decimal) -> str:
    """All digits of the number, without exponent or idle zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


CLASSES: Final = ("input", "cache_read", "cache_creation", "output", "audio", "image", "tools", "other")
"""What a cost is made of. audio: tokens, seconds and spoken characters; image: tokens and pictures; tools: their calls
and the models they use; other: training and video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What a record costs.

    Attributes:
        state: a `pricing_state` of the ledger.
        list_cost: USD at list prices; None unless the state is `priced`.
        sku_price_id: the price entry of the model.
        tool_sku_price_id: that of the model that a tool used, if it used anything.
        classes: the cost by class, each of `CLASSES`; their sum is `list_cost`. Empty without a cost.
        contracted_cost: USD at the user's discount; None where none holds. So are the next two.
        contracted_classes: the same by class.
        discount_id: the discount.
    """

    state: str
    list_cost: Decimal | None = None
    sku_price_id: str | None = None
    tool_sku_price_id: str | None = None
    classes: Mapping[str, Decimal] = field(default_factory=dict)
    contracted_cost: Decimal | None = None
    contracted_classes: Mapping[str, Decimal] = field(default_factory=dict)
    discount_id: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether money was probably spent and the figure is not known."""
        return self.state in UNKNOWN_COST_STATES


Price = Callable[[Record], Priced]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sums over some requests.

    Attributes:
        requests: HTTP requests, retries included.
        calls: of them, first attempts.
        input_tokens: None where no answer stated any; so are the other tokens. Cached ones are part of the input.
        known_list_cost: USD at list prices, of the requests whose cost is known.
        unpriced_requests: money was probably spent, and the figure is not known: no price, or no usage.
        estimated_requests: their usage was estimated, so that their cost is an estimate too.
        pending: requests that began work whose usage a later answer will state.
    """

    requests: int = 0
    calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    known_list_cost: Decimal = _NOTHING
    unpriced_requests: int = 0
    estimated_requests: int = 0
    pending: int = 0

    @property
    def list_cost(self) -> Decimal | None:
        """USD at list prices; None when the cost of any request is not known."""
        return None if self.unpriced_requests else self.known_list_cost

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            requests=self.requests + other.requests,
            calls=self.calls + other.calls,
            input_tokens=_both(self.input_tokens, other.input_tokens),
            output_tokens=_both(self.output_tokens, other.output_tokens),
            cache_read_input_tokens=_both(self.cache_read_input_tokens, other.cache_read_input_tokens),
            known_list_cost=EXACT.add(self.known_list_cost, other.known_list_cost),
            unpriced_requests=self.unpriced_requests + other.unpriced_requests,
            estimated_requests=self.estimated_requests + other.estimated_requests,
            pending=self.pending + other.pending,
        )


def figures_of(record: Record, priced: Priced) -> Figures:
    """One record's part in the sums, as the ledger counts it: usage that is repeated counts nowhere."""
    is_counted = priced.state != "repeated"
    return Figures(
        requests=1,
        calls=int(record.attempt == 0),
        input_tokens=record.input_tokens if is_counted else None,
        output_tokens=record.output_tokens if is_counted else None,
        cache_read_input_tokens=record.cache_read_input_tokens if is_counted else None,
        known_list_cost=_NOTHING if priced.list_cost is None else priced.list_cost,
        unpriced_requests=int(priced.is_unknown),
        estimated_requests=int(record.usage_source == "estimated"),
        pending=int(priced.state == "pending"),
    )


def settled(figures: Figures) -> Figures:
    """What to add once the usage is known that such a request left open, or that was estimated."""
    return Figures(
        input_tokens=_taken_back(figures.input_tokens),
        output_tokens=_taken_back(figures.output_tokens),
        cache_read_input_tokens=_taken_back(figures.cache_read_input_tokens),
        known_list_cost=EXACT.minus(figures.known_list_cost),
        unpriced_requests=-figures.unpriced_requests,
        estimated_requests=-figures.estimated_requests,
        pending=-figures.pending,
    )


def _taken_back(count: int | None) -> int | None:
    return None if count is None else -count


def _both(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other
