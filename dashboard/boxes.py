"""Figures in boxes."""

import streamlit as st


def box(label: str, value: str, *, about: str, after: str | None = None) -> None:
    """Show a figure with what it means, and under it a few words more."""
    st.metric(
        label,
        value.replace("$", r"\$"),
        delta=after,
        delta_color="off",
        delta_arrow="off",
        help=about,
        border=True,
        height="stretch",
    )
