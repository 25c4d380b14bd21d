"""A call that is seen twice is stored and costs once, whoever saw it first, and both sightings are kept."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.ledger.check import check
from monitor.records import Record
from tests.factories import NOW, make_begin, make_record, make_usage
from tests.world import World

_ID = "chatcmpl-9f3ab2c41d7e"
_WATCHERS = ("client", "gateway", "otlp")
_UNIQUE_ID = "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT"


def _seen(source: str, **changes: Any) -> Record:
    return make_record(**{"source": source, "response_id": _ID, "started_at": NOW, **changes})


def _rows(world: World) -> list[tuple[Any, ...]]:
    return world.rows("select source, usage_source, input_tokens, list_cost is not null from requests order by source")


def _sightings(world: World) -> list[tuple[Any, ...]]:
    return world.rows("select source, matched_by, input_tokens from sightings order by source")


@pytest.mark.parametrize("first", ["client", "gateway"])
@pytest.mark.parametrize("is_one_load", [True, False])
def test_a_call_seen_by_client_and_gateway_counts_once(world: World, first: str, is_one_load: bool) -> None:
    """The client's stays, whichever came first: it knows most of the call."""
    second = "gateway" if first == "client" else "client"
    records = [_seen(first), _seen(second, started_at=NOW + timedelta(seconds=2))]
    if is_one_load:
        world.store(*records)
    else:
        for record in records:
            world.store(record)

    assert _rows(world) == [("client", "response", 1_000, True)]
    assert _sightings(world) == [("gateway", "response_id", 1_000)]
    assert world.value("select sum(requests) from usage_hourly") == 1
    assert world.value("select sum(duplicates) from checkpoints") == 1


def test_two_requests_of_clients_with_one_response_id_are_two(world: World) -> None:
    """Small servers give every answer the same id; what clients record is exact already."""
    world.store(_seen("client"), _seen("client"))

    assert len(_rows(world)) == 2
    assert _sightings(world) == []


def test_the_same_record_twice_from_elsewhere_counts_once(world: World) -> None:
    """As when a file is imported a second time, whatever file of the spool it stands in."""
    records = [make_record(source="import", started_at=NOW - timedelta(days=n)) for n in range(5)]
    world.store(*records, records[0])
    world.writer.close()
    world.store(*records)

    assert world.value("select count(*) from requests") == 5
    assert world.value("select count(*) from sightings where matched_by = 'record_id'") == 6


@pytest.mark.parametrize(
    ("apart", "source", "rows"),
    [
        (timedelta(minutes=14), "gateway", 1),
        (timedelta(minutes=16), "gateway", 2),
        (timedelta(hours=23), "import", 1),
        (timedelta(hours=25), "import", 2),
    ],
)
def test_sightings_are_near_each_other(world: World, apart: timedelta, source: str, rows: int) -> None:
    """Two calls that happen to have the same id stay two."""
    world.store(_seen("client"))
    world.store(_seen(source, started_at=NOW + apart))

    assert len(_rows(world)) == rows


@pytest.mark.parametrize(
    ("response_id", "minutes", "rows"),
    [
        (_UNIQUE_ID, 16, 1),
        (_UNIQUE_ID, -16, 1),
        (_UNIQUE_ID, 60, 1),
        (_UNIQUE_ID, 23 * 60, 1),
        (_UNIQUE_ID, 25 * 60, 2),
        ("msg_01XFDUDYJgAACzvnptvVoYEL", 60, 1),
        ("chatcmpl-000000000000000000042", 14, 1),
        ("chatcmpl-000000000000000000042", 16, 2),
    ],
)
@pytest.mark.parametrize("is_one_load", [True, False])
def test_an_id_that_nobody_else_has_is_enough_within_a_day(
    world: World, response_id: str, minutes: int, rows: int, is_one_load: bool
) -> None:
    """A gateway's clock may be an hour off, or it tells the end of a long stream; a long counter is no such id."""
    records = [_seen("client", response_id=response_id), _seen("gateway", response_id=response_id)]
    records[1] = msgspec.structs.replace(records[1], started_at=NOW + timedelta(minutes=minutes))
    for batch in [records] if is_one_load else [records[:1], records[1:]]:
        world.store(*batch)

    assert len(_rows(world)) == rows
    assert check(world.ledger).faults == ()


