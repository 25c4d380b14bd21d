"""Charts that change while one looks on.

Streamlit takes a Plotly chart away and draws it anew whenever its figure changes, and for a moment nothing is there. So
each chart has two places, one over the other: the new figure is drawn unseen in the one while the other still shows
the figure before, and then they change parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go
import streamlit as st

from dashboard.charts import CONFIG, Series, TimeAxis, bars_over_time, legend


@dataclass(slots=True)
class _Places:
    figures: list[go.Figure | None] = field(default_factory=lambda: [None, None])
    front: int = 1
    shown: str = ""


def show_bars(key: str, series: Sequence[Series], axis: TimeAxis, *, tick_format: str, height: int, alt: str) -> None:
    """Show stacked bars over time with their legend; what changes is exchanged without flicker."""
    show_steady(key, series, bars_over_time(series, axis, tick_format=tick_format, height=height), alt=alt)


def show_steady(key: str, series: Sequence[Series], figure: go.Figure, *, alt: str) -> None:
    """Show a chart of series with their legend; what changes is exchanged without flicker."""
    st.html(legend(series))
    places: _Places = st.session_state.setdefault(f"places_{key}", _Places())
    content = figure.to_json()
    if content != places.shown:
        places.front = 1 - places.front
        places.figures[places.front] = figure
        places.shown = content
    with st.container(key=f"steady_{key}"):
        for place, held in enumerate(places.figures):
            with st.container(key=f"place_{key}_{place}"):
                if held is not None:
                    st.plotly_chart(held, key=f"{key}_{place}", config=CONFIG, alt=alt)
    st.html(_parts(key, places.front))


def _parts(key: str, front: int) -> str:
    parts = {front: "om-comes", 1 - front: "om-goes"}
    rules = "".join(
        f".st-key-place_{key}_{place} {{ animation: {part} 0.4s step-end both; z-index: {int(place == front)}; }}"
        for place, part in parts.items()
    )
    return f"<style>{rules}</style>"
