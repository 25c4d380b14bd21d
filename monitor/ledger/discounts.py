"""The user's discounts in the ledger: their factors, and which of them holds for whom, asked once for each."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import duckdb

from monitor.ledger.columns import quoted
from monitor.ledger.ledger import Ledger
from monitor.ledger.price_tables import LEDGER, PriceTables
from monitor.ledger.scopes import naive
from monitor.pricing.book import provider_id
from monitor.pricing.figures import CLASSES
from monitor.pricing.listed import FIRST_DAY
from monitor.pricing.own import Discount, OwnPrices

Owner = tuple[str, str | None, str | None, str | None]
"""Whom a discount may be for: provider, model, project and key as records have them."""

OWNER_COLUMNS: Final = "provider_name, model, sub_account_id, key_fingerprint"
_FACTORS: Final = "".join(f", {quoted(name)}" for name in CLASSES)
_FACTOR_MARKS: Final = ", cast(? as decimal(10, 6))" * len(CLASSES)
_KINDS: Final = ("varchar", "varchar", "varchar", "varchar", "varchar", "timestamp", "timestamp")
_UNNESTED: Final = ", ".join(f"unnest(?::{kind}[])" for kind in _KINDS)


def store_discounts(ledger: Ledger, own: OwnPrices) -> int:
    """Let these discounts hold from now on, and no others; how many were added or taken away.

    Those that hold no longer stay in the table: requests that had them name them.
    """
    wanted = {row.id: row for row in own.discounts}
    with ledger.writing() as cursor:
        rows = cursor.execute("select discount_id, is_current from discount_factors").fetchall()
        known = {row[0] for row in rows}
        changed = {name for name, is_current in rows if is_current} ^ wanted.keys()
        if changed:
            cursor.execute("delete from discount_matches")
            cursor.execute(
                "update discount_factors set is_current = list_contains(?::varchar[], discount_id)", [[*wanted]]
            )
            insert_discounts(cursor, LEDGER, [row for name, row in wanted.items() if name not in known])
    return len(changed)


def insert_discounts(cursor: duckdb.DuckDBPyConnection, tables: PriceTables, discounts: Iterable[Discount]) -> None:
    """Store the factors of discounts that hold."""
    for row in discounts:
        factors = [f"{row.factor(name):f}" for name in CLASSES]
        columns = f"discount_id, is_current{_FACTORS}"
        cursor.execute(
            f"insert into {tables.discount_factors} ({columns}) values (?, true{_FACTOR_MARKS})", [row.id, *factors]
        )


def match_new_discounts(cursor: duckdb.DuckDBPyConnection, own: OwnPrices) -> bool:
    """Find the discounts of all on `stage` who were never asked about, in this transaction; whether there are any."""
    if not own.discounts:
        return False
    found = cursor.execute(
        f"""
        select {OWNER_COLUMNS} from stage
        where kind in ('end', 'corrected') and usage_source in ('response', 'estimated', 'imported')
        except select {OWNER_COLUMNS} from discount_matches
        """
    ).fetchall()
    match_owners(cursor, LEDGER, own, found)
    return True


def match_owners(
    cursor: duckdb.DuckDBPyConnection, tables: PriceTables, own: OwnPrices, owners: Iterable[Owner]
) -> None:
    """Store which discounts these have, and of those without any that they have none."""
    rows = [row for owner in owners for row in _spans(own, owner)]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(f"insert into {tables.discount_matches} select {_UNNESTED}", columns)


def _spans(own: OwnPrices, owner: Owner) -> Iterator[Sequence[object]]:
    provider_name, model, project, key = owner
    found = list(own.discount_spans(provider_id(provider_name), model or "", project, key))
    for start, end, discount in found:
        yield *owner, discount.id, naive(start or FIRST_DAY), naive(end)
    if not found:
        yield *owner, None, None, None
