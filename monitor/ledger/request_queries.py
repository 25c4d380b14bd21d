"""Single requests: page by page from the newest on, and by their ids.

A page goes on from the last request of the page before, not from a number of requests to leave out: that stays as fast
on the thousandth page, and what comes in meanwhile moves nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Slice, naive, where
from monitor.ledger.usage import rows

_FIRST_LOOK: Final = timedelta(hours=1)
_WIDER: Final = 4
_CALLS_TAKE: Final = timedelta(hours=1)
_MOST_FOUND: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """The place of a request in the order of time; `started_at` is aware UTC."""

    started_at: datetime
    record_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some requests of a slice, the newest first: rows with the columns of `requests`, times aware UTC.

    `has_newer` and `has_older` say whether there are others before and behind.
    """

    requests: tuple[dict[str, Any], ...]
    has_newer: bool
    has_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The requests that have an id, the newest first, and how far back they were looked for; None: everywhere."""

    requests: tuple[dict[str, Any], ...]
    looked_back_to: datetime | None


def page_of_requests(
    ledger: Ledger, span: Slice, *, limit: int, before: Key | None = None, after: Key | None = None
) -> Page:
    """At most `limit` requests of the slice: the newest, those older than `before`, or the next newer than `after`."""
    if after is not None:
        found = _seek(ledger, span, after, limit + 1, newer=True)
        kept = found[:limit][::-1]
        return Page(requests=tuple(kept), has_newer=len(found) > limit, has_older=True)
    found = _seek(ledger, span, before, limit + 1, newer=False)
    return Page(requests=tuple(found[:limit]), has_newer=before is not None, has_older=len(found) > limit)


def key_of(row: dict[str, Any]) -> Key:
    """The place of a row of a page."""
    return Key(started_at=row["started_at"], record_id=row["record_id"])


def request_of(ledger: Ledger, key: Key) -> dict[str, Any] | None:
    """All columns of one request; None where there is none."""
    found = rows(
        ledger, "select * from requests where started_at = ? and record_id = ?", [naive(key.started_at), key.record_id]
    )
    return _aware(found[0]) if found else None


def attempts_of(ledger: Ledger, row: dict[str, Any]) -> list[dict[str, Any]]:
    """All requests of the call that a request belongs to, in order; those of an hour before and after it are seen."""
    start = naive(row["started_at"])
    found = rows(
        ledger,
        "select * from requests where started_at between ? and ? and call_id = ? order by attempt, started_at limit ?",
        [start - _CALLS_TAKE, start + _CALLS_TAKE, row["call_id"], _MOST_FOUND],
    )
    return [_aware(one) for one in found]


def content_of(ledger: Ledger, row: dict[str, Any]) -> dict[str, Any] | None:
    """What is kept of a request's body and answer: `request`, `answer`, `is_cut`; None where nothing is."""
    found = rows(
        ledger,
        "select request, answer, is_cut from contents where started_at = ? and record_id = ?",
        [naive(row["started_at"]), row["record_id"]],
    )
    return found[0] if found else None


def price_of(ledger: Ledger, row: dict[str, Any]) -> dict[str, Any] | None:
    """The entry of `prices` by which a request was priced; None where there is none."""
    found = rows(
        ledger,
        "select * from prices where sku_price_id = ? order by added_at desc limit 1",
        [row["sku_price_id"]],
    )
    return found[0] if found else None


def discount_of(ledger: Ledger, row: dict[str, Any]) -> dict[str, Any] | None:
    """The factors, by class of cost, of the discount that a request had; None where it had none."""
    found = rows(ledger, "select * from discount_factors where discount_id = ?", [row["discount_id"]])
    return found[0] if found else None


def requests_with(ledger: Ledger, text: str, *, until: datetime, days: int) -> Found:
    """The requests with this record, call, response, request or trace id.

    Ids of ours are found wherever they are. Others are looked for from `until` backwards, in stretches that grow, at
    most so many days; the search ends with the first stretch that has any.
    """
    found = _with_our_id(ledger, text)
    if found:
        return Found(requests=tuple(found), looked_back_to=None)
    first = _first(ledger)
    end = naive(until)
    length = 1
    while days > 0 and first is not None and end > first:
        start = end - timedelta(days=min(length, days))
        found = _with_foreign_id(ledger, text, start, end)
        if found:
            return Found(requests=tuple(found), looked_back_to=start.replace(tzinfo=UTC))
        end, days, length = start, days - length, length * 2
    looked_back_to = None if first is None or end <= first else end.replace(tzinfo=UTC)
    return Found(requests=(), looked_back_to=looked_back_to)


