"""The newest requests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from dashboard import formats
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Cell, Column, table
from dashboard.words import outcome, pricing_state
from monitor.ledger import queries

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
    Column(label="Call site", fit="cut"),
)


def show_latest(source: Source, filters: Filters, span: Span) -> None:
    """A table of the newest requests of the period."""
    heading("latest", "Latest requests")
    rows = queries.latest_requests(source.ledger, filters.slice(span), limit=_MOST)
    st.html(table(_COLUMNS, [_row(row, source.time_zone, span.now) for row in rows]))


def _row(row: Mapping[str, Any], time_zone: str, now: datetime) -> Sequence[Cell | str]:
    attempt = f" (attempt {row['attempt'] + 1})" if row["attempt"] else ""
    ended = outcome(row)
    return (
        formats.moment(row["started_at"], time_zone, now),
        _name(row["service"]),
        _name(row["team"]),
        _name(row["model"] or row["request_model"]),
        formats.count(row["input_tokens"]),
        formats.count(row["output_tokens"]),
        _cost(row),
        formats.duration(row["duration"]),
        Cell(text=f"{ended.text}{attempt}", tone=ended.tone, title=ended.title),
        _name(row["call_site"]),
    )


def _cost(row: Mapping[str, Any]) -> Cell:
    if row["list_cost"] is not None:
        return Cell(text=formats.money(row["list_cost"]))
    if row["pricing_state"] in {"free", "repeated"}:
        return Cell(text=formats.DASH, tone="muted", title="Nothing to pay for.")
    if row["pricing_state"] == "pending":
        return Cell(text="pending", tone="muted", title=f"{pricing_state('pending')}.")
    return Cell(text="unknown", tone="near", title=pricing_state(row["pricing_state"]))


def _name(value: str | None) -> Cell:
    return Cell(text=formats.DASH, tone="muted") if value is None else Cell(text=value)
