"""`monitor price list`, `show` and `why`: what holds, and who says so."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Final

import typer

from monitor.alerts.wording import counted
from monitor.cli.price_asking import Told, ask_prices, ask_why, optional_moment, price_moment
from monitor.cli.price_say import ProviderOption, describe_discount, describe_own
from monitor.cli.price_words import (
    day_text,
    free_text,
    in_order,
    is_fee,
    price_text,
    print_columns,
    quantity_text,
    say,
    size_text,
    span_text,
)
from monitor.clock import system_clock
from monitor.errors import PricingError
from monitor.pricing.book import Match, provider_id
from monitor.pricing.entries import PriceEntry
from monitor.pricing.explained import Asked
from monitor.pricing.own import OWN_LIST, Discount, OwnName, OwnPrices
from monitor.pricing.own_file import Row, rows_of
from monitor.pricing.steps import ALWAYS
from monitor.pricing.supplement import TIERS
from monitor.pricing.units import STORAGE_FREE, is_factor

_MOST_UNPRICED: Final = 20
SHOWN_UNITS: Final = ("input", "cache_read", "output")
"""Those that have columns of their own."""

_TIERS_IN_ORDER: Final = {tier: number for number, tier in enumerate(TIERS)}

ModelArgument = Annotated[str, typer.Argument(help="The model, as it answers or as it is asked for.")]
AtOption = Annotated[str | None, typer.Option(metavar="DATE", help="At that time, UTC; now if not given.")]


def list_prices(
    *,
    provider: Annotated[str | None, typer.Option(help="Only models of this provider.")] = None,
    model: Annotated[str | None, typer.Option(help="Only models whose name is like this: 'gpt-4*'.")] = None,
    own: Annotated[bool, typer.Option("--own", help="What was said here: prices, names and discounts.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="All models that lists know, not only those seen here.")
    ] = False,
    at: AtOption = None,
) -> None:
    """List the prices of the models that were seen here: USD, at the default tier."""
    moment = system_clock() if at is None else price_moment(at)
    if own:
        _print_own(ask_prices(models=(), at=moment).own)
        return
    wanted = None if provider is None else provider_id(provider.strip().lower())
    told = _everything(wanted, moment) if everything else ask_prices(at=moment)
    matches = [match for match in told.matches if _is_meant(match, wanted, model)]
    if not matches:
        typer.echo("No such model was seen here." if told.matches else "No model was seen here yet.")
        if not everything:
            typer.echo("To see what lists know: monitor price list --all --provider openai")
        return
    _print_list([match for match in matches if match.price_key is not None], told.version)
    if not everything:
        _print_unpriced([match for match in matches if match.price_key is None])


def show(
    model: ModelArgument,
    *,
    provider: ProviderOption = "openai",
    at: Annotated[str | None, typer.Option(metavar="DATE", help="Only what holds at that time, UTC.")] = None,
) -> None:
    """Show all prices of a model: every tier, span of time, size of prompt and unit, and the lists that say so."""
    (match,) = ask_prices(models=[(provider, model)], at=optional_moment(at)).matches
    say(f"{model} of {provider}: {match.why}.")
    if match.price_key is None:
        typer.echo(f"What to do: {_why_command(match)}")
        raise typer.Exit(1)
    entries = sorted(match.entries, key=lambda one: (_TIERS_IN_ORDER[one.tier], one.valid_from, one.above_input_tokens))
    fees: list[dict[str, Decimal]] = []
    for entry in entries:
        own_fees = {unit: price for unit, price in entry.unit_prices.items() if is_fee(unit)}
        _print_entry(entry, has_known_fees=own_fees in fees)
        fees.append(own_fees)
    if not entries:
        typer.echo(f"No price holds at {at}.")


def why(
    model: ModelArgument,
    *,
    provider: ProviderOption = "openai",
    tier: Annotated[str, typer.Option(help=", ".join(TIERS))] = "default",
    at: AtOption = None,
    input_tokens: Annotated[int, typer.Option(min=0, metavar="N", help="The size of its prompt.")] = 0,
) -> None:
    """Say why a request costs what it costs: what matched, which entry holds, and who says each price."""
    if tier not in TIERS:
        raise PricingError(f"{tier!r} is no tier. The tiers are: {', '.join(TIERS)}.")
    moment = system_clock() if at is None else price_moment(at)
    asked = Asked(provider=provider, model=model, at=moment, tier=tier, input_tokens=input_tokens)
    found = ask_why(asked)
    say(f"{model} of {provider}: {found.why}.")
    if found.entry is None:
        typer.echo(found.note or "")
        raise typer.Exit(1)
    entry = found.entry
    size = size_text(entry.above_input_tokens, entry.upto_input_tokens)
    say(
        f"On {day_text(moment)}, tier {tier}: the entry {entry.sku_price_id}, "
        f"{span_text(entry.valid_from, entry.valid_to)}{f', {size}' if size else ''}."
    )
    said = {one.unit: one for one in found.prices}
    free = [unit for unit, one in said.items() if is_fee(unit) and not one.usd and OWN_LIST not in one.source]
    rows = [
        (unit, price_text(unit, said[unit].usd), quantity_text(unit), said[unit].source)
        for unit in in_order(said.keys() - set(free))
    ]
    print_columns(("unit", "USD", "for", "says"), rows, right=(1,))
    if free:
        typer.echo(free_text(free))


def is_like(pattern: str, *names: str) -> bool:
    """Whether one of the names is as the pattern has it."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for name in names)


