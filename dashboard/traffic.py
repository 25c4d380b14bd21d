"""Requests and errors over time."""

from collections.abc import Sequence

import streamlit as st

from dashboard import theme
from dashboard.charts import COUNTS, Mark, Series, axis_of
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.kinds import series_of_kinds
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.steady import show_bars
from dashboard.words import error_name
from monitor.ledger import queries
from monitor.ledger.queries import Point

_HEIGHT = 260


def show_requests(source: Source, filters: Filters, span: Span) -> None:
    """Requests for each step of time, the failed ones apart, beside the errors by kind."""
    scope, axis = filters.slice(span), axis_of(source, span)
    points = queries.series(source.ledger, scope, step=span.step, time_zone=source.time_zone)
    by_kind = queries.series(source.ledger, scope, step=span.step, time_zone=source.time_zone, dimension="error_class")
    left, right = st.columns(2, gap="medium")
    with left:
        heading("requests", "Requests over time")
        show_bars("requests", _outcomes(points), axis, tick_format=COUNTS, height=_HEIGHT, alt="Requests over time")
    with right:
        heading("errors", "Errors over time")
        errors = series_of_kinds(
            ((error_name(point.value), point.start, point.totals.requests) for point in by_kind if point.value),
            key="errors_class",
        )
        if errors:
            show_bars("errors", errors, axis, tick_format=COUNTS, height=_HEIGHT, alt="Failed requests over time")
        else:
            st.caption("No request failed in this period.")


def _outcomes(points: Sequence[Point]) -> list[Series]:
    answered = [_mark(point, point.totals.requests - point.totals.errors) for point in points]
    failed = [_mark(point, point.totals.errors) for point in points if point.totals.errors]
    series = [Series(name="answered", colour=theme.MAIN, marks=answered)]
    return [*series, Series(name="failed", colour=theme.BAD, marks=failed)] if failed else series


def _mark(point: Point, number: int) -> Mark:
    return Mark(start=point.start, height=number, text=f"{number:,}")
