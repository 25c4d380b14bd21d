"""What failed, why, how often and when last; and what is still out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

import streamlit as st

from dashboard import formats, theme
from dashboard.boxes import box
from dashboard.charts import COUNTS, Mark, Series, axis_of
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.reasons import failure_name, reason_name
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.steady import show_bars
from dashboard.tables import Bar, Cell, Column, table
from dashboard.words import error_name
from monitor.ledger import error_queries
from monitor.ledger.error_queries import Failure, FailurePoint
from monitor.ledger.queries import Totals

_MOST: Final = 20
_HEIGHT: Final = 280
_SPLITS: Final[Mapping[str, bool]] = MappingProxyType({"Class": False, "Reason": True})
_COLUMNS: Final = (
    Column(label="Error"),
    Column(label="Reason"),
    Column(label="Of all errors"),
    Column(label="Requests", fit="right"),
    Column(label="Of all requests", fit="right"),
    Column(label="Last seen"),
    Column(label="Last model", fit="cut"),
    Column(label="Last call site", fit="cut"),
)


def show_endings(source: Source, span: Span, totals: Totals) -> None:
    """How many requests did not end well, and how many are out."""
    with st.container(horizontal=True, key="metrics_endings"):
        box(
            "Failed",
            formats.count(totals.errors),
            after=_of_all(totals.errors, totals),
            about="Requests that ended in an error, each attempt of a call by itself.",
        )
        box(
            "Broken off",
            formats.count(totals.interrupted_requests),
            after=_of_all(totals.interrupted_requests, totals),
            about="Streams that were left or broke before their end. Those that broke count as failed too.",
        )
        box(
            "Outcome unknown",
            formats.count(totals.unknown_requests),
            after=_of_all(totals.unknown_requests, totals),
            about="Requests whose program died while they were out. They do not count as failed.",
        )
        out = error_queries.under_way(source.ledger)
        box(
            "Under way now",
            formats.count(out.requests),
            after=None if out.oldest_at is None else f"oldest for {formats.duration(_age(out.oldest_at, span))}",
            about="Requests that began and have not ended yet, in all programs that run, whatever the filters.",
        )


def show_errors(source: Source, filters: Filters, span: Span, totals: Totals) -> None:
    """Failed requests over time and as a table."""
    scope = filters.slice(span)
    found = error_queries.failures(source.ledger, scope)
    with heading("failures", "Errors"):
        by_reason = bool(found) and _SPLITS[_choose_split()]
    if not found:
        st.caption("No request failed in this period.")
        return
    points = error_queries.failures_over_time(source.ledger, scope, step=span.step, time_zone=source.time_zone)
    show_bars(
        "failures",
        _series(points, by_reason=by_reason),
        axis_of(source, span),
        tick_format=COUNTS,
        height=_HEIGHT,
        alt="Failed requests over time",
    )
    errors = sum(failure.requests for failure in found)
    st.html(table(_COLUMNS, [_row(failure, totals.requests, errors, source, span) for failure in _by_class(found)]))
    if len(found) > _MOST:
        st.caption(f"{len(found) - _MOST} rarer kinds are not in the table. Filters narrow it down.")


def _by_class(found: Sequence[Failure]) -> list[Failure]:
    """The most frequent failures, those of one class side by side, the most frequent class first."""
    whole: Counter[str] = Counter()
    for failure in found[:_MOST]:
        whole[failure.error_class] += failure.requests
    return sorted(found[:_MOST], key=lambda failure: (-whole[failure.error_class], failure.error_class))


def _choose_split() -> str:
    chosen = st.segmented_control(
        "Split errors by",
        tuple(_SPLITS),
        default="Class",
        required=True,
        key="errors_by",
        label_visibility="collapsed",
        bind="query-params",
    )
    return chosen or "Class"


def _series(points: Sequence[FailurePoint], *, by_reason: bool) -> list[Series]:
    """A series for each of the most frequent kinds, and one for all others."""
    heights: dict[str, Counter[datetime]] = {}
    for point in points:
        name = failure_name(point.error_class, point.error_reason) if by_reason else error_name(point.error_class)
        heights.setdefault(name, Counter())[point.start] += point.requests
    names = sorted(heights, key=lambda name: (-heights[name].total(), name))
    leading, others = names[: len(theme.PALETTE)], names[len(theme.PALETTE) :]
    colours = theme.colours(leading, st.session_state.setdefault(f"colours_failures_{by_reason}", {}))
    series = [Series(name=name, colour=colours[name], marks=_marks(heights[name])) for name in leading]
    if others:
        rest = sum((heights[name] for name in others), Counter[datetime]())
        series.append(Series(name="all others", colour=theme.REST, marks=_marks(rest)))
    return series


def _marks(heights: Counter[datetime]) -> list[Mark]:
    return [Mark(start=start, height=number, text=f"{number:,}") for start, number in sorted(heights.items())]


def _row(failure: Failure, requests: int, errors: int, source: Source, span: Span) -> Sequence[Cell | Bar | str]:
    share = failure.requests / errors
    said = " ".join(str(part) for part in (failure.status, failure.error_code or failure.error_type) if part)
    return (
        Cell(text=error_name(failure.error_class), tone="bad", title=f"The last one said: {said}" if said else ""),
        Cell(text="not told", tone="muted") if failure.error_reason is None else reason_name(failure.error_reason),
        Bar(share, formats.percent(share)),
        formats.count(failure.requests),
        formats.percent(failure.requests / requests if requests else None),
        formats.moment(failure.last_at, source.time_zone, span.now),
        name(failure.model),
        name(failure.call_site),
    )


def name(value: str | None) -> Cell:
    """A name, or a dash where there is none."""
    return Cell(text=formats.DASH, tone="muted") if value is None else Cell(text=value)


def _of_all(number: int, totals: Totals) -> str | None:
    return f"{formats.percent(number / totals.requests)} of requests" if number else None


def _age(moment: datetime, span: Span) -> float:
    return max(0.0, (span.now - moment).total_seconds())
