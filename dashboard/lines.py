"""Lines over time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from types import MappingProxyType
from typing import Final

import plotly.graph_objects as go

from dashboard.charts import Mark, Series, TimeAxis

_WIDTHS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
)
_MOST_DOTS: Final = 40


def lines_over_time(series: Sequence[Series], axis: TimeAxis, *, suffix: str, height: int) -> go.Figure:
    """Lines with a point in the middle of each step; where steps have no data the line is broken.

    Args:
        series: the lines.
        axis: the time.
        suffix: what stands behind the ticks of the upright axis, as ` s`.
        height: in pixels.
    """
    width = _WIDTHS[axis.step]
    # The name of a day stands under the middle of it, that of an hour or minute under its beginning.
    middle, shift = (timedelta(), width / 2) if axis.step == "day" else (width / 2, timedelta())
    figure = go.Figure()
    figure.add_traces([_trace(one, axis, middle, width) for one in series])
    figure.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False, hovermode="closest", hoverdistance=40
    )
    figure.update_xaxes(
        type="date", range=[axis.local(axis.start) - shift, axis.local(axis.end) - shift], fixedrange=True, title=None
    )
    figure.update_yaxes(tickformat=",~f", ticksuffix=suffix, rangemode="tozero", fixedrange=True, title=None, nticks=6)
    return figure


def _trace(one: Series, axis: TimeAxis, middle: timedelta, width: timedelta) -> go.Scatter:
    points = list(_with_gaps(one.marks, width))
    return go.Scatter(
        name=escape(one.name),
        x=[axis.local(start) + middle for start, _ in points],
        y=[mark.height if mark else None for _, mark in points],
        customdata=[[mark.text if mark else "", axis.name(start)] for start, mark in points],
        hovertemplate="%{customdata[1]}<br>%{fullData.name}: <b>%{customdata[0]}</b><extra></extra>",
        mode="lines+markers",
        connectgaps=False,
        line={"color": one.colour, "width": 2},
        marker={"color": one.colour, "size": 5 if len(one.marks) <= _MOST_DOTS else 3},
    )


def _with_gaps(marks: Sequence[Mark], width: timedelta) -> Iterator[tuple[datetime, Mark | None]]:
    last: datetime | None = None
    for mark in marks:
        # A day can be an hour longer than others.
        if last is not None and mark.start - last > width * 1.5:
            yield last + width, None
        yield mark.start, mark
        last = mark.start
