"""The filters of the pages; their values stand in the address, so that a view can be shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import spans
from dashboard.choices import choose_one
from dashboard.formats import plain
from dashboard.source import Source
from dashboard.spans import Span, span_of
from monitor.budgets.periods import Period
from monitor.ledger import queries
from monitor.ledger.scopes import Condition, Slice

NONE_LABEL: Final = "(none)"
"""Stands for requests that have no value."""

_DIMENSIONS: Final[Mapping[str, str]] = MappingProxyType({"service": "Services", "team": "Teams", "model": "Models"})
_OPTIONS_FROM: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What was chosen: a period and tests on dimensions."""

    label: str
    conditions: tuple[Condition, ...]

    def span(self, source: Source) -> Span:
        """The period as it is now."""
        return span_of(self.label, source.clock(), source.time_zone)

    def slice(self, period: Span | Period) -> Slice:
        """The requests of a span or period that meet the tests."""
        return Slice(start=period.start, end=period.end, conditions=self.conditions)


def choose_period(source: Source) -> str:
    """Show the choice of periods and the time zone in which they begin; return the label of the chosen one."""
    with _period_row():
        label = _choose_label()
        tell_time_zone(source)
    return label


def choose(source: Source) -> tuple[Filters, bool]:
    """Show the filters; return what is chosen, and whether the page goes on by itself."""
    with _period_row():
        label = _choose_label()
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="live_row"):
            tell_time_zone(source)
            is_live = st.toggle("Live", value=True, key="live", help="Turn off to pause the page.", bind="query-params")
    conditions = []
    with st.container(horizontal=True, key="filters"):
        for dimension, plural in _DIMENSIONS.items():
            chosen = st.multiselect(
                plural,
                options_of(source, dimension, key=dimension),
                key=dimension,
                placeholder=f"All {plural.lower()}",
                label_visibility="collapsed",
                bind="query-params",
            )
            if chosen:
                conditions.append(Condition(dimension=dimension, values=tuple(map(_value, chosen))))
    return Filters(label=label, conditions=tuple(conditions)), is_live


def tell_time_zone(source: Source) -> None:
    """Show in which time zone all times of the page are."""
    st.caption(f"Times in {plain(source.time_zone)}", width="content")


def _period_row() -> DeltaGenerator:
    return st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="period_row"
    )


def _choose_label() -> str:
    return choose_one("Period", spans.LABELS, key="period", default=spans.DEFAULT)


def options_of(source: Source, dimension: str, *, key: str, has_none: bool = True) -> Sequence[str]:
    """The values of a dimension in the last 30 days, dearest first, and those that the widget `key` holds now."""
    now = source.clock()
    recent = Slice(start=now - _OPTIONS_FROM, end=now)
    found = queries.values_of(source.ledger, recent, dimension)
    names = [name_of(value) for value in found if has_none or value is not None]
    return list(dict.fromkeys([*names, *st.session_state.get(key, [])]))


def name_of(value: str | None) -> str:
    """A value of a dimension as people see it."""
    return NONE_LABEL if value is None else value


def _value(label: str) -> str | None:
    return None if label == NONE_LABEL else label
