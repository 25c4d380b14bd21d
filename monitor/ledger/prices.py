"""The price table of the ledger: filled from the price book, once for each distinct provider and model.

What a later book says of the past changes nothing by itself (`pricing/history.py`), and each figure that it changes is
noted. So the table differs from the book for good; what the book said last is known by its fingerprint.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import duckdb

from monitor.alerts.wording import counted
from monitor.health import Health
from monitor.ledger.ledger import Ledger
from monitor.ledger.price_rows import current_entries, insert_entries
from monitor.ledger.scopes import naive
from monitor.pricing.book import Match, PriceBook
from monitor.pricing.entries import PriceEntry
from monitor.pricing.history import PriceChange, changed_figures, kept_past
from monitor.pricing.sessions import CONTAINER, CREATION

log = logging.getLogger(__name__)

_UNREAD: Final = ""
"""Fingerprint of a model whose entries were there before it, perhaps by an older book: the refresh looks at them."""

_TOLD: Final = "told:"
"""How that of a model begins of which the user said what it is."""

_MOST_NAMES: Final = 10


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored of a provider and model; `fingerprint` is None where an older program stored it."""

    provider_name: str
    model: str
    price_key: str | None
    fingerprint: str | None
    matched_at: datetime


def _named(column: str) -> str:
    return f"""
        select distinct provider_name, {column} as model from stage
        where {column} is not null and kind in ('end', 'corrected')
    """


_MADE: Final = f"""
    union select distinct provider_name, '{CONTAINER}' from stage
    where operation_name = '{CREATION}' and model is null and kind in ('end', 'corrected')
"""


def match_new_models(
    cursor: duckdb.DuckDBPyConnection, book: PriceBook, ledger: Ledger, *, has_containers: bool = False
) -> None:
    """Ask the book about every provider and model of `stage` that was never asked about, in this transaction.

    Models that tools used are among them, and containers where there are any. Prices that stand are left as they are.
    """
    found = cursor.execute(
        f"""
        from ({_named("model")} union {_named("tool_model")} {_MADE if has_containers else ""})
        where (provider_name, model) not in (select (provider_name, model) from price_matches)
        order by all
        """
    ).fetchall()
    now = ledger.clock()
    for provider_name, model in found:
        match = book.match(provider_name, model)
        is_there = match.price_key is not None and bool(current_entries(cursor, match.price_key))
        if match.price_key is not None and not is_there:
            _keep_entries(cursor, match.price_key, match.entries, now)
        fingerprint = _UNREAD if is_there else _fingerprint(match)
        _insert_match(cursor, match, book.version, naive(now), fingerprint)


def refresh_prices(ledger: Ledger, book: PriceBook, health: Health | None = None) -> int:
    """Ask the book again about every known model; returns of how many of them the prices changed.

    Entries that no longer hold stay in the table, marked as not current: rows priced by them name them. Each changed
    figure is noted in `price_changes` and counted as `prices_changed_total`.
    """
    with ledger.writing() as cursor:
        rows = cursor.execute(
            "select provider_name, model, price_key, fingerprint, matched_at from price_matches order by all"
        ).fetchall()
        known = [_Known(*row) for row in rows]
        said = {one: book.match(one.provider_name, one.model) for one in known}
        refresh = _Refresh(cursor, book.version, ledger.clock(), said)
        fresh = [one for one in known if _fingerprint(said[one]) != one.fingerprint]
        changed = [f"{one.provider_name}/{one.model}" for one in refresh.take_up(fresh)]
        figures = refresh.note()
    if health is not None:
        health.count("prices_changed_total", figures)
    if changed:
        log.info("The prices of %s changed: %s.", counted(len(changed), "model"), _listed(changed))
    return len(changed)


