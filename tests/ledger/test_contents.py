"""Contents in the ledger: each once, gone in time, found by every id of their request."""

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.capture.contents import ContentWriter
from monitor.ledger.contents import ContentDrain, find_requests, forget_contents
from monitor.ledger.retire import compact_positions
from monitor.ledger.trusted_clock import is_trusted
from monitor.records import Content, Record
from monitor.spool.format import CONTENT, DROPPED, HEADER, Header, encode_line, line_of
from tests.factories import NOW, make_begin, make_id, make_record
from tests.ledger.dying import die_at_each_statement, mortal_world
from tests.world import World, sealed

_DAYS = 7.0


class Kept:
    """A world whose clients keep contents."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.directory = world.home.content
        self.drain = ContentDrain(world.ledger, self.directory, world.health)
        self.writer = self.new_writer()

    def new_writer(self, *, segment_size: int = 2**25) -> ContentWriter:
        """Another program's."""
        return ContentWriter(self.world.home, segment_size=segment_size, health=self.world.health)

    def write(self, *contents: Content) -> None:
        """As a program does."""
        for content in contents:
            self.writer.write(content)

    def forge(self, *lines: bytes) -> Path:
        """A segment whose writer is gone, with any lines behind a good header."""
        header = Header(
            segment=make_id(), format=1, host="h", pid=1, process_started_at=None, started_at="2026-11-20T12:00:00Z"
        )
        self.world.home.create_content()
        path = self.directory / f"{header.segment}.ndjson"
        path.write_bytes(b"".join((encode_line(0, HEADER, header), *(line + b"\n" for line in lines))))
        return path

    def rows(self) -> list[tuple[Any, ...]]:
        """What stands in the ledger, oldest id first."""
        return self.world.rows("select request, answer, is_cut from contents order by record_id")

    def forget(self, *, days: float = _DAYS) -> None:
        """The job."""
        forget_contents(self.world.ledger, self.directory, keep=timedelta(days=days))

    def files(self) -> list[Path]:
        """The segments."""
        return sorted(self.directory.glob("*"))


@pytest.fixture
def kept(world: World) -> Kept:
    return Kept(world)


def _content(request: str | None = "asked", *, record: Record | None = None, **more: Any) -> Content:
    facts: dict[str, Any] = {"record_id": record.record_id if record else make_id(), "started_at": NOW}
    return Content(**{**facts, "request": request, **more})


def _line(content: Content, *, seq: int = 1) -> bytes:
    return encode_line(seq, CONTENT, content).rstrip(b"\n")


def test_contents_come_into_the_ledger_as_they_were_written(kept: Kept) -> None:
    """Bodies that are not there are null."""
    kept.write(_content("é \U0001f5fc\n\"'", answer="b", is_cut=True), _content(None))

    assert kept.drain.run() == 2
    assert kept.rows() == [("é \U0001f5fc\n\"'", "b", True), (None, None, False)]
    assert kept.world.value("select min(started_at) from contents") == NOW.replace(tzinfo=None)


def test_each_content_comes_once(kept: Kept) -> None:
    """However often the drain looks, over segments that grow and end."""
    kept.writer = kept.new_writer(segment_size=300)
    for number in range(10):
        kept.write(_content(str(number)))
        kept.drain.run()
        kept.drain.run()
        compact_positions(kept.world.ledger)

    assert [row[0] for row in kept.rows()] == [str(number) for number in range(10)]


def test_nothing_is_there_where_nothing_is_kept(kept: Kept) -> None:
    """No directory is made."""
    assert kept.drain.run() == 0
    kept.forget()
    assert not kept.directory.exists()


