"""Re-pricing: what stored requests would cost by the present price book, and letting them cost it.

A preview writes nothing. What is applied is one transaction: rows that change are taken out of the table and the
rollups and put back with their new costs, and what they cost before is kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import duckdb

from monitor.ledger.asides import COSTLY, make_asides, models_in, priced_aside, set_discounts_aside, set_prices_aside
from monitor.ledger.columns import CONTRACTED_COLUMNS, COST_COLUMNS
from monitor.ledger.corrections import retract
from monitor.ledger.costs import cost_columns
from monitor.ledger.ledger import Ledger, named_rows, transaction
from monitor.ledger.price_tables import ASIDE
from monitor.ledger.retention import single_from, stretches
from monitor.ledger.rollup import append
from monitor.ledger.scopes import Slice, Where, described, naive, where
from monitor.pricing.book import PriceBook
from monitor.pricing.figures import UNKNOWN_COST_STATES

SPLITS: Final = ("model", "team", "day")
"""What a preview is split by."""

_AT_ONCE: Final = 250_000
"""About how many requests are looked at at once, so that memory stays bounded."""

_COMPARED: Final = ("pricing_state", *COST_COLUMNS, *CONTRACTED_COLUMNS)
"""A request changes where one of these does: another entry with the same figures is no change."""

_KEPT: Final = ("pricing_state", "list_cost", "contracted_cost", "sku_price_id")
_UNKNOWN: Final = ", ".join(f"'{state}'" for state in UNKNOWN_COST_STATES)
_BEFORE: Final = ", ".join(f"{name} as {name}_before" for name in (*_COMPARED, "sku_price_id"))
_TAKEN: Final = (
    "record_id",
    "started_at",
    "model",
    "team",
    *(f"{name}_before" for name in (*_COMPARED, "sku_price_id")),
)
_IS_CHANGED: Final = " or ".join(f"{name} is distinct from {name}_before" for name in _COMPARED)
_PAID: Final = "coalesce(contracted_cost{0}, list_cost{0})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What some requests cost before and after, in USD; None where none of them has a known cost.

    Attributes:
        value: the model, team or day (`2026-11-20`) of these requests; None in the total, and where they have none.
        requests: those that cost something, or should.
        changed: of them, those whose state or cost changes.
        contracted_cost: what is paid with the user's discounts.
        unpriced_requests: those whose cost is not known.
        newly_priced: had no known cost, and get one.
        newly_unpriced: had one, and lose it.
    """

    value: str | None
    requests: int
    changed: int
    list_cost_before: Decimal | None
    list_cost: Decimal | None
    contracted_cost_before: Decimal | None
    contracted_cost: Decimal | None
    unpriced_requests_before: int
    unpriced_requests: int
    newly_priced: int
    newly_unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repricing:
    """What re-pricing comes to.

    Attributes:
        total: of all requests of the slice.
        by: by `SPLITS`, the groups in which something changes; those that change most come first, days in order.
        kept_from: requests before are not kept one by one and stay as they are; None where the slice has none.
    """

    total: Change
    by: Mapping[str, tuple[Change, ...]]
    kept_from: datetime | None


def preview(ledger: Ledger, book: PriceBook, span: Slice) -> Repricing:
    """What the requests of a slice would cost by this book; nothing is written."""
    with ledger.cursor() as cursor, transaction(cursor):
        return _look(cursor, book, span, naive(ledger.clock()))


def apply(
    ledger: Ledger, book: PriceBook, span: Slice, *, note: str | None = None, at_once: int = _AT_ONCE
) -> Repricing:
    """Let them cost that, in one transaction; a second time nothing is left to change.

    Args:
        ledger: the ledger; whoever writes to it waits meanwhile.
        book: the prices.
        span: which requests.
        note: why, in the words of who does it.
        at_once: about how many requests are looked at at once.
    """
    with ledger.writing() as cursor:
        now = naive(ledger.clock())
        found = _look(cursor, book, span, now)
        if found.total.changed:
            repricing_id = uuid4()
            for start, end in list(_bites(cursor, span, at_once)):
                _reprice(cursor, repricing_id.hex, _chosen(span, start, end))
            _keep(cursor, _facts(repricing_id.hex, now, span, found.total) | {"note": note})
    return found


def _look(cursor: duckdb.DuckDBPyConnection, book: PriceBook, span: Slice, now: datetime) -> Repricing:
    chosen = _chosen(span, naive(span.start), naive(span.end))
    make_asides(cursor)
    set_prices_aside(cursor, book, models_in(cursor, chosen), now)
    set_discounts_aside(cursor, book.own, chosen)
    keys = "model, team, day"
    rows = named_rows(
        cursor.execute(
            f"""
            from (
                select grouping({keys}) as level, {keys}, {_FIGURES}
                from (select *, strftime(started_at, '%Y-%m-%d') as day from ({_repriced(chosen)}))
                group by grouping sets ((), (model), (team), (day))
            )
            where level = {_ALL} or changed > 0
            order by abs(coalesce(list_cost, 0) - coalesce(list_cost_before, 0)) desc, changed desc, {keys}
            """,
            chosen.values,
        )
    )
    by = {name: tuple(_change(row, name) for row in rows if row["level"] == level) for name, level in _LEVELS.items()}
    by["day"] = tuple(sorted(by["day"], key=lambda change: change.value or ""))
    (total,) = (_change(row, None) for row in rows if row["level"] == _ALL)
    return Repricing(total=total, by=by, kept_from=single_from(cursor, span))


