"""Figures in boxes."""

from typing import Literal

import streamlit as st

from dashboard.formats import count, percent
from monitor.ledger.queries import Totals


def box(label: str, value: str, *, about: str, after: str | None = None) -> None:
    """Show a figure with what it means, and under it a few words more."""
    st.metric(
        label,
        _literal(value),
        delta=after,
        delta_color="off",
        delta_arrow="off",
        help=about,
        border=True,
        height="stretch",
    )


def share_box(label: str, number: int, totals: Totals, *, about: str) -> None:
    """Show a number of requests, and under it which part of all requests they are."""
    after = f"{percent(number / totals.requests)} of requests" if number else None
    box(label, count(number), after=after, about=about)


def compared_box(
    label: str,
    value: str,
    *,
    delta: str | None,
    after: str,
    colour: Literal["off", "inverse"] = "off",
    about: str | None = None,
) -> None:
    """Show a figure and how it changed; where more is worse, `inverse` makes growth red.

    Args:
        label: what it is.
        value: the figure.
        delta: how it changed, with its sign; `0` and a unit is no change; None where there is nothing to compare with.
        after: what it is compared with.
        colour: of the change.
        about: what the figure means.
    """
    is_same = delta is not None and delta.startswith("0")
    st.metric(
        label,
        _literal(value),
        delta=delta,
        delta_color="off" if is_same else colour,
        delta_arrow="off" if is_same else "auto",
        delta_description=after if delta else None,
        help=about,
        border=True,
        height="stretch",
    )


def _literal(value: str) -> str:
    # Two dollar signs would be the marks of a formula.
    return value.replace("$", r"\$")
