"""Budgets and alerts: how much of each budget is spent, what was noticed, and who was told."""

import streamlit as st

from dashboard import source
from dashboard.alert_lists import show_alerts, show_deliveries
from dashboard.budget_cards import cards
from dashboard.budget_form import show_budget_form
from dashboard.filters import tell_time_zone
from dashboard.headings import heading
from dashboard.receiver_form import show_receiver_form, show_receivers
from dashboard.source import Source

_REFRESH = 5


def show(read_from: Source) -> None:
    """What changes by itself; run again and again."""
    with heading("budgets", "Budgets"):
        tell_time_zone(read_from)
    if read_from.control.list_budgets():
        st.html(cards(read_from))
    else:
        st.caption("No budget yet. Add one below to hear of spend before it is too much.")
    heading("alerts", "Alerts")
    show_alerts(read_from)
    heading("deliveries", "Deliveries")
    show_deliveries(read_from)


here = source.current()
status = st.container()
with st.expander("Add a budget", icon=":material/add:", key="budget_form"):
    show_budget_form(here)
with st.expander("Receivers", icon=":material/notifications:", key="receiver_form"):
    show_receivers(here)
    show_receiver_form(here)
with status:
    st.fragment(show, run_every=_REFRESH)(here)
