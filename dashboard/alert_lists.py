"""Alerts, and what became of the notifications about them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import streamlit as st

from dashboard import formats
from dashboard.cells import moment, name
from dashboard.source import Source
from dashboard.tables import Cell, Column, table
from monitor.alerts.model import Alert
from monitor.alerts.outbox import Notification
from monitor.alerts.wording import counted

_MOST: Final = 50
TONES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "firing": "bad",
        "resolved": "muted",
        "critical": "bad",
        "warning": "near",
        "delivered": "good",
        "failed": "bad",
        "expired": "bad",
    }
)
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pending": "waiting",
        "sending": "being sent",
        "delivered": "delivered",
        "failed": "given up",
        "expired": "given up after many attempts",
    }
)


def show_alerts(source: Source) -> None:
    """The newest alerts, the firing ones first."""
    known = source.control.list_alerts(limit=_MOST)
    alerts = [alert for alert in known if alert.inhibited_by is None]
    if not alerts:
        st.caption(
            "No alert yet. One comes when a budget is used up to a threshold, or requests of unknown cost arrive."
        )
        return
    columns = (Column(label="State"), Column(label="Severity"), Column(label="Since"), Column(label="What", fit="wrap"))
    firing_first = sorted(alerts, key=lambda alert: alert.state != "firing")
    st.html(table(columns, [_alert_row(source, alert) for alert in firing_first]))
    covered = len(known) - len(alerts)
    if covered:
        st.caption(f"{counted(covered, 'alert')} of lower thresholds not shown: a greater one says the same.")


def show_deliveries(source: Source) -> None:
    """The newest notifications and how far they got."""
    notifications = source.control.list_notifications(limit=_MOST)
    if not notifications:
        st.caption("Nothing was sent yet. Alerts are sent to the receivers that their budget names.")
        return
    summaries = {alert.fingerprint: alert.summary for alert in source.control.list_alerts(limit=_MOST)}
    columns = (
        Column(label="Receiver", fit="cut"),
        Column(label="State"),
        Column(label="Attempts", fit="right"),
        Column(label="Made"),
        Column(label="Next attempt"),
        Column(label="Last error", fit="wrap" if any(one.last_error for one in notifications) else "left"),
        Column(label="Alert", fit="wrap"),
    )
    rows = [_delivery_row(source, one, summaries.get(one.alert_fingerprint, formats.DASH)) for one in notifications]
    st.html(table(columns, rows))


def _alert_row(source: Source, alert: Alert) -> tuple[Cell | str, ...]:
    return (
        Cell(text=alert.state, tone=TONES[alert.state]),
        Cell(text=alert.severity, tone=TONES[alert.severity] if alert.state == "firing" else "muted"),
        moment(alert.starts_at, source, source.clock()),
        Cell(text=alert.summary, title=alert.annotations.get("action", "")),
    )


def _delivery_row(source: Source, one: Notification, summary: str) -> tuple[Cell | str, ...]:
    now = source.clock()
    return (
        one.receiver,
        Cell(text=STATES.get(one.state, one.state), tone=TONES.get(one.state, "")),
        str(one.attempts),
        moment(one.created_at, source, now),
        moment(one.next_attempt_at if one.state == "pending" else None, source, now),
        name(one.last_error),
        summary,
    )
