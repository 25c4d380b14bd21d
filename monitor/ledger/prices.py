"""The price table of the ledger: filled from the price book, once for each distinct provider and model."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import duckdb

from monitor.ledger.columns import UNIT_PRICE, quoted
from monitor.ledger.ledger import Ledger
from monitor.pricing.book import Match, PriceBook
from monitor.pricing.entries import PriceEntry
from monitor.pricing.units import UNITS, is_free

_UNITS: Final = ", ".join(map(quoted, UNITS))
_UNIT_MARKS: Final = ", ".join(f"cast(? as {UNIT_PRICE})" for _ in UNITS)
_OTHERS_MARK: Final = f"map(?::varchar[], ?::varchar[]::{UNIT_PRICE}[])"


def _named(column: str) -> str:
    return f"""
        select distinct provider_name, {column} as model from stage
        where {column} is not null and kind in ('end', 'corrected')
    """


def match_new_models(cursor: duckdb.DuckDBPyConnection, book: PriceBook, ledger: Ledger) -> None:
    """Ask the book about every provider and model of `stage` that was never asked about, in this transaction.

    Models that tools used are among them.
    """
    found = cursor.execute(
        f"""
        from ({_named("model")} union {_named("tool_model")})
        where (provider_name, model) not in (select (provider_name, model) from price_matches)
        """
    ).fetchall()
    for provider_name, model in found:
        _store(cursor, book.match(provider_name, model), book.version, ledger)


def refresh_prices(ledger: Ledger, book: PriceBook) -> int:
    """Ask the book again about every known model; returns how many of them changed.

    Entries that no longer hold stay in the table, marked as not current: rows priced by them name them.
    """
    changed = 0
    with ledger.writing() as cursor:
        known = cursor.execute("select provider_name, model, price_key from price_matches").fetchall()
        for provider_name, model, price_key in known:
            match = book.match(provider_name, model)
            if match.price_key == price_key and _ids(cursor, price_key) == {e.sku_price_id for e in match.entries}:
                continue
            changed += 1
            cursor.execute("delete from price_matches where provider_name = ? and model = ?", [provider_name, model])
            _store(cursor, match, book.version, ledger)
    return changed


def _ids(cursor: duckdb.DuckDBPyConnection, price_key: str | None) -> set[str]:
    rows = cursor.execute(
        "select distinct sku_price_id from prices where is_current and price_key = ?", [price_key]
    ).fetchall()
    return {row[0] for row in rows}


def _store(cursor: duckdb.DuckDBPyConnection, match: Match, version: str, ledger: Ledger) -> None:
    now = ledger.clock().replace(tzinfo=None)
    cursor.execute(
        "insert into price_matches values (?, ?, ?, ?, ?, ?)",
        [match.provider_name, match.model, match.price_key, match.why, version, now],
    )
    if match.price_key is None or _ids(cursor, match.price_key) == {e.sku_price_id for e in match.entries}:
        return
    _replace_entries(cursor, match.price_key, match.entries, now)


def _replace_entries(
    cursor: duckdb.DuckDBPyConnection, price_key: str, entries: Sequence[PriceEntry], now: datetime
) -> None:
    """Make these the current entries; each stands in the table once, whatever lists it came in."""
    known = {
        row[0] for row in cursor.execute("select sku_price_id from prices where price_key = ?", [price_key]).fetchall()
    }
    cursor.execute("update prices set is_current = false where price_key = ?", [price_key])
    for entry in entries:
        if entry.sku_price_id in known:
            cursor.execute(
                "update prices set is_current = true, valid_to = ? where sku_price_id = ?",
                [_ledger_time(entry.valid_to), entry.sku_price_id],
            )
    rows = [_row(entry, now) for entry in entries if entry.sku_price_id not in known]
    if rows:
        cursor.executemany(
            f"""
            insert into prices (
                sku_price_id, price_key, service_tier, is_batch, above_input_tokens, upto_input_tokens,
                valid_from, valid_to, {_UNITS}, others, is_free, price_list, added_at, is_current
            ) values (?, ?, ?, ?, ?, ?, ?, ?, {_UNIT_MARKS}, {_OTHERS_MARK}, ?, ?, ?, true)
            """,
            rows,
        )


def _row(entry: PriceEntry, now: datetime) -> list[object]:
    others = {unit: price for unit, price in entry.unit_prices.items() if unit not in UNITS}
    return [
        entry.sku_price_id,
        entry.price_key,
        entry.service_tier,
        entry.is_batch,
        entry.above_input_tokens,
        entry.upto_input_tokens,
        _ledger_time(entry.valid_from),
        _ledger_time(entry.valid_to),
        *(entry.unit_prices.get(unit) for unit in UNITS),
        [*others],
        [f"{price:f}" for price in others.values()],
        is_free(entry.unit_prices),
        entry.price_list,
        now,
    ]


def _ledger_time(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=None) if moment else None
