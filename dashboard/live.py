"""The frame of the pages that look at a period: filters, and below them what goes on by itself."""

from collections.abc import Callable

import streamlit as st

from dashboard import filters, source, welcome
from dashboard.filters import Filters
from dashboard.formats import moment
from dashboard.source import Source
from monitor.ledger import queries
from monitor.ledger.queries import Totals

_Show = Callable[[Source, Filters], None]


def show_live(show: _Show, *, slowness: int = 1) -> None:
    """Show the filters and the page below them; before the first request, how one gets here.

    Args:
        show: everything below the filters; it is run again and again while the page is live.
        slowness: how many times longer than usual the page waits before it runs again.
    """
    here = source.current()
    if queries.first_request_at(here.ledger) is None:
        welcome.show_welcome(here)
        return
    picked, is_live = filters.choose(here)
    every = picked.span(here).refresh * slowness if is_live else None
    st.fragment(show if is_live else _telling_when(show), run_every=every)(here, picked)


def _telling_when(show: _Show) -> _Show:
    """The same for a page that stands still: a choice below the filters makes all below them anew, and only that."""

    def shown(source: Source, picked: Filters) -> None:
        now = source.clock()
        st.caption(f"Paused: figures of {moment(now, source.time_zone, now)}")
        show(source, picked)

    return shown


def has_requests(totals: Totals) -> bool:
    """Whether there is anything to show; says what to do where there is not."""
    if not totals.requests:
        st.info(
            "No requests in this period with these filters. Choose a longer period or fewer filters.",
            icon=":material/search_off:",
        )
    return totals.requests > 0
