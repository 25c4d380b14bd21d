"""Calls that needed more than one attempt, and what the failed attempts cost."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import streamlit as st

from dashboard import formats
from dashboard.boxes import box
from dashboard.cells import moment, name
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Bar, Cell, Column, table
from dashboard.words import error_name
from monitor.ledger import retry_queries
from monitor.ledger.queries import Totals
from monitor.ledger.retry_queries import RetriedCall, RetriedCalls

_MOST: Final = 10
_COLUMNS: Final = (
    Column(label="Began"),
    Column(label="Lost in attempts", fit="right"),
    Column(label="Lost waiting", fit="right"),
    Column(label="Attempts", fit="right"),
    Column(label="In the end"),
    Column(label="What failed", fit="cut"),
    Column(label="Model", fit="cut"),
    Column(label="Call site", fit="cut front"),
    Column(label="Call"),
)


def show_retries(source: Source, filters: Filters, span: Span, totals: Totals) -> None:
    """What retries came to, and the calls that lost the most time."""
    scope = filters.slice(span)
    found = retry_queries.retried_calls(source.ledger, scope)
    heading("retries", "Retries")
    if not found.calls:
        st.caption("No call that began in this period needed a second attempt.")
        return
    _show_figures(found, totals)
    _show_wasted(found)
    worst = retry_queries.worst_retried_calls(source.ledger, scope, limit=_MOST)
    heading("worst_calls", "Calls that lost the most time")
    st.html(table(_COLUMNS, [_row(call, source, span) for call in worst]))
    st.caption("Time spent in failed attempts and between attempts. All about a call: `monitor show CALL`")


def _show_figures(found: RetriedCalls, totals: Totals) -> None:
    with st.container(horizontal=True, key="metrics_retries"):
        box(
            "Calls retried",
            formats.count(found.calls),
            after=f"{formats.percent(found.calls / totals.calls)} of calls" if totals.calls else None,
            about="Calls that took more than one attempt.",
        )
        box(
            "Succeeded in the end",
            formats.count(found.succeeded),
            after=f"{formats.percent(found.succeeded / found.calls)} of those retried",
            about="Retried calls whose last attempt was answered in full.",
        )
        box(
            "Lost in failed attempts",
            formats.duration(found.failed_seconds),
            after=f"and {formats.duration(found.waited_seconds)} waiting",
            about="Time spent in attempts that failed, and between the attempts, added up over all retried calls.",
        )
        box(
            "Cost of failed attempts",
            formats.DASH if found.failed_list_cost is None else formats.money(found.failed_list_cost),
            after=_tokens(found),
            about="What failed attempts of retried calls cost at list price, as far as it is known. A refused request "
            "costs nothing; a stream that broke is charged as far as it came.",
        )


def _tokens(found: RetriedCalls) -> str:
    if found.failed_input_tokens is None and found.failed_output_tokens is None:
        return "no tokens known"
    return f"{formats.count(found.failed_input_tokens)} tokens in, {formats.count(found.failed_output_tokens)} out"


def _show_wasted(found: RetriedCalls) -> None:
    attempts: Counter[str] = Counter()
    for group in found.wasted:
        attempts["Outcome unknown" if group.error_class is None else error_name(group.error_class)] += group.attempts
    if not attempts:
        return
    columns = (
        Column(label="Why it was tried again"),
        Column(label="Failed attempts", fit="right"),
        Column(label="Share"),
    )
    whole = attempts.total()
    rows = [
        (kind, formats.count(number), Bar(number / whole, formats.percent(number / whole)))
        for kind, number in attempts.most_common()
    ]
    st.html(table(columns, rows))


def _row(call: RetriedCall, source: Source, span: Span) -> Sequence[Cell | Bar | str]:
    return (
        moment(call.started_at, source, span.now),
        formats.duration(call.failed_seconds),
        formats.duration(call.waited_seconds),
        str(call.attempts),
        Cell(text="OK", tone="good") if call.has_succeeded else Cell(text="failed", tone="bad"),
        _kinds(call.error_classes),
        name(call.model),
        name(call.call_site),
        Cell(text=call.call_id, tone="muted"),
    )


def _kinds(error_classes: Sequence[str]) -> Cell | str:
    counted = Counter(map(error_name, error_classes))
    if not counted:
        return Cell(text="not told", tone="muted")
    return ", ".join(kind if number == 1 else f"{kind} ×{number}" for kind, number in counted.items())
