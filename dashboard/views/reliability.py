"""Reliability: what fails, what is tried again, how fast answers come, and which rate limits are near."""

from typing import Final

import streamlit as st

from dashboard import filters, source, welcome
from dashboard.failing import show_endings, show_errors
from dashboard.filters import Filters
from dashboard.limits import show_limits
from dashboard.retries import show_retries
from dashboard.source import Source
from dashboard.speeds import show_speeds
from monitor.ledger import queries

_SLOWER: Final = 5
"""The page asks for single requests, which takes longer than sums: it goes on less often than the overview."""


def show(read_from: Source, chosen: Filters) -> None:
    """Everything below the filters; run again and again while the page is live."""
    span = chosen.span(read_from)
    totals = queries.totals(read_from.ledger, chosen.slice(span))
    show_endings(read_from, span, totals)
    if not totals.requests:
        st.info(
            "No requests in this period with these filters. Choose a longer period or fewer filters.",
            icon=":material/search_off:",
        )
        return
    show_errors(read_from, chosen, span, totals)
    show_limits(read_from, chosen, span)
    show_retries(read_from, chosen, span, totals)
    show_speeds(read_from, chosen, span)


here = source.current()
if queries.first_request_at(here.ledger) is None:
    welcome.show_welcome(here)
else:
    picked, is_live = filters.choose(here)
    st.fragment(show, run_every=picked.span(here).refresh * _SLOWER if is_live else None)(here, picked)
