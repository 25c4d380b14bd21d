"""What the figures do not include: requests of unknown cost, damaged lines, lost records, requests under way."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import formats
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Cell, Column, table
from dashboard.words import drop_reason, pricing_state, quarantine_reason
from monitor.alerts.wording import counted
from monitor.ledger import queries
from monitor.ledger.scopes import Slice

_MOST_LINES = 50
_SHOWN = 120


def show_figures(source: Source, span: Span) -> None:
    """The counts of the period, and of this moment."""
    totals = queries.totals(source.ledger, Slice(start=span.start, end=span.end))
    with st.container(horizontal=True, key="metrics_quality"):
        _figure("Cost unknown", totals.unpriced_requests, totals.requests, "Requests that are not part of the spend.")
        _figure(
            "Cost estimated",
            totals.estimated_requests,
            totals.requests,
            "Requests whose usage was counted here, because the answer broke off before it said.",
        )
        _figure(
            "Broken off",
            totals.interrupted_requests,
            totals.requests,
            "Streams that were left or broke before their end.",
        )
        _figure(
            "Outcome unknown",
            totals.unknown_requests,
            totals.requests,
            "Requests whose program died while they were out.",
        )
        st.metric(
            "Under way now",
            formats.count(queries.in_flight(source.ledger)),
            help="Requests that began and have not ended yet, in programs that still run.",
            border=True,
            height="stretch",
        )


def show_unknown_costs(source: Source, span: Span) -> None:
    """The models whose requests have no known cost, and why."""
    st.subheader("Requests of unknown cost", anchor=False)
    found = queries.unpriced_models(source.ledger, Slice(start=span.start, end=span.end))
    if not found:
        st.caption("The cost of every request in this period is known.")
        return
    columns = (
        Column(label="Model", fit="cut"),
        Column(label="Provider"),
        Column(label="Requests", fit="right"),
        Column(label="Tokens in", fit="right"),
        Column(label="Tokens out", fit="right"),
        Column(label="Why", fit="wrap"),
    )
    st.html(table(columns, [_unknown_row(row) for row in found]))


def show_losses(source: Source) -> None:
    """Lines that could not be read, and records that could not be written."""
    st.subheader("Lost or damaged", anchor=False)
    losses = queries.losses(source.ledger)
    damaged = losses.pop("quarantined", 0)
    if not damaged and not losses:
        st.caption("Nothing was lost and nothing is damaged.")
        return
    if losses:
        reasons = (Column(label="Records that could not be written"), Column(label="Records", fit="right"))
        st.html(table(reasons, [(drop_reason(reason), f"{number:,}") for reason, number in losses.items()]))
    if damaged:
        st.caption(f"{counted(damaged, 'line')} could not be read; kept as found, the newest first:")
        columns = (
            Column(label="Found"),
            Column(label="File", fit="cut"),
            Column(label="Byte", fit="right"),
            Column(label="Why"),
            Column(label="Line", fit="wrap"),
        )
        lines = queries.quarantined_lines(source.ledger, limit=_MOST_LINES)
        st.html(table(columns, [_line_row(source, row) for row in lines]))


def show_pipeline(source: Source) -> None:
    """How fresh the figures are and which prices they stand on."""
    st.subheader("Freshness and prices", anchor=False)
    rows: list[tuple[str, Cell | str]] = []
    if source.spool_lag is not None:
        lag = source.spool_lag()
        rows.append(("Waiting to be read", formats.size(lag.bytes_waiting)))
        rows.append(("Last look at the spool", f"{formats.duration(lag.idle)} ago"))
    lists = queries.price_lists(source.ledger)
    rows.append(("Price list in use", ", ".join(lists) or "none yet: it is read when the first request arrives"))
    rows.append(("Time zone of the pages", source.time_zone))
    rows.append(("Data directory", str(source.settings.home)))
    st.html(table((Column(label="What"), Column(label="State", fit="wrap")), rows))


def _figure(label: str, number: int, whole: int, about: str) -> None:
    after = f"{formats.percent(number / whole)} of requests" if number else None
    st.metric(
        label,
        formats.count(number),
        delta=after,
        delta_color="off",
        delta_arrow="off",
        help=about,
        border=True,
        height="stretch",
    )


def _unknown_row(row: Mapping[str, Any]) -> tuple[Cell | str, ...]:
    reason = pricing_state(row["pricing_state"])
    if row["pricing_state"] == "unpriced" and row["why"]:
        reason = f"{reason}: {row['why']}"
    return (
        Cell(text=row["model"]) if row["model"] else Cell(text="not named", tone="muted"),
        row["provider_name"],
        f"{row['requests']:,}",
        formats.count(row["input_tokens"]),
        formats.count(row["output_tokens"]),
        f"{reason}.",
    )


def _line_row(source: Source, row: Mapping[str, Any]) -> tuple[Cell | str, ...]:
    line = row["line"]
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return (
        formats.moment(row["seen_at"], source.time_zone, source.clock()),
        row["file"],
        formats.DASH if row["byte_offset"] is None else f"{row['byte_offset']:,}",
        quarantine_reason(row["reason"]),
        Cell(text=shown, tone="muted"),
    )
