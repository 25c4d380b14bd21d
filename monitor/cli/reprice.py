"""`monitor price reprice`: what stored requests would cost by the prices of now, and letting them cost that."""

import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final

import msgspec
import typer

from monitor.alerts.wording import counted
from monitor.cli.amounts import signed_usd, usd
from monitor.cli.asking import ask_task
from monitor.cli.context import console, load_settings
from monitor.cli.price_words import print_columns
from monitor.cli.slices import Since, Until, Where, asked_slice
from monitor.ledger.reprice import SPLITS, Change, Repricing

_MOST_SHOWN: Final = {"model": 15, "team": 15, "day": 31}


def reprice(
    since: Since = "30d",
    until: Until = None,
    where: Where = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    note: Annotated[str | None, typer.Option(help="Why; it is kept with what was changed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and change nothing unless --yes.")] = False,
) -> None:
    """Price stored requests anew by the prices of now: shows what would change, then asks.

    Use it after a price was missing or wrong, or after a discount was told late. It is one transaction, and what the
    requests cost before is kept.
    """
    asked = asked_slice(since, until, where, time_zone=load_settings().time_zone)
    given = {**asked.as_given(), **({} if note is None else {"note": note})}
    answer = ask_task(load_settings(), "reprice", {**given, "apply": "yes"} if yes else given)
    if as_json:
        sys.stdout.write(json.dumps(answer["repricing"], ensure_ascii=False, indent=2) + "\n")
        return
    found = msgspec.convert(answer["repricing"], Repricing, strict=False)
    _print(found, f"{asked}", answer["version"])
    if not found.total.changed:
        typer.echo("Nothing changes: they cost what they would cost now.")
    elif yes or _is_wanted(found):
        done = found if yes else _done(given)
        typer.echo(f"Done: {counted(done.total.changed, 'request')} cost something else now.")


def _is_wanted(found: Repricing) -> bool:
    if not typer.confirm(f"Let {counted(found.total.changed, 'request')} cost that?"):
        typer.echo("Nothing was changed.")
        return False
    return True


def _done(given: Mapping[str, str]) -> Repricing:
    answer = ask_task(load_settings(), "reprice", {**given, "apply": "yes"})
    return msgspec.convert(answer["repricing"], Repricing, strict=False)


def _print(found: Repricing, which: str, version: str) -> None:
    total = found.total
    console().print(
        f"{total.changed:,} of {counted(total.requests, 'request')} cost something else by the prices of now "
        f"({version}, and your own).\n{which}; USD.",
        markup=False,
    )
    if found.kept_from is not None:
        typer.echo(
            f"Of requests before {found.kept_from:%Y-%m-%d} only sums are kept: those stay as they are, "
            "and are not in these figures."
        )
    if not total.changed:
        return
    for split in SPLITS:
        _print_changes(split, found.by[split], total)
    if _is_discounted(total):
        typer.echo("Paid is what is left of the list cost with your discounts and margins.")
    if total.newly_priced or total.newly_unpriced:
        typer.echo(
            f"A cost is found for {counted(total.newly_priced, 'request')}, and lost for {total.newly_unpriced:,}; "
            f"{total.unpriced_requests:,} stay without a known one."
        )


def _print_changes(split: str, changes: Sequence[Change], total: Change) -> None:
    is_discounted = _is_discounted(total)
    heads = [split, "change", "list before", "list then"]
    heads += ["paid before", "paid then"] if is_discounted else ["difference"]
    most = _MOST_SHOWN[split]
    rows = [_row(change.value or "–", change, is_discounted=is_discounted) for change in changes[:most]]
    rows.append(_row("all requests", total, is_discounted=is_discounted))
    print_columns(heads, rows, right=range(1, len(heads)))
    if len(changes) > most:
        typer.echo(f"… and {len(changes) - most:,} more; --json tells all.")


def _row(name: str, change: Change, *, is_discounted: bool) -> list[str]:
    row = [name, f"{change.changed:,}", usd(change.list_cost_before), usd(change.list_cost)]
    if is_discounted:
        return [*row, usd(change.contracted_cost_before), usd(change.contracted_cost)]
    return [*row, signed_usd(_difference(change))]


def _difference(change: Change) -> Decimal | None:
    if change.list_cost is None and change.list_cost_before is None:
        return None
    return (change.list_cost or Decimal()) - (change.list_cost_before or Decimal())


def _is_discounted(change: Change) -> bool:
    return (change.contracted_cost_before, change.contracted_cost) != (change.list_cost_before, change.list_cost)
