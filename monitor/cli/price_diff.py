"""`monitor price diff`: what a file says differently from what holds here."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from monitor.alerts.wording import counted
from monitor.cli.price_asking import ask_prices
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
from monitor.cli.price_words import price_text, print_columns, say
from monitor.clock import system_clock
from monitor.pricing.book import provider_id
from monitor.pricing.comparing import Difference, differences
from monitor.pricing.entries import Place
from monitor.pricing.figures import exact
from monitor.pricing.litellm_table import read_litellm
from monitor.pricing.own import is_pattern
from monitor.pricing.own_file import read_own
from monitor.pricing.steps import ALWAYS


def diff(
    file: FileArgument,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All models of LiteLLM's table, not only those seen here.")
    ] = False,
    provider: ProviderFilter = None,
    model: ModelFilter = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare prices with those that hold here now: a file of monitor price export, or LiteLLM's table (JSON)."""
    text, now = read_file(file), system_clock()
    is_table = text.lstrip().startswith("{")
    theirs = _of_table(text) if is_table else _of_own(text, now)
    meant = {key: prices for key, prices in theirs.items() if is_meant(key, provider, model)}
    seen_only = is_table and not everything and provider is None and model is None
    found = list(_differences(meant, now, seen_only=seen_only))
    if as_json:
        sys.stdout.write(json.dumps([_as_json(one) for one in found], indent=2) + "\n")
        return
    _print_differences(found)


def _of_table(text: str) -> dict[Key, Prices]:
    return {key: one.prices for key, one in read_litellm(text).items()}


def _of_own(text: str, now: datetime) -> dict[Key, Prices]:
    """What a file says of models that it names in full, at this moment; the later row holds."""
    found: dict[Key, dict[Place, Decimal]] = {}
    for row in read_own(text, now=now).prices:
        if row.holds_at(now) and not is_pattern(row.model):
            places = found.setdefault((row.provider, row.model), {})
            for tier in row.tiers:
                places |= {(tier, row.above_input_tokens, unit): price for unit, price in row.prices.items()}
    return dict(found)


def _differences(theirs: Mapping[Key, Prices], now: datetime, *, seen_only: bool) -> Iterator[Difference]:
    keys = list(theirs)
    if seen_only:
        seen = {(provider_id(m.provider_name), m.model.lower()) for m in ask_prices(at=now).matches}
        keys = [key for key in keys if key in seen]
    for key, match in matches_of(keys, now).items():
        yield from differences(*key, match.entries, theirs[key], now)


def _print_differences(found: Sequence[Difference]) -> None:
    if not found:
        typer.echo("No price differs.")
        return
    rows = [
        (
            one.model,
            one.provider,
            _tier(one),
            one.unit,
            price_text(one.unit, one.ours),
            price_text(one.unit, one.theirs),
        )
        for one in found
    ]
    print_columns(("model", "provider", "tier", "unit", "here", "there"), rows, right=(4, 5))
    say(
        f"{counted(len(found), 'price')} of {counted(len({(d.provider, d.model) for d in found}), 'model')} "
        "not the same. USD, for 1M tokens or for one of another unit."
    )


def _tier(one: Difference) -> str:
    above = one.above_input_tokens
    return one.tier if above == ALWAYS else f"{one.tier} above {above // 1_000:,}k"


def _as_json(one: Difference) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "model": one.model,
        "tier": one.tier,
        "above_input_tokens": None if one.above_input_tokens == ALWAYS else one.above_input_tokens,
        "unit": one.unit,
        "ours_usd": None if one.ours is None else exact(one.ours),
        "theirs_usd": None if one.theirs is None else exact(one.theirs),
    }
