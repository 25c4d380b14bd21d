"""The figures at the top of the overview, each compared with the same span before."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import formats
from dashboard.boxes import box, compared_box
from dashboard.filters import Filters, name_of
from dashboard.source import Source
from dashboard.spans import Span, span_of
from monitor.budgets.pace import change, forecast_to_date
from monitor.budgets.periods import period_before, period_of
from monitor.ledger import overview_queries, queries
from monitor.ledger.queries import Totals
from monitor.ledger.storage_queries import storage

_COMPARED_WITH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Last hour": "vs. the hour before",
        "Today": "vs. yesterday by now",
        "Last 24 h": "vs. the 24 h before",
        "Last 7 days": "vs. the 7 days before",
        "Last 30 days": "vs. the 30 days before",
        "This month": "vs. last month by now",
    }
)
_SPEND_HELP: Final = "At list prices, whatever the period chosen above; requests without a known cost are not in it."
_FORECAST_HELP: Final = (
    "What the month will cost if spending goes on at its average pace so far. "
    "It takes at least one day of records to say."
)
_MOST_MODELS: Final = 3


def show_spend(source: Source, filters: Filters) -> None:
    """Spend today, this month, and where the month is heading."""
    today, month = (span_of(label, source.clock(), source.time_zone) for label in ("Today", "This month"))
    with st.container(horizontal=True, key="metrics_spend"):
        _spend("Spend today", source, filters, today)
        spent = _spend("Spend this month", source, filters, month)
        _forecast(source, filters, month, spent)
    if spent.is_discounted:
        paid = formats.plain(formats.money(spent.contracted_cost))
        st.caption(
            f"With your discounts and margins {paid} is paid this month. "
            "Spend, forecast and budgets are at list prices."
        )
    _storage_note(source, month)
    if spent.unpriced_requests:
        _unpriced_note(source, filters, month, spent.unpriced_requests)


def show_traffic(source: Source, filters: Filters, span: Span, now: Totals) -> None:
    """Requests, errors and durations of the chosen period."""
    before = queries.totals(source.ledger, filters.slice(span.before))
    compare = _reaches_back(source, span) and before.requests > 0
    after = _COMPARED_WITH[span.label]
    durations = queries.durations(source.ledger, filters.slice(span))
    earlier = queries.durations(source.ledger, filters.slice(span.before))
    with st.container(horizontal=True, key="metrics_traffic"):
        growth = change(Decimal(now.requests), Decimal(before.requests)) if compare else None
        compared_box("Requests", formats.count(now.requests), delta=formats.signed_percent(growth), after=after)
        compared_box(
            "Error rate",
            formats.percent(now.error_rate),
            delta=_points(now, before) if compare else None,
            after=after,
            colour="inverse",
            about="Share of requests that failed, retries included.",
        )
        for label, seconds, then in (
            ("Median duration", durations.p50, earlier.p50),
            ("95% faster than", durations.p95, earlier.p95),
        ):
            slower = _slower(seconds, then) if compare else None
            compared_box(
                label,
                formats.duration(seconds),
                delta=formats.signed_percent(slower),
                after=after,
                colour="inverse",
                about=_DURATION_HELP[label],
            )


_DURATION_HELP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Median duration": "p50: half of the requests took no longer, from sending to the last byte.",
        "95% faster than": "p95: 95% of the requests took no longer, from sending to the last byte.",
    }
)


def _spend(label: str, source: Source, filters: Filters, span: Span) -> Totals:
    now = queries.totals(source.ledger, filters.slice(span))
    growth = None
    if now.list_cost is not None and _reaches_back(source, span):
        before = queries.totals(source.ledger, filters.slice(span.before)).list_cost
        growth = None if before is None else change(now.list_cost, before)
    compared_box(
        label,
        formats.spend(now),
        delta=formats.signed_percent(growth),
        after=_COMPARED_WITH[span.label],
        about=_SPEND_HELP,
    )
    return now


def _forecast(source: Source, filters: Filters, span: Span, spent: Totals) -> None:
    month = period_of("month", source.time_zone, span.now)
    label = f"Forecast for {formats.month(month.start.astimezone(ZoneInfo(source.time_zone)))}"
    first = queries.first_request_at(source.ledger)
    if spent.list_cost is None:
        box(label, formats.spend(spent), about=_FORECAST_HELP)
        return
    expected = forecast_to_date(spent.list_cost, month, span.now, recorded_since=first)
    last = period_before("month", source.time_zone, month)
    growth = None
    if expected is not None and first is not None and first <= last.start:
        whole = queries.totals(source.ledger, filters.slice(last)).list_cost
        growth = None if whole is None else change(expected, whole)
    shown = "too early" if expected is None else formats.money(expected)
    delta = formats.signed_percent(growth)
    compared_box(label, shown, delta=delta, after="vs. last month", about=_FORECAST_HELP)


def _storage_note(source: Source, span: Span) -> None:
    if source.book is None:
        return
    cost = storage(source.ledger, source.book, span.start, span.now).total.list_cost
    if cost:
        st.caption(
            f"Storage of vector stores: {formats.plain(formats.money(cost))} this month, as far as answers told their "
            "sizes; it is not part of the spend."
        )


def _unpriced_note(source: Source, filters: Filters, span: Span, requests: int) -> None:
    groups = overview_queries.unpriced_by_model(source.ledger, filters.slice(span))
    names = [formats.plain(name_of(group.value)) for group in groups[:_MOST_MODELS]]
    names += [f"and {len(groups) - _MOST_MODELS} more"] if len(groups) > _MOST_MODELS else []
    noun = "request has" if requests == 1 else "requests have"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="unpriced_note"):
        st.markdown(
            f":orange[:material/help:] **{requests:,}** {noun} no known cost this month and "
            f"{'is' if requests == 1 else 'are'} not part of the spend: {', '.join(names)}",
            width="content",
        )
        st.page_link("views/quality.py", label="See why", icon=":material/arrow_forward:")


def _reaches_back(source: Source, span: Span) -> bool:
    """Whether the records cover the span before; else a comparison would show growth that was none."""
    first = queries.first_request_at(source.ledger)
    return first is not None and first <= span.before.start


def _points(now: Totals, before: Totals) -> str | None:
    if now.error_rate is None or before.error_rate is None:
        return None
    return formats.signed_points(before.error_rate, now.error_rate)


def _slower(now: float | None, before: float | None) -> Decimal | None:
    return None if now is None or before is None else change(Decimal(str(now)), Decimal(str(before)))
