"""Other prices than those of the ledger's tables, set aside for one question about stored requests."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import duckdb

from monitor.ledger.costs import priced_select
from monitor.ledger.discounts import OWNER_COLUMNS, insert_discounts, match_owners
from monitor.ledger.price_rows import insert_entries
from monitor.ledger.price_tables import ASIDE, LEDGER
from monitor.ledger.scopes import Where
from monitor.pricing.book import PriceBook
from monitor.pricing.own import OwnPrices
from monitor.pricing.sessions import CONTAINER

COSTLY: Final = "pricing_state in ('priced', 'unpriced', 'impossible', 'no_usage')"
"""The requests that prices have a say in; what is counted elsewhere, to come or free stays so."""

_TABLES: Final = ("prices", "price_matches", "discount_factors", "discount_matches")


def make_asides(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of `ASIDE`, empty; they live as long as the cursor."""
    for name in _TABLES:
        cursor.execute(f"create or replace temp table {getattr(ASIDE, name)} as from {getattr(LEDGER, name)} limit 0")


def set_prices_aside(
    cursor: duckdb.DuckDBPyConnection, book: PriceBook, models: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Let what the book says of these providers and models hold; `now` is ledger time."""
    matches = [book.match(provider_name, model) for provider_name, model in models]
    entries = {entry.sku_price_id: entry for match in matches for entry in match.entries}
    insert_entries(cursor, entries.values(), now, table=ASIDE.prices)
    if matches:
        columns = [[getattr(match, name) for match in matches] for name in ("provider_name", "model", "price_key")]
        cursor.execute(
            f"insert into {ASIDE.price_matches} (provider_name, model, price_key)"
            " select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])",
            columns,
        )


def set_discounts_aside(cursor: duckdb.DuckDBPyConnection, own: OwnPrices, requests: Where) -> None:
    """Let the discounts of these requests hold."""
    if own.discounts:
        owners = cursor.execute(f"select distinct {OWNER_COLUMNS} from {requests.sql}", requests.values).fetchall()
        insert_discounts(cursor, ASIDE, own.discounts)
        match_owners(cursor, ASIDE, own, owners)


def models_in(cursor: duckdb.DuckDBPyConnection, requests: Where) -> list[tuple[str, str]]:
    """The providers and models of requests, those of tools and containers among them."""
    named = ("model", "tool_model", f"case when container_sessions is not null then '{CONTAINER}' end")
    each = (f"select distinct provider_name, {column} as model from chosen" for column in named)
    sql = f"with chosen as (from {requests.sql}) select * from ({' union '.join(each)}) where model is not null"
    return cursor.execute(f"{sql} order by all", requests.values).fetchall()


def priced_aside(columns: Iterable[str], requests: str, *, has_discounts: bool = True) -> str:
    """SQL of requests with what they cost by the tables set aside, and these columns of theirs."""
    source = f"(select 'corrected' as kind, * from {requests})"
    return priced_select(tuple(columns), has_discounts=has_discounts, tables=ASIDE, source=source)
