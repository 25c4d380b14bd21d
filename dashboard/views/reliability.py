"""Reliability: what fails, what is tried again, how fast answers come, and which rate limits are near."""

from typing import Final

from dashboard.endings import show_endings
from dashboard.failing import show_errors
from dashboard.filters import Filters
from dashboard.limits import show_limits
from dashboard.live import has_requests, show_live
from dashboard.retries import show_retries
from dashboard.source import Source
from dashboard.speeds import show_speeds
from monitor.ledger import queries

_SLOWNESS: Final = 5
"""The page asks for single requests, which takes longer than sums: it goes on less often than the overview."""


def show(read_from: Source, chosen: Filters) -> None:
    """Everything below the filters."""
    span = chosen.span(read_from)
    totals = queries.totals(read_from.ledger, chosen.slice(span))
    show_endings(read_from, span, totals)
    if has_requests(totals):
        show_errors(read_from, chosen, span, totals)
        show_limits(read_from, chosen, span)
        show_retries(read_from, chosen, span, totals)
        show_speeds(read_from, chosen, span)


show_live(show, slowness=_SLOWNESS)
