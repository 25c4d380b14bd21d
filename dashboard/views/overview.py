"""The overview: what is spent, where, and how the requests fare."""

from dashboard.figures import show_spend, show_traffic
from dashboard.filters import Filters
from dashboard.latest import show_latest
from dashboard.live import has_requests, show_live
from dashboard.source import Source
from dashboard.spending import show_spend_over_time, show_spenders
from dashboard.traffic import show_requests
from monitor.ledger import queries


def show(read_from: Source, chosen: Filters) -> None:
    """Everything below the filters."""
    span = chosen.span(read_from)
    show_spend(read_from, chosen)
    totals = queries.totals(read_from.ledger, chosen.slice(span))
    if has_requests(totals):
        show_traffic(read_from, chosen, span, totals)
        show_spend_over_time(read_from, chosen, span, totals)
        show_requests(read_from, chosen, span)
        show_spenders(read_from, chosen, span)
        show_latest(read_from, chosen, span)


show_live(show)