def _everything(provider: str | None, moment: datetime) -> Told:
    providers = ask_prices(models=()).providers if provider is None else [provider]
    return ask_prices(models=(), at=moment, listed=providers)


def _is_meant(match: Match, provider: str | None, model: str | None) -> bool:
    is_of_provider = provider is None or provider_id(match.provider_name) == provider
    return is_of_provider and (model is None or is_like(model, match.model, (match.price_key or "").partition("/")[2]))


def _print_list(matches: Sequence[Match], version: str) -> None:
    if not matches:
        return
    rows = [(match.model, match.provider_name, *_cells(match)) for match in matches]
    print_columns(("model", "provider", "input", "cached", "output", "more"), rows, right=(2, 3, 4))
    say(f"USD for 1M tokens, by {version}" + (" and own prices." if any(map(_is_own, matches)) else "."))
    typer.echo("All prices of one: monitor price show MODEL")


def _cells(match: Match) -> Iterator[str]:
    entries = [one for one in match.entries if one.tier == "default"]
    first = next((one for one in entries if one.above_input_tokens == ALWAYS), None)
    prices = {} if first is None else first.unit_prices
    yield from (price_text(unit, prices.get(unit)) for unit in SHOWN_UNITS)
    steps = sorted(one.above_input_tokens for one in entries if one.above_input_tokens != ALWAYS)
    others = [unit for unit in prices if unit not in SHOWN_UNITS and not is_fee(unit)]
    more = ["own"] if _is_own(match) else []
    more += [f"other above {step // 1_000:,}k" for step in steps]
    more += [counted(len(others), "unit") if not _has_tokens(prices) else f"{len(others)} more"] if others else []
    yield ", ".join(more)


def _has_tokens(prices: Iterable[str]) -> bool:
    return any(unit in SHOWN_UNITS for unit in prices)


def _is_own(match: Match) -> bool:
    return any(OWN_LIST in one.price_list for one in match.entries)


def _print_unpriced(matches: Sequence[Match]) -> None:
    if not matches:
        return
    typer.echo(f"Without a price: {counted(len(matches), 'model')}.")
    for match in matches[:_MOST_UNPRICED]:
        say(f"{match.model} of {match.provider_name}: {match.why}", indent="  ")
    if len(matches) > _MOST_UNPRICED:
        typer.echo(f"  … and {len(matches) - _MOST_UNPRICED:,} more.")
    typer.echo(f"What to do about the first:\n  {_why_command(matches[0])}")


def _why_command(match: Match) -> str:
    whose = "" if provider_id(match.provider_name) == "openai" else f" --provider {shlex.quote(match.provider_name)}"
    return f"monitor price why {shlex.quote(match.model)}{whose}"


def _print_entry(entry: PriceEntry, *, has_known_fees: bool) -> None:
    size = size_text(entry.above_input_tokens, entry.upto_input_tokens)
    words = [entry.tier, span_text(entry.valid_from, entry.valid_to), *([size] if size else [])]
    typer.echo(f"\n{', '.join(words)}\n  by {entry.price_list}")
    prices = {unit: price for unit, price in entry.unit_prices.items() if not (has_known_fees and is_fee(unit))}
    free = [unit for unit in prices if is_fee(unit) and not prices[unit]]
    for unit in in_order(prices.keys() - set(free)):
        typer.echo(_line(unit, prices[unit]))
    if free:
        typer.echo(free_text(free))
    if has_known_fees:
        typer.echo("  tools and containers as above")


def _line(unit: str, usd: Decimal) -> str:
    is_no_unit = is_factor(unit) or unit.startswith(STORAGE_FREE)
    quantity = quantity_text(unit) if is_no_unit else f"for {quantity_text(unit)}"
    return f"  {unit:<28} {price_text(unit, usd):>12} {quantity}"


def _print_own(own: OwnPrices) -> None:
    rows = rows_of(own)
    if not rows:
        typer.echo("Nothing was said here. To begin: monitor price set MODEL --input USD --output USD")
        return
    for row in rows:
        say(f"{row.id}: {_row_text(row)}.")
        if row.note:
            say(f"note: {row.note}", indent="  ")
        for line in _details(row):
            typer.echo(line)


def _row_text(row: Row) -> str:
    return describe_discount(row) if isinstance(row, Discount) else describe_own(row)


def _details(row: Row) -> Iterator[str]:
    if isinstance(row, Discount | OwnName):
        return
    for unit in in_order(row.prices):
        yield _line(unit, row.prices[unit])
