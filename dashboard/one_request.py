"""One request with all that is known of it: costs by class and price, the attempts of its call, what is kept of it."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import streamlit as st

from dashboard import formats
from dashboard.explorer import REQUEST, key_of, list_of
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.tables import Cell, Column, table
from monitor.ledger import request_queries
from monitor.ledger.columns import CONTRACTED_COLUMNS, COST_COLUMNS
from monitor.pricing.figures import CLASSES
from monitor.pricing.units import image_units, video_units

_CLASSES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "list_input_cost": ("Input", ("input", "request")),
        "list_cache_read_cost": ("Input from the cache", ("cache_read", "cache_read_audio", "cache_read_image")),
        "list_cache_creation_cost": ("Input written to the cache", ("cache_creation", "cache_creation_long")),
        "list_output_cost": ("Output", ("output", "reasoning")),
        "list_audio_cost": ("Sound", ("input_audio", "output_audio", "audio_second", "character")),
        "list_image_cost": ("Pictures", ("input_image", "output_image", "image:")),
        "list_tools_cost": ("Tools", ("tool:",)),
        "list_other_cost": ("Training and video", ("trained", "video_second:")),
    }
)
"""Classes of cost: their names and the prices they are made of; a colon stands for all variants."""
_PER_MILLION: Final = 1_000_000
_SINGLE: Final = ("request", "audio_second")
_PER_CHARACTERS: Final = ("character",)


def show_request(source: Source, filters: Filters) -> None:
    """The request that the address names, if it names one."""
    text = st.query_params.get(REQUEST)
    key = None if text is None else key_of(text)
    if key is None:
        return
    row = request_queries.request_of(source.ledger, key)
    if row is None:
        st.info("This request is not in the ledger any more.", icon=":material/search_off:")
        return
    with heading("one_request", f"Request {row['record_id'].hex}"):
        is_closed = st.button("Close", icon=":material/close:")
    if is_closed:
        del st.query_params[REQUEST]
        st.rerun()
    _show_costs(source, row)
    _show_attempts(source, filters, row)
    _show_content(source, row)
    _show_fields(source, row)


def _show_costs(source: Source, row: Mapping[str, Any]) -> None:
    if row["list_cost"] is None:
        return
    price = request_queries.price_of(source.ledger, dict(row)) or {}
    is_discounted = row["contracted_cost"] is not None
    columns = (
        Column(label="Cost"),
        Column(label="List USD" if is_discounted else "USD", fit="right"),
        *((Column(label="Paid USD", fit="right"),) if is_discounted else ()),
        Column(label="Price", fit="wrap"),
    )
    rows = [
        (label, *_costs(row, column), ", ".join(_prices(price, units, row)) or formats.DASH)
        for column, (label, units) in _CLASSES.items()
        if row[column]
    ]
    total = ("Whole", *_costs(row, "list_cost"), row["sku_price_id"] or formats.DASH)
    st.html(table(columns, [*rows, total]))
    if is_discounted:
        st.caption(_discount(request_queries.discount_of(source.ledger, dict(row)), row["discount_id"]))


def _costs(row: Mapping[str, Any], column: str) -> list[str]:
    """The list cost, and what is paid of it where there is a discount."""
    costs = [row[column], row[column.replace("list_", "contracted_")]]
    return [formats.money(cost) for cost in (costs if row["contracted_cost"] is not None else costs[:1])]


def _discount(factors: Mapping[str, Any] | None, name: str) -> str:
    if factors is None:
        return f"At the discount {formats.plain(name)}."
    parts = {factors[cost_class] for cost_class in CLASSES}
    if len(parts) == 1:
        return f"At the discount {formats.plain(name)}: {formats.percent(parts.pop())} of the list cost is paid."
    said = ", ".join(
        f"{formats.percent(factors[cost_class])} of {label.lower()}"
        for cost_class, (label, _) in zip(CLASSES, _CLASSES.values(), strict=True)
        if factors[cost_class] != 1
    )
    return f"At the discount {formats.plain(name)}: of the list cost is paid {said}."


def _prices(price: Mapping[str, Any], units: Sequence[str], row: Mapping[str, Any]) -> list[str]:
    found = []
    for unit in units:
        if unit.endswith(":"):
            found += [f"{name} {formats.money(amount)} each" for name, amount in _variants(price, unit, row)]
        elif price.get(unit):
            found.append(_scalar(unit, price[unit]))
    return found


def _scalar(unit: str, amount: Decimal) -> str:
    name = unit.replace("_", " ")
    if unit in _SINGLE:
        return f"{name} {formats.money(amount)} each"
    of = "characters" if unit in _PER_CHARACTERS else "tokens"
    return f"{name} {formats.money(amount * _PER_MILLION)} per 1M {of}"


def _variants(price: Mapping[str, Any], kind: str, row: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    """Of the prices with a variant those that this request can have met."""
    met = {f"tool:{name}" for name in row["tool_calls"] or ()}
    met |= {*image_units(row["media_quality"], row["media_size"]), *video_units(row["media_size"])}
    for name, amount in (price.get("others") or {}).items():
        if name.startswith(kind) and name in met and amount:
            yield name.partition(":")[2].replace("_", " "), amount


def _show_attempts(source: Source, filters: Filters, row: dict[str, Any]) -> None:
    attempts = request_queries.attempts_of(source.ledger, row)
    if len(attempts) > 1:
        st.caption("All attempts of its call:")
        st.html(list_of(source, filters.span(source), attempts))


def _show_content(source: Source, row: dict[str, Any]) -> None:
    content = request_queries.content_of(source.ledger, row)
    if content is None:
        return
    for part in ("request", "answer"):
        if content[part] is not None:
            st.caption(f"{part.capitalize()}{', cut' if content['is_cut'] else ''}:")
            st.code(content[part], language=None, wrap_lines=True)


def _show_fields(source: Source, row: Mapping[str, Any]) -> None:
    """Every column that has a value; costs stand above."""
    shown = [
        (column.replace("_", " ").capitalize(), Cell(text=_text(column, value, source)))
        for column, value in row.items()
        if value is not None and column not in (*COST_COLUMNS, *CONTRACTED_COLUMNS)
    ]
    st.html(table((Column(label="Field"), Column(label="Value", fit="wrap")), shown))


def _text(column: str, value: Any, source: Source) -> str:
    if column == "started_at":
        return formats.exact_moment(value, source.time_zone)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {part}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value.hex if hasattr(value, "hex") and column.endswith("_id") else str(value)
