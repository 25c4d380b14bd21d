"""Reads LiteLLM's table of models as a second source of prices. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from monitor.errors import PricingError
from monitor.pricing.entries import Place
from monitor.pricing.steps import ALWAYS, unit_price
from monitor.pricing.units import ANY, image_units

_UNITS: Final = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_creation",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "input_cost_per_image_token": "input_image",
    "output_cost_per_image_token": "output_image",
    "cache_read_input_image_token_cost": "cache_read_image",
    "input_cost_per_character": "character",
    "input_cost_per_request": "request",
    "output_cost_per_video_per_second": f"video_second:{ANY}",
}
_LONG_CACHE: Final = re.compile(r"cache_creation_input_token_cost_above_(1|12)hr")
_TIERS: Final = {"flex": "flex", "batches": "batch", "priority": "priority", "ultrafast": "ultrafast"}
_SUFFIXES: Final = re.compile(r"_(?:(flex|batches|priority|ultrafast)|above_(\d+)k_tokens)(?=_|$)")
_PRICED: Final = re.compile(r"_cost|cost_per_|_uplift_")
_PICTURE: Final = re.compile(r"(?:([a-z]+)/)?(\d+)-x-(\d+)/(.+)")
_PER_IMAGE: Final = ("input_cost_per_image", "output_cost_per_image")
_SPOKEN: Final = frozenset({"audio_transcription"})
_PROVIDERS: Final = {
    "text-completion-openai": "openai",
    "azure_text": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "bedrock_mantle": "aws",
    "gemini": "google",
    "xai": "x-ai",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "moonshot": "moonshotai",
    "cohere_chat": "cohere",
    "codestral": "mistral",
    "text-completion-codestral": "mistral",
}
_GOOGLE: Final = "vertex_ai"
_REGIONAL: Final = "azure"


@dataclass(frozen=True, slots=True, kw_only=True)
class LitellmModel:
    """What the table says of one model.

    Attributes:
        prices: USD for one of the unit.
        unread: keys that say a price which entries cannot have, or that is not to be trusted.
    """

    prices: Mapping[Place, Decimal]
    unread: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool:
        """Whether all of it costs nothing: there that often means that nobody has looked."""
        return not any(self.prices.values())


@dataclass(slots=True)
class _Found:
    prices: dict[Place, Decimal] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)


def read_litellm(text: str) -> dict[tuple[str, str], LitellmModel]:
    """The table's prices by provider, as `provider_id` has it, and model; numbers are read as decimals, never floats.

    Rows without any price are left out. Rows of one picture size are part of their model.

    Raises:
        PricingError: the text is no such table.
    """
    try:
        table = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise PricingError(f"The table of LiteLLM cannot be read: {error}.") from error
    if not isinstance(table, dict) or not any(_is_row(row) for row in table.values()):
        raise PricingError("This is no table of LiteLLM: it must be a JSON object of models with a litellm_provider.")
    found: dict[tuple[str, str], _Found] = {}
    for name, row in table.items():
        if _is_row(row) and name != "sample_spec":
            _read_row(found, name, row)
    return {key: LitellmModel(prices=one.prices, unread=tuple(one.unread)) for key, one in found.items() if one.prices}


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("litellm_provider"), str)


def _read_row(found: dict[tuple[str, str], _Found], name: str, row: Mapping[str, Any]) -> None:
    provider = row["litellm_provider"]
    bare = name.removeprefix(f"{provider}/").lower()
    picture = _PICTURE.fullmatch(bare)
    quality, size, model = (None, None, bare)
    if picture is not None:
        quality, size, model = picture[1], f"{picture[2]}x{picture[3]}", picture[4]
    if provider == _REGIONAL and "/" in model:
        # A region is no part of a name that it answers by.
        return
    one = found.setdefault((_provider(provider), model.removeprefix(f"{provider}/")), _Found())
    for key, value in row.items():
        if isinstance(value, Decimal) and _PRICED.search(key):
            read = list(_read_price(key, row, image_units(quality, size)[0]))
            if not read or not value.is_finite() or value < 0:
                one.unread[key] = None
                continue
            for place in read:
                one.prices.setdefault(place, unit_price(value, 1))
    for unit, value in _fees(row):
        one.prices.setdefault(("default", ALWAYS, unit), unit_price(*value))


def _provider(name: str) -> str:
    return "google" if name.startswith(_GOOGLE) else _PROVIDERS.get(name, name)


def _read_price(key: str, row: Mapping[str, Any], image: str) -> Iterator[Place]:
    """Where the price of a key stands; nothing where entries have no place for it."""
    long = _LONG_CACHE.match(key)
    rest = key if long is None else key.replace(long[0], "cache_creation_input_token_cost", 1)
    tier, above = "default", ALWAYS
    for suffix in _SUFFIXES.finditer(rest):
        tier = _TIERS.get(suffix[1], tier)
        above = above if suffix[2] is None else int(suffix[2]) * 1_000
    base = _SUFFIXES.sub("", rest)
    unit = _unit(base, row, image)
    if unit is not None:
        yield tier, above, "cache_creation_long" if long else unit


def _unit(base: str, row: Mapping[str, Any], image: str) -> str | None:
    if base in _PER_IMAGE:
        # Of a model that is paid by tokens it is what a picture is worth in tokens, not a price beside them.
        is_of_pictures = row.get("mode") in ("image_generation", "image_edit")
        return image if is_of_pictures and "input_cost_per_token" not in row else None
    if base in ("input_cost_per_second", "output_cost_per_second"):
        # Transcription has the one price twice; of other modes nobody says what a second is one of.
        is_first = base == "input_cost_per_second" or "input_cost_per_second" not in row
        return "audio_second" if row.get("mode") in _SPOKEN and is_first else None
    return _UNITS.get(base)


def _fees(row: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Decimal, int]]]:
    """Fees beside the tokens, each with how many of its unit cost that much."""
    searches = row.get("search_context_cost_per_query")
    prices = set(searches.values()) if isinstance(searches, dict) else set()
    if len(prices) == 1 and isinstance(price := prices.pop(), Decimal):
        yield "tool:web_search", (price, 1)
    session = row.get("code_interpreter_cost_per_session")
    if isinstance(session, Decimal):
        yield "container:1g", (session, 1)
    searched = row.get("file_search_cost_per_1k_calls")
    if isinstance(searched, Decimal):
        yield "tool:file_search", (searched, 1_000)
