"""What failed, why, how often and when last."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import streamlit as st

from dashboard import formats
from dashboard.cells import moment, name
from dashboard.charts import COUNTS, axis_of
from dashboard.choices import choose_one
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.kinds import series_of_kinds
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
_SPLITS: Final[Mapping[str, Callable[[FailurePoint], str]]] = MappingProxyType(
    {
        "Class": lambda point: error_name(point.error_class),
        "Reason": lambda point: failure_name(point.error_class, point.error_reason),
    }
)
_COLUMNS: Final = (
    Column(label="Error"),
    Column(label="Reason"),
    Column(label="Of all errors"),
    Column(label="Requests", fit="right"),
    Column(label="Of all requests", fit="right"),
    Column(label="Last seen"),
    Column(label="Last model", fit="cut"),
    Column(label="Last call site", fit="cut front"),
)


def show_errors(source: Source, filters: Filters, span: Span, totals: Totals) -> None:
    """Failed requests over time and as a table."""
    scope = filters.slice(span)
    found = error_queries.failures(source.ledger, scope)
    with heading("failures", "Errors"):
        split = choose_one("Split errors by", _SPLITS, key="errors_by", default="Class") if found else "Class"
    if not found:
        st.caption("No request failed in this period.")
        return
    points = error_queries.failures_over_time(source.ledger, scope, step=span.step, time_zone=source.time_zone)
    show_bars(
        "failures",
        series_of_kinds(
            ((_SPLITS[split](point), point.start, point.requests) for point in points), key=f"errors_{split.lower()}"
        ),
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


def _row(failure: Failure, requests: int, errors: int, source: Source, span: Span) -> Sequence[Cell | Bar | str]:
    share = failure.requests / errors
    said = " ".join(str(part) for part in (failure.status, failure.error_code or failure.error_type) if part)
    return (
        Cell(text=error_name(failure.error_class), tone="bad", title=f"The last one said: {said}" if said else ""),
        Cell(text="not told", tone="muted") if failure.error_reason is None else reason_name(failure.error_reason),
        Bar(share, formats.percent(share)),
        formats.count(failure.requests),
        formats.percent(failure.requests / requests if requests else None),
        moment(failure.last_at, source, span.now),
        name(failure.model),
        name(failure.call_site),
    )
