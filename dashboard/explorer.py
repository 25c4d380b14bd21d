"""A list of single requests, page by page, and the requests that have an id."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from dashboard import formats
from dashboard.cells import moment, name, outcome
from dashboard.filters import Filters
from dashboard.headings import heading
from dashboard.latest import cost
from dashboard.source import Source
from dashboard.spans import Span
from dashboard.tables import Cell, Column, table
from monitor.ledger import request_queries
from monitor.ledger.request_queries import Key, Page

REQUEST: Final = "request"
"""The name in the address of the request that is shown with all that is known of it."""

_BEFORE: Final = "before"
_AFTER: Final = "after"
_AT_ONCE: Final = 50
_DAYS: Final = 31
_COLUMNS: Final = (
    Column(label="Time"),
    Column(label="Service", fit="cut"),
    Column(label="Team", fit="cut"),
    Column(label="User", fit="cut"),
    Column(label="Model", fit="cut"),
    Column(label="Endpoint", fit="cut"),
    Column(label="Tokens in", fit="right"),
    Column(label="Tokens out", fit="right"),
    Column(label="Cost", fit="right"),
    Column(label="Duration", fit="right"),
    Column(label="Outcome"),
    Column(label="Call site", fit="cut front"),
)


def show_page(source: Source, filters: Filters) -> None:
    """The newest requests of the period, or those that the buttons below lead to."""
    span = filters.span(source)
    page = request_queries.page_of_requests(
        source.ledger, filters.slice(span), limit=_AT_ONCE, before=_key_in(_BEFORE), after=_key_in(_AFTER)
    )
    heading("requests_list", "Requests")
    if page.requests:
        st.html(list_of(source, span, page.requests))
    else:
        st.info("No requests here with these filters.", icon=":material/search_off:")
    _show_ways(page)


def show_found(source: Source, filters: Filters, text: str) -> None:
    """The requests that have this id."""
    span = filters.span(source)
    found = request_queries.requests_with(source.ledger, text, until=span.end, days=_DAYS)
    heading("requests_found", "Requests with this id")
    if found.requests:
        st.html(list_of(source, span, found.requests))
    else:
        where = "" if found.looked_back_to is None else f" since {found.looked_back_to:%Y-%m-%d}"
        st.info(
            f"No request{where} has this id. Record and call ids are found however old they are; others are looked for "
            f"in the last {_DAYS} days.",
            icon=":material/search_off:",
        )


def list_of(source: Source, span: Span, requests: Sequence[Mapping[str, Any]]) -> str:
    """The table of requests; the time of each leads to all that is known of it."""
    return table(_COLUMNS, [_row(row, source, span) for row in requests])


def text_of(key: Key) -> str:
    """A place in the order of time as it stands in the address."""
    return f"{key.started_at.isoformat()}_{key.record_id.hex}"


def key_of(text: str) -> Key | None:
    """The place that stands in the address; None where somebody changed it."""
    begin, _, record_id = text.partition("_")
    try:
        key = Key(started_at=datetime.fromisoformat(begin), record_id=UUID(record_id))
    except ValueError:
        return None
    return key if key.started_at.tzinfo is not None else None


def _row(row: Mapping[str, Any], source: Source, span: Span) -> Sequence[Cell | str]:
    attempt = f" (attempt {row['attempt'] + 1})" if row["attempt"] else ""
    ended = outcome(row)
    time = moment(row["started_at"], source, span.now)
    place = Key(started_at=row["started_at"], record_id=row["record_id"])
    return (
        Cell(text=time.text, title=time.title, link=_address(text_of(place))),
        name(row["service"]),
        name(row["team"]),
        name(row["user"]),
        name(row["model"] or row["request_model"]),
        name(row["endpoint"]),
        formats.count(row["input_tokens"]),
        formats.count(row["output_tokens"]),
        cost(row),
        formats.duration(row["duration"]),
        Cell(text=f"{ended.text}{attempt}", tone=ended.tone, title=ended.title),
        name(row["call_site"]),
    )


def _address(request: str) -> str:
    """The address of this page as it is now, with this request shown."""
    return f"?{urlencode({**st.query_params.to_dict(), REQUEST: request})}"


def _key_in(param: str) -> Key | None:
    text = st.query_params.get(param)
    return None if text is None else key_of(text)


def _show_ways(page: Page) -> None:
    with st.container(horizontal=True, key="ways"):
        if st.button("Newest", icon=":material/first_page:", disabled=not page.has_newer):
            _go(None, None)
        newer = st.button("Newer", icon=":material/chevron_left:", disabled=not page.has_newer)
        older = st.button("Older", icon=":material/chevron_right:", disabled=not page.has_older)
        if newer and page.requests:
            _go(_AFTER, page.requests[0])
        if older and page.requests:
            _go(_BEFORE, page.requests[-1])


def _go(way: str | None, row: dict[str, Any] | None) -> None:
    for name_in_address in (_BEFORE, _AFTER):
        st.query_params.pop(name_in_address, None)
    if way is not None and row is not None:
        st.query_params[way] = text_of(request_queries.key_of(row))
    st.rerun()
