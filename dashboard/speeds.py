"""How long requests and first chunks take, and how fast answers flow."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import streamlit as st

from dashboard import formats
from dashboard.cells import name
from dashboard.charts import Mark, Series, axis_of
from dashboard.choices import choose_one
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.lines import lines_over_time
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.steady import show_steady
from dashboard.tables import Cell, Column, table
from dashboard.theme import PALETTE
from monitor.ledger import speed_queries
from monitor.ledger.speed_queries import ModelSpeed, OutputRate, Percentiles, SpeedPoint

_HEIGHT: Final = 280
_MOST: Final = 12
_OF: Final[Mapping[str, Callable[[SpeedPoint], Percentiles]]] = MappingProxyType(
    {"Duration": lambda point: point.duration, "First chunk": lambda point: point.first_chunk}
)
_LINES: Final[Sequence[tuple[str, str, Callable[[Percentiles], float | None]]]] = (
    ("p99", PALETTE[5], lambda found: found.p99),
    ("p95", PALETTE[1], lambda found: found.p95),
    ("median", PALETTE[4], lambda found: found.p50),
)
_COLUMNS: Final = (
    Column(label="Model", fit="cut"),
    Column(label="Requests", fit="right"),
    Column(label="Duration p50", fit="right"),
    Column(label="p95", fit="right"),
    Column(label="p99", fit="right"),
    Column(label="First chunk p50", fit="right"),
    Column(label="p95", fit="right"),
    Column(label="p99", fit="right"),
    Column(label="Output tokens/s p50", fit="right"),
    Column(label="p95", fit="right"),
)


def show_speeds(source: Source, filters: Filters, span: Span) -> None:
    """Percentiles over time and by model."""
    scope = filters.slice(span)
    with heading("speed", "Speed"):
        chosen = choose_one("Speed of", _OF, key="speed_of", default="Duration")
    points = speed_queries.speed_series(source.ledger, scope, step=span.step, time_zone=source.time_zone)
    lines = [line for line in _lines(points, _OF[chosen]) if line.marks]
    if lines:
        show_steady(
            "speed",
            lines,
            lines_over_time(lines, axis_of(source, span), suffix=" s", height=_HEIGHT),
            alt=f"{chosen} over time in seconds: median, p95 and p99",
        )
    elif chosen == "First chunk":
        st.caption("No request in this period was a stream: only streams have a first chunk. Call with stream=True.")
    else:
        st.caption("No request in this period has a known duration.")
    models = speed_queries.speeds_by_model(source.ledger, scope)
    if not models:
        return
    rates = {rate.model: rate for rate in speed_queries.output_rates(source.ledger, scope)}
    st.html(table(_COLUMNS, [_row(speed, rates.get(speed.model)) for speed in models[:_MOST]]))
    more = f" {len(models) - _MOST} less used models are left out." if len(models) > _MOST else ""
    st.caption(
        "p95: 95 of 100 requests took no longer. Failed requests are part of it. First chunk and tokens a second are "
        f"those of streams; tokens a second are counted after the first chunk.{more}"
    )


def _lines(points: Sequence[SpeedPoint], of: Callable[[SpeedPoint], Percentiles]) -> list[Series]:
    return [
        Series(
            name=label,
            colour=colour,
            marks=[
                Mark(start=point.start, height=seconds, text=formats.duration(seconds))
                for point in points
                if (seconds := percentile(of(point))) is not None
            ],
        )
        for label, colour, percentile in _LINES
    ]


def _row(speed: ModelSpeed, rate: OutputRate | None) -> Sequence[Cell | str]:
    times = (part for found in (speed.duration, speed.first_chunk) for part in (found.p50, found.p95, found.p99))
    return (
        name(speed.model),
        formats.count(speed.duration.requests),
        *(_seconds(part) for part in times),
        _rate(None if rate is None else rate.p50),
        _rate(None if rate is None else rate.p95),
    )


def _seconds(seconds: float | None) -> Cell:
    return Cell(text=formats.duration(seconds), tone="muted" if seconds is None else "")


def _rate(tokens: float | None) -> Cell:
    if tokens is None:
        return Cell(text=formats.DASH, tone="muted")
    return Cell(text=f"{tokens:,.0f}" if tokens >= 9.95 else f"{tokens:.1f}")
