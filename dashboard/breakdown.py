"""The charts of the overview: spend, requests and errors over time, and who spends."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import streamlit as st

from dashboard import formats, theme
from dashboard.charts import CONFIG, Mark, Series, TimeAxis, bars_over_time
from dashboard.filters import Filters, name_of
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Bar, Cell, Column, table
from monitor.ledger import overview_queries, queries
from monitor.ledger.overview_queries import Portion
from monitor.ledger.queries import Point

_SPLITS: Final[Mapping[str, str]] = MappingProxyType(
    {"Model": "model", "Service": "service", "Team": "team", "Feature": "feature", "User": "user"}
)
_ERROR_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "authentication": "Key refused",
        "bad_request": "Bad request",
        "connection": "No connection",
        "content_filter": "Content filter",
        "context_length": "Prompt too long",
        "not_found": "Not found",
        "overloaded": "Overloaded",
        "permission": "Not allowed",
        "quota": "Quota used up",
        "rate_limit": "Rate limit",
        "server": "Server error",
        "timeout": "Timeout",
    }
)
_TOP_SITES: Final = 8


def axis_of(source: Source, span: Span) -> TimeAxis:
    """The time axis of a span."""
    return TimeAxis(start=span.start, end=span.now, step=span.step, time_zone=source.time_zone)


def show_spend_over_time(source: Source, filters: Filters, span: Span) -> None:
    """Spend for each step of time, split by the dearest values of a dimension."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("Spend over time", anchor=False)
        split = st.segmented_control(
            "Split by", tuple(_SPLITS), default="Model", required=True, key="split", label_visibility="collapsed"
        )
    found = overview_queries.leading_series(
        source.ledger,
        filters.slice(span),
        _SPLITS[split or "Model"],
        limit=len(theme.PALETTE),
        step=span.step,
        time_zone=source.time_zone,
    )
    colours = theme.colours(found.values, st.session_state.setdefault(f"colours_{split}", {}))
    series = [
        Series(name=name_of(value), colour=colours[value], marks=_spend_marks(found.points, value))
        for value in found.values
    ]
    if found.rest:
        series.append(Series(name="all others", colour=theme.REST, marks=_spend_marks(found.rest, None)))
    figure = bars_over_time(series, axis_of(source, span), tick_format="$,~f", height=340)
    st.plotly_chart(figure, key="spend_over_time", config=CONFIG, alt=f"Spend in USD over time by {split}")


def show_requests_over_time(source: Source, filters: Filters, span: Span) -> None:
    """Requests for each step of time, the failed ones apart, and the errors by kind."""
    points = queries.series(
        source.ledger, filters.slice(span), step=span.step, time_zone=source.time_zone, dimension="error_class"
    )
    axis = axis_of(source, span)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Requests", anchor=False)
        st.plotly_chart(
            bars_over_time(_outcomes(points), axis, tick_format=",~f", height=260),
            key="requests_over_time",
            config=CONFIG,
            alt="Requests over time",
        )
    with right:
        st.subheader("Errors by kind", anchor=False)
        errors = _errors(points)
        if errors:
            figure = bars_over_time(errors, axis, tick_format=",~f", height=260)
            st.plotly_chart(figure, key="errors_over_time", config=CONFIG, alt="Failed requests over time by kind")
        else:
            st.caption("No request failed in this period.")


def show_call_sites(source: Source, filters: Filters, span: Span) -> None:
    """The places in the code that spend most."""
    st.subheader("Where in the code", anchor=False)
    found = overview_queries.portions(source.ledger, filters.slice(span), "call_site", limit=_TOP_SITES)
    columns = (
        Column(label="Call site", fit="cut"),
        Column(label="Spend", fit="right"),
        Column(label="Share"),
        Column(label="Requests", fit="right"),
        Column(label="Errors", fit="right"),
    )
    st.html(table(columns, [_site_row(portion) for portion in found]))


def error_name(error_class: str | None) -> str:
    """A class of errors in words."""
    if error_class is None:
        return "–"
    return _ERROR_NAMES.get(error_class, error_class.replace("_", " ").capitalize())


def _spend_marks(points: Sequence[Point], value: str | None) -> list[Mark]:
    return [
        Mark(start=point.start, height=float(point.totals.list_cost), text=formats.money(point.totals.list_cost))
        for point in points
        if point.value == value and point.totals.list_cost is not None
    ]


def _outcomes(points: Sequence[Point]) -> list[Series]:
    succeeded = [_count_mark(point) for point in points if point.value is None]
    failed: dict[object, int] = {}
    for point in points:
        if point.value is not None:
            failed[point.start] = failed.get(point.start, 0) + point.totals.requests
    marks = [
        Mark(start=start, height=number, text=f"{number:,}")
        for start, number in failed.items()
    ]
    return [
        Series(name="answered", colour=theme.MAIN, marks=succeeded),
        Series(name="failed", colour=theme.BAD, marks=marks),
    ]


def _errors(points: Sequence[Point]) -> list[Series]:
    requests: dict[str, int] = {}
    for point in points:
        if point.value is not None:
            requests[point.value] = requests.get(point.value, 0) + point.totals.requests
    ordered = sorted(requests, key=lambda name: (-requests[name], name))
    kinds = theme.colours(ordered[: len(theme.PALETTE)], st.session_state.setdefault("colours_errors", {}))
    return [
        Series(
            name=error_name(kind),
            colour=kinds.get(kind, theme.REST),
            marks=[_count_mark(point) for point in points if point.value == kind],
        )
        for kind in ordered
    ]


def _count_mark(point: Point) -> Mark:
    return Mark(start=point.start, height=point.totals.requests, text=f"{point.totals.requests:,}")


def _site_row(portion: Portion) -> list[Cell | Bar | str]:
    totals = portion.group.totals
    has_errors = totals.errors > 0
    return [
        name_of(portion.group.value),
        formats.spend(totals),
        DASH_CELL if portion.share is None else Bar(float(portion.share), formats.percent(portion.share)),
        formats.count(totals.requests),
        Cell(text=formats.percent(totals.error_rate), tone="bad" if has_errors else "muted"),
    ]


DASH_CELL: Final = Cell(text=formats.DASH, tone="muted")
