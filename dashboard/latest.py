"""The newest requests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import streamlit as st

from dashboard import formats
from dashboard.cells import moment, name, outcome
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Cell, Column, table
from dashboard.words import pricing_state
from monitor.ledger import request_queries

_MOST: Final = 25
_COLUMNS: Final = (
    Column(label="Time"),
    Column(label="Service", fit="cut"),
    Column(label="Team", fit="cut"),
    Column(label="Model", fit="cut"),
    Column(label="Tokens in", fit="right"),
    Column(label="Tokens out", fit="right"),
    Column(label="Cost", fit="right"),
    Column(label="Duration", fit="right"),
    Column(label="Outcome"),
    Column(label="Call site", fit="cut front"),
)
_NO_COST: Final[Mapping[str, Cell]] = MappingProxyType(
    {
        "free": Cell(text=formats.DASH, tone="muted"),
        "repeated": Cell(text=formats.DASH, tone="muted"),
        "pending": Cell(text="pending", tone="muted"),
    }
)


def show_latest(source: Source, filters: Filters, span: Span) -> None:
    """A table of the newest requests of the period."""
    with heading("latest", "Latest requests"):
        st.page_link("views/requests.py", label="All requests", icon=":material/arrow_forward:")
    page = request_queries.page_of_requests(source.ledger, filters.slice(span), limit=_MOST)
    st.html(table(_COLUMNS, [_row(row, source, span) for row in page.requests]))


def _row(row: Mapping[str, Any], source: Source, span: Span) -> Sequence[Cell | str]:
    attempt = f" (attempt {row['attempt'] + 1})" if row["attempt"] else ""
    ended = outcome(row)
    return (
        moment(row["started_at"], source, span.now),
        name(row["service"]),
        name(row["team"]),
        name(row["model"] or row["request_model"]),
        formats.count(row["input_tokens"]),
        formats.count(row["output_tokens"]),
        cost(row),
        formats.duration(row["duration"]),
        Cell(text=f"{ended.text}{attempt}", tone=ended.tone, title=ended.title),
        name(row["call_site"]),
    )


def cost(row: Mapping[str, Any]) -> Cell:
    """What a request costs, or why that is not known."""
    if row["list_cost"] is not None:
        return Cell(text=formats.money(row["list_cost"]))
    shown = _NO_COST.get(row["pricing_state"], Cell(text="unknown", tone="near"))
    return replace(shown, title=f"{pricing_state(row['pricing_state'])}.")
