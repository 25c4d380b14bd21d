"""How many of each unit a record used, so that nothing is paid twice: a detail is a part of its total. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

from monitor.records import Record

Usage = Mapping[str, int | None]
"""Token counts by the names of the fields of a record; a missing one was not reported, as None."""

_PARTS: Final = {
    "cache_read_input_tokens": ("input_tokens",),
    "cache_creation_input_tokens": ("input_tokens",),
    "input_audio_tokens": ("input_tokens",),
    "input_image_tokens": ("input_tokens",),
    "cache_read_audio_tokens": ("input_tokens", "cache_read_input_tokens", "input_audio_tokens"),
    "cache_read_image_tokens": ("input_tokens", "cache_read_input_tokens", "input_image_tokens"),
    "cache_creation_long_tokens": ("input_tokens", "cache_creation_input_tokens"),
    "reasoning_output_tokens": ("output_tokens",),
    "output_audio_tokens": ("output_tokens",),
    "output_image_tokens": ("output_tokens",),
}
"""Each detail, and what it is a part of."""

_UNITS: Final = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_creation",
    "input_audio_tokens": "input_audio",
    "input_image_tokens": "input_image",
}
"""What has a price of its own, of the totals of details."""

TOKENS: Final = (*_PARTS, "input_tokens", "output_tokens")
_IMAGE_OPERATIONS: Final = frozenset({"image_generation", "image_edit", "image_variation"})


def usage_of(record: Record) -> Usage:
    """The token counts of a record."""
    usage: dict[str, int | None] = {name: getattr(record, name) for name in TOKENS}
    if usage["output_image_tokens"] is None and record.operation_name in _IMAGE_OPERATIONS:
        # An image made by an image endpoint is image output, whether or not the answer splits its total.
        usage["output_image_tokens"] = record.output_tokens
    return usage


def tokens_of(usage: Usage, prices: Mapping[str, object]) -> dict[str, int]:
    """The tokens of each unit; those of a part that has no price of its own stay in the unit of their parent."""
    part = _counter(usage, prices)
    audio = part("cache_read_audio_tokens", "cache_read_audio")
    image = part("cache_read_image_tokens", "cache_read_image")
    long = part("cache_creation_long_tokens", "cache_creation_long")
    found = {
        "cache_read": part("cache_read_input_tokens", "cache_read", audio + image),
        "cache_read_audio": audio,
        "cache_read_image": image,
        "cache_creation": part("cache_creation_input_tokens", "cache_creation", long),
        "cache_creation_long": long,
        "input_audio": part("input_audio_tokens", "input_audio", _cached(usage, prices, "audio")),
        "input_image": part("input_image_tokens", "input_image", _cached(usage, prices, "image")),
    }
    reasoning = part("reasoning_output_tokens", "reasoning")
    made = {
        "output_audio": part("output_audio_tokens", "output_audio"),
        "output_image": part("output_image_tokens", "output_image"),
    }
    return {
        "input": (usage.get("input_tokens") or 0) - sum(found.values()),
        **found,
        "output": (usage.get("output_tokens") or 0) - reasoning - sum(made.values()),
        "reasoning": reasoning,
        **made,
    }


def is_impossible(usage: Usage, prices: Mapping[str, object]) -> bool:
    """Whether a count is negative, the parts exceed their whole, or a part comes without it."""
    stated = [count for count in usage.values() if count is not None]
    return (
        any(count < 0 for count in stated)
        or any(count < 0 for count in tokens_of(usage, prices).values())
        or any(_is_headless(usage, prices, name) for name in _PARTS)
    )


def _is_headless(usage: Usage, prices: Mapping[str, object], name: str) -> bool:
    if (usage.get(name) or 0) <= 0:
        return False
    return any(usage.get(whole) is None and _UNITS[whole] in prices for whole in _PARTS[name])


def _counter(usage: Usage, prices: Mapping[str, object]) -> Callable[..., int]:
    def count(name: str, unit: str, counted_elsewhere: int = 0) -> int:
        return (usage.get(name) or 0) - counted_elsewhere if unit in prices else 0

    return count


def _cached(usage: Usage, prices: Mapping[str, object], kind: str) -> int:
    """Of the sound or the pictures, what is paid as read from the cache."""
    is_paid_as_cached = f"cache_read_{kind}" in prices or "cache_read" in prices
    return (usage.get(f"cache_read_{kind}_tokens") or 0) if is_paid_as_cached else 0
