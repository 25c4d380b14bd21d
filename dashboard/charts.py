"""The charts. Streamlit's theme gives fonts, grid and ground; here are only the colours of the data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboard.formats import weekday
from dashboard.source import Source
from dashboard.spans import Span

_MILLISECONDS: Final[Mapping[str, int]] = MappingProxyType({"minute": 60_000, "hour": 3_600_000, "day": 86_400_000})
_GAP: Final = 0.12
_FEW: Final = 6

COUNTS: Final = ",~f"
"""How the ticks of an axis of counts are written."""

DOLLARS: Final = "$,~f"
"""How the ticks of an axis of USD are written."""

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
    # The name of a day stands under the middle of its bar, that of an hour or minute under its beginning.
    shift = timedelta(milliseconds=width / 2 if axis.step == "day" else 0)
    figure = go.Figure()
    figure.add_traces([_trace(one, axis, width, shift) for one in series])
    figure.update_layout(
        barmode="stack",
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        showlegend=False,
        hovermode="closest",
    )
    figure.update_xaxes(
        type="date", range=[axis.local(axis.start) - shift, axis.local(axis.end) - shift], fixedrange=True, title=None
    )
    figure.update_yaxes(tickformat=tick_format, rangemode="tozero", fixedrange=True, title=None, nticks=6)
    if tick_format == COUNTS and _tallest(series) < _FEW:
        figure.update_yaxes(dtick=1)
    return figure


def _trace(one: Series, axis: TimeAxis, width: int, shift: timedelta) -> go.Bar:
    left = width * _GAP / 2 - shift / timedelta(milliseconds=1)
    return go.Bar(
        name=escape(one.name),
        x=[axis.local(mark.start) for mark in one.marks],
        y=[mark.height for mark in one.marks],
        customdata=[[mark.text, axis.name(mark.start)] for mark in one.marks],
        hovertemplate="%{customdata[1]}<br>%{fullData.name}: <b>%{customdata[0]}</b><extra></extra>",
        marker={"color": one.colour, "line": {"width": 0}},
        width=width * (1 - _GAP),
        offset=left,
    )


def _tallest(series: Sequence[Series]) -> float:
    heights: Counter[datetime] = Counter()
    for mark in (mark for one in series for mark in one.marks):
        heights[mark.start] += mark.height  # type: ignore[assignment] # a Counter of floats
    return max(heights.values(), default=0)


def legend(series: Sequence[Series]) -> str:
    """The HTML of a legend; Plotly's own one lies over the chart where the screen is narrow."""
    names = "".join(f'<span style="--colour:{one.colour}">{escape(one.name)}</span>' for one in series)
    return f'<div class="om-legend">{names}</div>'


def axis_of(source: Source, span: Span) -> TimeAxis:
    """The time axis of a span, in whole steps: it stays the same until a step begins."""
    width = timedelta(milliseconds=_MILLISECONDS[span.step])
    zone = ZoneInfo(source.time_zone)
    start, last = (_step_start(moment.astimezone(zone), span.step) for moment in (span.start, span.now))
    return TimeAxis(start=start, end=last + width, step=span.step, time_zone=source.time_zone)


def _step_start(local: datetime, step: str) -> datetime:
    minute = local.replace(second=0, microsecond=0)
    if step == "minute":
        return minute
    return minute.replace(minute=0) if step == "hour" else minute.replace(hour=0, minute=0)