def _with_foreign_id(ledger: Ledger, text: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The requests of a stretch of time whose response, request or trace id this is."""
    tests = {"response_id": text, "request_id": text, "trace_id": text.replace("-", "").lower()}
    within = "started_at >= ? and started_at < ?"
    # Each by itself: a column is passed over in parts, a choice between several is not.
    keys = rows(
        ledger,
        " union all ".join(f"select started_at from requests where {within} and {name} = ?" for name in tests),
        [value for wanted in tests.values() for value in (start, end, wanted)],
    )
    if not keys:
        return []
    moments = [row["started_at"] for row in keys]
    found = rows(
        ledger,
        f"select * from requests where started_at between ? and ? and ({' or '.join(f'{name} = ?' for name in tests)})"
        " order by started_at desc, record_id desc limit ?",
        [min(moments), max(moments), *tests.values(), _MOST_FOUND],
    )
    return [_aware(row) for row in found]


def _seek(ledger: Ledger, span: Slice, key: Key | None, limit: int, *, newer: bool) -> list[dict[str, Any]]:
    """The next requests from a place on, searched for in stretches of time that grow."""
    scope = where(span.conditions)
    if key is not None:
        moment = naive(key.started_at)
        sign = ">" if newer else "<"
        scope.also(f"(started_at {sign} ? or (started_at = ? and record_id {sign} ?))", moment, moment, key.record_id)
    order = "asc" if newer else "desc"
    found: list[dict[str, Any]] = []
    for start, end in _stretches(span, key, newer=newer):
        if len(found) >= limit:
            break
        found += rows(
            ledger,
            f"select started_at, record_id from requests where started_at >= ? and started_at < ? and {scope.sql}"
            f" order by started_at {order}, record_id {order} limit ?",
            [start, end, *scope.values, limit - len(found)],
        )
    return _whole(ledger, found, order)


def _whole(ledger: Ledger, keys: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """All columns of these requests, read in one go."""
    if not keys:
        return []
    moments = [key["started_at"] for key in keys]
    found = rows(
        ledger,
        "select * from requests where started_at between ? and ?"
        f" and record_id in ({', '.join('?' * len(keys))}) order by started_at {order}, record_id {order}",
        [min(moments), max(moments), *(key["record_id"] for key in keys)],
    )
    return [_aware(row) for row in found]


def _stretches(span: Slice, key: Key | None, *, newer: bool) -> Iterator[tuple[datetime, datetime]]:
    """The slice from the place on, cut into stretches (ledger times) of which each is longer than the one before."""
    first, last = naive(span.start), naive(span.end)
    if key is not None and newer:
        first = max(first, naive(key.started_at))
    elif key is not None:
        last = min(last, naive(key.started_at) + timedelta(microseconds=1))
    length = _FIRST_LOOK
    while first < last:
        if newer:
            edge = min(first + length, last)
            yield first, edge
            first = edge
        else:
            edge = max(last - length, first)
            yield edge, last
            last = edge
        length *= _WIDER


def _first(ledger: Ledger) -> datetime | None:
    (found,) = rows(ledger, "select min(hour) as first from usage_hourly", [])
    first: datetime | None = found["first"]
    return first


def _with_our_id(ledger: Ledger, text: str) -> list[dict[str, Any]]:
    record_id = _uuid(text)
    if record_id is None:
        return []
    # They begin with their time: nearly all parts of the table are passed over. Not so with both in one condition.
    found = rows(
        ledger,
        "select * from requests where record_id = ? union select * from requests where call_id = ?",
        [record_id, record_id],
    )
    return sorted(map(_aware, found), key=lambda row: (row["started_at"], row["record_id"]), reverse=True)[:_MOST_FOUND]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _aware(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"started_at": row["started_at"].replace(tzinfo=UTC)}
