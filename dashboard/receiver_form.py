"""The receivers, and the form that adds one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import streamlit as st

from dashboard.formats import plain
from dashboard.source import Source
from dashboard.tables import Cell, Column, table
from monitor.alerts.model import Receiver
from monitor.errors import MonitorError
from monitor.notifiers.apprise import apprise_config
from monitor.notifiers.email import email_config
from monitor.notifiers.registry import describe
from monitor.notifiers.webhook import webhook_config

_KEY: Final = "new_receiver"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    label: str
    field: str
    example: str
    config: Callable[[str], Mapping[str, Any]]


_KINDS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "webhook": _Kind(
            label="Webhook",
            field="Address that gets signed JSON",
            example="https://example.com/alerts",
            config=lambda text: webhook_config(url=text, secret=None),
        ),
        "email": _Kind(
            label="Email",
            field="Mail addresses, separated by commas",
            example="you@example.com",
            config=lambda text: email_config([part.strip() for part in text.split(",") if part.strip()]),
        ),
        "apprise": _Kind(
            label="Slack, Teams, PagerDuty and others",
            field="Apprise URL",
            example="slack://TokenA/TokenB/TokenC",
            config=apprise_config,
        ),
    }
)


def show_receivers(source: Source) -> None:
    """The receivers, without their secrets."""
    receivers = source.control.list_receivers()
    if not receivers:
        st.caption("No receiver yet: alerts are only shown on this page.")
        return
    columns = (Column(label="Name", fit="cut"), Column(label="Kind"), Column(label="Leads to", fit="wrap"))
    st.html(table((*columns, Column(label="State", fit="wrap")), [_row(receiver) for receiver in receivers]))


def show_receiver_form(source: Source) -> None:
    """Fields of a new receiver, and the button that adds it."""
    name, kind = st.columns(2)
    name.text_input("Name", key=f"{_KEY}_name", placeholder="on-call")
    chosen = kind.selectbox("Kind", tuple(_KINDS), key=f"{_KEY}_kind", format_func=lambda kind: _KINDS[kind].label)
    st.text_input(_KINDS[chosen].field, key=f"{_KEY}_place_{chosen}", placeholder=_KINDS[chosen].example)
    if chosen == "email" and source.settings.smtp_url is None:
        st.caption("No mail server is set yet: set MONITOR_SMTP_URL and start the server again.")
    st.button("Add receiver", key=f"{_KEY}_add", type="primary", on_click=_add, args=(source,))
    _show_outcome()


def _row(receiver: Receiver) -> tuple[Cell | str, ...]:
    state = Cell(text="on", tone="good")
    if receiver.disabled_at is not None:
        state = Cell(text=f"disabled: {receiver.disabled_reason}", tone="bad")
    return receiver.name, receiver.kind, describe(receiver), state


def _add(source: Source) -> None:
    state = st.session_state
    kind = state[f"{_KEY}_kind"]
    try:
        config = _KINDS[kind].config(state[f"{_KEY}_place_{kind}"].strip())
        receiver = source.control.add_receiver(name=state[f"{_KEY}_name"].strip(), kind=kind, config=config)
    except MonitorError as error:
        state[f"{_KEY}_fault"] = str(error)
        return
    # Set, not deleted: the browser would send what it shows again.
    state[f"{_KEY}_name"] = state[f"{_KEY}_place_{kind}"] = ""
    state[f"{_KEY}_done"] = receiver.name
    if kind == "webhook":
        state[f"{_KEY}_secret"] = config["secret"]


def _forget_secret() -> None:
    del st.session_state[f"{_KEY}_secret"]


def _show_outcome() -> None:
    fault = st.session_state.pop(f"{_KEY}_fault", None)
    done = st.session_state.pop(f"{_KEY}_done", None)
    secret = st.session_state.get(f"{_KEY}_secret")
    if fault is not None:
        st.error(plain(fault), icon=":material/error:")
    if done is not None:
        st.success(f"The receiver {plain(done)} can be chosen in budgets now.", icon=":material/check:")
    if secret is not None:
        # It stays until it is put away, for any click elsewhere would run the page again.
        st.warning("The secret that messages are signed with. It is shown only now; keep it where they are received.")
        st.code(secret, language=None)
        st.button("I have stored it", key=f"{_KEY}_stored", on_click=_forget_secret)
