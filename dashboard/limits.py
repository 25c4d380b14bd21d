"""Rate limits: what is left of each, and which came nearest to its end."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from dashboard import formats
from dashboard.cells import moment, name
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Bar, Cell, Column, table
from monitor.ledger import limit_queries
from monitor.ledger.limit_queries import LimitState

_MOST: Final = 12
_LITTLE: Final = 0.1
_SCARCE: Final = 0.25
_COLUMNS: Final = (
    Column(label="Model", fit="cut"),
    Column(label="Key"),
    Column(label="Limit of"),
    Column(label="Least left"),
    Column(label="Refused", fit="right"),
    Column(label="At worst"),
    Column(label="When"),
    Column(label="Left last", fit="right"),
    Column(label="Limit", fit="right"),
    Column(label="Full again in", fit="right"),
    Column(label="As of"),
)


def show_limits(source: Source, filters: Filters, span: Span) -> None:
    """The limits that answers told of, the one nearest to its end first."""
    found = limit_queries.limit_states(source.ledger, filters.slice(span), limit=_MOST + 1)
    heading("limits", "Rate limits")
    if not found:
        st.caption(
            "No answer in this period stated a rate limit. Providers do so in x-ratelimit headers; a gateway or proxy "
            "on the way may take them out: let it pass them on."
        )
        return
    st.html(table(_COLUMNS, [_row(state, source, span) for state in found[:_MOST]]))
    which = f"The {_MOST} limits that came nearest to their end, as" if len(found) > _MOST else "As"
    st.caption(
        f"{which} the headers of the answers said, for each key and model as it was asked for; models of a family may "
        "share a limit. Refused: requests turned away by this limit. From “Left last” on: as the last answer said."
    )


def _row(state: LimitState, source: Source, span: Span) -> Sequence[Cell | Bar | str]:
    share = state.lowest_share
    return (
        name(state.model),
        _key(state),
        state.kind.replace("_", " "),
        Bar(min(max(share, 0.0), 1.0), formats.percent(share)),
        Cell(text=formats.count(state.refused), tone="bad" if state.refused else "muted"),
        _worst(state),
        moment(state.lowest_at, source, span.now),
        _amount(state.remaining),
        _amount(state.limit),
        formats.duration(state.reset),
        moment(state.seen_at, source, span.now),
    )


def _key(state: LimitState) -> Cell:
    if state.key_hint is not None:
        return Cell(text=f"…{state.key_hint}", title=f"{state.provider_name}, fingerprint {state.key_fingerprint}")
    if state.key_fingerprint is not None:
        return Cell(text=state.key_fingerprint[:8], title=f"{state.provider_name}, fingerprint {state.key_fingerprint}")
    return Cell(text=formats.DASH, tone="muted", title=state.provider_name)


def _worst(state: LimitState) -> Cell:
    if state.lowest_share <= 0 or state.refused:
        return Cell(text="used up", tone="bad")
    if state.lowest_share < _LITTLE:
        return Cell(text="nearly used up", tone="bad")
    return Cell(text="near", tone="near") if state.lowest_share < _SCARCE else Cell(text="enough", tone="good")


def _amount(number: float) -> str:
    return formats.count(round(number))
