"""Data quality: what the figures do not include, and why."""

import streamlit as st

from dashboard import filters, quality, source
from dashboard.price_changes import show_price_changes
from dashboard.source import Source
from dashboard.spans import Span, span_of
from monitor.ledger import queries
from monitor.ledger.scopes import Slice

_REFRESH = 5


def show(read_from: Source, span: Span) -> None:
    """What changes by itself; run again and again."""
    totals = queries.totals(read_from.ledger, Slice(start=span.start, end=span.end))
    quality.show_figures(read_from, span, totals)
    quality.show_unknown_costs(read_from, span, totals)
    show_price_changes(read_from)
    quality.show_losses(read_from)
    quality.show_pipeline(read_from)


def show_period(read_from: Source, label: str) -> None:
    """The page for the period with this label, as it is now."""
    show(read_from, span_of(label, read_from.clock(), read_from.time_zone))


here = source.current()
period = filters.choose_period(here)
st.fragment(show_period, run_every=_REFRESH)(here, period)
