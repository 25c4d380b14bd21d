"""Loads off the spool: as many records as make a whole row group, no more, and no line left out or read twice."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from monitor.ledger.intake import Intake, Load, Position
from monitor.records import Record
from monitor.spool.format import BEGIN, END, encode_line
from monitor.spool.reader import list_segments
from tests.factories import make_begin, make_record
from tests.world import World


def _loads(spool: Path, *, load_records: int) -> Iterator[Load]:
    """All loads, each beyond the one before."""
    intake = Intake(load_records=load_records)
    segments = list_segments(spool)[0]
    positions: dict[str, Position] = {}
    while (load := intake.load(segments, positions)) is not None:
        positions |= load.positions()
        yield load


def _line(seq: int, record: Record) -> bytes:
    return encode_line(seq, END, record).rstrip(b"\n")


def _ids(load: Load) -> Sequence[str]:
    return load.ends["record_id"].to_pylist() if load.ends is not None else []


def test_a_load_has_exactly_the_records_that_fill_it(world: World) -> None:
    """One more would begin a row group that the next checkpoint has to write again."""
    records = [make_record() for _ in range(10)]
    for record in records:
        world.writer.begin(make_begin(record))
        world.writer.end(record)

    loads = list(_loads(world.home.spool, load_records=4))

    assert [(len(_ids(load)), load.has_more) for load in loads] == [(4, True), (4, True), (2, False)]
    assert [name for load in loads for name in _ids(load)] == [record.record_id for record in records]


def test_each_line_is_in_one_load(world: World) -> None:
    """Where a chunk is cut, the next load begins with the line after the cut."""
    for record in (make_record() for _ in range(7)):
        world.writer.begin(make_begin(record))
        world.writer.end(record)

    taken = [item for load in _loads(world.home.spool, load_records=3) for item in load.taken]

    assert sum(item.lines for item in taken) == 15
    assert taken[-1].position.seen.missing_count == 0
    assert [item.from_offset for item in taken[1:]] == [item.position.offset for item in taken[:-1]]


def test_lines_that_are_no_records_leave_their_room_to_others(world: World) -> None:
    """Otherwise one of them would keep a load from being a whole row group."""
    lines = [_line(seq, make_record()) for seq in range(1, 9)]
    lines[1] = encode_line(2, END, {"record_id": "none"}).rstrip(b"\n")
    world.forge(*lines)

    sizes = [len(_ids(load)) for load in _loads(world.home.spool, load_records=4) if load.ends is not None]

    assert sizes == [4, 3]


def test_kinds_are_told_apart_where_numbers_become_longer(world: World) -> None:
    """The kind stands behind the number, so its place moves."""
    records = [make_record() for _ in range(60)]
    world.forge(*(_line(seq, record) for seq, record in enumerate(records, start=1)))

    (load,) = _loads(world.home.spool, load_records=100)

    assert _ids(load) == [record.record_id for record in records]


def test_a_request_that_has_ended_in_another_segment_is_not_under_way(world: World) -> None:
    """Its begin line need not be read at all."""
    record = make_record()
    world.writer.begin(make_begin(record))
    world.writer.begin(open_one := make_begin())
    world.new_writer().end(record)

    (load,) = _loads(world.home.spool, load_records=10)

    assert load.begins is not None
    assert load.begins["record_id"].to_pylist() == [open_one.record_id]


@pytest.mark.parametrize("more", [{}, {"endpoint": "/chat/completions", "provider_name": "openai"}])
def test_lines_without_ids_are_not_taken_for_one_request(world: World, more: dict[str, str]) -> None:
    """Each of them is told of as what it is: no record."""
    world.forge(*(encode_line(seq, kind, more).rstrip(b"\n") for seq, kind in enumerate((BEGIN, END), start=1)))

    (load,) = _loads(world.home.spool, load_records=10)

    assert [damage.content[:25] for item in load.taken for damage in item.damages] == [
        b'{"seq":2,"kind":"end","cr' if not more else b'{"seq":2,"kind":"end","en',
        b'{"seq":1,"kind":"begin","',
    ]
