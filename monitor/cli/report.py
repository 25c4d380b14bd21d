"""`monitor report`: spend by model, team, call site … as a table, CSV or JSON."""

import csv
import json
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from monitor.alerts.wording import counted
from monitor.api import Question
from monitor.budgets.model import Matcher
from monitor.cli.amounts import usd
from monitor.cli.asking import ask
from monitor.cli.context import console, load_settings
from monitor.cli.spans import moment_of
from monitor.clock import system_clock
from monitor.errors import SettingsError
from monitor.ledger.scopes import dimension_column
from monitor.records import DIMENSIONS

_CONTRACTED = "contracted_cost"
_FIGURES = (
    "requests",
    "calls",
    "errors",
    "input_tokens",
    "output_tokens",
    "list_cost",
    _CONTRACTED,
    "unpriced_requests",
    "estimated_requests",
    "estimated_list_cost",
)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    head: str


_COSTS = {"list_cost": "list cost", _CONTRACTED: "paid"}
_WIDE = 90
_COLUMNS = (
    _Column("requests", "requests"),
    _Column("errors", "errors"),
    _Column("input_tokens", "tokens in"),
    _Column("output_tokens", "tokens out"),
    _Column("unpriced_requests", "unpriced"),
)


def report(
    by: Annotated[str, typer.Option(help=f"What to split by: {', '.join(DIMENSIONS)}.")] = "model",
    since: Annotated[str, typer.Option(help="From when: 7d, 24h, today, month, 2026-11-01.")] = "30d",
    until: Annotated[str | None, typer.Option(help="To when (not included); now if not given.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Only some: team=search, model!=gpt-4o. May be given again.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Spend, requests, errors and tokens of a period. Costs are list prices in USD, and what your discounts leave."""
    settings = load_settings()
    if as_json and as_csv:
        raise SettingsError("--json and --csv cannot both be given.")
    by = by.replace("-", "_")
    dimension_column(by)
    now = system_clock()
    start = moment_of(since, now=now, time_zone=settings.time_zone)
    end = moment_of(until, now=now, time_zone=settings.time_zone) if until else None
    if end is not None and end <= start:
        raise SettingsError(f"--until {until} is not after --since {since}.")
    matchers = tuple(Matcher.parse(text) for text in where or ())
    answer = ask(settings, Question(by=by, start=start, end=end or system_clock(), matchers=matchers))
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
    elif as_csv:
        _write_csv(by, answer)
    else:
        _print_table(by, answer, f"since {start:%Y-%m-%d %H:%M} UTC")


def _write_csv(by: str, answer: dict[str, Any]) -> None:
    names = [name for name in _FIGURES if name in answer["total"]]
    writer = csv.writer(sys.stdout)
    writer.writerow([by, *names])
    for row in answer["rows"]:
        writer.writerow([safe(row[by]), *(row[name] for name in names)])


def safe(value: str | None) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = value or ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _print_table(by: str, answer: dict[str, Any], when: str) -> None:
    total = answer["total"]
    if not total["requests"]:
        console().print(
            f"No requests {when}. Wrap a client with monitor.wrap(OpenAI()) and make a call; "
            "monitor doctor shows where records are looked for."
        )
        return
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(by.replace("_", " "), footer="total", overflow="fold", min_width=10)
    columns = [column for column in _COLUMNS if column.name != "errors" or _has_room(total)]
    costs = {name: head for name, head in _COSTS.items() if name in total}
    for cost, head in costs.items():
        table.add_column(head, justify="right", footer=usd(total[cost]), no_wrap=True)
    for column in columns:
        table.add_column(column.head, justify="right", footer=_count(total[column.name]), no_wrap=True)
    for row in answer["rows"]:
        name = Text(row[by]) if row[by] is not None else Text("–", style="dim")
        table.add_row(name, *(usd(row[cost]) for cost in costs), *(_count(row[column.name]) for column in columns))
    console().print(table)
    note = f"Requests {when}; list prices in USD."
    if _CONTRACTED in total:
        note += " Paid is what is left of them with your discounts and margins."
    if total["unpriced_requests"]:
        note += f" The cost of {counted(total['unpriced_requests'], 'request')} is not known and not in these figures."
    if total["estimated_list_cost"] is not None:
        note += (
            f" Of them {usd(total['estimated_list_cost'])} is estimated: "
            f"{counted(total['estimated_requests'], 'request')} broke off, or did not say what they used."
        )
    if "lacks_before" in answer:
        note += (
            f" Of requests before {answer['lacks_before'][:10]} only sums are kept, by hour or day: what this question "
            "needs one by one of them is missing."
        )
    console().print(note, style="dim")


def _has_room(total: dict[str, Any]) -> bool:
    """Whether all columns fit: with what is paid beside the list cost, 80 are too few."""
    return _CONTRACTED not in total or console().width >= _WIDE


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
