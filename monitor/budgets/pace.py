"""Where spend is heading: the straight line, shares and changes. Pure decimals; pages only show the results."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from monitor.budgets.periods import Period

SHORTEST_RECORD: Final = timedelta(days=1)
"""With less than this on record a straight line says nothing: one busy hour would pass for a month of them."""


def forecast_to_date(
    spend: Decimal, period: Period, now: datetime, *, recorded_since: datetime | None = None
) -> Decimal | None:
    """The spend at the end of the period, if it goes on at the average pace so far.

    None while it is too early to say: before one day of the period is on record.

    Args:
        spend: of the period so far, in USD.
        period: the one that `now` lies in.
        now: aware.
        recorded_since: when the records begin; a period that began earlier is measured from there.
    """
    since = period.start if recorded_since is None else max(period.start, recorded_since)
    elapsed = now - since
    if elapsed < SHORTEST_RECORD:
        return None
    return spend + spend * _seconds(period.end - now) / _seconds(elapsed)


def change(value: Decimal, before: Decimal) -> Decimal | None:
    """How much greater than before, as a fraction of before; None where before was nothing."""
    return (value - before) / before if before else None


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """The part as a fraction of the whole; None where the whole is nothing."""
    return part / whole if whole else None


def _seconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)) / 1_000_000
