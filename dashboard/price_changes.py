"""Which prices changed, from what to what, and since when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import streamlit as st

from dashboard import formats
from dashboard.cells import moment
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.tables import Cell, Column, table
from monitor.ledger.price_queries import ChangedPrices, Figure, price_changes
from monitor.pricing.listed import FIRST_DAY
from monitor.pricing.units import UNITS, is_factor, is_free, is_per_million, price_digits

_MOST: Final = 400
_MOST_ROWS: Final = 30
_MOST_FIGURES: Final = 12
_BATCH: Final = "batch"
_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cache_read": "cached input",
        "cache_creation": "cache writes",
        "cache_creation_long": "long cache writes",
        "input_audio": "audio input",
        "output_audio": "audio output",
        "input_image": "image input",
        "output_image": "image output",
        "cache_read_audio": "cached audio",
        "cache_read_image": "cached images",
        "audio_second": "sound",
        "character": "speech",
        "trained": "training",
        "request": "requests",
        "regional": "regional processing",
    }
)
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"image": "picture ", "video_second": "video ", "container": "container ", "window": "completion window "}
)
_QUANTITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "audio_second": "per second",
        "request": "per request",
        "image": "per picture",
        "video_second": "per second",
        "tool": "per call",
        "container": "per 20 minutes",
    }
)


def show_price_changes(source: Source) -> None:
    """The newest changes, and what they mean for requests that are stored."""
    heading("price_changes", "Price changes")
    found = price_changes(source.ledger, limit=_MOST)
    if not found:
        st.caption("No price of a model that was used has changed so far.")
        return
    columns = (
        Column(label="Seen"),
        Column(label="Model", fit="cut"),
        Column(label="Tier"),
        Column(label="Change", fit="wrap"),
        Column(label="Holds since"),
        Column(label="Said by", fit="wrap"),
    )
    st.html(table(columns, [_row(source, *one) for one in in_short(found)][:_MOST_ROWS]))
    st.caption(
        "Requests from before a change keep their price. To price them again by what the lists say now: "
        "`monitor price reprice --since 30d`, which shows first what would change."
    )


def in_short(found: Sequence[ChangedPrices]) -> list[tuple[ChangedPrices, list[str]]]:
    """The changes of the first tier of each model, and the tiers that changed with it: most do by the same ratio."""
    groups: dict[tuple[datetime, str], list[ChangedPrices]] = {}
    for one in found:
        groups.setdefault((one.seen_at, one.price_key), []).append(one)
    rows: list[tuple[ChangedPrices, list[str]]] = []
    for group in groups.values():
        tiers = list(dict.fromkeys(map(_tier, group)))
        rows += [(one, tiers[1:]) for one in group if _tier(one) == tiers[0]]
    return rows


def _tier(one: ChangedPrices) -> str:
    return _BATCH if one.is_batch else one.service_tier


def _told(figures: Sequence[Figure]) -> list[Figure]:
    """Tokens first; of a model that found or lost its price not each fee beside it."""
    places = {unit: place for place, unit in enumerate(UNITS)}
    ordered = sorted(figures, key=lambda one: (one.above_input_tokens, places.get(one.unit, len(places))))
    is_one_sided = all(one.before is None for one in figures) or all(one.after is None for one in figures)
    work = [one for one in ordered if not is_free([one.unit])]
    return work if is_one_sided and work else ordered


def figures_text(figures: Sequence[Figure]) -> str:
    """`input $2.50 → $3.00, output $8.00 → none per 1M tokens`, those of larger prompts after it."""
    parts: dict[tuple[int, str], list[str]] = {}
    told = _told(figures)
    for one in told[:_MOST_FIGURES]:
        said = f"{unit_name(one.unit)} {price_text(one.unit, one.before)} → {price_text(one.unit, one.after)}"
        parts.setdefault((one.above_input_tokens, quantity(one.unit)), []).append(said)
    texts = [_part(above, per, said) for (above, per), said in parts.items()]
    more = len(told) - _MOST_FIGURES
    return "; ".join([*texts, *([f"and {more} more"] if more > 0 else [])])


def _part(above: int, per: str, said: Iterable[str]) -> str:
    text = f"{', '.join(said)} {per}".strip()
    return text if above < 0 else f"{text} in prompts above {above:,} tokens"


def unit_name(unit: str) -> str:
    """A unit in words: `cached input`, `web_search`."""
    kind, _, variant = unit.partition(":")
    return _UNITS.get(unit, f"{_KINDS.get(kind, '')}{variant}" if variant else unit)


def quantity(unit: str) -> str:
    """What its price is for."""
    if is_per_million(unit):
        return "per 1M characters" if unit == "character" else "per 1M tokens"
    return _QUANTITIES.get(unit.partition(":")[0], "")


def price_text(unit: str, usd: Decimal | None) -> str:
    """All digits of a price, at least the cents."""
    if usd is None:
        return "none"
    digits = price_digits(unit, usd)
    return f"×{digits}" if is_factor(unit) else f"${digits}"


def _row(source: Source, one: ChangedPrices, others: Sequence[str]) -> tuple[Cell | str, ...]:
    now = source.clock()
    text = figures_text(one.figures)
    is_always = one.valid_from <= FIRST_DAY
    return (
        moment(one.seen_at, source, now),
        one.price_key,
        _tier(one),
        f"{text}; {', '.join(others)} too" if others else text,
        Cell(text="always", tone="muted")
        if is_always
        else Cell(text=formats.moment(one.valid_from, source.time_zone, now)),
        Cell(text=one.price_list, tone="muted"),
    )
