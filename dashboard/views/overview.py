"""The overview: what is spent, where, and how the requests fare."""

import streamlit as st

from dashboard import filters, source, welcome
from dashboard.figures import show_spend, show_traffic
from dashboard.filters import Filters
from dashboard.latest import show_latest
from dashboard.source import Source
from dashboard.spending import show_spend_over_time, show_spenders
from dashboard.traffic import show_requests
from monitor.ledger import queries


def show(read_from: Source, chosen: Filters) -> None:
    """Everything below the filters; run again and again while the page is live."""
    span = chosen.span(read_from)
    show_spend(read_from, chosen)
    totals = queries.totals(read_from.ledger, chosen.slice(span))
    if not totals.requests:
        st.info("No requests in this period with these filters.", icon=":material/search_off:")
        return
    show_traffic(read_from, chosen, span, totals)
    show_spend_over_time(read_from, chosen, span, totals)
    show_requests(read_from, chosen, span)
    show_spenders(read_from, chosen, span)
    show_latest(read_from, chosen, span)


here = source.current()
if queries.first_request_at(here.ledger) is None:
    welcome.show_welcome(here)
else:
    picked, is_live = filters.choose(here)
    st.fragment(show, run_every=picked.span(here).refresh if is_live else None)(here, picked)
