"""`monitor price export`: what was said here, or all that holds, as a file."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer

from monitor.alerts.wording import counted
from monitor.cli.price_asking import Told, ask_prices
from monitor.errors import PricingError
from monitor.pricing.book import Match
from monitor.pricing.figures import exact
from monitor.pricing.own_file import rows_of, write_own
from monitor.pricing.steps import ALWAYS

_FIELDS: Final = (
    "provider",
    "model",
    "price_key",
    "tier",
    "above_input_tokens",
    "upto_input_tokens",
    "valid_from",
    "valid_to",
    "unit",
    "usd",
    "price_list",
    "sku_price_id",
)


def export(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; standard output if not given.")] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All prices of the models seen here, as JSON, or CSV for a FILE.csv.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="With --all: CSV.")] = False,
) -> None:
    """Write what was said here (prices, names, discounts) as TOML that monitor price import takes in."""
    told = ask_prices(models=None if everything else ())
    is_csv = as_csv or (file is not None and file.suffix.lower() == ".csv")
    if file is None:
        _write(sys.stdout, told, everything=everything, is_csv=is_csv)
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as stream:
            _write(stream, told, everything=everything, is_csv=is_csv)
    except OSError as error:
        raise PricingError(f"{file} cannot be written: {error.strerror}.") from error
    what = counted(len(told.matches), "model") if everything else counted(len(rows_of(told.own)), "row")
    typer.echo(f"Wrote {what} to {file}.", err=True)


def _write(stream: TextIO, told: Told, *, everything: bool, is_csv: bool) -> None:
    if not everything:
        stream.write(write_own(told.own))
        return
    rows = list(_flat(told.matches))
    if is_csv:
        writer = csv.DictWriter(stream, _FIELDS)
        writer.writeheader()
        writer.writerows(rows)
        return
    stream.write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")


def _flat(matches: Iterable[Match]) -> Iterator[dict[str, Any]]:
    for match in matches:
        for entry in match.entries:
            for unit, price in entry.unit_prices.items():
                yield {
                    "provider": match.provider_name,
                    "model": match.model,
                    "price_key": entry.price_key,
                    "tier": entry.tier,
                    "above_input_tokens": None if entry.above_input_tokens == ALWAYS else entry.above_input_tokens,
                    "upto_input_tokens": entry.upto_input_tokens,
                    "valid_from": entry.valid_from.isoformat(),
                    "valid_to": None if entry.valid_to is None else entry.valid_to.isoformat(),
                    "unit": unit,
                    "usd": exact(price),
                    "price_list": entry.price_list,
                    "sku_price_id": entry.sku_price_id,
                }
