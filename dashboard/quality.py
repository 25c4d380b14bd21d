"""What the figures do not include: requests of unknown cost, damaged lines, lost records, requests under way."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from dashboard import formats
from dashboard.boxes import box, share_box
from dashboard.cells import moment, name
from dashboard.endings import show_unfinished
from dashboard.headings import heading
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Cell, Column, table
from dashboard.words import drop_reason, pricing_state, quarantine_reason, source_name
from monitor.alerts.wording import counted
from monitor.budgets.pace import share
from monitor.ledger import overview_queries, queries
from monitor.ledger.backlog import Backlog
from monitor.ledger.check import told
from monitor.ledger.price_queries import seen_elsewhere
from monitor.ledger.queries import Totals
from monitor.ledger.retention import raw_from
from monitor.ledger.scopes import Slice

_MOST_LINES: Final = 50
_MOST_MODELS: Final = 20
_SHOWN: Final = 120


def show_figures(source: Source, span: Span, totals: Totals) -> None:
    """The counts of the period, and of this moment."""
    with st.container(horizontal=True, key="metrics_quality"):
        share_box(
            "Cost unknown",
            totals.unpriced_requests,
            totals,
            about="Requests that are not part of the spend.",
        )
        box(
            "Cost estimated",
            formats.count(totals.estimated_requests),
            after=_estimated_spend(totals),
            about="Requests whose usage was counted here, because the answer broke off before it said. "
            "What they cost is a part of the spend.",
        )
        show_unfinished(source, span, totals)


def _estimated_spend(totals: Totals) -> str | None:
    if not totals.estimated_requests:
        return None
    part, whole = totals.estimated_list_cost, totals.list_cost
    of_spend = f", {formats.percent(share(part, whole))} of the spend" if part and whole else ""
    return f"{formats.money(part)}{of_spend}".replace("$", r"\$")


def show_unknown_costs(source: Source, span: Span, totals: Totals) -> None:
    """The models whose requests have no known cost, and why; and the requests whose cost is still to come."""
    heading("unknown_costs", "Requests of unknown cost")
    chosen = Slice(start=span.start, end=span.end)
    pending = overview_queries.cost_to_come(source.ledger, chosen)
    found = queries.unpriced_models(source.ledger, chosen)
    if found:
        _show_unknown(source, found)
    elif not totals.requests:
        st.caption("No requests in this period. Choose a longer one.")
    elif not pending.requests:
        st.caption("The cost of every request in this period is known.")
    if pending.oldest_at is not None:
        since = formats.plain(formats.moment(pending.oldest_at, source.time_zone, span.now))
        st.caption(
            f"{counted(pending.requests, 'request')} began work that goes on, the oldest at {since}: what it costs is "
            "known once the program asks how it ended."
        )


def _show_unknown(source: Source, found: Sequence[Mapping[str, Any]]) -> None:
    columns = (
        Column(label="Model", fit="cut"),
        Column(label="Provider"),
        Column(label="Requests", fit="right"),
        Column(label="Tokens in", fit="right"),
        Column(label="Tokens out", fit="right"),
        Column(label="Why", fit="wrap"),
        Column(label="What to type", fit="wrap"),
    )
    st.html(table(columns, [_unknown_row(source, row) for row in found[:_MOST_MODELS]]))
    others = found[_MOST_MODELS:]
    if others:
        requests = sum(row["requests"] for row in others)
        st.caption(f"And {counted(requests, 'request')} of {counted(len(others), 'more model')}.")


def show_losses(source: Source) -> None:
    """Lines that could not be read, and records that could not be written."""
    heading("losses", "Lost or damaged so far")
    losses = queries.losses(source.ledger)
    damaged = losses.pop("quarantined", 0)
    if not damaged and not losses:
        st.caption("Nothing was lost and nothing is damaged.")
        return
    if losses:
        reasons = (Column(label="Why records could not be written"), Column(label="Records", fit="right"))
        st.html(table(reasons, [(drop_reason(reason), f"{number:,}") for reason, number in losses.items()]))
    if damaged:
        st.caption(f"{counted(damaged, 'line')} could not be read; kept as found, the newest first:")
        columns = (
            Column(label="Found"),
            Column(label="File", fit="cut front"),
            Column(label="Byte", fit="right"),
            Column(label="Why"),
            Column(label="Line", fit="wrap"),
        )
        lines = queries.quarantined_lines(source.ledger, limit=_MOST_LINES)
        st.html(table(columns, [_line_row(source, row) for row in lines]))


def show_pipeline(source: Source) -> None:
    """How fresh the figures are and which prices they stand on."""
    heading("pipeline", "Freshness and prices")
    rows: list[tuple[str, Cell | str]] = []
    if source.spool_lag is not None:
        lag = source.spool_lag()
        rows.append(("Waiting to be read", _waiting(lag.backlog)))
        rows.append(("Last look at the spool", f"{formats.duration(lag.idle)} ago"))
        rows += [("Cannot be read", Cell(text=fault, tone="bad")) for fault in lag.backlog.faults]
        if (others := lag.backlog.headless).files:
            told = f"{counted(others.files, 'file')} of {formats.size(others.bytes)}; monitor doctor tells more"
            rows.append(("Without a readable header", told))
    rows += [("Goes wrong", Cell(text=fault, tone="bad")) for fault in source.job_faults()]
    if source.last_check is not None:
        rows.append(("Spool, requests and sums", _checked(source)))
    if (kept_from := raw_from(source.ledger)) is not None:
        rows.append(("Single requests are kept", f"from {kept_from:%Y-%m-%d} UTC on; before it only their sums"))
    lists = queries.price_lists(source.ledger)
    if seen := seen_elsewhere(source.ledger):
        told = ", ".join(f"{number:,} by {source_name(who)}" for who, number in seen.items())
        rows.append(("Requests told of twice", f"{told}; each of them counts once"))
    rows.append(("Price list in use", ", ".join(lists) or "none yet: it is read when the first request arrives"))
    rows.append(("Time zone of the pages", source.time_zone))
    rows.append(("Data directory", str(source.settings.home)))
    st.html(table((Column(label="What"), Column(label="State", fit="wrap")), rows))


def _checked(source: Source) -> Cell | str:
    """What the last proof found that nothing got lost or counted twice."""
    found = source.last_check() if source.last_check is not None else None
    if found is None:
        return "not compared yet; or run: monitor ledger check"
    when = formats.moment(found.at, source.time_zone, source.clock())
    return Cell(text=f"{told(found)} ({when}).", tone="bad" if found.faults else "")


def _waiting(backlog: Backlog) -> str:
    if not backlog.bytes:
        return "nothing"
    lines = "an unknown number of lines"
    if backlog.lines is not None:
        lines = f"{'about ' if backlog.is_estimate else ''}{formats.count(backlog.lines)} lines"
    age = "" if backlog.seconds is None else f", the oldest from {formats.duration(backlog.seconds)} ago"
    return f"{formats.size(backlog.bytes)}, {lines}{age}"


def _unknown_row(source: Source, row: Mapping[str, Any]) -> tuple[Cell | str, ...]:
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
        _proposed(source, row),
    )


def _proposed(source: Source, row: Mapping[str, Any]) -> Cell:
    model = row["model"]
    # A name may be anything that was sent: nobody should copy control characters.
    if source.propose is None or row["pricing_state"] != "unpriced" or not model or not model.isprintable():
        return name(None)
    return Cell(text=source.propose(row["provider_name"], model), tone="code")


def _line_row(source: Source, row: Mapping[str, Any]) -> tuple[Cell | str, ...]:
    line = row["line"]
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return (
        moment(row["seen_at"], source, source.clock()),
        row["file"],
        formats.DASH if row["byte_offset"] is None else f"{row['byte_offset']:,}",
        quarantine_reason(row["reason"]),
        Cell(text=shown, tone="muted"),
    )