def test_a_drain_that_dies_at_any_statement_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Contents and position are one transaction."""
    with mortal_world(tmp_path) as (world, ledger):
        kept = Kept(world)

        def write(_: int) -> None:
            kept.write(_content(), _content())
            kept.forge(_line(_content()), sealed(b"bad"), encode_line(2, DROPPED, {"reason": "r", "count": 1})[:-1])

        statement = die_at_each_statement(ledger, write, kept.drain.run)
        counts = world.rows("select count(*), count(distinct record_id) from contents")
        others = world.rows("select (select count(*) from quarantine), (select sum(records) from dropped)")

    assert statement > 8
    assert counts == [(3 * statement, 3 * statement)]
    assert others == [(statement, statement)]


def test_a_damaged_line_is_not_kept(kept: Kept) -> None:
    """It may hold a prompt, and nobody would take it out again; that it was there is told."""
    whole = _line(_content("secret words"))
    kept.forge(
        whole[:-3] + b'x"}',
        sealed(b'{"seq":2,"kind":"content","record_id":"no id","request":"secret words"'),
        sealed(b'{"seq":3,"kind":"content","request":"secret words"'),
        sealed(b'{"seq":4,"kind":"end","record_id":"secret words"'),
        b'{"seq":5,"kind":"content","request":"secret words',
    )
    kept.drain.run()

    assert kept.rows() == []
    assert sorted(kept.world.rows("select reason, line from quarantine")) == [
        ("checksum", "[not kept: it may hold contents]"),
        ("checksum", "[not kept: it may hold contents]"),
        ("not_a_record", "[not kept: it may hold contents]"),
        ("not_a_record", "[not kept: it may hold contents]"),
        ("not_a_record", "[not kept: it may hold contents]"),
    ]


def test_what_no_program_of_ours_writes_stops_nothing(kept: Kept) -> None:
    """Numbers and times that the ledger cannot hold, and the name of a file that is no text: what is good comes in."""
    day = b'"record_id":"%b","started_at":"%b"'
    odd = kept.forge(
        _line(_content(), seq=2**63),
        line_of(2, DROPPED, b'"reason":"x","count":%d' % 2**70)[:-1],
        line_of(3, CONTENT, day % (make_id().encode(), b"0001-01-01T00:00:00+14:00"))[:-1],
        line_of(4, CONTENT, day % (make_id().encode(), b"9999-12-31T23:59:59-14:00"))[:-1],
        _line(_content("good"), seq=5),
    )
    odd.rename(odd.with_name(os.fsdecode(b"r\xe9cup.ndjson")))
    kept.write(_content("later"))
    kept.drain.run()

    assert sorted(row[0] for row in kept.rows()) == ["good", "later"]
    assert kept.world.value("select count(*) from quarantine") == 4


def test_what_a_writer_dropped_is_told_apart(kept: Kept) -> None:
    """They are contents, not records."""
    kept.forge(encode_line(1, DROPPED, {"reason": "disk_full", "count": 3})[:-1])
    kept.drain.run()

    assert kept.world.rows("select reason, records from dropped") == [("content_disk_full", 3)]


def test_a_copy_of_a_segment_counts_once(kept: Kept) -> None:
    """Whichever is read first."""
    kept.write(_content())
    (path,) = kept.files()
    shutil.copy(path, path.with_name(f"0{path.name}"))
    kept.write(_content())
    kept.drain.run()
    kept.drain.run()

    assert len(kept.rows()) == 2


def test_a_segment_of_contents_keeps_no_request_in_flight(kept: Kept) -> None:
    """Whether a request's program lives is told by the segments of records alone."""
    kept.world.writer.begin(make_begin())
    counts = []
    for _ in range(2):
        kept.write(_content())
        kept.world.drain.run()
        kept.drain.run()
        kept.world.drain.run()
        counts.append(kept.world.value("select count(*) from requests where outcome = 'unknown'"))
        kept.world.writer.close()

    assert counts == [0, 1]


def test_old_contents_are_deleted(kept: Kept) -> None:
    """And those that are not old stay."""
    kept.write(_content("old", started_at=NOW - timedelta(days=8)), _content("new"))
    kept.drain.run()
    kept.forget()

    assert [row[0] for row in kept.rows()] == ["new"]


def test_the_time_that_contents_are_kept_can_be_set(kept: Kept) -> None:
    """To hours even."""
    kept.write(_content(started_at=NOW - timedelta(hours=7)), _content("new", started_at=NOW - timedelta(hours=5)))
    kept.drain.run()
    kept.forget(days=0.25)

    assert [row[0] for row in kept.rows()] == ["new"]


