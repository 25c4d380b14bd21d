"""The form that adds a budget."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import available_timezones

import streamlit as st

from dashboard.filters import options_of
from dashboard.formats import plain
from dashboard.source import Source
from monitor.budgets.model import PERIOD_KINDS, Matcher, parse_period
from monitor.budgets.parsing import parse_amount, parse_thresholds
from monitor.errors import MonitorError
from monitor.records import DIMENSIONS

_KEY: Final = "new_budget"
_TESTS: Final = ("is", "is not")


def show_budget_form(source: Source) -> None:
    """Fields of a new budget, and the button that adds it."""
    st.text_input("Name", key=f"{_KEY}_name", placeholder="Search team, a month")
    amount, period, zone = st.columns([1, 1, 2])
    amount.text_input("Amount in USD", key=f"{_KEY}_amount", placeholder="100")
    period.selectbox("For each", PERIOD_KINDS, index=2, key=f"{_KEY}_period")
    zones = sorted(available_timezones() | {source.time_zone})
    zone.selectbox("Time zone", zones, index=zones.index(source.time_zone), key=f"{_KEY}_zone")
    st.caption("Which requests count: all, or those that meet every condition below.")
    for row in range(st.session_state.get(f"{_KEY}_rows", 0)):
        _scope_row(source, row)
    st.button("Add a condition", key=f"{_KEY}_more", icon=":material/add:", on_click=_more_rows)
    st.text_input(
        "Alert when this much is spent",
        value="50%, 80%, 100%",
        key=f"{_KEY}_thresholds",
        help="Shares of the amount, separated by commas.",
    )
    receivers = [receiver.name for receiver in source.control.list_receivers()]
    st.multiselect("Send alerts to", receivers, key=f"{_KEY}_receivers", placeholder="Nobody: only show them here")
    st.button("Add budget", key=f"{_KEY}_add", type="primary", on_click=_add, args=(source,))
    _show_outcome()


def _scope_row(source: Source, row: int) -> None:
    dimension, test, values = st.columns([2, 1, 4])
    chosen = dimension.selectbox(
        "What",
        DIMENSIONS,
        key=f"{_KEY}_dimension_{row}",
        format_func=lambda name: name.replace("_", " "),
        label_visibility="collapsed",
    )
    test.selectbox("Test", _TESTS, key=f"{_KEY}_test_{row}", label_visibility="collapsed")
    values.multiselect(
        "Values",
        options_of(source, chosen, key=f"{_KEY}_values_{row}", has_none=False),
        key=f"{_KEY}_values_{row}",
        accept_new_options=True,
        placeholder="Choose or type values",
        label_visibility="collapsed",
    )


def _more_rows() -> None:
    st.session_state[f"{_KEY}_rows"] = st.session_state.get(f"{_KEY}_rows", 0) + 1


def _add(source: Source) -> None:
    state = st.session_state
    try:
        budget = source.control.add_budget(
            name=state[f"{_KEY}_name"].strip(),
            amount=parse_amount(state[f"{_KEY}_amount"]),
            period=parse_period(state[f"{_KEY}_period"]),
            time_zone=state[f"{_KEY}_zone"],
            scope=tuple(_matchers()),
            thresholds=parse_thresholds(state[f"{_KEY}_thresholds"]),
            receivers=tuple(state[f"{_KEY}_receivers"]),
        )
    except MonitorError as error:
        state[f"{_KEY}_fault"] = str(error)
        return
    # Set, not deleted: the browser would send what it shows again.
    state[f"{_KEY}_name"] = state[f"{_KEY}_amount"] = ""
    state[f"{_KEY}_rows"] = 0
    state[f"{_KEY}_done"] = budget.name


def _matchers() -> Sequence[Matcher]:
    state = st.session_state
    return [
        Matcher(
            dimension=state[f"{_KEY}_dimension_{row}"],
            values=tuple(value.strip() for value in state[f"{_KEY}_values_{row}"]),
            is_negated=state[f"{_KEY}_test_{row}"] == "is not",
        )
        for row in range(state.get(f"{_KEY}_rows", 0))
        if state[f"{_KEY}_values_{row}"]
    ]


def _show_outcome() -> None:
    fault = st.session_state.pop(f"{_KEY}_fault", None)
    done = st.session_state.pop(f"{_KEY}_done", None)
    if fault is not None:
        st.error(plain(fault), icon=":material/error:")
    if done is not None:
        st.success(f"The budget {plain(done)} holds from now.", icon=":material/check:")
