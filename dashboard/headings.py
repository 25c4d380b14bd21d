"""Headings of the parts of a page."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.formats import plain


def heading(key: str, text: str) -> DeltaGenerator:
    """Show a heading and return its row, for a choice at its right end."""
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"heading_{key}"
    )
    row.subheader(plain(text), anchor=False, width="content")
    return row