def test_a_clock_that_leaps_ahead_deletes_no_contents(kept: Kept) -> None:
    """Nor the segment that a program may write to; what is taken in to its end goes by any clock."""
    kept.write(_content())
    (path,) = kept.files()
    ended = kept.forge(_line(_content("ended")))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    kept.drain.run()
    kept.world.clock.advance(seconds=1)
    is_trusted(kept.world.ledger)
    kept.world.clock.advance(days=800)
    kept.forget()
    leapt = (len(kept.rows()), path.exists(), ended.exists())
    kept.world.clock.advance(days=-800)
    for _ in range(8):
        kept.world.clock.advance(days=1)
        kept.forget()

    assert leapt == (2, True, False)
    assert (kept.rows(), path.exists()) == ([], False)


def test_a_segment_goes_once_it_is_taken_in(kept: Kept) -> None:
    """Not while its program writes it, nor before all of it is in the ledger's file."""
    ended = kept.forge(_line(_content()))
    kept.forget()
    before = kept.files()
    kept.write(_content())
    kept.drain.run()
    kept.world.clock.advance(seconds=1)
    kept.forget()

    assert before == [ended]
    assert (ended.exists(), len(kept.files())) == (False, 1)


def _age(path: Path, **ago: float) -> None:
    """As if it was last written then."""
    moment = (NOW - timedelta(**ago)).timestamp()
    os.utime(path, (moment, moment))


def test_the_segment_of_a_program_that_is_idle_goes_when_its_contents_are_old(kept: Kept) -> None:
    """A program may wait for weeks after a call; what it wrote must not."""
    kept.write(_content())
    (path,) = kept.files()
    _age(path, days=6)
    kept.drain.run()
    kept.forget()
    young = path.exists()
    _age(path, days=8)
    kept.forget()

    assert (young, path.exists()) == (True, False)


def test_the_segment_of_a_program_is_not_taken_within_hours(kept: Kept) -> None:
    """It may still write to it, however short contents are kept."""
    kept.write(_content())
    (path,) = kept.files()
    _age(path, minutes=100)
    kept.drain.run()
    kept.forget(days=0.01)

    assert path.exists()


def test_a_segment_that_is_not_taken_in_stays(kept: Kept) -> None:
    """Its contents would be lost."""
    kept.write(_content())
    (path,) = kept.files()
    _age(path, days=30)
    kept.forget()

    assert path.exists()


def test_a_file_that_cannot_be_read_goes_with_time(kept: Kept) -> None:
    """It may hold a prompt."""
    kept.world.home.create_content()
    paths = [kept.directory / f"{number}.ndjson" for number in range(2)]
    for path, days in zip(paths, (6, 8), strict=True):
        path.write_bytes(b"something")
        _age(path, days=days)
    kept.forget()

    assert [path.exists() for path in paths] == [True, False]


def test_a_request_is_found_by_each_of_its_ids(kept: Kept) -> None:
    """With its content, where one is kept."""
    record = make_record(response_id="resp_1", request_id="req_1", call_id=make_id(), tags={"a": "b"})
    other = make_record()
    kept.world.store(record, other)
    kept.write(_content("asked", record=record, answer="answered"))
    kept.drain.run()
    ledger = kept.world.ledger

    for name in (record.record_id, record.call_id, "resp_1", "req_1"):
        (row,) = find_requests(ledger, name)
        assert (row["record_id"].hex, row["tags"]) == (record.record_id, {"a": "b"})
        assert (row["content"]["request"], row["content"]["answer"]) == ("asked", "answered")
    assert [row["content"] for row in find_requests(ledger, other.record_id)] == [None]


@pytest.mark.parametrize("name", ["", "resp_2", "x' or true --", "0190a000000000006f29000000000002", "é\0"])
def test_an_id_that_is_nobodys_finds_nothing(kept: Kept, name: str) -> None:
    """Whatever it is."""
    kept.world.store(make_record(response_id="resp_1"))

    assert find_requests(kept.world.ledger, name) == []


def test_attempts_of_a_call_come_in_their_order(kept: Kept) -> None:
    """By the id of the call."""
    first = make_record()
    second = make_record(call_id=first.call_id, attempt=1, started_at=NOW + timedelta(seconds=1))
    kept.world.store(second, first)

    assert [row["attempt"] for row in find_requests(kept.world.ledger, first.call_id)] == [0, 1]
