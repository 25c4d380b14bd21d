"""Re-pricing: the preview says what is done, all of it or nothing, once, and every sum follows to the last digit."""

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.costs import cost_columns
from monitor.ledger.digests import digest
from monitor.ledger.ledger import Ledger
from monitor.ledger.reprice import Repricing, apply, preview
from monitor.ledger.retention import forget
from monitor.ledger.scopes import Condition, Slice
from monitor.pricing.book import PriceBook
from monitor.records import Record
from tests.factories import NOW, make_failure, make_record, make_usage
from tests.ledger.work_records import begun, polled
from tests.pricing.contracts import make_discount
from tests.pricing.own_rows import book_with, own_price
from tests.world import ALWAYS, DyingError, DyingLedger, World, price_book

_DAY = timedelta(days=1)
_TABLES = ("requests", "prices", "repricings", "repriced_requests", "usage_hourly", "usage_daily", "changed_hours")


def _crowd() -> list[Record]:
    """Some of all that there is."""
    chance = random.Random(4)
    usual = [
        make_record(
            usage=make_usage(input_tokens=chance.randrange(10**6), output_tokens=chance.randrange(10**5)),
            response_model=chance.choice(["gpt-4o-2024-08-06", "gpt-5-mini", "gpt-99"]),
            started_at=NOW - chance.randrange(72) * timedelta(hours=1),
            team=chance.choice([None, "search", "ads"]),
            user=chance.choice([None, "u1", "u2"]),
            usage_source=chance.choice(["response", "response", "estimated"]),
        )
        for _ in range(60)
    ]
    return [*usual, make_failure(), begun(), make_record(usage_source="repeated"), polled("resp_2")]


def _state_of(world: World) -> list[Any]:
    return [sorted(map(repr, world.rows(f"from {table}"))) for table in _TABLES]


def _others(world: World) -> list[Any]:
    """What re-pricing must not touch of requests."""
    computed = ", ".join(cost_columns())
    return world.rows(f"select * exclude ({computed}) from requests order by record_id")


_BOOKS = {
    "a price that came late": book_with(own_price("gpt-99", input="1.5", output="3")),
    "another price": book_with(own_price("gpt-4o*", input="77", output="3")),
    "a discount": book_with(make_discount("0.87", model="gpt-5*")),
    "all of it": book_with(own_price("gpt-99", input="1"), own_price("gpt-4o*", cache_read="1"), make_discount("1.1")),
}


@pytest.mark.parametrize("book", _BOOKS.values(), ids=_BOOKS.keys())
def test_what_is_applied_is_what_was_shown(world: World, book: PriceBook) -> None:
    """The preview writes nothing; a second time nothing is left; all sums agree with the requests."""
    world.store(*_crowd())
    digest(world.ledger)
    before, others = _state_of(world), _others(world)
    shown = preview(world.ledger, book, ALWAYS)
    is_untouched = _state_of(world) == before
    done = apply(world.ledger, book, ALWAYS)
    after = _state_of(world)
    again = apply(world.ledger, book, ALWAYS)
    whole = queries.totals(world.ledger, ALWAYS)

    assert is_untouched
    assert done == shown
    assert shown.total.changed > 0
    assert again.total.changed == 0
    assert _state_of(world) == after
    assert _others(world) == others
    assert (whole.list_cost, whole.contracted_cost) == (shown.total.list_cost, shown.total.contracted_cost)
    assert check(world.ledger).faults == ()


@pytest.mark.parametrize("book", [_BOOKS["another price"], _BOOKS["all of it"]], ids=["one", "all"])
def test_requests_cost_what_they_would_have_cost_at_once(tmp_path: Path, book: PriceBook) -> None:
    """Re-priced, a ledger says the same as one that had this book from the first request on."""
    costs = (
        "select record_id, pricing_state, contracted_cost, discount_id, columns('list_.*cost') from requests order by 1"
    )
    records = _crowd()
    with World(tmp_path / "late") as late, World(tmp_path / "early", book=book) as early:
        late.store(*records)
        early.store(*records)
        apply(late.ledger, book, ALWAYS)

        assert late.rows(costs) == early.rows(costs)