@pytest.mark.parametrize("is_one_load", [True, False])
@pytest.mark.parametrize(
    ("response_id", "minutes"),
    [("chatcmpl-9f3ab2c4{:04}", (0, 10, 20)), ("chatcmpl-9f3ab2c41d7e9f3a{:04}", (0, 1_200, 2_400))],
)
def test_what_is_near_a_sighting_of_a_request_is_that_request(
    world: World, response_id: str, minutes: Sequence[int], is_one_load: bool
) -> None:
    """Each watcher's clock is further on: whichever they are, and in whatever order they tell, it costs once."""
    loads: list[list[Record]] = [[], [], []]
    moments = [NOW + timedelta(minutes=late) for late in minutes]
    cases = itertools.product(itertools.permutations(_WATCHERS), itertools.permutations(range(3)))
    for number, (sources, order) in enumerate(cases):
        for load, place in zip(loads, order, strict=True):
            seen = _seen(sources[place], response_id=response_id.format(number), started_at=moments[place])
            load.append(seen)
    for batch in [[*itertools.chain(*loads)]] if is_one_load else loads:
        world.store(*batch)

    assert _rows(world) == 36 * [("client", "response", 1_000, True)]
    assert world.value("select count(*) from sightings where record_id in (select record_id from requests)") == 72
    assert world.value("select sum(requests) from usage_hourly") == 36
    assert world.value("select sum(duplicates) from checkpoints") == 72
    assert check(world.ledger).faults == ()


@pytest.mark.parametrize(("model", "rows"), [("gpt-4o", 1), ("gpt-4o-mini", 2)])
def test_short_ids_are_one_call_only_with_the_same_model(world: World, model: str, rows: int) -> None:
    """Some servers count their answers."""
    world.store(_seen("client", response_id="cmpl-1", response_model="gpt-4o"))
    world.store(_seen("gateway", response_id="cmpl-1", response_model=model))

    assert len(_rows(world)) == rows


@pytest.mark.parametrize("is_one_load", [True, False])
@pytest.mark.parametrize("told", ["none", "estimated"])
def test_usage_that_only_the_second_states_goes_to_the_first(world: World, told: str, is_one_load: bool) -> None:
    """So the cost is known, once, in rows and sums."""
    usage = make_usage(input_tokens=None, output_tokens=None) if told == "none" else make_usage(input_tokens=7)
    first = _seen("client", usage_source=told, usage=usage, outcome="interrupted")
    second = _seen("gateway", usage=make_usage(input_tokens=500))
    for batch in [[first, second]] if is_one_load else [[first], [second]]:
        world.store(*batch)

    assert _rows(world) == [("client", "response", 500, True)]
    assert world.value("select sum(input_tokens) from usage_hourly") == 500
    assert world.value("select sum(requests) from usage_hourly") == 1


def test_the_begin_line_of_a_second_sighting_goes_too(world: World) -> None:
    """Else it would become a request with an unknown outcome when its writer is gone."""
    second = _seen("gateway")
    world.store(_seen("client"))
    world.writer.begin(make_begin(record_id=second.record_id, call_id=second.call_id))
    world.drain.run()
    world.store(second)
    world.writer.close()
    world.drain.run()

    assert world.value("select count(*) from requests") == 1
    assert world.value("select count(*) from begins") == 0


def test_polls_of_a_response_are_no_sightings(world: World) -> None:
    """They are later readings, which have their own way."""
    world.store(_seen("client", operation_name="responses", endpoint="/responses"))
    world.store(_seen("gateway", endpoint="/responses/{id}", method="GET", usage_source="repeated", is_billable=False))

    assert len(_rows(world)) == 2


def test_any_order_and_any_loads_give_the_same_sums(tmp_path: Path) -> None:
    """Three watchers of two calls, in every order, in one load or one each."""
    calls = [
        [_seen(source, response_id=f"resp_{call:012d}", usage=make_usage(input_tokens=100 * (call + 1)))]
        for call in range(2)
        for source in ("client", "gateway", "otlp")
    ]
    records = [record for (record,) in calls]
    found = set()
    for number, order in enumerate(itertools.islice(itertools.permutations(records), 0, 720, 240)):
        for size in (1, 4):
            with World(tmp_path / f"{number}-{size}") as world:
                for start in range(0, 6, size):
                    world.store(*order[start : start + size])
                found.add(world.rows("select count(*), sum(input_tokens), sum(list_cost) from requests")[0])
                assert world.value("select count(*) from sightings") == 4
                assert not check(world.ledger).faults
    assert len(found) == 1
    assert next(iter(found))[:2] == (2, 300)
