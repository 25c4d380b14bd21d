"""What waits on the spool is told in bytes, lines and time."""

import fcntl
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.ledger.backlog import Headless, backlog
from monitor.ledger.intake import Position
from monitor.records import Record
from monitor.spool.format import END
from monitor.spool.reader import list_segments
from tests.factories import NOW, make_record
from tests.world import World, fields_of, line_of


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


def test_a_file_without_a_header_waits_while_it_is_written(world: World) -> None:
    """Its header may yet come; how many lines it will have nobody knows."""
    path = world.home.spool / "begun.ndjson"
    path.write_bytes(b"not ours as yet.")
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = world.drain.backlog()

    assert (found.bytes, found.lines, found.seconds) == (16, None, None)
    assert found.headless == Headless(waiting=16)


def test_a_copy_whose_header_has_not_come_waits_for_a_minute(world: World) -> None:
    """Who makes it holds no lock; a writer that died in its first line never ends it."""
    path = world.home.spool / "copied.ndjson"
    path.write_bytes(b'{"seq":0,"kind":"header","seg')
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    found = [world.drain.waiting()]
    world.clock.advance(minutes=2)
    found.append(world.drain.waiting())

    assert found == [29, 0]


def test_files_that_are_no_segments_do_not_wait(world: World, tmp_path: Path) -> None:
    """They are counted apart, by their own bytes: where a link leads is nobody's business."""
    world.store(make_record())
    spool = world.home.spool
    (spool / "garbage.ndjson").write_bytes(b"nothing of ours\n")
    (spool / "empty.ndjson").touch()
    (spool / "folder.ndjson").mkdir()
    (tmp_path / "large").write_bytes(b"x" * 1_000)
    (spool / "link.ndjson").symlink_to(tmp_path / "large")
    os.mkfifo(spool / "pipe.ndjson")
    found = world.drain.backlog()

    assert (found.bytes, found.lines, found.seconds) == (0, 0, None)
    assert found.headless == Headless(files=4, bytes=16)
    assert world.drain.waiting() == 0


@pytest.mark.parametrize("facts", [{"source": "import"}, {"usage_source": "late"}])
def test_the_age_of_a_line_about_long_ago_is_that_of_the_line(world: World, facts: dict[str, str]) -> None:
    """Requests that are imported, and those of batches, were made long before their line was written."""
    line = fields_of(make_record(started_at=NOW - timedelta(days=180))) | facts
    world.forge(line_of(line))
    (segment,) = list_segments(world.home.spool)[0]
    header = segment.path.read_bytes().index(b"\n") + 1
    begun = datetime.fromisoformat(segment.header.started_at)
    known = {segment.id: Position(offset=header)}

    assert backlog([segment], known, Headless(), begun + timedelta(seconds=3)).seconds == 3


def test_the_file_tells_the_age_of_an_import_whose_header_is_damaged(world: World) -> None:
    """It was written when the file was changed last."""
    path = world.forge(line_of(fields_of(make_record(started_at=NOW - timedelta(days=180))) | {"source": "import"}))
    path = path.rename(path.with_name(f"20261120T120000-1-{path.name}"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"format"', b'"farmot"'))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    (segment,) = list_segments(world.home.spool)[0]
    known = {segment.id: Position(offset=content.index(b"\n") + 1)}

    assert backlog([segment], known, Headless(), NOW + timedelta(seconds=3)).seconds == 3


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
