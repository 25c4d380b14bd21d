"""What files say of prices: read once, asked of by import and comparison."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.price_asking import ask_prices
from monitor.cli.price_tell import is_like
from monitor.errors import PricingError
from monitor.pricing.book import Match, answering_name, provider_id
from monitor.pricing.entries import Place

Key = tuple[str, str]
"""Provider, as lists call it, and model."""

Prices = Mapping[Place, Decimal]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]
ProviderFilter = Annotated[str | None, typer.Option(help="Only models of this provider.")]
ModelFilter = Annotated[str | None, typer.Option(help="Only models whose name is like this: 'gpt-4*'.")]


def read_file(file: Path) -> str:
    """The text of a file.

    Raises:
        PricingError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PricingError(f"{file} cannot be read: {error}.") from error


def is_meant(key: Key, provider: str | None, model: str | None) -> bool:
    """Whether a model is of this provider and its name like this pattern; None is any."""
    is_of_provider = provider is None or key[0] == provider_id(provider.strip().lower())
    return is_of_provider and (model is None or is_like(model, key[1]))


def matches_of(keys: Sequence[Key], at: datetime) -> dict[Key, Match]:
    """What holds here for these at a moment."""
    if not keys:
        return {}
    asked = [(provider, answering_name(model)) for provider, model in keys]
    return dict(zip(keys, ask_prices(models=asked, at=at).matches, strict=True))
