"""How many requests did not end well, and how many are out."""

from datetime import datetime

import streamlit as st

from dashboard import formats
from dashboard.boxes import box, share_box
from dashboard.source import Source
from dashboard.spans import Span
from monitor.ledger import error_queries
from monitor.ledger.queries import Totals


def show_endings(source: Source, span: Span, totals: Totals) -> None:
    """The boxes at the top of a page about failures."""
    with st.container(horizontal=True, key="metrics_endings"):
        share_box(
            "Failed",
            totals.errors,
            totals,
            about="Requests that ended in an error, each attempt of a call by itself.",
        )
        show_unfinished(source, span, totals)


def show_unfinished(source: Source, span: Span, totals: Totals) -> None:
    """Boxes of the requests that never came to their end, or have not yet."""
    share_box(
        "Broken off",
        totals.interrupted_requests,
        totals,
        about="Streams that were left or broke before their end. Those that broke count as failed too.",
    )
    share_box(
        "Outcome unknown",
        totals.unknown_requests,
        totals,
        about="Requests whose program died while they were out. They do not count as failed.",
    )
    out = error_queries.under_way(source.ledger)
    box(
        "Under way now",
        formats.count(out.requests),
        after=None if out.oldest_at is None else f"oldest for {formats.duration(_age(out.oldest_at, span))}",
        about="Requests that began and have not ended yet, in all programs that run, whatever is chosen above.",
    )


def _age(moment: datetime, span: Span) -> float:
    return max(0.0, (span.now - moment).total_seconds())
