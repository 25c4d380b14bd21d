"""Lines over time."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Final

import plotly.graph_objects as go

from dashboard.charts import COUNTS, Mark, Series, TimeAxis, over_time, shift_of

_MOST_DOTS: Final = 40


def lines_over_time(series: Sequence[Series], axis: TimeAxis, *, suffix: str, height: int) -> go.Figure:
    """Lines with a point in the middle of each step; where steps have no data the line is broken.

    Args:
        series: the lines.
        axis: the time.
        suffix: what stands behind the ticks of the upright axis, as ` s`.
        height: in pixels.
    """
    figure = over_time([_trace(one, axis) for one in series], axis, height=height)
    figure.update_yaxes(tickformat=COUNTS, ticksuffix=suffix)
    return figure


def _trace(one: Series, axis: TimeAxis) -> go.Scatter:
    points = list(_with_gaps(one.marks, axis.width))
    middle = axis.width / 2 - shift_of(axis)
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