def test_a_preview_tells_before_and_after_by_model_team_and_day(world: World) -> None:
    """Counts and sums of the groups that change; the others are left out."""
    world.store(
        make_record(team="search"),
        make_record(team="ads", response_model="gpt-99", started_at=NOW - _DAY),
        make_record(team="ads", response_model="gpt-99"),
        make_record(team="ads", response_model="gpt-98"),
    )
    found = preview(world.ledger, book_with(own_price("gpt-99", input="1", output="0")), ALWAYS)

    assert _told(found) == {
        "model": [("gpt-99", 2, 2, None, Decimal("0.002"), 2, 0)],
        "team": [("ads", 3, 2, None, Decimal("0.002"), 3, 1)],
        "day": [
            ("2026-11-19", 1, 1, None, Decimal("0.001"), 1, 0),
            ("2026-11-20", 3, 1, Decimal("0.0035"), Decimal("0.0045"), 2, 1),
        ],
    }
    assert (found.total.requests, found.total.changed, found.total.newly_priced, found.total.newly_unpriced) == (
        *(4, 2, 2, 0),
    )


def _told(found: Repricing) -> dict[str, list[tuple[object, ...]]]:
    return {
        split: [
            (
                *(change.value, change.requests, change.changed, change.list_cost_before, change.list_cost),
                *(change.unpriced_requests_before, change.unpriced_requests),
            )
            for change in changes
        ]
        for split, changes in found.by.items()
    }


def test_a_price_that_is_taken_back_leaves_no_cost(world: World) -> None:
    """What had a wrong price has none any more, and the sums forget it."""
    wrong = book_with(own_price("gpt-99", input="1", output="1"))
    world.drain.use(wrong)
    world.store(make_record(response_model="gpt-99"))
    done = apply(world.ledger, price_book(), ALWAYS)

    assert (done.total.newly_unpriced, done.total.list_cost) == (1, None)
    assert queries.totals(world.ledger, ALWAYS).list_cost is None
    assert check(world.ledger).faults == ()


def test_only_the_slice_changes(world: World) -> None:
    """Its time and its conditions."""
    here = make_record(team="search", response_model="gpt-99")
    others = [
        make_record(team="ads", response_model="gpt-99"),
        make_record(team="search", response_model="gpt-99", started_at=NOW - _DAY),
    ]
    world.store(here, *others)
    span = Slice(start=NOW, end=NOW + _DAY, conditions=(Condition(dimension="team", values=("search",)),))
    apply(world.ledger, book_with(own_price("gpt-99", input="1", output="1")), span)

    assert [world.one(record)["pricing_state"] for record in (here, *others)] == ["priced", "unpriced", "unpriced"]


def test_what_was_done_is_kept(world: World) -> None:
    """Which requests, what they cost before, what all of it came to, and why; the prices they name are known."""
    record = make_record()
    world.store(record)
    before = world.one(record)
    apply(world.ledger, book_with(own_price("gpt-4o*", input="1", output="1")), ALWAYS, note="told late")
    facts = "scope, requests, list_cost_before, list_cost, note"
    kept = "record_id, pricing_state_before, list_cost_before, sku_price_id_before"

    assert world.rows(f"select {facts} from repricings") == [
        ("all requests", 1, Decimal("0.0035"), Decimal("0.0011"), "told late")
    ]
    assert world.rows(f"select {kept} from repriced_requests") == [
        (before["record_id"], "priced", before["list_cost"], before["sku_price_id"])
    ]
    assert world.value("select count(*) from prices where sku_price_id = ?", world.one(record)["sku_price_id"]) == 1


def test_nothing_to_change_leaves_no_trace(world: World) -> None:
    """Not even a line that it was tried."""
    world.store(make_record())
    before = _state_of(world)
    apply(world.ledger, price_book(), ALWAYS)

    assert _state_of(world) == before


def test_what_is_counted_elsewhere_free_or_to_come_stays_so(world: World) -> None:
    """Whatever the prices are."""
    records = [make_record(usage_source="repeated"), make_failure(), begun(service_tier=None)]
    world.store(*records)
    found = apply(world.ledger, book_with(own_price("gpt-*", input="9", request="9")), ALWAYS)

    assert found.total.requests == 0
    assert [world.one(record)["pricing_state"] for record in records] == ["repeated", "free", "pending"]


