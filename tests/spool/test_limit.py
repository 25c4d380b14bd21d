"""The spool has a limit: what goes beyond is refused, counted, and told when there is room again."""

import json
import os
from pathlib import Path

import pytest

from monitor.health import Health
from monitor.spool.reader import list_segments
from monitor.spool.trouble import LONGEST_WAIT
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin
from tests.spool.machines import Clock, refuse

_LIMIT = 20_000
_FAR = 60.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _writer(directory: Path, clock: Clock, health: Health) -> SpoolWriter:
    return SpoolWriter(directory, segment_size=4_000, health=health, limit=_LIMIT, clock=clock, start=refuse)


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir())


def _counts(directory: Path) -> tuple[int, int]:
    """Begin lines, and lines told as refused."""
    lines = [json.loads(line) for segment in list_segments(directory)[0] for line in segment.read(0, 2**24).lines]
    told = [line for line in lines if line["kind"] == "dropped"]
    assert {line["reason"] for line in told} <= {"spool_full"}
    return sum(line["kind"] == "begin" for line in lines), sum(line["count"] for line in told)


def test_what_goes_beyond_is_refused_counted_and_told(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Offered is stored and told, to the line; all is ended meanwhile, so that it can be taken in."""
    health = Health()
    writer = _writer(tmp_path, clock, health)
    answers = [writer.begin(make_begin()) for _ in range(200)]
    assert _LIMIT <= _size(tmp_path) < _LIMIT + 1_000
    assert all(segment.is_writer_gone() for segment in list_segments(tmp_path)[0])
    assert "MONITOR_SPOOL_LIMIT" in caplog.records[0].getMessage()
    for path in list(tmp_path.iterdir())[1:]:
        path.unlink()
    kept = _counts(tmp_path)[0]
    clock.now += LONGEST_WAIT
    answers += [writer.begin(make_begin()) for _ in range(3)]
    writer.close()

    assert answers[-3:] == [True] * 3
    assert _counts(tmp_path) == (kept + 3, answers.count(False))
    assert health.counts() == {"calls_dropped_total": answers.count(False)}


def test_what_others_write_counts_too(tmp_path: Path, clock: Clock) -> None:
    """Within a minute where there was plenty of room."""
    writer = _writer(tmp_path, clock, Health())
    assert writer.begin(make_begin())
    (tmp_path / "others.ndjson").write_bytes(bytes(_LIMIT))
    clock.now += _FAR
    assert not writer.begin(make_begin())
    (tmp_path / "others.ndjson").unlink()
    clock.now += LONGEST_WAIT
    assert writer.begin(make_begin())
    writer.close()

    assert _counts(tmp_path) == (2, 1)


def test_what_is_left_to_tell_at_the_end_is_told(tmp_path: Path, clock: Clock) -> None:
    """A few bytes beyond the limit are worth it."""
    writer = _writer(tmp_path, clock, Health())
    answers = [writer.begin(make_begin()) for _ in range(100)]
    writer.close()

    assert _counts(tmp_path) == (answers.count(True), answers.count(False))


def test_the_directory_is_rarely_looked_at(tmp_path: Path, clock: Clock) -> None:
    """What others write is not noticed before: a thousand lines within the minute cost no look at many files."""
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), limit=2**30, clock=clock, start=refuse)
    writer.begin(make_begin())
    (tmp_path / "others.ndjson").touch()
    os.truncate(tmp_path / "others.ndjson", 2**30)
    for _ in range(1_000):
        assert writer.begin(make_begin())
        clock.now += (_FAR - 1) / 1_000


def test_no_limit_is_no_limit(tmp_path: Path, clock: Clock) -> None:
    """None, as the setting `none` says."""
    writer = SpoolWriter(tmp_path, segment_size=1_000, health=Health(), limit=None, clock=clock, start=refuse)

    assert all(writer.begin(make_begin()) for _ in range(50))
