"""What waits on the spool is told in bytes, lines and time."""

from datetime import timedelta

from monitor.records import Record
from monitor.spool.format import END
from tests.factories import NOW, make_record
from tests.world import World


def _record(minutes: int) -> Record:
    return make_record(started_at=NOW + timedelta(minutes=minutes), duration=2.0)


def test_nothing_waits_where_all_is_read(world: World) -> None:
    """An empty spool and a drained one are alike."""
    assert (world.drain.backlog().bytes, world.drain.backlog().seconds) == (0, None)
    world.store(_record(0))

    found = world.drain.backlog()

    assert (found.bytes, found.lines, found.is_estimate, found.seconds) == (0, 0, False, None)


def test_unread_lines_are_counted_and_the_oldest_tells_its_age(world: World) -> None:
    """The age is that of the first line that waits, from the end of its request."""
    world.store(_record(0))
    for minutes in (10, 20, 30):
        world.writer.end(_record(minutes))

    found = world.drain.backlog()

    assert (found.lines, found.is_estimate) == (3, False)
    assert found.bytes == world.drain.waiting()
    assert found.seconds is not None
    age = (world.ledger.clock() - (NOW + timedelta(minutes=10, seconds=2))).total_seconds()
    assert abs(found.seconds - max(age, 0.0)) < 1


def test_a_file_without_a_header_counts_its_bytes(world: World) -> None:
    """It may be one whose header is not written yet; how many lines it will have nobody knows."""
    (world.home.spool / "garbage.ndjson").write_bytes(b"nothing of ours\n")

    found = world.drain.backlog()

    assert (found.bytes, found.lines, found.seconds) == (16, None, None)


def test_lines_without_a_time_leave_the_age_unknown(world: World) -> None:
    """Whatever stands there, the question is answered."""
    for text in (b"[1]", b"{", b'{"started_at":7}', b"\xff"):
        world.forge(text)

    found = world.drain.backlog()

    assert (found.lines is not None and found.lines >= 4, found.seconds is None or found.seconds >= 0) == (True, True)


def test_a_line_with_a_nonsensical_time_tells_no_age(world: World) -> None:
    """Its checksum has not been looked at: the bytes and lines are told all the same."""
    world.store(make_record())
    world.writer.put(END, b'"started_at":"2026-01-01T00:00:00Z","duration":1e300')
    found = world.drain.backlog()

    assert (found.lines, found.seconds) == (1, None)
