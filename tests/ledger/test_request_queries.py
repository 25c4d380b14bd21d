"""Requests page by page and by their ids."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.ledger.request_queries import (
    Key,
    attempts_of,
    content_of,
    key_of,
    page_of_requests,
    price_of,
    request_of,
    requests_with,
)
from tests.factories import NOW, make_failure, make_record
from tests.world import ALWAYS, World, span

_DAY = timedelta(days=1)


def _ids(requests: Any) -> list[str]:
    return [row["record_id"].hex for row in requests]


def test_pages_show_each_request_once(world: World) -> None:
    """The newest first, forwards and back; those of the same moment and those that lie months apart among them."""
    moments = [NOW - timedelta(hours=number // 3 * number) for number in range(50)]
    world.store(*(make_record(started_at=moment) for moment in moments))
    expected = [
        row[0].hex for row in world.rows("select record_id from requests order by started_at desc, record_id desc")
    ]
    pages = [page_of_requests(world.ledger, ALWAYS, limit=7)]
    while pages[-1].has_older:
        pages.append(page_of_requests(world.ledger, ALWAYS, limit=7, before=key_of(pages[-1].requests[-1])))
    back = page_of_requests(world.ledger, ALWAYS, limit=7, after=key_of(pages[2].requests[0]))

    assert [request for page in pages for request in _ids(page.requests)] == expected
    assert [page.has_newer for page in pages] == [False, *[True] * (len(pages) - 1)]
    assert (_ids(back.requests), back.has_newer, back.has_older) == (_ids(pages[1].requests), True, True)
    assert not page_of_requests(world.ledger, ALWAYS, limit=7, after=key_of(pages[1].requests[0])).has_newer


def test_what_comes_in_meanwhile_moves_no_page(world: World) -> None:
    """The next page goes on where the last one ended."""
    world.store(*(make_record(started_at=NOW - timedelta(minutes=minutes)) for minutes in range(4)))
    first = page_of_requests(world.ledger, ALWAYS, limit=2)
    world.store(make_record(started_at=NOW + timedelta(minutes=1)))
    second = page_of_requests(world.ledger, ALWAYS, limit=2, before=key_of(first.requests[-1]))

    assert [row["started_at"] for row in second.requests] == [NOW - timedelta(minutes=minutes) for minutes in (2, 3)]
    assert not second.has_older


def test_a_page_is_of_the_slice(world: World) -> None:
    """From the start on, before the end, and with the conditions met."""
    world.store(*(make_record(started_at=NOW + timedelta(minutes=minutes)) for minutes in (-1, 0, 60)))
    world.store(make_record(team="ads"))

    assert len(page_of_requests(world.ledger, span(NOW, timedelta(hours=1), team=None), limit=9).requests) == 1
    assert page_of_requests(world.ledger, span(NOW, timedelta(0)), limit=9).requests == ()


def test_a_request_has_its_price_its_attempts_and_its_content(world: World) -> None:
    """As far as there are any."""
    first = make_failure(started_at=NOW)
    second = make_record(call_id=first.call_id, attempt=1, started_at=NOW + timedelta(seconds=3))
    world.store(first, second)
    row = request_of(world.ledger, Key(started_at=second.started_at, record_id=world.one(second)["record_id"]))
    other = request_of(world.ledger, Key(started_at=NOW + _DAY, record_id=world.one(second)["record_id"]))

    assert row is not None
    assert (row["record_id"].hex, row["started_at"], other) == (second.record_id, second.started_at, None)
    assert _ids(attempts_of(world.ledger, row)) == [first.record_id, second.record_id]
    assert (price_of(world.ledger, row) or {})["sku_price_id"] == row["sku_price_id"]
    assert content_of(world.ledger, row) is None


@pytest.mark.parametrize("column", ["record_id", "call_id", "request_id", "response_id", "trace_id"])
def test_a_request_is_found_by_each_of_its_ids(world: World, column: str) -> None:
    """With dashes or without; another one is not."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    record = make_record(request_id="req_1", response_id="chatcmpl-1", trace_id=trace_id)
    world.store(record, make_record())
    found = requests_with(world.ledger, getattr(record, column), until=NOW + _DAY, days=3)

    assert _ids(found.requests) == [record.record_id]


def test_a_search_says_how_far_it_looked(world: World) -> None:
    """Ids of the provider are looked for in the last days only; ours are found wherever they are."""
    old = make_record(response_id="chatcmpl-old", started_at=NOW - 40 * _DAY)
    world.store(old, make_record(started_at=NOW - 50 * _DAY))

    def look(text: str, days: int) -> tuple[list[str], datetime | None]:
        found = requests_with(world.ledger, text, until=NOW, days=days)
        return _ids(found.requests), found.looked_back_to

    assert look("chatcmpl-old", 31) == ([], NOW - 31 * _DAY)
    assert look("chatcmpl-old", 40) == ([old.record_id], NOW - 40 * _DAY)
    assert look("chatcmpl-none", 90) == ([], None)
    assert look(old.record_id, 1) == ([old.record_id], None)
    assert look("' or 1 = 1", 90) == ([], None)
