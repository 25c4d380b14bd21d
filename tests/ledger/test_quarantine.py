"""The way out of the quarantine: a line that can be read now is stored once, whatever happens meanwhile."""

from pathlib import Path

import pytest

from monitor.jobs.tasks import TASKS
from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.quarantine import readable_again, release
from monitor.spool.format import END, encode_line
from tests.chests import chest_of
from tests.factories import make_begin, make_record
from tests.world import ALWAYS, World, fields_of, line_of, sealed


def _refused(world: World, *lines: bytes) -> None:
    """Lines that an earlier version of the program could not read."""
    with world.ledger.writing() as cursor:
        for line in lines:
            cursor.execute(
                "insert into quarantine values ('0a', 'old.ndjson', null, 'not_a_record', ?, '2026-11-20')",
                [line.rstrip(b"\n").decode()],
            )
        cursor.execute(
            """
            insert into checkpoints (
                segment, file, writer, from_offset, to_offset, lines, records, quarantined, last_seq, is_last,
                drained_at
            ) values ('0a', 'old.ndjson', 'w', 0, 9, 0, 0, ?, ?, true, '2026-11-20')
            """,
            [len(lines), len(lines) - 1],
        )


def _retry(world: World) -> int:
    lines = readable_again(world.ledger, world.home.spool)
    world.drain.run()
    return release(world.ledger, lines)


def test_lines_that_nobody_can_read_do_not_stand_in_the_way(world: World) -> None:
    """However many they are, and though they came first."""
    world.forge(*(line_of({"never": "a record"}) for _ in range(1_100)))
    world.clock.advance(days=-30)
    world.drain.run()
    _refused(world, *(encode_line(number, END, make_record()) for number in range(2)))

    def drain() -> None:
        world.drain.run()

    with chest_of(world, drain) as chest:
        done = TASKS["retry"](chest, {})

    assert (done["before"], done["stored"]) == (1_102, 2)
    assert queries.totals(world.ledger, ALWAYS).requests == 2


def test_a_line_that_can_be_read_now_is_stored_and_its_history_kept(world: World) -> None:
    """It goes the way of all lines, with its own costs."""
    record = make_record()
    line = encode_line(7, END, record)
    _refused(world, line, sealed(b'{"seq":8,"kind":"end","what":"ever"'))

    assert _retry(world) == 1
    assert world.one(record)["list_cost"] is not None
    assert queries.losses(world.ledger)["quarantined"] == 1
    assert world.rows("select file, reason, line from retried") == [
        ("old.ndjson", "not_a_record", line.rstrip(b"\n").decode())
    ]
    assert check(world.ledger).faults == ()


def test_a_begin_line_can_be_read_again_too(world: World) -> None:
    """Its program is gone: the outcome of the request is unknown."""
    begin = make_begin()
    _refused(world, encode_line(3, b"begin", begin))

    assert _retry(world) == 1
    assert world.rows("select outcome from requests") == [("unknown",)]


def test_tried_twice_a_line_counts_once(world: World) -> None:
    """Whoever is killed between the drain and the release tries again; so does who went back to a checkpoint."""
    record = make_record()
    _refused(world, encode_line(7, END, record))
    readable_again(world.ledger, world.home.spool)
    world.drain.run()
    for path in world.home.spool.glob("retried-*"):
        path.unlink()

    assert _retry(world) == 1
    assert _retry(world) == 0
    assert queries.totals(world.ledger, ALWAYS).requests == 1


def test_damaged_lines_stay(world: World) -> None:
    """Nobody knows which of their figures is wrong."""
    line = encode_line(1, END, fields_of(make_record())).rstrip(b"\n")
    world.forge(line.replace(b"1000", b"9000"), line[:-20])
    world.drain.run()
    before = queries.losses(world.ledger)["quarantined"]

    assert (_retry(world), before) == (0, queries.losses(world.ledger)["quarantined"])
    assert before == 2


def test_a_line_whose_segment_was_not_drained_stays(world: World, tmp_path: Path) -> None:
    """It leaves only what is stored."""
    _refused(world, encode_line(7, END, make_record()))

    assert release(world.ledger, readable_again(world.ledger, world.home.spool)) == 0
    assert queries.losses(world.ledger)["quarantined"] == 1


@pytest.mark.parametrize("limit", ["-1", "0", "99999999999999999999999"])
def test_more_lines_than_can_be_told_are_refused_in_words(world: World, limit: str) -> None:
    """The server answers with the value and what it may be."""
    with chest_of(world) as chest, pytest.raises(ValueError, match=rf"limit is {limit}, but must be from 1 to 10,000"):
        TASKS["quarantine"](chest, {"limit": limit})
