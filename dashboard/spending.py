"""What is spent over time, and by whom."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import streamlit as st

from dashboard import formats, theme
from dashboard.charts import DOLLARS, Mark, Series, axis_of
from dashboard.choices import choose_one
from dashboard.filters import Filters, name_of
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.steady import show_bars
from dashboard.tables import Bar, Cell, Column, table
from monitor.ledger import overview_queries
from monitor.ledger.overview_queries import Portion
from monitor.ledger.queries import Point, Totals

SPLITS: Final[Mapping[str, str]] = MappingProxyType(
    {"Model": "model", "Service": "service", "Team": "team", "Feature": "feature", "User": "user"}
)
"""What spend can be split by on the overview: label and dimension."""

_TOP: Final = 8


def show_spend_over_time(source: Source, filters: Filters, span: Span, totals: Totals) -> None:
    """Spend for each step of time, split by the dearest values of a dimension."""
    with heading("spend", f"Spend over time: {formats.spend(totals)}"):
        split = choose_one("Split by", SPLITS, key="split", default="Model")
    found = overview_queries.leading_series(
        source.ledger,
        filters.slice(span),
        SPLITS[split],
        limit=len(theme.PALETTE),
        step=span.step,
        time_zone=source.time_zone,
    )
    colours = theme.colours(found.values, st.session_state.setdefault(f"colours_{split}", {}))
    series = [
        Series(name=name_of(value), colour=colours[value], marks=_marks(found.points, value)) for value in found.values
    ]
    if found.rest:
        series.append(Series(name="all others", colour=theme.REST, marks=_marks(found.rest, None)))
    priced = [one for one in series if one.marks]
    if not priced:
        st.caption("No request in this period has a known cost.")
        return
    show_bars(
        "spend",
        priced,
        axis_of(source, span),
        tick_format=DOLLARS,
        height=340,
        alt=f"Spend in USD over time by {split.lower()}",
    )


def show_spenders(source: Source, filters: Filters, span: Span) -> None:
    """The services, teams, … and the places in the code that spend most, side by side."""
    left, right = st.columns(2, gap="medium")
    with left:
        with heading("by", "Spend by"):
            split = choose_one("Spend by", SPLITS, key="by", default="Team")
        _ranking(source, filters, span, split, SPLITS[split])
    with right:
        heading("call_site", "Spend by call site")
        _ranking(source, filters, span, "Place in the code", "call_site")


def _ranking(source: Source, filters: Filters, span: Span, label: str, dimension: str) -> None:
    found = overview_queries.portions(source.ledger, filters.slice(span), dimension, limit=_TOP)
    is_discounted = any(portion.group.totals.is_discounted for portion in found)
    columns = (
        Column(label=label, fit="cut front" if dimension == "call_site" else "cut"),
        Column(label="Spend", fit="right"),
        *((Column(label="Paid", fit="right"),) if is_discounted else ()),
        Column(label="Share"),
        Column(label="Requests", fit="right"),
        Column(label="Errors", fit="right"),
    )
    st.html(table(columns, [_row(portion, is_discounted=is_discounted) for portion in found]))


def _row(portion: Portion, *, is_discounted: bool) -> Sequence[Cell | Bar | str]:
    totals = portion.group.totals
    share = portion.share
    return (
        name_of(portion.group.value),
        Cell(text=formats.spend(totals), tone="muted" if totals.list_cost is None else ""),
        *((_contracted(totals),) if is_discounted else ()),
        Cell(text=formats.DASH, tone="muted") if share is None else Bar(float(share), formats.percent(share)),
        formats.count(totals.requests),
        Cell(text=formats.percent(totals.error_rate), tone="" if totals.errors else "muted"),
    )


def _contracted(totals: Totals) -> Cell:
    if totals.contracted_cost is None:
        return Cell(text=formats.DASH, tone="muted")
    return Cell(text=formats.money(totals.contracted_cost))


def _marks(points: Sequence[Point], value: str | None) -> list[Mark]:
    return [
        Mark(start=point.start, height=float(point.totals.list_cost), text=formats.money(point.totals.list_cost))
        for point in points
        if point.value == value and point.totals.list_cost is not None
    ]
