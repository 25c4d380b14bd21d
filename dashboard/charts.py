"""The charts. Streamlit's theme gives fonts, grid and ground; here are only the colours of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboard.formats import weekday

_MILLISECONDS: Final[Mapping[str, int]] = MappingProxyType({"minute": 60_000, "hour": 3_600_000, "day": 86_400_000})
_GAP: Final = 0.12

CONFIG: Final[dict[str, Any]] = {"displayModeBar": False, "scrollZoom": False}
"""Drawing tools are off: on a narrow screen they cover the chart and catch the scrolling finger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One bar of a series: where it starts, how high it is, and what is shown on pointing at it."""

    start: datetime
    height: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The bars of one name and colour."""

    name: str
    colour: str
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """From `start` to `end` in steps, shown in a time zone."""

    start: datetime
    end: datetime
    step: str
    time_zone: str

    def local(self, moment: datetime) -> datetime:
        """The time on the wall; Plotly knows no zones."""
        return moment.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)

    def name(self, moment: datetime) -> str:
        """The step that begins then, in words."""
        local = self.local(moment)
        if self.step == "day":
            return weekday(local)
        return f"{weekday(local)} {local:%H:%M}"


def bars_over_time(series: Sequence[Series], axis: TimeAxis, *, tick_format: str, height: int = 300) -> go.Figure:
    """Stacked bars, one for each step; steps without data stay empty."""
    width = _MILLISECONDS[axis.step]
    figure = go.Figure(
        go.Bar(
            name=escape(one.name),
            x=[axis.local(mark.start) for mark in one.marks],
            y=[mark.height for mark in one.marks],
            customdata=[[mark.text, axis.name(mark.start)] for mark in one.marks],
            hovertemplate="%{customdata[1]}<br>%{fullData.name}: <b>%{customdata[0]}</b><extra></extra>",
            marker={"color": one.colour, "line": {"width": 0}},
            width=width * (1 - _GAP),
            offset=width * _GAP / 2,
        )
        for one in series
    )
    first = axis.local(axis.start)
    last = axis.local(axis.end)
    figure.update_layout(
        barmode="stack",
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        showlegend=True,
        legend={"orientation": "h", "yanchor": "top", "y": -0.12, "x": 0, "traceorder": "normal", "title": None},
        hovermode="closest",
        uirevision="keep",
    )
    figure.update_xaxes(type="date", range=[first, max(last, first + timedelta(minutes=1))], fixedrange=True, title=None)
    figure.update_yaxes(tickformat=tick_format, rangemode="tozero", fixedrange=True, title=None, nticks=6)
    return figure
