"""Sessions of containers in the ledger: paid once, by the request that began them, whatever is told twice or late."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.ledger.check import check
from monitor.ledger.reprice import apply
from monitor.ledger.retention import forget
from monitor.pricing.installed import Pricer, installed_price_book
from monitor.pricing.own import OwnPrice, OwnPrices
from monitor.records import Record, Usage
from tests.factories import NOW, make_record
from tests.ledger.work_records import begun, polled
from tests.world import ALWAYS, World, fields_of, line_of, price_book

_TEXT = Decimal("0.0035")


def _made(container: str = "cntr_1", *, memory: str | None = "4g", **changes: Any) -> Record:
    """The answer to the POST that makes a container."""
    facts: dict[str, Any] = {
        "usage": Usage(),
        "operation_name": "create_container",
        "endpoint": "/containers",
        "request_model": None,
        "response_model": None,
        "containers": [container],
        "container_memory": memory,
    }
    return make_record(**(facts | changes))


def _ran(*containers: str, minutes: float = 0, memory: str | None = None, **changes: Any) -> Record:
    """A response that ran code in containers."""
    return make_record(
        started_at=NOW + timedelta(minutes=minutes),
        endpoint="/responses",
        containers=list(containers) or ["cntr_1"],
        container_memory=memory,
        tool_calls={"code_interpreter": 1},
        **changes,
    )


def _tools(world: World, *records: Record) -> list[Decimal | None]:
    return [world.one(record)["list_tools_cost"] for record in records]


def _sum(world: World) -> Decimal | None:
    """As the rollup has it."""
    found: Decimal | None = world.value("select sum(list_cost) from usage_hourly")
    return found


def test_a_container_that_is_made_costs_its_session(world: World) -> None:
    """Though no model is named, and the request itself costs nothing."""
    made = _made()
    world.store(made)

    assert world.one(made)["pricing_state"] == "priced"
    assert (world.one(made)["list_cost"], world.one(made)["container_sessions"]) == (Decimal("0.12"), {"4g": 1})


def test_what_runs_in_it_pays_only_tokens(world: World) -> None:
    """For twenty minutes; then the next one pays a session, at the memory that the making told."""
    made, soon, late = _made(), _ran(minutes=19), _ran(minutes=20)
    world.store(made, soon)
    world.store(late)

    assert _tools(world, made, soon, late) == [Decimal("0.12"), 0, Decimal("0.12")]
    assert [world.one(record)["container_sessions"] for record in (soon, late)] == [{}, {"4g": 1}]


def test_memory_that_nobody_told_leaves_it_unpriced(world: World) -> None:
    """Never as the cheapest one; who pays no session is priced."""
    first, second = _ran(), _ran(minutes=1)
    world.store(first, second)

    assert [world.one(record)["pricing_state"] for record in (first, second)] == ["unpriced", "priced"]
    assert world.one(first)["container_sessions"] == {"unknown": 1}


def test_memory_without_a_price_leaves_it_unpriced(world: World) -> None:
    """So does a provider whose containers have none."""
    odd, foreign = _ran(memory="3g"), _made("cntr_2", provider_name="azure.ai.openai")
    world.store(odd, foreign)

    assert [world.one(record)["pricing_state"] for record in (odd, foreign)] == ["unpriced", "unpriced"]


def test_a_request_without_containers_has_no_sessions(world: World) -> None:
    """Null is not the same as none that it began, also beside others that used some."""
    plain, ran = make_record(), _ran(memory="1g")
    world.store(plain, ran)
    world.store(make_record())

    assert world.rows("select container_sessions, count(*) from requests group by all order by 2") == [
        ({"1g": 1}, 1),
        (None, 2),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_the_order_of_loads_does_not_change_the_sum(world: World, order: tuple[int, ...]) -> None:
    """Of requests within twenty minutes one pays, whichever the ledger was told of first."""
    records = (_made(memory="1g"), _ran(minutes=3, memory="1g"), _ran(minutes=9, memory="1g"))
    for place in order:
        world.store(records[place])

    assert _sum(world) == Decimal("0.03") + 2 * _TEXT


def test_an_answer_told_again_pays_nothing(world: World) -> None:
    """But its memory is known from then on."""
    read = _ran(memory="16g", usage_source="repeated")
    ran = _ran(minutes=25)
    world.store(read)
    world.store(ran)

    assert (world.one(read)["pricing_state"], world.one(read)["container_sessions"]) == ("repeated", None)
    assert _tools(world, ran) == [Decimal("0.48")]


@pytest.mark.parametrize("is_origin_first", [True, False])
def test_work_in_the_background_pays_once(world: World, is_origin_first: bool) -> None:
    """With the request that began it, also where only its poll was known at first."""
    origin = begun()
    poll = polled(containers=["cntr_1"], container_memory="1g", tool_calls={"code_interpreter": 1})
    for record in (origin, poll) if is_origin_first else (poll, origin):
        world.store(record)

    assert _tools(world, origin) == [Decimal("0.03")]
    assert world.one(poll)["pricing_state"] == "repeated"
    assert world.rows("select distinct record_id from container_sessions where record_id is not null") == [
        (world.one(origin)["record_id"],)
    ]
    assert _sum(world) == Decimal("0.03") + _TEXT
    assert check(world.ledger).faults == ()


@pytest.mark.parametrize("first", ["client", "gateway"])
def test_a_request_seen_twice_pays_once(world: World, first: str) -> None:
    """By client and gateway, in different loads."""
    second = "gateway" if first == "client" else "client"
    seen = [_ran(memory="1g", source=source, response_id="resp_9f3ab2c41d7e") for source in (first, second)]
    for record in seen:
        world.store(record)
    after = _ran(minutes=2)
    world.store(after)

    assert world.rows("select source, list_tools_cost from requests order by started_at") == [
        ("client", Decimal("0.03")),
        ("client", 0),
    ]
    assert _sum(world) == Decimal("0.03") + 2 * _TEXT


def test_a_program_is_told_the_same(world: World) -> None:
    """What a block of code counts comes to what the ledger stores."""
    price = Pricer(price_book())
    records = [_made(), _ran(minutes=1), _ran("cntr_1", "cntr_2", minutes=30), _ran("cntr_2", minutes=40)]
    told = [price(record) for record in records]
    world.store(*records)

    assert [(priced.state, priced.list_cost) for priced in told] == [
        (row["pricing_state"], row["list_cost"]) for row in map(world.one, records)
    ]
    assert [priced.state for priced in told] == ["priced", "priced", "unpriced", "priced"]


def test_sessions_go_with_the_requests_of_their_time(world: World) -> None:
    """When these are let go of."""
    world.store(_made(started_at=NOW - timedelta(days=200)), _made("cntr_2"))
    forget(world.ledger, requests=timedelta(days=100), rollup=None, pieces=timedelta(days=100))

    assert world.rows("select container_id from container_sessions") == [("cntr_2",)]


def test_sessions_can_be_priced_again(world: World) -> None:
    """At another price for the memory, also for one that nobody told; who began them stays the same."""
    made, ran = _made(), _ran("cntr_2")
    world.store(made, ran)
    prices = {"container:4g": Decimal("0.2"), "container:unknown": Decimal("0.03")}
    own = OwnPrice(id="price_1", created_at=NOW, provider="openai", model="*", prices=prices)
    apply(world.ledger, installed_price_book(own=OwnPrices(prices=(own,))), ALWAYS)

    assert _tools(world, made, ran) == [Decimal("0.2"), Decimal("0.03")]
    assert [world.one(record)["container_sessions"] for record in (made, ran)] == [{"4g": 1}, {"unknown": 1}]


def test_containers_without_names_are_none(world: World) -> None:
    """As a line that is not from here may have them."""
    fields = [fields_of(make_record()) | {"containers": containers} for containers in ([None], [], ["", "cntr_1"])]
    world.forge(*(line_of(each) for each in fields))
    world.drain.run()

    assert world.rows("select container_sessions from requests order by record_id") == [
        (None,),
        (None,),
        ({"unknown": 1},),
    ]