def test_usage_of_a_request_that_was_priced_again_can_still_come_late(world: World) -> None:
    """The estimate is taken out at the cost it had last."""
    estimate = begun(usage=make_usage(input_tokens=77), usage_source="estimated", answer_status="in_progress")
    world.store(estimate)
    apply(world.ledger, book_with(own_price("gpt-4o*", input="9", output="9"), make_discount("0.7")), ALWAYS)
    world.store(polled())

    assert queries.totals(world.ledger, ALWAYS).list_cost == Decimal("0.0035")
    assert check(world.ledger).faults == ()


def test_requests_that_were_let_go_stay_in_the_sums_as_they_are(world: World) -> None:
    """The preview says from when on requests are kept; what it changes is right beside what it cannot."""
    old = NOW - 100 * _DAY
    world.store(make_record(started_at=old), make_record())
    forget(world.ledger, requests=40 * _DAY, rollup=None, pieces=400 * _DAY)
    span = Slice(start=old - _DAY, end=NOW + _DAY)
    done = apply(world.ledger, book_with(own_price("gpt-4o*", input="1", output="1")), span)

    assert done.kept_from == (old + _DAY).replace(hour=0)
    assert done.total.requests == 1
    assert queries.totals(world.ledger, ALWAYS).list_cost == Decimal("0.0035") + Decimal("0.0011")
    assert preview(world.ledger, price_book(), Slice(start=NOW, end=NOW + _DAY)).kept_from is None


def test_what_was_kept_of_requests_that_are_let_go_goes_with_them(world: World) -> None:
    """The line of the whole stays."""
    world.store(make_record(started_at=NOW - 100 * _DAY))
    apply(world.ledger, book_with(own_price("gpt-4o*", input="1", output="1")), ALWAYS)
    forget(world.ledger, requests=40 * _DAY, rollup=None, pieces=400 * _DAY)

    assert world.value("select count(*) from repriced_requests") == 0
    assert world.value("select count(*) from repricings") == 1


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.torture), 17])
def test_a_death_at_any_statement_leaves_everything_as_it_was(tmp_path: Path, step: int) -> None:
    """Or, at the very end, everything done."""
    book = _BOOKS["all of it"]
    with World(tmp_path, ledger_type=DyingLedger) as world:
        assert isinstance(world.ledger, DyingLedger)
        world.store(*_crowd()[:12])
        before = _state_of(world)
        statement = 1
        while True:
            statement += step
            world.ledger.dies_at(statement)
            try:
                apply(world.ledger, book, ALWAYS)
            except DyingError:
                world.ledger.dies_at(None)
                assert _state_of(world) == before
            else:
                break
        world.ledger.dies_at(None)

        assert statement > 20
        assert _state_of(world) != before
        assert check(world.ledger).faults == ()


def test_many_requests_are_changed_in_stretches(world: World, tmp_path: Path) -> None:
    """Where one stretch ends and the next begins does not show."""
    records = _crowd()
    book = _BOOKS["all of it"]
    world.store(*records)
    with World(tmp_path / "other") as other:
        other.store(*records)
        apply(world.ledger, book, ALWAYS)
        apply(other.ledger, book, ALWAYS, at_once=7)
        costs = "select record_id, list_cost, contracted_cost from requests order by 1"

        assert other.rows(costs) == world.rows(costs)
        assert queries.totals(other.ledger, ALWAYS) == queries.totals(world.ledger, ALWAYS)
        assert check(other.ledger).faults == ()


def test_the_ledger_on_disk_has_it(tmp_path: Path) -> None:
    """After the program has ended."""
    with World(tmp_path) as world:
        world.store(make_record())
        apply(world.ledger, book_with(own_price("gpt-4o*", input="1", output="1")), ALWAYS)
    with Ledger.open(world.home.ledger) as ledger:
        assert queries.totals(ledger, ALWAYS).list_cost == Decimal("0.0011")
