"""The price table of the ledger, when the list changes."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import types

from monitor.ledger.prices import refresh_prices
from monitor.ledger.queries import price_lists, unpriced_models
from monitor.pricing.book import PriceBook
from monitor.pricing.own import OwnPrice, OwnPrices
from monitor.records import Record
from tests.factories import NOW, make_record, make_usage
from tests.pricing.books import changing_on, make_book, make_model, make_prices
from tests.world import ALWAYS, World

_OLD = make_book(make_model("m", make_prices(input_mtok="2", output_mtok="8")))
_NEW = make_book(make_model("m", make_prices(input_mtok="3", output_mtok="8")), version="list 2")


def _record(model: str = "m", started_at: datetime = NOW) -> Record:
    """A million tokens in, so that it costs its price."""
    usage = make_usage(input_tokens=1_000_000, output_tokens=0)
    return make_record(usage=usage, request_model=model, response_model=None, started_at=started_at)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, book=_OLD) as world:
        yield world


def test_the_same_list_changes_nothing(world: World) -> None:
    """A refresh may come as often as it likes."""
    world.store(_record())
    before = world.rows("from prices order by all"), world.rows("from price_matches")

    assert [refresh_prices(world.ledger, _OLD) for _ in range(2)] == [0, 0]
    assert (world.rows("from prices order by all"), world.rows("from price_matches")) == before


def test_a_changed_list_is_told_once(world: World) -> None:
    """The number of models that changed, then nothing more."""
    world.store(_record())

    assert [refresh_prices(world.ledger, _NEW) for _ in range(2)] == [1, 0]


def test_new_requests_cost_the_new_price(world: World) -> None:
    """Rows that stand keep what they cost."""
    first, second = _record(), _record()
    world.store(first)
    refresh_prices(world.ledger, _NEW)
    world.drain.use(_NEW)
    world.store(second)

    assert (world.one(first)["list_cost"], world.one(second)["list_cost"]) == (Decimal(2), Decimal(3))


def test_entries_that_no_longer_hold_are_kept(world: World) -> None:
    """They end, and the rows that they priced still name them."""
    record = _record()
    world.store(record)
    refresh_prices(world.ledger, _NEW)

    assert world.rows(
        "select input, valid_to from prices where sku_price_id = ?", world.one(record)["sku_price_id"]
    ) == [(Decimal("0.000002"), NOW.replace(tzinfo=None))]


def test_requests_from_before_a_change_keep_their_price(world: World) -> None:
    """Those that come in later, too; requests from the refresh on cost what the list says now."""
    world.store(_record())
    world.clock.advance(days=1)
    refresh_prices(world.ledger, _NEW)
    world.drain.use(_NEW)
    late, new = _record(started_at=NOW - timedelta(days=30)), _record(started_at=NOW + timedelta(days=1))
    world.store(late, new)

    assert (world.one(late)["list_cost"], world.one(new)["list_cost"]) == (Decimal(2), Decimal(3))


def test_a_name_that_comes_later_has_the_past_of_its_model(world: World) -> None:
    """The book of that day knows nothing of it any more."""
    world.store(_record())
    world.clock.advance(days=1)
    refresh_prices(world.ledger, _NEW)
    world.drain.use(_NEW)
    record = _record("M")
    world.store(record)

    assert world.one(record)["list_cost"] == Decimal(2)
    assert refresh_prices(world.ledger, _NEW) == 0


def test_a_new_name_does_not_bring_prices_of_another_book(world: World) -> None:
    """Only the refresh changes prices, and tells of it."""
    world.store(_record())
    world.drain.use(_NEW)
    record = _record("M")
    world.store(record)

    assert world.one(record)["list_cost"] == Decimal(2)
    assert refresh_prices(world.ledger, _NEW) == 2
    assert _changes(world) != []


def _changes(world: World) -> list[tuple[object, ...]]:
    return world.rows(
        "select price_key, unit, cast(before * 1000000 as integer), cast(after * 1000000 as integer), price_list"
        " from price_changes where service_tier = 'default' and not is_batch order by all"
    )


def test_each_changed_figure_is_noted(world: World) -> None:
    """Once, with what it was and what it is; it is counted too."""
    world.store(_record())
    for _ in range(2):
        refresh_prices(world.ledger, _NEW, world.health)

    assert _changes(world) == [("openai/m", "input", 2, 3, "list 2")]
    assert world.health.counts()["prices_changed_total"] == world.value("select count(*) from price_changes") == 4


def test_what_changed_is_logged_by_name(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Once, however many of its figures changed."""
    world.store(_record())
    with caplog.at_level(logging.INFO, logger="monitor.ledger.prices"):
        refresh_prices(world.ledger, _NEW)

    assert [line.message for line in caplog.records] == ["The prices of 1 model changed: openai/m."]


