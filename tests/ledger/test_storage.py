"""Vector stores in the ledger: from the bodies of answers to cents, once, whatever is read twice or late."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.ledger.retention import forget
from monitor.ledger.storage_queries import Storage, storage
from monitor.pricing.installed import installed_price_book
from monitor.pricing.own import OwnPrice, OwnPrices
from monitor.records import Record, Usage
from tests.capture.told_units import told_by
from tests.factories import NOW, make_record
from tests.world import World, fields_of, line_of, price_book

_GIB = 2**30
_START = datetime(2026, 11, 10, tzinfo=UTC)
_DAY = timedelta(days=1)


def _answered(place: str, body: object, *, days: float = 0, **changes: Any) -> Record:
    """The record of such an answer, so many days after the start."""
    facts: dict[str, Any] = {
        "usage": Usage(),
        "operation_name": "retrieve_vector_store",
        "endpoint": "/vector_stores/{id}",
        "request_model": None,
        "response_model": None,
        "is_billable": False,
        "usage_source": "none",
        "billing_account_id": "org-1",
        "started_at": _START + days * _DAY,
    }
    return make_record(**(facts | told_by(place, body) | changes))


def _retrieved(
    gib: float, store: str = "vs_1", *, days: float = 0, body: dict[str, Any] | None = None, **changes: Any
) -> Record:
    found = {"id": store, "object": "vector_store", "usage_bytes": int(gib * _GIB), "status": "completed"}
    return _answered("GET /vector_stores/vs_1", found | (body or {}), days=days, **changes)


def _deleted(store: str = "vs_1", *, days: float = 0) -> Record:
    return _answered("DELETE /vector_stores/vs_1", {"id": store, "deleted": True}, days=days)


def _asked(world: World, *, start: float = 0, days: float = 2) -> Storage:
    return storage(world.ledger, price_book, _START + start * _DAY, _START + days * _DAY)


def _costs(world: World, *, days: float = 2) -> list[tuple[int, Decimal | None]]:
    return [(one.day.day, one.list_cost) for one in _asked(world, days=days).days if one.day is not None]


def test_two_stores_of_an_organisation_share_what_is_free(world: World) -> None:
    """One as a page of a list told it, the other as its making did."""
    page = {"object": "list", "data": [{"id": "vs_1", "usage_bytes": 2 * _GIB, "status": "completed"}]}
    made = {"id": "vs_2", "usage_bytes": _GIB // 2, "status": "in_progress"}
    world.store(_answered("GET /vector_stores", page), _answered("POST /vector_stores", made, days=1))

    assert _costs(world) == [(10, Decimal("0.1")), (11, Decimal("0.15"))]
    assert _asked(world).total.list_cost == Decimal("0.25")


def test_growth_deletion_and_expiry_count_from_their_moment(world: World) -> None:
    """A store that has a last moment ends there, though nobody asks about it again."""
    end = int((_START + 1.5 * _DAY).timestamp())
    world.store(
        _retrieved(1),
        _retrieved(3, days=0.5),
        _deleted(days=1),
        _retrieved(4, "vs_2", days=1, body={"expires_at": end, "expires_after": {"days": 7}}),
    )

    assert _costs(world, days=4) == [(10, Decimal("0.1")), (11, Decimal("0.1"))]
    assert [(one.store_id, one.size) for one in _asked(world).stores] == [("vs_1", 0), ("vs_2", 0)]
    assert _asked(world, days=1.25).stores[0].gib == 4


def test_prices_can_be_ones_own_from_a_day_on(world: World) -> None:
    """The list has the days before."""
    world.store(_retrieved(3))
    prices = {"storage:vector_store": Decimal("0.08")}
    own = OwnPrice(
        id="p", created_at=NOW, provider="openai", model="vector_store", valid_from=_START + _DAY, prices=prices
    )
    book = installed_price_book(own=OwnPrices(prices=(own,)))
    found = storage(world.ledger, lambda: book, _START, _START + 2 * _DAY)

    assert [one.list_cost for one in found.days] == [Decimal("0.2"), Decimal("0.16")]


def test_a_host_without_a_price_is_unknown(world: World) -> None:
    """Its GiB are told apart, and the others' cost stands."""
    world.store(_retrieved(3), _retrieved(2, "vs_2", provider_name="azure.ai.openai"))
    found = _asked(world, days=1).total

    assert [found.gib_days, found.unpriced_gib_days, found.list_cost] == [Decimal(5), Decimal(2), Decimal("0.2")]


