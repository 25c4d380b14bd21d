"""Discounts for tests."""

import itertools
from decimal import Decimal
from typing import Any

from monitor.pricing.figures import CLASSES
from monitor.pricing.own import Discount
from tests.factories import NOW

_numbers = itertools.count(1)


def make_discount(factor: str | dict[str, str], **facts: Any) -> Discount:
    """A discount on all classes, or on those that are named; no other one has its id."""
    factors = factor if isinstance(factor, dict) else dict.fromkeys(CLASSES, factor)
    return Discount(
        id=f"disc_{next(_numbers):04}",
        **({"created_at": NOW} | facts),
        factors={cost_class: Decimal(part) for cost_class, part in factors.items()},
    )