class _Refresh:
    """One refresh in one transaction; the entries of a price key are merged once."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, version: str, now: datetime, said: Mapping[_Known, Match]
    ) -> None:
        self._cursor = cursor
        self._version = version
        self._now = now
        self._said = said
        self._used_keys = {match.price_key for match in said.values()}
        self._before: dict[str | None, list[PriceEntry]] = {None: []}
        self._changes: dict[tuple[str | None, str | None], list[PriceChange]] = {}

    def take_up(self, fresh: Sequence[_Known]) -> Iterator[_Known]:
        """Let hold what the book says of these; gives those whose prices are others than before."""
        by_key: dict[str | None, list[_Known]] = {}
        for one in fresh:
            by_key.setdefault(self._key(one), []).append(one)
        for key, models in by_key.items():
            holding = self._merged(key, models)
            for one in models:
                if self._take_up(one, key if holding else None, holding):
                    yield one

    def _key(self, known: _Known) -> str | None:
        """What a model without a price from now on had before stays its price, unless that goes on for others."""
        said = self._said[known].price_key
        return said if said is not None or known.price_key in self._used_keys else known.price_key

    def _merged(self, key: str | None, models: Sequence[_Known]) -> list[PriceEntry]:
        """The entries of a key from this refresh on; those of a new key have the past of what its models were."""
        if key is None:
            return []
        there = self._entries(key)
        taken = (self._entries(one.price_key) for one in models if not self._is_told(one))
        old = there or next(filter(None, taken), [])
        holding = kept_past(old, self._said[models[0]].entries, self._now)
        if _by_id(holding) != _by_id(there):
            _keep_entries(self._cursor, key, holding, self._now)
        return holding

    def _is_told(self, known: _Known) -> bool:
        """Whether the user said, or had said, what model it is: that holds for the past as well."""
        return self._said[known].is_told or (known.fingerprint or "").startswith(_TOLD)

    def _take_up(self, known: _Known, key: str | None, holding: Sequence[PriceEntry]) -> bool:
        way = known.price_key, key
        if way not in self._changes:
            old = self._entries(known.price_key)
            found = changed_figures(old, holding, self._now)
            # An older program could not store the prices of all units.
            is_upgrade = known.fingerprint is None and bool(old)
            self._changes[way] = [one for one in found if one.before is not None] if is_upgrade else found
        is_other = bool(self._changes[way]) or known.price_key != key
        names = [known.provider_name, known.model]
        self._cursor.execute("delete from price_matches where provider_name = ? and model = ?", names)
        matched_at = naive(self._now) if is_other else known.matched_at
        match = self._said[known]
        kept = replace(match, price_key=key)
        _insert_match(self._cursor, kept, self._version, matched_at, _fingerprint(match))
        return is_other

    def _entries(self, key: str | None) -> list[PriceEntry]:
        """Those of a key as they were before this refresh."""
        if key not in self._before:
            self._before[key] = current_entries(self._cursor, key)
        return self._before[key]

    def note(self) -> int:
        """Write down what changed, and let go of entries that no model has any more; returns how many figures."""
        found = list({_figure(change): change for changes in self._changes.values() for change in changes}.values())
        _note(self._cursor, found, self._now)
        self._cursor.execute(
            "update prices set is_current = false where is_current"
            " and price_key not in (select price_key from price_matches where price_key is not null)"
        )
        return len(found)


def _by_id(entries: Iterable[PriceEntry]) -> dict[str, PriceEntry]:
    return {entry.sku_price_id: entry for entry in entries}


def _figure(change: PriceChange) -> tuple[object, ...]:
    """What makes two changes the same, though two names of a model came to it in two ways."""
    tier = (change.price_key, change.service_tier, change.is_batch)
    return (*tier, change.above_input_tokens, change.unit, change.valid_from)


def _fingerprint(match: Match) -> str:
    """Tells whether the book says the same as before of a model."""
    entries = [(one.sku_price_id, one.valid_to, one.price_list, one.own_units) for one in match.entries]
    found = hashlib.sha256(repr((match.price_key, match.why, entries)).encode()).hexdigest()[:16]
    return f"{_TOLD}{found}" if match.is_told else found


def _insert_match(
    cursor: duckdb.DuckDBPyConnection, match: Match, version: str, matched_at: datetime | None, fingerprint: str
) -> None:
    cursor.execute(
        """
        insert into price_matches (provider_name, model, price_key, why, price_list, matched_at, fingerprint)
        values (?, ?, ?, ?, ?, ?, ?)
        """,
        [match.provider_name, match.model, match.price_key, match.why, version, matched_at, fingerprint],
    )


def _keep_entries(cursor: duckdb.DuckDBPyConnection, key: str, entries: Sequence[PriceEntry], now: datetime) -> None:
    """Make these the current entries of a key; each stands in the table once, whatever lists it came in."""
    rows = cursor.execute("select sku_price_id from prices where price_key = ?", [key]).fetchall()
    known = {row[0] for row in rows}
    cursor.execute("update prices set is_current = false where price_key = ?", [key])
    for entry in entries:
        if entry.sku_price_id in known:
            cursor.execute(
                "update prices set is_current = true, valid_to = ?, price_list = ?, own_units = ?"
                " where sku_price_id = ?",
                [naive(entry.valid_to), entry.price_list, [*entry.own_units], entry.sku_price_id],
            )
    insert_entries(cursor, [entry for entry in entries if entry.sku_price_id not in known], now.replace(tzinfo=None))


def _note(cursor: duckdb.DuckDBPyConnection, changes: Sequence[PriceChange], now: datetime) -> None:
    rows = [
        [
            naive(now),
            *(change.price_key, change.service_tier, change.is_batch, change.above_input_tokens, change.unit),
            *(change.before, change.after, naive(change.valid_from), change.price_list),
        ]
        for change in changes
    ]
    if rows:
        cursor.executemany(
            """
            insert into price_changes (
                seen_at, price_key, service_tier, is_batch, above_input_tokens, unit, before, after, valid_from,
                price_list
            ) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            rows,
        )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
