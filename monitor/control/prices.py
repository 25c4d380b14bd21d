"""What users say of prices, in the control store: rows are added and removed, never edited."""

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlmodel import Session, col, select

from monitor.control.tables import DiscountRow, OwnNameRow, OwnPriceRow
from monitor.errors import ControlError
from monitor.pricing.own import Discount, OwnName, OwnPrice, OwnPrices, require_discount, require_name, require_price

_Row = OwnPriceRow | OwnNameRow | DiscountRow
_TABLES: Final[dict[str, type[_Row]]] = {"price": OwnPriceRow, "name": OwnNameRow, "disc": DiscountRow}
_KINDS: Final = {OwnPrice: "price", OwnName: "name", Discount: "disc"}


def new_id(row: OwnPrice | OwnName | Discount) -> str:
    """A random id that tells the kind of row: `price_…`, `name_…` or `disc_…`."""
    return f"{_KINDS[type(row)]}_{secrets.token_hex(4)}"


def add(session: Session, row: OwnPrice | OwnName | Discount) -> None:
    """Store what somebody said.

    Raises:
        PricingError: it cannot be.
    """
    session.add(_stored(row))


def read(session: Session) -> OwnPrices:
    """All that holds or will hold; what was removed is not among it."""
    prices = session.exec(select(OwnPriceRow).where(col(OwnPriceRow.removed_at).is_(None))).all()
    names = session.exec(select(OwnNameRow).where(col(OwnNameRow.removed_at).is_(None))).all()
    discounts = session.exec(select(DiscountRow).where(col(DiscountRow.removed_at).is_(None))).all()
    return OwnPrices(
        prices=tuple(OwnPrice(**{**_facts(row), "prices": _decimals(row.prices)}) for row in prices),
        names=tuple(OwnName(**_facts(row)) for row in names),
        discounts=tuple(Discount(**{**_facts(row), "factors": _decimals(row.factors)}) for row in discounts),
    )


def remove(session: Session, row_id: str, *, now: datetime) -> None:
    """Take back what somebody said; the row stays, marked.

    Raises:
        ControlError: there is no such row, or it was removed before.
    """
    table = _TABLES.get(row_id.partition("_")[0])
    row = None if table is None else session.get(table, row_id)
    if row is None or row.removed_at is not None:
        raise ControlError(f"There is no price, name or discount {row_id!r}. To see them: monitor price list --own")
    row.removed_at = now
    session.add(row)


def _stored(row: OwnPrice | OwnName | Discount) -> _Row:
    facts: dict[str, Any] = msgspec.structs.asdict(row)
    if isinstance(row, OwnName):
        require_name(row)
        return OwnNameRow(**facts)
    if isinstance(row, Discount):
        require_discount(row)
        return DiscountRow(**{**facts, "factors": _texts(row.factors)})
    require_price(row)
    return OwnPriceRow(**{**facts, "tiers": list(row.tiers), "prices": _texts(row.prices)})


def _facts(row: _Row) -> dict[str, Any]:
    facts = row.model_dump(exclude={"removed_at"})
    return {**facts, "tiers": tuple(facts["tiers"])} if "tiers" in facts else facts


def _texts(values: Any) -> dict[str, str]:
    return {name: f"{value:f}" for name, value in values.items()}


def _decimals(values: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in values.items()}
