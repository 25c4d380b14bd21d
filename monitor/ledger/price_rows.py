"""Price entries as rows of `prices`, or of a table like it, and back."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import duckdb

from monitor.ledger.columns import UNIT_PRICE, quoted
from monitor.ledger.scopes import naive
from monitor.pricing.entries import PriceEntry
from monitor.pricing.units import UNITS, is_free

_FACTS: Final = (
    "sku_price_id",
    "price_key",
    "service_tier",
    "is_batch",
    "above_input_tokens",
    "upto_input_tokens",
    "valid_from",
    "valid_to",
    "price_list",
    "own_units",
)
_UNITS: Final = tuple(map(quoted, UNITS))
_COLUMNS: Final = ", ".join((*_FACTS, *_UNITS, "others", "is_free", "added_at", "is_current"))
_MARKS: Final = ", ".join(
    (
        *("?" for _ in _FACTS),
        *(f"cast(? as {UNIT_PRICE})" for _ in UNITS),
        f"map(?::varchar[], ?::varchar[]::{UNIT_PRICE}[])",
        *("?", "?", "?"),
    )
)


def insert_entries(
    cursor: duckdb.DuckDBPyConnection,
    entries: Iterable[PriceEntry],
    now: datetime,
    *,
    table: str = "prices",
    is_current: bool = True,
) -> None:
    """Add entries that the table does not have; `now` is ledger time."""
    rows = [[*_row(entry), now, is_current] for entry in entries]
    if rows:
        cursor.executemany(f"insert into {table} ({_COLUMNS}) values ({_MARKS})", rows)


def current_entries(cursor: duckdb.DuckDBPyConnection, price_key: str | None) -> list[PriceEntry]:
    """Those of a model by which requests are priced."""
    cursor.execute(
        f"select {', '.join((*_FACTS, *_UNITS, 'others'))} from prices where is_current and price_key = ? order by all",
        [price_key],
    )
    return [_entry(row) for row in cursor.fetchall()]


def _row(entry: PriceEntry) -> list[object]:
    others = {unit: price for unit, price in entry.unit_prices.items() if unit not in UNITS}
    return [
        entry.sku_price_id,
        entry.price_key,
        entry.service_tier,
        entry.is_batch,
        entry.above_input_tokens,
        entry.upto_input_tokens,
        naive(entry.valid_from),
        naive(entry.valid_to),
        entry.price_list,
        [*entry.own_units],
        *(entry.unit_prices.get(unit) for unit in UNITS),
        [*others],
        [f"{price:f}" for price in others.values()],
        is_free(entry.unit_prices),
    ]


def _entry(row: Sequence[Any]) -> PriceEntry:
    facts: dict[str, Any] = dict(zip(_FACTS, row, strict=False))
    prices = dict(zip((*UNITS,), row[len(_FACTS) :], strict=False)) | (row[-1] or {})
    for name in ("valid_from", "valid_to"):
        facts[name] = facts[name] and facts[name].replace(tzinfo=UTC)
    facts["own_units"] = tuple(facts["own_units"] or ())
    return PriceEntry(**facts, unit_prices={unit: price for unit, price in prices.items() if price is not None})
