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

_WIDTHS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
)
_MILLISECOND: Final = timedelta(milliseconds=1)
# What stands behind the line break is shown where it changes.
_TIME: Final = "%H:%M\n%-d %b"
_DAY: Final = "%-d %b"
_GAP: Final = 0.12
_FEW: Final = 6
_TICKS: Final = 6

COUNTS: Final = ",~f"
"""How the ticks of an axis of counts are written."""

DOLLARS: Final = "$,~f"
"""How the ticks of an axis of USD are written."""

CENTS: Final = "$,.2f"
"""The same where the ticks lie between whole dollars: `$0.50`, not `$0.5`."""

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

    @property
    def width(self) -> timedelta:
        """How long a step is; a day in which clocks change is an hour off."""
        return _WIDTHS[self.step]

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
    figure = over_time([_trace(one, axis) for one in series], axis, height=height)
    tallest = _tallest(series)
    figure.update_layout(barmode="stack")
    figure.update_yaxes(tickformat=CENTS if tick_format == DOLLARS and _has_cents(tallest) else tick_format)
    if tick_format == COUNTS and tallest < _FEW:
        figure.update_yaxes(dtick=1)
    return figure


def over_time(traces: Sequence[go.Bar | go.Scatter], axis: TimeAxis, *, height: int) -> go.Figure:
    """The traces over a time axis and above zero."""
    figure = go.Figure(traces)
    figure.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False, hovermode="closest", hoverdistance=40
    )
    shift = shift_of(axis)
    figure.update_xaxes(
        type="date",
        range=[axis.local(axis.start) - shift, axis.local(axis.end) - shift],
        tickformat=_DAY if axis.step == "day" else _TIME,
        fixedrange=True,
        title=None,
    )
    figure.update_yaxes(rangemode="tozero", fixedrange=True, title=None, nticks=_TICKS)
    return figure


def shift_of(axis: TimeAxis) -> timedelta:
    """How far to the left all is drawn: the name of a day stands under its middle, of an hour under its beginning."""
    return axis.width / 2 if axis.step == "day" else timedelta()


def _has_cents(tallest: float) -> bool:
    """Whether the ticks are parts of a dollar, and none is a part of a cent."""
    return _TICKS / 200 < tallest <= _TICKS / 2


def _trace(one: Series, axis: TimeAxis) -> go.Bar:
    width = axis.width / _MILLISECOND
    return go.Bar(
        name=escape(one.name),
        x=[axis.local(mark.start) for mark in one.marks],
        y=[mark.height for mark in one.marks],
        customdata=[[mark.text, axis.name(mark.start)] for mark in one.marks],
        hovertemplate="%{customdata[1]}<br>%{fullData.name}: <b>%{customdata[0]}</b><extra></extra>",
        marker={"color": one.colour, "line": {"width": 0}},
        width=width * (1 - _GAP),
        offset=width * _GAP / 2 - shift_of(axis) / _MILLISECOND,
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
    zone = ZoneInfo(source.time_zone)
    start, last = (_step_start(moment.astimezone(zone), span.step) for moment in (span.start, span.now))
    return TimeAxis(start=start, end=last + _WIDTHS[span.step], step=span.step, time_zone=source.time_zone)


def _step_start(local: datetime, step: str) -> datetime:
    minute = local.replace(second=0, microsecond=0)
    if step == "minute":
        return minute
    return minute.replace(minute=0) if step == "hour" else minute.replace(hour=0, minute=0)
