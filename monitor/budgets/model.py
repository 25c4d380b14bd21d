"""What a budget is: an amount for a scope and a period."""

import unicodedata
import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, get_args

from monitor.errors import ControlError
from monitor.records import DIMENSIONS

PeriodKind = Literal["day", "week", "month"]
"""Calendar periods; a week begins on Monday."""

PERIOD_KINDS: Final[tuple[PeriodKind, ...]] = get_args(PeriodKind)

DEFAULT_THRESHOLDS: Final = (Decimal("0.5"), Decimal("0.8"), Decimal(1))

_MIN_AMOUNT: Final = Decimal("0.000001")
_MAX_AMOUNT: Final = Decimal(1_000_000_000_000)
_MAX_THRESHOLD: Final = Decimal(10)
_MAX_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A test on one dimension of a call.

    A call whose dimension is unknown fails a plain matcher and passes a negated one.
    """

    dimension: str
    values: tuple[str, ...]
    is_negated: bool = False

    def __post_init__(self) -> None:
        if self.dimension not in DIMENSIONS:
            raise ControlError(
                f"{self.dimension!r} is not a dimension; the dimensions are: {', '.join(sorted(DIMENSIONS))}."
            )
        if not self.values or not all(self.values):
            raise ControlError(f"The matcher on {self.dimension!r} names no value, or an empty one.")

    @classmethod
    def parse(cls, text: str) -> "Matcher":
        """Read `team=search`, `team=search,ads` (any of them) or `team!=search` (none of them).

        Raises:
            ControlError: the text has another form, or names an unknown dimension.
        """
        dimension, mark, values = text.partition("=")
        if not mark:
            raise ControlError(
                f"{text!r} is not a matcher; write it like team=search, team=search,ads or team!=search."
            )
        return cls(
            dimension=dimension.removesuffix("!").strip(),
            values=tuple(dict.fromkeys(value.strip() for value in values.split(","))),
            is_negated=dimension.endswith("!"),
        )

    def __str__(self) -> str:
        return f"{self.dimension}{'!=' if self.is_negated else '='}{','.join(self.values)}"


Scope = tuple[Matcher, ...]
"""All matchers must hold; no matcher means every call."""


def describe_scope(scope: Scope) -> str:
    """The scope in words for people."""
    return " and ".join(map(str, scope)) or "all calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One version of a budget; changing a budget makes a new version with the same `id`.

    `amount` is in USD. `thresholds` are fractions of it, ascending. `receivers` are names; none means that its
    alerts are only shown. `created_at` is when this version began to hold.
    """

    id: str
    name: str
    version: int
    amount: Decimal
    period: PeriodKind
    time_zone: str
    scope: Scope = ()
    thresholds: tuple[Decimal, ...] = DEFAULT_THRESHOLDS
    receivers: tuple[str, ...] = ()
    created_at: datetime

    def __post_init__(self) -> None:
        check_name("budget", self.name)
        if not self.amount.is_finite() or not _MIN_AMOUNT <= self.amount <= _MAX_AMOUNT:
            raise ControlError(
                f"The amount of a budget is above 0, from {_MIN_AMOUNT} to {_MAX_AMOUNT} USD, not {self.amount}."
            )
        parse_period(self.period)
        _check_zone(self.time_zone)
        _check_thresholds(self.thresholds)
        _check_scope(self.scope)
        if self.created_at.tzinfo is None:
            raise ControlError(f"The time {self.created_at} of budget {self.name!r} has no time zone.")


def parse_period(text: str) -> PeriodKind:
    """Read `day`, `week` or `month`.

    Raises:
        ControlError: it is another word.
    """
    for kind in PERIOD_KINDS:
        if text == kind:
            return kind
    raise ControlError(f"{text!r} is not a period; the periods are: {', '.join(PERIOD_KINDS)}.")


def check_name(what: str, name: str) -> None:
    """Refuse names that could not be typed or shown again; `what` is the kind of thing named.

    Raises:
        ControlError: the name is empty, too long, or has spaces around it or control characters in it.
    """
    if not name or name != name.strip() or len(name) > _MAX_NAME:
        raise ControlError(
            f"The name of a {what} has 1 to {_MAX_NAME} characters and no spaces around it, unlike {name[:200]!r}."
        )
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise ControlError(f"The name of a {what} has no control characters, unlike {name!r}.")


def _check_zone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ControlError(
            f"{name!r} is not a time zone; name it as IANA does, such as UTC or Europe/Berlin."
        ) from None


def _check_thresholds(thresholds: tuple[Decimal, ...]) -> None:
    if not thresholds:
        raise ControlError("A budget has at least one threshold.")
    for threshold in thresholds:
        if not threshold.is_finite() or not 0 < threshold <= _MAX_THRESHOLD:
            raise ControlError(
                f"A threshold is a fraction of the amount above 0 and at most {_MAX_THRESHOLD}, not {threshold}; "
                "write 0.8 or 80%."
            )
    if list(thresholds) != sorted(set(thresholds)):
        raise ControlError(f"The thresholds {', '.join(map(str, thresholds))} are not ascending, or one stands twice.")


def _check_scope(scope: Scope) -> None:
    dimensions = [matcher.dimension for matcher in scope]
    for dimension in dimensions:
        if dimensions.count(dimension) > 1:
            raise ControlError(
                f"The dimension {dimension!r} stands twice in the scope, where all must hold; "
                f"write all its values in one matcher, like {dimension}=a,b."
            )