def test_only_unpriced_stores_cost_an_unknown_amount(world: World) -> None:
    """Not nothing."""
    world.store(_retrieved(2, provider_name="azure.ai.openai"))

    assert (_asked(world).total.list_cost, _asked(world).total.charged_gib_days) == (None, None)


def test_what_is_read_twice_counts_once(world: World) -> None:
    """The same line again, in the same load and in another; and by another writer."""
    record = _retrieved(2)
    world.store(record, record)
    world.store(record)
    world.forge(line_of(fields_of(record)))
    world.drain.run()

    assert world.value("select count(*) from stored_bytes") == 1
    assert _asked(world).total.list_cost == Decimal("0.2")


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_the_order_of_loads_changes_nothing(world: World, order: tuple[int, ...]) -> None:
    """What comes in late stands where it belongs."""
    records = (_retrieved(2), _retrieved(4, days=0.5), _deleted(days=1.5))
    for place in order:
        world.store(records[place])

    assert _costs(world) == [(10, Decimal("0.2")), (11, Decimal("0.1"))]


def test_a_store_that_says_the_same_is_seen_but_changes_nothing(world: World) -> None:
    """Of many polls the last tells when it was seen."""
    world.store(*(_retrieved(2, days=number / 100) for number in range(50)))
    found = _asked(world)

    assert found.total.list_cost == Decimal("0.2")
    assert [one.last_seen_at for one in found.stores] == [_START + 0.49 * _DAY]


def test_a_store_has_the_organisation_that_any_answer_told(world: World) -> None:
    """So that it shares what is free there."""
    world.store(_retrieved(1, billing_account_id=None), _retrieved(1, days=1), _retrieved(1, "vs_2"))

    assert _costs(world) == [(10, Decimal("0.1")), (11, Decimal("0.1"))]
    assert {one.billing_account_id for one in _asked(world).stores} == {"org-1"}


def test_parts_of_a_span_come_to_the_whole(world: World) -> None:
    """What was said before a span holds in it, what is said after does not."""
    world.store(_retrieved(2), _retrieved(4, days=0.5), _retrieved(8, days=3))
    parts = [_asked(world, start=number, days=number + 1).total.list_cost for number in range(5)]

    assert parts == [one.list_cost for one in _asked(world, days=5).days]


def test_sizes_go_with_their_requests_but_the_last_of_each_store_stays(world: World) -> None:
    """It still holds."""
    world.store(*(_retrieved(2, days=-days) for days in (300, 200, 199)), _retrieved(5, "vs_2", days=-300))
    world.store(_retrieved(3, days=1))
    forget(world.ledger, requests=timedelta(days=100), rollup=None, pieces=timedelta(days=100))

    assert world.value("select count(*) from requests") == 1
    assert world.rows("select store_id, count(*) from stored_bytes group by all order by 1") == [
        ("vs_1", 2),
        ("vs_2", 1),
    ]
    assert _costs(world) == [(10, Decimal("0.6")), (11, Decimal("0.7"))]


def test_odd_lines_of_others_are_stored(world: World) -> None:
    """As a line that is not from here may be: what cannot be is no size, and no end."""
    odd: list[dict[str, Any]] = [
        {"stored_bytes": {"vs_1": None, "": 5, "vs_2": -1}},
        {"stored_bytes": {"vs_3": 2**62}, "stored_until": {"vs_3": 2**62, "vs_2": 1}},
        {"stored_bytes": {}, "stored_until": {"vs_1": 1}},
        {"stored_until": {"vs_1": 1}},
    ]
    world.forge(*(line_of(fields_of(make_record()) | each) for each in odd))
    world.drain.run()

    assert world.value("select count(*) from requests") == len(odd)
    assert world.rows("select store_id, bytes, expires_at from stored_bytes") == [("vs_3", 2**62, None)]


def test_a_load_without_stores_keeps_nothing(world: World) -> None:
    """And the question costs no prices."""

    def no_book() -> Any:
        raise AssertionError

    world.store(make_record())
    found = storage(world.ledger, no_book, _START, _START + _DAY)

    assert (found.days, found.stores, found.total.list_cost) == ((), (), Decimal())
