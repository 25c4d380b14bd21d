"""From the spool into the ledger: each line counts once, and none is dropped in silence."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from monitor.ledger import queries
from monitor.ledger.drain import Drain
from monitor.ledger.error_queries import under_way
from tests.factories import make_begin, make_record, make_usage
from tests.ledger.drained import reasons, stored_requests
from tests.world import ALWAYS, World, fields_of, line_of, price_book, sealed


def test_draining_again_stores_nothing_more(world: World) -> None:
    """However often it is done, and whatever is added between."""
    world.spool(*(make_record() for _ in range(3)))
    first = [world.drain.run() for _ in range(3)]
    world.spool(make_record())

    assert [*first, world.drain.run(), stored_requests(world)] == [3, 0, 0, 1, 4]


def test_another_drain_goes_on_where_the_last_one_stopped(world: World) -> None:
    """The position stands in the ledger, not in the process."""
    world.store(make_record())
    world.spool(make_record())
    another = Drain(world.ledger, world.home.spool, price_book(), world.health)

    assert (another.run(), stored_requests(world)) == (1, 2)


def test_several_writers_are_drained_together(world: World) -> None:
    """Each program has a segment of its own."""
    writers = [world.new_writer() for _ in range(3)]
    for writer in (*writers, *writers):
        writer.end(make_record())

    assert world.drain.run() == 6


def test_a_rotated_segment_goes_on_in_the_next(world: World) -> None:
    """Nothing is lost or counted twice where one ends and the next begins."""
    writer = world.new_writer(segment_size=2_000)
    for _ in range(20):
        writer.begin(make_begin(record := make_record()))
        writer.end(record)
        if record.record_id.endswith("5"):
            world.drain.run()
    world.drain.run()

    assert (stored_requests(world), under_way(world.ledger).requests) == (20, 0)
    assert len(world.segments()) > 5


@pytest.mark.parametrize("when", ["before", "between", "after"])
@pytest.mark.parametrize("name", ["0.ndjson", "z.ndjson"])
def test_a_copy_of_a_segment_counts_once(world: World, when: str, name: str) -> None:
    """The id inside tells it; the original goes on to be read while its writer lives."""

    def copy() -> None:
        shutil.copy(world.segments()[0], world.home.spool / name)

    world.spool(make_record(), make_record())
    if when == "before":
        copy()
    world.drain.run()
    if when == "between":
        copy()
    world.drain.run()
    world.spool(make_record())
    if when == "after":
        copy()
    world.drain.run()
    world.spool(make_record())
    world.drain.run()

    assert (stored_requests(world), reasons(world), world.drain.waiting()) == (4, [], 0)


def test_a_renamed_segment_counts_once(world: World) -> None:
    """Its name says nothing."""
    world.store(make_record())
    world.segments()[0].rename(world.home.spool / "renamed.ndjson")
    world.spool(make_record())
    world.drain.run()

    assert stored_requests(world) == 2


def test_half_a_copy_is_completed_when_the_rest_has_come(world: World) -> None:
    """A segment that somebody copies back is read on, not taken for its first part."""
    lines = [line_of(fields_of(make_record())) for _ in range(4)]
    path = world.forge(*lines)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(lines[2])])
    world.drain.run()
    path.write_bytes(whole)
    world.drain.run()

    assert (stored_requests(world), reasons(world)) == (4, [])


def test_a_torn_tail_of_a_living_writer_waits(world: World) -> None:
    """The rest of the line is still to come."""
    world.spool(make_record(), make_record())
    (path,) = world.segments()
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    before = (world.drain.run(), stored_requests(world), world.drain.waiting() > 0)
    path.write_bytes(whole)

    assert before == (1, 1, True)
    assert (world.drain.run(), stored_requests(world), reasons(world)) == (1, 2, [])


def test_a_torn_tail_of_a_dead_writer_is_quarantined(world: World) -> None:
    """Nothing will complete it; it is seen, once."""
    path = world.forge(line_of(fields_of(make_record())), line_of(fields_of(make_record())))
    path.write_bytes(path.read_bytes()[:-10])
    world.drain.run()
    world.drain.run()

    assert (stored_requests(world), reasons(world), world.drain.waiting()) == (1, ["torn"], 0)


def test_a_file_without_a_header_is_left_alone(world: World) -> None:
    """It may be a segment that is just being made; its bytes are told as waiting."""
    (world.home.spool / "x.ndjson").write_bytes(b'{"seq":0')
    world.store(make_record())

    assert (stored_requests(world), world.drain.waiting()) == (1, 8)


def test_dropped_records_are_told(world: World) -> None:
    """What a writer could not write is counted by its reason."""
    world.forge(line_of({"reason": "disk_full", "count": 3}, kind=b"dropped"))
    world.forge(line_of({"reason": "disk_full", "count": 2}, kind=b"dropped"))
    world.drain.run()

    assert queries.losses(world.ledger) == {"disk_full": 5, "quarantined": 0}


def test_order_and_batches_change_nothing(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same records come to the same sums, one by one backwards or all at once."""
    start = datetime(2026, 11, 20, 10, 59, tzinfo=UTC)
    models = ("gpt-4o", "o3", "gpt-99")
    records = [
        make_record(
            response_model=models[i % 3],
            started_at=start + timedelta(seconds=10 * i),
            usage=make_usage(input_tokens=i * 1_000),
        )
        for i in range(15)
    ]
    world.store(*records)
    with World(tmp_path_factory.mktemp("other")) as other:
        for record in reversed(records):
            other.store(record)
        sums = [queries.by_dimension(w.ledger, ALWAYS, "model") for w in (world, other)]
        rows = [w.rows("select * exclude (sku_price_id) from requests order by record_id") for w in (world, other)]

    assert sums[0] == sums[1]
    assert rows[0] == rows[1]


def test_the_counters_count_what_came(world: World) -> None:
    """Our own health tells how far the drain has come, and what it refused."""
    world.forge(line_of(fields_of(make_record())), sealed(b"x"), line_of(fields_of(make_record())))
    world.drain.run()

    assert world.health.counts() == {"records_drained_total": 2, "lines_quarantined_total": 1}


def test_a_moment_at_the_end_of_all_time_does_not_stop_the_drain(world: World) -> None:
    """Some programs write the last day there is for a time they do not know."""
    world.store(make_record(started_at=datetime(9999, 12, 31, tzinfo=UTC)), make_record())

    assert world.value("select count(*) from requests") == 1
    assert world.rows("select reason from quarantine") == [("not_a_record",)]
