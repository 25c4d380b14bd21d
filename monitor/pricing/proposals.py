"""What to type where a model has no price. Pure."""

import difflib
import shlex
from typing import Final

from monitor.pricing.book import PriceBook, provider_id
from monitor.pricing.own import is_pattern

_NEAR: Final = 0.75
_OPENAI: Final = "openai"


def nearest_model(book: PriceBook, provider_name: str, model: str) -> str | None:
    """The model of this provider whose name is most like it, if one has a price and its name is much like it."""
    # Some providers have the models of OpenAI without a list of their own.
    known = {*book.models(provider_name), *book.models(_OPENAI)} - {model.lower()}
    names = sorted(name for name in known if not is_pattern(name))
    for name in difflib.get_close_matches(model.lower(), names, n=3, cutoff=_NEAR):
        if book.match(provider_name, name).price_key is not None:
            return name
    return None


def proposal(book: PriceBook, provider_name: str, model: str) -> str:
    """The command that gives the model a price: that of a model with nearly its name, else figures to fill in."""
    command = f"monitor price set {shlex.quote(model)}"
    provider = provider_id(provider_name)
    if provider != _OPENAI:
        command += f" --provider {shlex.quote(provider)}"
    if book.match(provider_name, model).price_key is not None:
        # It is known, yet something that was used has no price.
        return f"{command} --per UNIT=USD"
    nearest = nearest_model(book, provider_name, model)
    return f"{command} --input USD --output USD" if nearest is None else f"{command} --like {shlex.quote(nearest)}"
