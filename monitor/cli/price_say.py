"""`monitor price set`, `discount` and `remove`: what people say of prices."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

import typer

from monitor.alerts.wording import counted
from monitor.cli.price_asking import Changed, Shown, ask_change, optional_moment
from monitor.cli.price_words import (
    day_text,
    in_order,
    is_fee,
    price_text,
    print_columns,
    quantity_text,
    reprice_command,
    say,
    size_text,
    span_text,
)
from monitor.clock import system_clock
from monitor.errors import PricingError
from monitor.pricing.book import provider_id
from monitor.pricing.explained import Asked, Explanation
from monitor.pricing.figures import CLASSES
from monitor.pricing.own import Discount, OwnName, OwnPrice, OwnPrices, require_discount, require_name, require_price
from monitor.pricing.saying import describe_factor, parse_factor, per_million, per_unit
from monitor.pricing.steps import ALWAYS
from monitor.pricing.supplement import TIERS

_NOBODY: Final = ""
"""The id of what is not stored yet."""

_TOKENS: Final = (
    "input",
    "cache_read",
    "cache_creation",
    "cache_creation_long",
    "output",
    "reasoning",
    "input_audio",
    "output_audio",
    "cache_read_audio",
    "input_image",
    "output_image",
    "cache_read_image",
    "trained",
)
"""The units whose prices have options of their own, in the order of these."""

Tokens = Annotated[str | None, typer.Option(metavar="USD", rich_help_panel="Prices of 1M tokens")]
ProviderOption = Annotated[str, typer.Option(help="Whose model it is, as price lists or records call them.")]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First day, UTC. Without it: always was.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="First day after it, UTC. Without it: still holds.")
]
PerOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="UNIT=USD",
        help="USD for one of any other unit: image:hd/1024x1024=0.08, tool:web_search=0.01, "
        "audio_second=0.0001; character=15/1M for a million. May be given again.",
    ),
]
LikeOption = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="It costs what this model costs: gpt-4o-mini, or openai/gpt-4o-mini."),
]
TierOption = Annotated[
    list[str] | None, typer.Option(help=f"{', '.join(TIERS)}. May be given again. Without it: default.")
]
AboveOption = Annotated[
    int | None, typer.Option(min=0, metavar="TOKENS", help="Only for prompts of more tokens than that.")
]
NoteOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Why; it is kept with it.")]


def set_price(
    model: Annotated[str, typer.Argument(help="The model, or a pattern of names: 'ft:gpt-4o:acme:*'.")],
    *,
    input: Tokens = None,  # noqa: A002 - the option's name
    cached: Tokens = None,
    cache_write: Tokens = None,
    cache_write_long: Tokens = None,
    output: Tokens = None,
    reasoning: Tokens = None,
    audio_in: Tokens = None,
    audio_out: Tokens = None,
    cached_audio: Tokens = None,
    image_in: Tokens = None,
    image_out: Tokens = None,
    cached_image: Tokens = None,
    trained: Tokens = None,
    per: PerOption = None,
    like: LikeOption = None,
    provider: ProviderOption = "openai",
    tier: TierOption = None,
    above: AboveOption = None,
    start: FromOption = None,
    end: ToOption = None,
    note: NoteOption = None,
) -> None:
    """Say what a model costs, or whose prices it has; it goes before all lists, and holds for requests from now on."""
    texts = (input, cached, cache_write, cache_write_long, output, reasoning)
    of_media = (audio_in, audio_out, cached_audio, image_in, image_out, cached_image, trained)
    prices = per_million(dict(zip(_TOKENS, (*texts, *of_media), strict=True))) | per_unit(per or ())
    whose, name = provider_id(provider.strip().lower()), _required(model)
    if like is not None:
        if prices or tier or above is not None or start or end:
            raise PricingError("--like takes all prices of the other model, always: no other option goes with it.")
        _say(OwnPrices(names=(_other_name(whose, name, like, note),)), (_asked(whose, name),))
        return
    row = OwnPrice(
        id=_NOBODY,
        created_at=system_clock(),
        valid_from=optional_moment(start),
        valid_to=optional_moment(end),
        note=note,
        provider=whose,
        model=name,
        tiers=tuple(dict.fromkeys(tier or ("default",))),
        prices=prices,
        above_input_tokens=ALWAYS if above is None else above,
    )
    _say(OwnPrices(prices=(require_price(row),)), _asked_about(row))


def discount(
    amount: Annotated[str, typer.Argument(help="15% for 15% off, 0.85x for a factor, +10% for a margin.")],
    *,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model, or of a pattern of names: 'gpt-4o*'.")] = None,
    project: Annotated[str | None, typer.Option(metavar="ID", help="Only of this project.")] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="FINGERPRINT", help="Only of this key: see monitor report --by key_fingerprint."),
    ] = None,
    cost_class: Annotated[
        list[str] | None, typer.Option("--class", help=f"Only of this class: {', '.join(CLASSES)}. May be given again.")
    ] = None,
    start: FromOption = None,
    end: ToOption = None,
    note: NoteOption = None,
) -> None:
    """Say what is paid of the list cost: a discount or a margin.

    Of several that are meant for a request only the closest holds:
    by key, then by project, by model, by provider; of two alike the later.
    They are never multiplied.
    """
    factor = parse_factor(amount)
    row = require_discount(
        Discount(
            id=_NOBODY,
            created_at=system_clock(),
            valid_from=optional_moment(start),
            valid_to=optional_moment(end),
            note=note,
            provider=None if provider is None else provider_id(provider.strip().lower()),
            model=None if model is None else _required(model),
            project=project,
            key=key,
            factors=dict.fromkeys(cost_class or CLASSES, factor),
        )
    )
    done = ask_change(say=OwnPrices(discounts=(row,)))
    say(f"{done.said[0]}: {describe_discount(row)}.")
    print_stored(done)
    if not done.stored.requests:
        say("It is meant for no request that is stored so far.")


def remove(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="As monitor price list --own shows them.")],
) -> None:
    """Take back own prices, names or discounts; what the lists say holds again for requests from now on."""
    done = ask_change(unsay=ids)
    typer.echo(f"Removed {', '.join(done.unsaid)}.")
    print_stored(done)


def describe_discount(row: Discount) -> str:
    """`85% of the list cost (15% off) is paid for gpt-4o* of openai, from 2026-11-01 on`."""
    factors = set(row.factors.values())
    is_whole = len(factors) == 1 and set(row.factors) == set(CLASSES)
    parts = {factor: [name for name in CLASSES if row.factors.get(name) == factor] for factor in sorted(factors)}
    told = [
        describe_factor(factor) + ("" if is_whole else f" of {', '.join(names)}") for factor, names in parts.items()
    ]
    return f"{' and '.join(told)} is paid for {_whom(row)}, {span_text(row.valid_from, row.valid_to)}"


def _whom(row: Discount) -> str:
    model = "all models" if row.model is None else row.model
    words = [model if row.provider is None else f"{model} of {row.provider}"]
    words += [] if row.project is None else [f"project {row.project}"]
    words += [] if row.key is None else [f"the key {row.key}"]
    return ", ".join(words)


def _required(model: str) -> str:
    if not model.strip():
        raise PricingError("The model has no name.")
    return model.strip().lower()


def _other_name(provider: str, name: str, like: str, note: str | None) -> OwnName:
    whose, _, model = like.strip().rpartition("/")
    of_provider = provider_id(whose.lower()) if whose else provider
    row = OwnName(
        id=_NOBODY,
        created_at=system_clock(),
        note=note,
        provider=provider,
        name=name,
        model=_required(model),
        of_provider=of_provider,
    )
    return require_name(row)


def _asked(provider: str, model: str) -> Asked:
    return Asked(provider=provider, model=model, at=system_clock())


def _asked_about(row: OwnPrice) -> tuple[Asked, ...]:
    """A request that such a price is for, in each tier: now, else when it begins or just before it ends."""
    at = system_clock()
    if row.valid_to is not None and at >= row.valid_to:
        at = row.valid_to - timedelta(microseconds=1)
    if row.valid_from is not None and at < row.valid_from:
        at = row.valid_from
    asked = Asked(provider=row.provider, model=row.model, at=at, input_tokens=max(row.above_input_tokens, 0) + 1)
    return tuple(replace(asked, tier=tier) for tier in row.tiers)


def _say(own: OwnPrices, asked: Sequence[Asked]) -> None:
    done = ask_change(say=own, asked=asked)
    row: OwnPrice | OwnName = own.prices[0] if own.prices else own.names[0]
    say(f"{done.said[0]}: {describe_own(row)}.")
    for shown in done.shown:
        _print_shown(shown)
    if not done.shown:
        typer.echo("No model of that name has been seen so far.")
    print_stored(done)


def describe_own(row: OwnPrice | OwnName) -> str:
    """`own prices of gpt-4o of openai, tier batch, from 2026-11-01 on`."""
    if isinstance(row, OwnName):
        return f"{row.name} of {row.provider} costs what {row.model} of {row.of_provider} costs"
    tiers = (
        "" if row.tiers == ("default",) else f", {'tier' if len(row.tiers) == 1 else 'tiers'} {', '.join(row.tiers)}"
    )
    size = size_text(row.above_input_tokens, None)
    return (
        f"own prices of {row.model} of {row.provider}{tiers}{f', {size}' if size else ''}, "
        f"{span_text(row.valid_from, row.valid_to)}"
    )


def _print_shown(shown: Shown) -> None:
    before, after = _by_unit(shown.before), _by_unit(shown.after)
    changed = [unit for unit in in_order({*before, *after}) if before.get(unit) != after.get(unit)]
    if not before:
        # What tools cost beside it is nothing that was said.
        changed = [unit for unit in changed if not is_fee(unit)]
    asked = shown.asked
    typer.echo(f"\n{asked.model} of {asked.provider}, tier {asked.tier}, {_when(asked.at)}:")
    if not after:
        say(f"no price holds: {shown.after.why}.", indent="  ")
        say(shown.after.note or "", indent="  ")
        return
    if not changed:
        typer.echo("  every price is what it was.")
        return
    rows = [
        (unit, price_text(unit, before.get(unit)), price_text(unit, after.get(unit)), quantity_text(unit))
        for unit in changed
    ]
    print_columns(("unit", "USD before", "USD now", "for"), rows, right=(1, 2))


def _when(moment: datetime) -> str:
    return "now" if abs(system_clock() - moment) < timedelta(minutes=5) else f"on {day_text(moment)}"


def _by_unit(found: Explanation) -> dict[str, Decimal]:
    return {said.unit: said.usd for said in found.prices}


def print_stored(done: Changed) -> None:
    """Say how many stored requests a change is about, and how to see what it would do to them."""
    stored = done.stored
    if not stored.requests or stored.first_at is None:
        return
    stay = "stays as it is" if stored.requests == 1 else "stay as they are"
    number = counted(stored.requests, "stored request")
    say(f"{number}, the first of {stored.first_at:%Y-%m-%d}, {stay}. To see what would change:")
    typer.echo(reprice_command(stored.first_at))