def test_models_that_find_or_lose_their_price_are_noted(world: World) -> None:
    """The one had none before, the other has none after."""
    world.store(_record("m"), _record("n"))
    refresh_prices(world.ledger, make_book(make_model("n", make_prices(input_mtok="5"))))

    assert _changes(world) == [
        ("openai/m", "input", 2, None, "list 1"),
        ("openai/m", "output", 8, None, "list 1"),
        ("openai/n", "input", None, 5, "list 1"),
    ]


def test_requests_from_before_a_model_lost_its_price_keep_it(world: World) -> None:
    """Nothing is asked of those that come after."""
    world.store(_record())
    world.clock.advance(days=1)
    refresh_prices(world.ledger, make_book())
    late, new = _record(), _record(started_at=NOW + timedelta(days=1))
    world.store(late, new)

    assert (world.one(late)["list_cost"], world.one(new)["pricing_state"]) == (Decimal(2), "unpriced")
    assert refresh_prices(world.ledger, make_book()) == 0


def test_a_price_that_comes_back_is_found_again(world: World) -> None:
    """For the time between as well: it had none then."""
    world.store(_record())
    for days, book in ((1, make_book()), (1, _NEW)):
        world.clock.advance(days=days)
        refresh_prices(world.ledger, book)
    between = _record(started_at=NOW + timedelta(days=1, hours=1))
    world.store(between)

    assert world.one(between)["list_cost"] == Decimal(3)


def test_a_model_that_goes_by_another_entry_keeps_its_past(world: World) -> None:
    """The list has it under a name of its own now; the names that were there keep what they had."""
    base = types.ModelInfo(id="m-base", match=types.ClauseStartsWith("m"), prices=make_prices(input_mtok="2"))
    world.drain.use(make_book(base))
    world.store(_record("m-1"), _record("m-2"))
    world.clock.advance(days=1)
    own = make_model("m-1", make_prices(input_mtok="4"))
    refresh_prices(world.ledger, make_book(own, base))
    records = [_record("m-1"), _record("m-2"), _record("m-1", started_at=NOW + timedelta(days=1))]
    world.store(*records)

    assert [world.one(record)["list_cost"] for record in records] == [Decimal(2), Decimal(2), Decimal(4)]


def test_a_name_that_finds_a_known_price_leaves_its_past(world: World) -> None:
    """It has that past, too."""
    world.store(_record("m"), _record("n"))
    world.clock.advance(days=1)
    refresh_prices(world.ledger, _NEW)
    either = types.ClauseOr([types.ClauseEquals("m"), types.ClauseEquals("n")])
    both = types.ModelInfo(id="m", match=either, prices=make_prices(input_mtok="3", output_mtok="8"))
    refresh_prices(world.ledger, make_book(both, version="list 2"))
    records = [_record("m"), _record("n")]
    world.store(*records)

    assert [world.one(record)["list_cost"] for record in records] == [Decimal(2), Decimal(2)]


def test_what_the_user_says_a_model_is_holds_for_the_past(world: World) -> None:
    """A deployment that was taken for something else is corrected as a whole."""
    models = (make_model("m", make_prices(input_mtok="2")), make_model("n", make_prices(input_mtok="5")))
    world.store(_record())
    world.clock.advance(days=1)
    provider = types.Provider(id="openai", name="openai", api_pattern="openai", models=list(models))
    refresh_prices(world.ledger, PriceBook([provider], "list 1", {"m": "n"}))
    record = _record()
    world.store(record)

    assert world.one(record)["list_cost"] == Decimal(5)


