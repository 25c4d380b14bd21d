"""The units that price entries have a price for: what they are called here and in genai-prices. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

MILLION: Final = 1_000_000

UNITS: Final[dict[str, tuple[str | None, int]]] = {
    "input": ("input_mtok", 1_000_000),
    "cache_read": ("cache_read_mtok", 1_000_000),
    "cache_creation": ("cache_write_mtok", 1_000_000),
    "cache_creation_long": ("cache_write_1h_mtok", 1_000_000),
    "output": ("output_mtok", 1_000_000),
    "reasoning": ("output_reasoning_mtok", 1_000_000),
    "input_audio": ("input_audio_mtok", 1_000_000),
    "output_audio": ("output_audio_mtok", 1_000_000),
    "input_image": ("input_image_mtok", 1_000_000),
    "output_image": ("output_image_mtok", 1_000_000),
    "cache_read_audio": ("cache_audio_read_mtok", 1_000_000),
    "cache_read_image": ("cache_image_read_mtok", 1_000_000),
    "audio_second": ("audio_hours", 3_600),
    "character": ("input_mchars", 1_000_000),
    "trained": (None, 1_000_000),
    "request": ("requests_kcount", 1_000),
    "regional": (None, 1),
}
"""Our unit, genai-prices' name of its price (None: it has none), and how many of ours make the quantity of a price."""

TOKEN_UNITS: Final = (
    *("input", "cache_read", "cache_creation", "cache_creation_long", "output", "reasoning"),
    *("input_audio", "output_audio", "input_image", "output_image", "cache_read_audio", "cache_read_image"),
)
REGIONAL: Final = "regional"
"""No unit: how many times the tokens of a request cost that was processed in a region."""

WINDOW: Final = "window"
"""The kind of `window:2h`, no unit either: how many times the tokens cost of a response that may take that long."""

WINDOWS_OF: Final = "openai"
"""Who sells time: there a completion window without a factor has no price; at others it changes none."""

FACTOR_QUANTUM: Final = Decimal("1E-6")
LARGEST_FACTOR: Final = Decimal(5)

TOOL_UNITS: Final[dict[str, tuple[str | None, int]]] = {
    "tool:web_search": ("web_searches_kcount", 1_000),
    "tool:file_search": ("storage_searches_kcount", 1_000),
}
"""Likewise for the calls of tools that genai-prices has a price for."""

STORED: Final = "storage"
STORAGE_FREE: Final = "storage_free"
KINDS: Final = ("image", "video_second", "tool", "container", STORED, STORAGE_FREE, WINDOW)
"""Units with a variant, written `kind:variant`: a picture of `QUALITY/SIZE`, a second of video of a `SIZE`, a call of
a tool, twenty minutes of a container with that much memory, a GiB that is stored for a day. Two are no units:
`storage_free` is how many GiB of an organisation are stored for nothing, `window` a factor."""

ANY: Final = "default"
"""The variant that holds where quality or size do not matter."""

_FEES: Final = ("tool:", "container:")


def image_units(quality: str | None, size: str | None) -> tuple[str, ...]:
    """The units that a picture can be, the most exact first."""
    quality, size = quality or ANY, size or ANY
    pairs = ((quality, size), (ANY, size), (quality, ANY), (ANY, ANY))
    return tuple(dict.fromkeys(f"image:{one}/{other}" for one, other in pairs))


def video_units(size: str | None) -> tuple[str, ...]:
    """The units that a second of video can be, the most exact first."""
    return tuple(dict.fromkeys((f"video_second:{size or ANY}", f"video_second:{ANY}")))


def tool_unit(name: str) -> str:
    """The unit of a call of a tool."""
    return f"tool:{name}"


def container_unit(memory: str) -> str:
    """The unit of twenty minutes of a container."""
    return f"container:{memory}"


def window_unit(window: str) -> str:
    """The name of the factor of a completion window."""
    return f"{WINDOW}:{window}"


def is_factor(unit: str) -> bool:
    """Whether it is no unit, but how many times the price its tokens cost."""
    return unit == REGIONAL or unit.startswith(f"{WINDOW}:")


def can_be_factor(times: Decimal) -> bool:
    """Whether tokens can cost that many times as much; by another factor, costs need not fit in their columns."""
    return 0 < times <= LARGEST_FACTOR and times == times.quantize(FACTOR_QUANTUM)


def is_per_million(unit: str) -> bool:
    """Whether people say the price of this unit for a million: those of tokens and characters are."""
    return UNITS.get(unit, (None, 1))[1] == MILLION


def price_digits(unit: str, usd: Decimal) -> str:
    """The price of one as people say it, for a million where they do: all digits, at least the cents, `1,250.00`."""
    whole, _, part = f"{usd * MILLION if is_per_million(unit) else usd:f}".partition(".")
    return f"{int(whole):,}.{part.rstrip('0').ljust(2, '0')}"


def is_unit(name: str) -> bool:
    """Whether entries can have a price of that name."""
    kind, has_variant, variant = name.partition(":")
    return name in UNITS or (kind in KINDS and bool(has_variant and variant))


def is_free(units: Iterable[str]) -> bool:
    """Whether a list with these prices means that the work itself costs nothing: only fees beside it have a price."""
    return all(is_factor(unit) or unit.startswith(_FEES) for unit in units)