_ALL: Final = 7
_LEVELS: Final = {"model": 3, "team": 5, "day": 6}
"""What `grouping` says of a row: a bit for each key that it is not grouped by."""

_FIGURES: Final = f"""
    count(*) as requests, count(*) filter (is_changed) as changed,
    sum(list_cost_before) as list_cost_before, sum(list_cost) as list_cost,
    sum({_PAID.format("_before")}) as contracted_cost_before, sum({_PAID.format("")}) as contracted_cost,
    count(*) filter (pricing_state_before in ({_UNKNOWN})) as unpriced_requests_before,
    count(*) filter (pricing_state in ({_UNKNOWN})) as unpriced_requests,
    count(*) filter (list_cost_before is null and list_cost is not null) as newly_priced,
    count(*) filter (list_cost_before is not null and list_cost is null) as newly_unpriced
"""


def _change(row: Mapping[str, Any], split: str | None) -> Change:
    figures = {name: row[name] for name in Change.__dataclass_fields__ if name != "value"}
    return Change(value=row[split] if split else None, **figures)


def _chosen(span: Slice, start: datetime, end: datetime) -> Where:
    """The requests of a slice in [start, end), ledger times, with what they cost before."""
    scope = where(span.conditions)
    return Where(
        sql=f"(select *, {_BEFORE} from requests"
        f" where started_at >= ? and started_at < ? and {COSTLY} and {scope.sql})",
        values=[start, end, *scope.values],
    )


def _repriced(chosen: Where) -> str:
    return f"select *, {_IS_CHANGED} as is_changed from ({priced_aside(_TAKEN, chosen.sql)})"


def _bites(cursor: duckdb.DuckDBPyConnection, span: Slice, at_once: int) -> Iterator[tuple[datetime, datetime]]:
    """The slice in stretches of time with about as many requests as are looked at at once."""
    start, end = naive(span.start), naive(span.end)
    hours = cursor.execute(
        "select hour, sum(requests) from usage_hourly_brief where hour > ? and hour < ? group by 1 order by 1",
        [start, end],
    ).fetchall()
    return stretches(start, end, hours, at_once=at_once)


def _reprice(cursor: duckdb.DuckDBPyConnection, repricing_id: str, chosen: Where) -> None:
    cursor.execute(
        f"create or replace temp table repriced as select * from ({_repriced(chosen)}) where is_changed", chosen.values
    )
    if not retract(cursor, "repriced"):
        return
    renewed = ", ".join(f"n.{name} as {name}" for name in cost_columns())
    cursor.execute(
        "create or replace temp table renewed as"
        f" select r.* replace ({renewed}) from retracted r join repriced n using (record_id)"
    )
    # Their place in time lets questions pass over most of the table.
    cursor.execute("insert into requests by name from renewed order by started_at")
    append(cursor, "renewed")
    before = ", ".join(f"{name}_before" for name in _KEPT)
    cursor.execute(
        f"insert into repriced_requests by name select ?::uuid as repricing_id, record_id, started_at, {before}"
        " from repriced",
        [repricing_id],
    )
    _keep_prices(cursor)


def _keep_prices(cursor: duckdb.DuckDBPyConnection) -> None:
    """The entries and discounts that requests name now stay known, though the drain may price by others."""
    cursor.execute(
        f"""
        insert into prices by name
        select * replace (false as is_current) from {ASIDE.prices}
        where sku_price_id in (
            select sku_price_id from repriced union select tool_sku_price_id from repriced
            except select sku_price_id from prices
        )
        """
    )
    cursor.execute(
        f"""
        insert into discount_factors by name
        select * replace (false as is_current) from {ASIDE.discount_factors}
        where discount_id not in (select discount_id from discount_factors)
        """
    )


def _facts(repricing_id: str, now: datetime, span: Slice, total: Change) -> dict[str, object]:
    """The row of `repricings`, its note apart."""
    names = ("list_cost", "contracted_cost", "unpriced_requests")
    return {
        "repricing_id": repricing_id,
        "done_at": now,
        "first_at": naive(span.start),
        "last_at": naive(span.end),
        "scope": described(span.conditions),
        "requests": total.changed,
        **{name: getattr(total, name) for each in names for name in (f"{each}_before", each)},
    }


def _keep(cursor: duckdb.DuckDBPyConnection, facts: Mapping[str, object]) -> None:
    marks = ", ".join("?" * len(facts))
    cursor.execute(f"insert into repricings ({', '.join(facts)}) values ({marks})", [*facts.values()])