def test_own_prices_hold_for_the_past_and_beside_what_is_kept(world: World) -> None:
    """The user's input price, always; the output price of before where the list has another since."""
    world.store(_record())
    world.clock.advance(days=1)
    own = OwnPrice(id="1", created_at=NOW, provider="openai", model="m", prices={"input": Decimal("0.000007")})
    models = [make_model("m", make_prices(input_mtok="3", output_mtok="9"))]
    provider = types.Provider(id="openai", name="openai", api_pattern="openai", models=models)
    refresh_prices(world.ledger, PriceBook([provider], "list 2", own=OwnPrices(prices=(own,))))
    record = make_record(
        usage=make_usage(input_tokens=1_000_000, output_tokens=1_000_000), request_model="m", response_model=None
    )
    world.store(record)

    assert world.one(record)["list_cost"] == Decimal(7) + Decimal(8)


def test_a_ledger_of_an_older_program_does_not_report_everything(world: World) -> None:
    """Its entries lacked units; only figures that are others are noted."""
    world.store(_record())
    with world.ledger.writing() as cursor:
        cursor.execute("update price_matches set fingerprint = null")
        cursor.execute("update prices set output = null, others = null, own_units = null")
    refresh_prices(world.ledger, _NEW)

    assert _changes(world) == [("openai/m", "input", 2, 3, "list 2")]


def test_each_entry_stands_in_the_table_once(world: World) -> None:
    """Though it came in two lists, or went and came back."""
    world.store(_record())
    for book in (_NEW, _OLD, _NEW):
        refresh_prices(world.ledger, book)

    assert world.rows("select sku_price_id from prices group by 1 having count(*) > 1") == []
    assert world.value("select count(*) from prices where is_current and input = 0.000003") == 4


def test_an_announced_price_ends_the_entry_that_holds_now(world: World) -> None:
    """Before the day the old price holds, from it on the new one, and never both."""
    world.store(_record())
    later = make_book(
        make_model(
            "m",
            changing_on(
                date(2026, 12, 1),
                make_prices(input_mtok="2", output_mtok="8"),
                make_prices(input_mtok="1", output_mtok="8"),
            ),
        )
    )
    refresh_prices(world.ledger, later)
    before, after = _record(), _record(started_at=datetime(2026, 12, 1, tzinfo=UTC))
    world.store(before, after)

    assert (world.one(before)["list_cost"], world.one(after)["list_cost"]) == (Decimal(2), Decimal(1))


def test_a_model_that_had_no_price_finds_one(world: World) -> None:
    """New requests of it are priced; the question about unpriced models still tells of the old ones."""
    old, new = _record("n"), _record("n")
    world.store(old)
    richer = make_book(
        make_model("m", make_prices(input_mtok="2", output_mtok="8")), make_model("n", make_prices(input_mtok="5"))
    )

    assert refresh_prices(world.ledger, richer) == 1
    world.store(new)
    assert (world.one(old)["list_cost"], world.one(new)["list_cost"]) == (None, Decimal(5))
    assert [(row["model"], row["requests"]) for row in unpriced_models(world.ledger, ALWAYS)] == [("n", 1)]


def test_a_model_that_lost_its_price_is_unpriced(world: World) -> None:
    """A list without it says nothing any more of what it costs."""
    world.store(_record())
    record = _record()
    refresh_prices(world.ledger, make_book())
    world.store(record)

    assert world.one(record)["pricing_state"] == "unpriced"


def test_two_names_of_one_model_share_its_entries(world: World) -> None:
    """They are stored once."""
    world.store(_record("m"), _record("M"))

    assert world.value("select count(*) from prices") == 4


def test_the_lists_in_use_are_named(world: World) -> None:
    """As they are called where they come from."""
    world.store(_record())

    assert price_lists(world.ledger) == ["list 1"]
