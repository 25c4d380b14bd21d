"""`monitor storage`: what vector stores hold and what that costs, as a table, JSON or CSV."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
import typer

from monitor.api import decimal_text
from monitor.cli.amounts import usd
from monitor.cli.asking import ask_task
from monitor.cli.context import console, load_settings
from monitor.cli.price_words import print_columns, say
from monitor.cli.report import safe
from monitor.cli.slices import AskedSlice, Since, Until, asked_slice
from monitor.errors import SettingsError
from monitor.ledger.storage_queries import Storage, StorageSum, StoreState

_FIGURES: Final = ("gib_days", "charged_gib_days", "list_cost", "unpriced_gib_days")
_BASIS: Final = (
    "As far as answers told sizes: a store nobody asked about is not seen; each holds what was last said of it."
)
_BESIDE: Final = "It is beside the spend of requests, not in it."


def storage(
    since: Since = "30d",
    until: Until = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a row for each day.")] = False,
) -> None:
    """What vector stores hold and what that costs at list prices, by day (UTC), as far as answers told their sizes."""
    if as_json and as_csv:
        raise SettingsError("--json and --csv cannot both be given.")
    settings = load_settings()
    asked = asked_slice(since, until, None, time_zone=settings.time_zone)
    found = msgspec.convert(ask_task(settings, "storage", asked.as_given())["storage"], Storage, strict=False)
    if as_json:
        sys.stdout.write(json.dumps(_plain(found, asked), ensure_ascii=False, indent=2) + "\n")
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["day", *_FIGURES])
        writer.writerows([safe(str(row.day)), *_figures(row).values()] for row in found.days)
    else:
        _print(found, asked, when="now" if until is None else "then")


def _figures(row: StorageSum) -> dict[str, str | None]:
    return {name: decimal_text(getattr(row, name)) for name in _FIGURES}


def _plain(found: Storage, asked: AskedSlice) -> dict[str, Any]:
    return {
        "start": asked.start.isoformat(),
        "end": asked.end.isoformat(),
        "days": [{"day": str(row.day), **_figures(row)} for row in found.days],
        "total": _figures(found.total),
        "stores": [_plain_store(store) for store in found.stores],
        "basis": f"{_BASIS} {_BESIDE}",
    }


def _plain_store(store: StoreState) -> dict[str, Any]:
    return {name: _as_json(value) for name, value in asdict(store).items()}


def _as_json(value: object) -> object:
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _print(found: Storage, asked: AskedSlice, *, when: str) -> None:
    if not found.stores:
        say(f"No answer told the size of a vector store: {asked}.")
        say("Sizes are told when a watched client creates, retrieves, changes, lists or deletes stores.")
        return
    heads = ("day (UTC)", "GiB-days", "charged", "list cost")
    rows = [_row(str(row.day), row) for row in found.days]
    print_columns(heads, [*rows, _row("total", found.total)], right=range(1, len(heads)))
    _print_stores(found.stores, f"GiB {when}")
    console().print(f"From {asked}; list prices in USD.", style="dim", markup=False)
    if found.total.unpriced_gib_days:
        say(f"{_gib(found.total.unpriced_gib_days)} GiB-days are stored where storage has no price here.")
    say(f"{_BASIS} {_BESIDE}")


def _print_stores(stores: Sequence[StoreState], size_head: str) -> None:
    rows = [
        (one.store_id, one.billing_account_id or "–", _gib(one.gib), f"{one.last_seen_at:%Y-%m-%d %H:%M}")
        for one in stores
    ]
    print_columns(("store", "organisation", size_head, "last seen (UTC)"), rows, right=(2,))


def _row(name: str, row: StorageSum) -> tuple[str, ...]:
    return name, _gib(row.gib_days), _gib(row.charged_gib_days), usd(row.list_cost)


def _gib(amount: Decimal | None) -> str:
    """With as many digits as a MiB shows in."""
    return "–" if amount is None else f"{amount:,.3f}"
