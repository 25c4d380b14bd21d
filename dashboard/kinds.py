"""Failures over time by kind: on every page the same kinds in the same colours."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import streamlit as st

from dashboard import theme
from dashboard.charts import Mark, Series


def series_of_kinds(failures: Iterable[tuple[str, datetime, int]], *, key: str) -> list[Series]:
    """A series for each of the most frequent kinds, and one for all others.

    Args:
        failures: kind, begin of the step, number.
        key: under which the colours are kept; charts with the same key give a kind the same colour.
    """
    heights: dict[str, Counter[datetime]] = {}
    for kind, start, number in failures:
        heights.setdefault(kind, Counter())[start] += number
    kinds = sorted(heights, key=lambda kind: (-heights[kind].total(), kind))
    leading, others = kinds[: len(theme.PALETTE)], kinds[len(theme.PALETTE) :]
    colours = theme.colours(leading, st.session_state.setdefault(f"colours_{key}", {}))
    series = [Series(name=kind, colour=colours[kind], marks=_marks(heights[kind])) for kind in leading]
    if others:
        rest = sum((heights[kind] for kind in others), Counter[datetime]())
        series.append(Series(name="all others", colour=theme.REST, marks=_marks(rest)))
    return series


def _marks(heights: Counter[datetime]) -> list[Mark]:
    return [Mark(start=start, height=number, text=f"{number:,}") for start, number in sorted(heights.items())]
