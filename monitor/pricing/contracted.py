"""What is paid of a list cost at the user's discount: what `ledger/contracted.py` says in SQL. Pure."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from monitor.pricing.figures import EXACT, Priced
from monitor.pricing.own import Discount, OwnPrices
from monitor.records import Record

_MONEY: Final = Decimal("1E-18")


def at_discount(priced: Priced, discount: Discount | None) -> Priced:
    """The same with what is paid, where it has a cost and there is a discount."""
    if discount is None or priced.list_cost is None:
        return priced
    with localcontext(EXACT):
        paid = {name: (cost * discount.factor(name)).quantize(_MONEY) for name, cost in priced.classes.items()}
        return replace(
            priced, contracted_cost=sum(paid.values(), Decimal()), contracted_classes=paid, discount_id=discount.id
        )


def discount_of(own: OwnPrices, provider: str, model: str | None, record: Record) -> Discount | None:
    """The discount of a record of a model of a provider, as `provider_id` has it; None where none holds."""
    if not own.discounts:
        return None
    spans = own.discount_spans(provider, model or "", record.sub_account_id, record.key_fingerprint)
    return next((row for start, end, row in spans if _is_within(record.started_at, start, end)), None)


def _is_within(moment: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or start <= moment) and (end is None or moment < end)
