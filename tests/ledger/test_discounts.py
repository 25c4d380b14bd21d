"""What is paid at the user's discounts: by whom, when, of which class; and every sum of it is exact."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.columns import CONTRACTED_COLUMNS
from monitor.ledger.discounts import store_discounts
from monitor.pricing.figures import CLASSES
from monitor.pricing.installed import Pricer
from monitor.pricing.own import OwnPrices
from monitor.records import Record
from tests.factories import NOW, make_failure, make_record, make_usage
from tests.ledger.work_records import begun, polled
from tests.pricing.contracts import make_discount
from tests.pricing.own_rows import book_with
from tests.world import ALWAYS, World, price_book

_LIST_COST = Decimal("0.0035")
_DAY = timedelta(days=1)


def _paid(world: World, record: Record) -> Decimal | None:
    paid: Decimal | None = world.one(record)["contracted_cost"]
    return paid


def _stored(world: World, *discounts: Any, **facts: Any) -> Decimal | None:
    """What is paid for a request of a list cost of 0.0035, with these discounts."""
    record = make_record(**facts)
    world.drain.use(book_with(*discounts))
    world.store(record)
    return _paid(world, record)


def test_without_a_discount_nothing_stands_beside_the_list_cost(world: World) -> None:
    """And what is paid in all is the list cost."""
    assert _stored(world) is None
    assert queries.totals(world.ledger, ALWAYS).contracted_cost == _LIST_COST


def test_a_discount_is_taken_off_every_class(shared: World) -> None:
    """The parts come to the whole, and the request names the discount."""
    discount = make_discount("0.85")
    record = make_record(usage=make_usage(input_tokens=1_000, cache_read_input_tokens=400, output_tokens=10))
    shared.drain.use(book_with(discount))
    shared.store(record)
    row = shared.one(record)

    assert row["discount_id"] == discount.id
    assert row["contracted_cost"] == row["list_cost"] * Decimal("0.85")
    assert sum(row[name] for name in CONTRACTED_COLUMNS[1:]) == row["contracted_cost"]


def test_a_discount_on_a_class_leaves_the_others(shared: World) -> None:
    """Half of the input (0.0025), all of the output."""
    assert _stored(shared, make_discount({"input": "0.5"})) == _LIST_COST - Decimal("0.00125")


def test_a_margin_is_a_factor_above_one(shared: World) -> None:
    """Ten percent more are paid."""
    assert _stored(shared, make_discount("1.1")) == Decimal("0.00385")


@pytest.mark.parametrize(
    ("closer", "facts"),
    [
        ({"key": "k1"}, {"project": "p1"}),
        ({"project": "p1"}, {"model": "gpt-4o*"}),
        ({"model": "gpt-4o*"}, {"provider": "openai"}),
        ({"provider": "openai"}, {}),
    ],
)
def test_the_closest_discount_holds_alone(shared: World, closer: dict[str, str], facts: dict[str, str]) -> None:
    """Key, then project, then model, then provider; they are not multiplied, and the later of two does not win."""
    close = make_discount("0.5", **closer)
    wide = make_discount("0.1", created_at=NOW + _DAY, **facts)

    assert _stored(shared, close, wide, key_fingerprint="k1", sub_account_id="p1") == _LIST_COST / 2


@pytest.mark.parametrize(
    "facts", [{"key": "k2"}, {"project": "p2"}, {"model": "gpt-5*"}, {"provider": "azure"}, {"valid_to": NOW}]
)
def test_a_discount_for_others_does_not_hold(shared: World, facts: dict[str, Any]) -> None:
    """Nor one that has ended; a request that tells no project has that of no project."""
    assert _stored(shared, make_discount("0.5", **facts)) is None


@pytest.mark.parametrize(("at", "paid"), [(-1, None), (0, "0.5"), (1, "0.5"), (2, "0.9"), (3, None)])
def test_discounts_hold_from_and_until_a_moment(shared: World, at: int, paid: str | None) -> None:
    """The one with the earlier end is followed by the other; the moment of the end is not in it."""
    one = make_discount("0.5", valid_from=NOW, valid_to=NOW + 2 * _DAY)
    other = make_discount("0.9", valid_from=NOW + 2 * _DAY, valid_to=NOW + 3 * _DAY)

    found = _stored(shared, one, other, started_at=NOW + at * _DAY)

    assert found == (None if paid is None else _LIST_COST * Decimal(paid))


def test_what_is_said_later_holds_for_what_comes_later(world: World) -> None:
    """Those who were asked about before are asked about again; the removed discount is still known."""
    one, other = make_discount("0.5"), make_discount("0.9")
    first = _stored(world, one)
    second = _stored(world, other)
    third = _stored(world)

    assert (first, second, third) == (_LIST_COST / 2, _LIST_COST * Decimal("0.9"), None)
    assert world.rows("select discount_id, is_current from discount_factors order by 1") == [
        (one.id, False),
        (other.id, False),
    ]


def test_storing_the_same_discounts_again_changes_nothing(shared: World) -> None:
    """Nobody is asked about again for it."""
    own = book_with(make_discount("0.5")).own
    _stored(shared, *own.discounts)

    assert [store_discounts(shared.ledger, own), store_discounts(shared.ledger, OwnPrices())] == [0, 1]


def test_a_failed_request_pays_nothing(world: World) -> None:
    """And an unpriced one is not known to cost nothing."""
    world.drain.use(book_with(make_discount("0.5")))
    records = [make_failure(), make_record(response_model="gpt-99")]
    world.store(*records)

    assert [(_paid(world, record), world.one(record)["discount_id"]) for record in records] == [(None, None)] * 2
    assert queries.totals(world.ledger, ALWAYS).contracted_cost is None


def test_usage_that_comes_late_is_paid_at_the_discount(world: World) -> None:
    """Of the request that began the work; all sums agree to the last digit."""
    world.drain.use(book_with(make_discount("0.5")))
    first, later = begun(), polled()
    world.store(first)
    world.store(later, make_record())

    assert _paid(world, first) == _LIST_COST / 2
    assert queries.totals(world.ledger, ALWAYS).contracted_cost == _LIST_COST
    assert check(world.ledger).faults == ()


def test_a_corrected_request_loses_what_it_paid(world: World) -> None:
    """An estimate was paid at the discount, the stated usage after its end is not: no rest is left in any sum."""
    estimate = begun(usage=make_usage(input_tokens=77), usage_source="estimated", answer_status="in_progress")
    world.drain.use(book_with(make_discount("0.123457")))
    world.store(estimate)
    world.drain.use(price_book())
    world.store(polled())

    assert _paid(world, estimate) is None
    assert queries.totals(world.ledger, ALWAYS).contracted_cost == _LIST_COST
    assert check(world.ledger).faults == ()


def _random_record(chance: random.Random) -> Record:
    return make_record(
        usage=make_usage(
            input_tokens=chance.randrange(10**6),
            cache_read_input_tokens=chance.randrange(1_000),
            output_tokens=chance.randrange(10**5),
        ),
        response_model=chance.choice(["gpt-4o-2024-08-06", "gpt-5-mini", "gpt-99", "o3"]),
        started_at=NOW + chance.randrange(-3, 3) * _DAY,
        key_fingerprint=chance.choice([None, "k1", "k2"]),
        sub_account_id=chance.choice([None, "p1", "p2"]),
        tool_calls=chance.choice([None, {"web_search": 3}]),
        team=chance.choice([None, "search", "ads"]),
        user=chance.choice([None, "u1", "u2"]),
    )


_DISCOUNTS = (
    make_discount("0.987654"),
    make_discount({"tools": "0", "output": "0.333333"}, model="gpt-5*", valid_from=NOW),
    make_discount("1.070707", project="p1", valid_to=NOW + _DAY),
    make_discount({"input": "0.123456", "cache_read": "1.5"}, key="k2", provider="openai"),
)


def test_what_is_paid_is_what_a_program_is_told(world: World) -> None:
    """SQL and Python say the same to the last digit: cost, classes, discount; and all sums agree."""
    chance = random.Random(5)
    book = book_with(*_DISCOUNTS)
    world.drain.use(book)
    records = [_random_record(chance) for _ in range(300)]
    world.store(*records[:100])
    world.store(*records[100:])
    price = Pricer(book)
    columns = ", ".join(f"contracted_{name}_cost" for name in CLASSES)
    asked = f"select record_id, contracted_cost, discount_id, tool_sku_price_id, {columns} from requests"
    stored = {row[0].hex: row[1:] for row in world.rows(asked)}
    told = {record.record_id: price(record) for record in records}

    assert {name: stored[name][:3] for name in told} == {
        name: (found.contracted_cost, found.discount_id, found.tool_sku_price_id) for name, found in told.items()
    }
    assert all(
        [*found.contracted_classes.values()] == [*filter(_is_known, stored[name][3:])] for name, found in told.items()
    )
    assert check(world.ledger).faults == ()


def _is_known(value: object) -> bool:
    return value is not None


def test_reports_of_any_shape_add_up(world: World) -> None:
    """By any dimension and day, what is paid comes to the sum over the requests."""
    chance = random.Random(6)
    world.drain.use(book_with(*_DISCOUNTS))
    world.store(*(_random_record(chance) for _ in range(200)))
    expected = world.value("select sum(coalesce(contracted_cost, list_cost)) from requests")
    days = queries.series(world.ledger, _week(), step="day", time_zone="Asia/Kolkata", dimension="team")

    for dimension in ("model", "user", "key_fingerprint", "team"):
        groups = queries.by_dimension(world.ledger, ALWAYS, dimension)
        assert sum(group.totals.contracted_cost or 0 for group in groups) == expected
    assert sum(point.totals.contracted_cost or 0 for point in days) == expected


def _week() -> Any:
    start = datetime(2026, 11, 15, tzinfo=UTC)
    return type(ALWAYS)(start=start, end=start + 10 * _DAY)
