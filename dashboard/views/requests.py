"""Requests: one after the other from the newest on, found by their ids, each with all that is known of it."""

import streamlit as st

from dashboard.explorer import show_found, show_page
from dashboard.filters import Filters
from dashboard.live import show_live
from dashboard.one_request import show_request
from dashboard.source import Source


def show(read_from: Source, chosen: Filters) -> None:
    """Everything below the filters."""
    searched = st.text_input(
        "Find by id",
        key="id",
        placeholder="Find by id: record, call, response, request or trace id",
        label_visibility="collapsed",
        bind="query-params",
    )
    show_request(read_from, chosen)
    if searched and searched.strip():
        show_found(read_from, chosen, searched.strip())
    else:
        show_page(read_from, chosen)


show_live(show)
