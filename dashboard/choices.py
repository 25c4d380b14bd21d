"""Choices of one of a few; the chosen one stands in the address."""

from collections.abc import Iterable

import streamlit as st


def choose_one(label: str, options: Iterable[str], *, key: str, default: str) -> str:
    """Show the options side by side and return the chosen one; the label is for those who hear the page."""
    chosen = st.segmented_control(
        label,
        tuple(options),
        default=default,
        required=True,
        key=key,
        label_visibility="collapsed",
        bind="query-params",
    )
    return chosen or default
