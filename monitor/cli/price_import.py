"""`monitor price import`: takes in a file of own prices, or LiteLLM's table as a second source."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final

import typer

from monitor.alerts.wording import counted
from monitor.cli.price_asking import Changed, ask_change
from monitor.cli.price_say import print_stored
from monitor.cli.price_sources import (
    FileArgument,
    Key,
    ModelFilter,
    Prices,
    ProviderFilter,
    is_meant,
    matches_of,
    read_file,
)
from monitor.cli.price_tell import SHOWN_UNITS
from monitor.cli.price_words import price_text, print_columns, say
from monitor.clock import system_clock
from monitor.errors import PricingError
from monitor.pricing.book import answering_name
from monitor.pricing.comparing import differences
from monitor.pricing.entries import Place
from monitor.pricing.litellm_table import LitellmModel, read_litellm
from monitor.pricing.own import OwnPrice, OwnPrices
from monitor.pricing.own_file import read_own
from monitor.pricing.steps import ALWAYS

_MOST_SHOWN: Final = 40


def import_prices(
    file: FileArgument,
    *,
    litellm: Annotated[bool, typer.Option("--litellm", help="It is LiteLLM's table of models (JSON).")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="With --litellm: also where a price is known and differs.")
    ] = False,
    provider: ProviderFilter = None,
    model: ModelFilter = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --litellm: do it without asking.")] = False,
) -> None:
    """Take in prices, all of the file or nothing: one that monitor price export wrote, or LiteLLM's table."""
    text = read_file(file)
    if not litellm:
        if replace or provider or model:
            raise PricingError("--replace, --provider and --model go with --litellm only: a file of own prices is all.")
        if text.lstrip().startswith("{"):
            raise PricingError(f"{file} is JSON. If it is LiteLLM's table of models, add --litellm.")
        _take_in(read_own(text, now=system_clock()))
        return
    wanted = {key: one for key, one in read_litellm(text).items() if is_meant(key, provider, model)}
    rows = tuple(_own_rows(wanted, file.name, replaces=replace))
    if not rows:
        say(f"Nothing to take in: of {counted(len(wanted), 'model')}, each has its price here, or none there but 0.")
        return
    _preview(rows)
    if not yes:
        typer.confirm("Take these in as own prices?", abort=True)
    _take_in(OwnPrices(prices=rows))


def _take_in(own: OwnPrices) -> None:
    done = ask_change(say=own, mode="import")
    typer.echo(_told(done))
    print_stored(done)


def _told(done: Changed) -> str:
    parts = [f"{counted(len(done.said), 'row')} taken in"]
    parts += [f"{counted(len(done.unsaid), 'row')} replaced"] if done.unsaid else []
    parts += [f"{counted(done.left_alone, 'row')} stood here already"] if done.left_alone else []
    return f"{', '.join(parts)}."


def _own_rows(theirs: Mapping[Key, LitellmModel], source: str, *, replaces: bool) -> Iterator[OwnPrice]:
    """Own prices of the models that have none here; where some replace ours, only those that differ."""
    now = system_clock()
    # Free there often means that nobody has looked: unknown is not zero.
    known = {key: one for key, one in theirs.items() if not one.is_free}
    for key, match in matches_of(list(known), now).items():
        prices = dict(known[key].prices)
        if match.price_key is not None:
            if not replaces:
                continue
            apart = differences(*key, match.entries, prices, now)
            prices = {(d.tier, d.above_input_tokens, d.unit): d.theirs for d in apart if d.theirs is not None}
        for (tier, above), units in _by_entry(prices).items():
            yield OwnPrice(
                id="",
                created_at=now,
                note=f"taken from {source}",
                provider=key[0],
                model=answering_name(key[1]),
                tiers=(tier,),
                prices=units,
                above_input_tokens=above,
            )


def _by_entry(prices: Prices) -> dict[tuple[str, int], dict[str, Decimal]]:
    found: dict[tuple[str, int], dict[str, Decimal]] = {}
    for (tier, above, unit), price in sorted(prices.items()):
        found.setdefault((tier, above), {})[unit] = price
    return found


def _preview(rows: Sequence[OwnPrice]) -> None:
    models: dict[Key, dict[Place, Decimal]] = {}
    for row in rows:
        places = {(row.tiers[0], row.above_input_tokens, unit): price for unit, price in row.prices.items()}
        models.setdefault((row.provider, row.model), {}).update(places)
    lines = [(model, provider, *_cells(prices)) for (provider, model), prices in models.items()]
    print_columns(("model", "provider", "input", "cached", "output", "more"), lines[:_MOST_SHOWN], right=(2, 3, 4))
    if len(lines) > _MOST_SHOWN:
        typer.echo(f"… and {counted(len(lines) - _MOST_SHOWN, 'model')} more.")
    number = sum(map(len, models.values()))
    say(f"{counted(number, 'price')} of {counted(len(models), 'model')} would be own prices. USD for 1M tokens.")


def _cells(prices: Prices) -> Iterator[str]:
    shown = [("default", ALWAYS, unit) for unit in SHOWN_UNITS]
    yield from (price_text(place[2], prices.get(place)) for place in shown)
    others = len(prices.keys() - set(shown))
    yield counted(others, "price") if others else ""
