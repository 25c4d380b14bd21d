"""Small price lists, for what the installed one does not show."""

from datetime import date
from decimal import Decimal

from genai_prices import types

from monitor.pricing.book import PriceBook


def make_prices(**prices: str) -> types.ModelPrice:
    return types.ModelPrice(**{name: Decimal(price) for name, price in prices.items()})


def make_model(
    name: str, prices: types.ModelPrice | list[types.ConditionalPrice], variants: list[types.PriceVariant] | None = None
) -> types.ModelInfo:
    return types.ModelInfo(id=name, match=types.ClauseEquals(name), prices=prices, price_variants=variants)


def changing_on(day: date, before: types.ModelPrice, after: types.ModelPrice) -> list[types.ConditionalPrice]:
    return [
        types.ConditionalPrice(prices=before),
        types.ConditionalPrice(constraint=types.StartDateConstraint(start_date=day), prices=after),
    ]


def make_book(*models: types.ModelInfo, provider: str = "openai", version: str = "list 1") -> PriceBook:
    return PriceBook([types.Provider(id=provider, name=provider, api_pattern=provider, models=list(models))], version)
