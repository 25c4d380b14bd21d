"""`monitor whatif`: what the recorded requests would have cost under other models, tiers, cache rates or prices."""

import csv
import json
import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from monitor.alerts.wording import counted
from monitor.api import decimal_text
from monitor.cli.amounts import signed_usd, usd
from monitor.cli.asking import ask_task
from monitor.cli.context import console, load_settings
from monitor.cli.price_sources import read_file
from monitor.cli.price_words import print_columns
from monitor.cli.report import safe
from monitor.cli.slices import Since, Until, Where, asked_slice
from monitor.clock import system_clock
from monitor.errors import SettingsError
from monitor.ledger.scopes import dimension_column
from monitor.ledger.whatif import Compared, LeftOut, WhatIf
from monitor.pricing.own_file import read_own
from monitor.pricing.saying import parse_factor
from monitor.pricing.scenario import Scenario, require_scenario
from monitor.pricing.supplement import TIERS
from monitor.records import DIMENSIONS

_FIGURES: Final = (
    *("requests", "compared_requests", "list_cost", "list_cost_then", "difference", "share", "left_out_list_cost"),
)
_SHARE: Final = Decimal("1E-6")


def whatif(
    model: Annotated[
        list[str] | None, typer.Option(help="OLD=NEW, such as gpt-4o=gpt-4o-mini; OLD may be a pattern. Repeatable.")
    ] = None,
    tier: Annotated[str | None, typer.Option(help=f"All at this tier: {', '.join(TIERS)}.")] = None,
    cache_rate: Annotated[str | None, typer.Option(help="So much of each prompt read from the cache: 60%.")] = None,
    discount: Annotated[str | None, typer.Option(help="15% off the list cost, 0.85x of it, or +10%.")] = None,
    prices: Annotated[
        Path | None, typer.Option(help="A file of monitor price export: its prices in the place of your own.")
    ] = None,
    by: Annotated[str, typer.Option(help=f"What to split by: {', '.join(DIMENSIONS)}.")] = "model",
    since: Since = "30d",
    until: Until = None,
    where: Where = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Cost the recorded requests again as if something had been other. Nothing is changed."""
    if as_json and as_csv:
        raise SettingsError("--json and --csv cannot both be given.")
    by = by.replace("-", "_")
    dimension_column(by)
    settings = load_settings()
    asked = asked_slice(since, until, where, time_zone=settings.time_zone)
    scenario = require_scenario(
        Scenario(
            models=tuple(map(_pair, model or ())),
            tier=tier,
            cache_rate=None if cache_rate is None else _rate(cache_rate),
            factor=Decimal(1) if discount is None else parse_factor(discount),
            own=None if prices is None else read_own(read_file(prices), now=system_clock()),
        )
    )
    given = {**asked.as_given(), "by": by, "scenario": msgspec.json.encode(scenario).decode()}
    answer = ask_task(settings, "whatif", given)["whatif"]
    found = msgspec.convert(answer, WhatIf, strict=False)
    if as_json:
        sys.stdout.write(json.dumps(_plain(by, found, answer), ensure_ascii=False, indent=2) + "\n")
    elif as_csv:
        _write_csv(by, found)
    else:
        _print(by, found, str(asked))


def _pair(text: str) -> tuple[str, str]:
    old, mark, new = (part.strip() for part in text.partition("="))
    if not mark or not old or not new:
        raise SettingsError(f"--model {text}: write OLD=NEW, such as gpt-4o=gpt-4o-mini.")
    return old, new


def _rate(text: str) -> Decimal:
    number = text.strip()
    try:
        return Decimal(number.removesuffix("%")) / 100 if number.endswith("%") else Decimal(number)
    except InvalidOperation:
        raise SettingsError(f"--cache-rate {text} is no share. Write 60% or 0.6.") from None


def _figures(row: Compared) -> dict[str, Any]:
    share = None if row.share is None else row.share.quantize(_SHARE)
    values = {name: getattr(row, name) for name in _FIGURES} | {"share": share}
    return {name: decimal_text(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _plain(by: str, found: WhatIf, answer: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{by: row.value, **_figures(row)} for row in found.rows]
    return {**answer, "rows": rows, "total": _figures(found.total)}


def _write_csv(by: str, found: WhatIf) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow([by, *_FIGURES])
    for row in found.rows:
        writer.writerow([safe(row.value), *_figures(row).values()])


def _print(by: str, found: WhatIf, when: str) -> None:
    if not found.total.requests:
        typer.echo(f"No request that costs something: {when}.")
        return
    heads = (by.replace("_", " "), "requests", "cost now", "cost then", "difference", "share")
    rows = [_row(row.value or "–", row) for row in found.rows]
    print_columns(heads, [*rows, _row("total", found.total)], right=range(1, len(heads)))
    console().print(f"{found.assumptions} {when}; list prices in USD.", style="dim")
    _print_left_out(found)
    for name in found.unmet:
        typer.echo(f"No request went to {name}.")
    if found.kept_from is not None:
        typer.echo(f"Of requests before {found.kept_from:%Y-%m-%d} only sums are kept: they are not in these figures.")


def _row(name: str, row: Compared) -> list[str]:
    share = "–" if row.share is None else f"{row.share:+.1%}"
    costs = ("–", "–") if row.list_cost is None else (usd(row.list_cost), usd(row.list_cost_then))
    return [name, f"{row.compared_requests:,}", *costs, signed_usd(row.difference), share]


def _print_left_out(found: WhatIf) -> None:
    total = found.total
    if not found.left_out:
        return
    known = "" if total.left_out_list_cost is None else f" (they cost {usd(total.left_out_list_cost)} now)"
    typer.echo(f"{counted(total.requests - total.compared_requests, 'request')} could not be compared{known}:")
    for part in found.left_out:
        typer.echo(f"  {counted(part.requests, 'request')} {_said(part)}")


def _said(part: LeftOut) -> str:
    place = part.model or "no model"
    return f"{'of' if part.when == 'now' else 'as'} {part.provider_name}/{place}: {part.state}, for {part.why}."
