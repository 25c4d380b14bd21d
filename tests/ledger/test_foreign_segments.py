"""Segments that came from somewhere: of another machine, twice under one id, with half a header. All counts once."""

import os
import shutil
from pathlib import Path
from random import Random

import pytest

from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.error_queries import under_way
from monitor.spool.format import BEGIN, DROPPED, FOOTER, HEADER, Header, encode_line, line_of
from monitor.spool.reader import list_segments
from tests.factories import make_begin, make_record
from tests.world import ALWAYS, World

_ID = "0123456789abcdef" * 2
_OTHER_BOOT = "11111111-2222-3333-4444-555555555555"


def _segment(*lines: bytes, pid: int = 1, begun_at: float | None = None) -> bytes:
    """What a program on another machine wrote, without a footer; the lines have their numbers."""
    header = Header(
        segment=_ID,
        format=1,
        host="elsewhere",
        pid=pid,
        process_started_at=begun_at,
        started_at="2026-11-20T12:00:00Z",
        boot_id=_OTHER_BOOT,
    )
    return encode_line(0, HEADER, header) + b"".join(lines)


def _ends(number: int) -> list[bytes]:
    return [encode_line(place, b"end", make_record()) for place in range(1, number + 1)]


def _state(world: World) -> tuple[int, int, int]:
    """Requests, those of unknown outcome, those in flight."""
    totals = queries.totals(world.ledger, ALWAYS)
    return totals.requests, totals.unknown_requests, under_way(world.ledger).requests


def test_a_segment_of_another_machine_counts_like_any_other(world: World) -> None:
    """Its processes are not ours, though one has the number of one of ours: each settles its own requests only."""
    world.writer.begin(make_begin())
    (ours,) = list_segments(world.home.spool)[0]
    begin = encode_line(1, BEGIN, make_begin())
    content = _segment(begin, _ends(2)[1], pid=os.getpid(), begun_at=ours.header.process_started_at)
    (world.home.spool / "copied.ndjson").write_bytes(content)
    for _ in range(2):
        world.drain.run()

    assert _state(world) == (2, 1, 1)
    assert check(world.ledger).faults == ()


def test_a_segment_that_is_copied_again_and_again_while_it_grows_counts_once(world: World) -> None:
    """As by a job that mirrors the spool of another machine: each copy ends anywhere."""
    records = [make_record() for _ in range(8)]
    lines = [(BEGIN, make_begin(record)) for record in records[:2]] + [(b"end", record) for record in records[2:]]
    lines += [(b"end", record) for record in records[:2]]
    content = _segment(*(encode_line(number, kind, facts) for number, (kind, facts) in enumerate(lines, start=1)))
    dice = Random(3)
    for size in sorted(dice.randrange(len(content)) for _ in range(4)):
        (world.home.spool / "mirrored.ndjson").write_bytes(content[:size])
        world.drain.run()
    (world.home.spool / "mirrored.ndjson").write_bytes(content)
    world.drain.run()

    assert _state(world) == (8, 0, 0)
    assert world.rows("select outcome, count(distinct record_id) from requests group by 1") == [("completed", 8)]
    assert check(world.ledger).faults == ()


@pytest.mark.parametrize(("names", "is_read_before"), [("ab", False), ("ba", True)])
def test_of_two_segments_with_one_id_the_longer_counts(world: World, names: str, is_read_before: bool) -> None:
    """The shorter one is its beginning, wherever it ends and whichever name comes first."""
    lines = _ends(6)
    content = _segment(*lines)
    shorter, longer = (world.home.spool / f"{name}.ndjson" for name in names)
    shorter.write_bytes(content[: -len(lines[-1]) - 20])
    if is_read_before:
        world.drain.run()
    longer.write_bytes(content)
    for _ in range(2):
        world.drain.run()

    assert _state(world) == (6, 0, 0)
    assert check(world.ledger).faults == ()


@pytest.mark.parametrize(
    "name", ["20261120T120000-1-{id}.ndjson", pytest.param("renamed.ndjson", marks=pytest.mark.torture)]
)
def test_a_header_that_is_cut_off_holds_up_nothing(world: World, name: str) -> None:
    """Whatever its length: other segments are read, and this one as soon as all of it has come."""
    path = world.home.spool / name.format(id=_ID)
    content = _segment(*_ends(3))
    for size in range(0, content.index(b"\n") + 1, 120):
        path.write_bytes(content[:size])
        world.store(make_record())
    before = _state(world)[0]
    whole = _moved(path, content)
    world.drain.run()

    assert whole.exists()
    assert (before, _state(world)[0] - before) == (content.index(b"\n") // 120 + 1, 3)
    assert check(world.ledger).faults == ()


def _moved(path: Path, content: bytes) -> Path:
    """As `rsync` does it: written beside, and renamed into place."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    return Path(shutil.move(draft, path))


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_name_that_is_no_text_stops_nothing(world: World, is_damaged: bool) -> None:
    """Such as one in Latin-1: it is read like the others, and told with the bytes that nobody can read replaced."""
    content = _segment(*_ends(3))
    path = world.home.spool / os.fsdecode(b"r\xe9cup.ndjson")
    path.write_bytes(content.replace(b'"seq":2', b'"seq":9') if is_damaged else content)
    world.store(make_record())
    file = "r\N{REPLACEMENT CHARACTER}cup.ndjson"

    assert _state(world)[0] == 4 - is_damaged
    assert (file,) in world.rows("select file from checkpoints")
    assert world.rows("select file from quarantine") == [(file,)] * is_damaged


_SENSELESS = {
    "a host that is no text": line_of(0, HEADER, b'"segment":"ab","format":1,"host":"\xff","pid":1'),
    "an end that is no text": b"none\n" + line_of(9, FOOTER, b'"segment":"\xff"'),
    "a number beyond all": _segment(encode_line(2**63 - 1, b"other", {}), encode_line(2**63, b"other", {})),
    "a longer number": _segment(encode_line(10**18, b"other", {}), line_of(10**25, b"other", b"")),
    "losses beyond all": _segment(line_of(1, DROPPED, b'"reason":"x","count":%d' % 10**30)),
    "losses below none": _segment(line_of(1, DROPPED, b'"reason":"x","count":-1')),
}


@pytest.mark.parametrize("content", _SENSELESS.values(), ids=_SENSELESS.keys())
def test_lines_with_a_good_checksum_and_without_sense_stop_nothing(world: World, content: bytes) -> None:
    """Whatever another program wrote: the others are read, and what cannot be held is in quarantine."""
    (world.home.spool / "senseless.ndjson").write_bytes(content)
    world.store(make_record())

    assert _state(world)[0] == 1
    assert world.rows("select * from dropped") == []
