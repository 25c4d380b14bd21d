"""Budgets that fit the made-up history: two that are partly spent, and one that is crossed while one looks on."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from random import Random
from typing import Final

from monitor.demo.cast import SERVICES
from monitor.demo.draws import draw_request
from monitor.demo.history import HistorySummary
from monitor.demo.rates import Rates, dollars

_CROSSED: Final = Decimal("0.8")
_CROSSED_AFTER: Final = 45
_MOST_SPENT: Final = Decimal("0.79")
_LASTS: Final = 1_800
_SAMPLES: Final = 400
_LIVE_TEAM: Final = "checkout"
_MONTHLY: Final = (("support", Decimal("0.60")), ("knowledge", Decimal("0.85")))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBudget:
    """A budget to be made: `scope` by dimension, `amount` in USD, `period` day or month, thresholds on actual spend."""

    name: str
    scope: Mapping[str, str]
    amount: Decimal
    period: str
    thresholds: tuple[Decimal, ...]


def budgets_for(summary: HistorySummary, *, pace: float = 1.0) -> list[DemoBudget]:
    """The budgets of the demo, sized by what this history spent.

    The first one stands at 70 to 79 % (less in the first hours of a day) and crosses 80 % about 45 seconds after a
    workload of this pace began. The monthly ones stand at 60 % and 85 % (less when the month has just begun) and last
    for half an hour of the demo at least.
    """
    rates = Rates(summary.now)
    spent = summary.spent(_LIVE_TEAM, since=summary.today)
    crossed = (spent + _live_spend(_LIVE_TEAM, rates, pace) * _CROSSED_AFTER) / _CROSSED
    daily = max(crossed, spent / _MOST_SPENT).quantize(Decimal("0.01"), ROUND_HALF_UP)
    found = [
        DemoBudget(
            name="Checkout, a day",
            scope={"team": _LIVE_TEAM},
            amount=max(daily, Decimal("0.01")),
            period="day",
            thresholds=(_CROSSED, Decimal(1)),
        )
    ]
    for team, share in _MONTHLY:
        spent = summary.spent(team, since=summary.today.replace(day=1))
        amount = max(spent / share, spent + _live_spend(team, rates, pace) * _LASTS)
        found.append(
            DemoBudget(
                name=f"{team.capitalize()}, a month",
                scope={"team": team},
                amount=amount.quantize(Decimal(1), ROUND_UP),
                period="month",
                thresholds=(Decimal("0.5"), _CROSSED, Decimal(1)),
            )
        )
    return found


def _live_spend(team: str, rates: Rates, pace: float) -> Decimal:
    """USD a second that a workload spends for a team."""
    random = Random(f"spend {team}")  # noqa: S311 - nothing secret
    total = Decimal(0)
    for service in SERVICES:
        for feature in service.features:
            if service.team == team:
                draws = [draw_request(random, feature) for _ in range(_SAMPLES)]
                amount = dollars(sum(rates.picodollars(draw, feature.service_tier) for draw in draws))
                total += amount / _SAMPLES * Decimal(str(feature.live_per_minute)) / 60
    return total * Decimal(str(pace))
