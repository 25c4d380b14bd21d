"""How amounts of money are written in the terminal."""

from decimal import Decimal
from typing import Final

_CENT: Final = Decimal("0.01")


def usd(amount: Decimal | str | None) -> str:
    """USD with as many digits as make sense: `$0.004200`, `$0.1250`, `$12.34`; None is unknown."""
    if amount is None:
        return "unknown"
    amount = Decimal(amount)
    size, sign = abs(amount), "-" if amount < 0 else ""
    if 0 < size < _CENT:
        return f"{sign}${size:.6f}"
    return f"{sign}${size:,.2f}" if size >= 1 or not size else f"{sign}${size:.4f}"


def signed_usd(amount: Decimal | None) -> str:
    """A difference: `+$1.20`, `-$0.4200`; a dash where there is none to tell."""
    if amount is None:
        return "–"
    return f"+{usd(amount)}" if amount > 0 else usd(amount)
