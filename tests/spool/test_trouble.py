"""A writer that cannot write: it counts exactly, tells once, tries now and then, and goes on when it can."""

import errno
import itertools
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import HomeError
from monitor.health import Health
from monitor.home import Home
from monitor.spool.reader import list_segments
from monitor.spool.trouble import LONGEST_WAIT, REASONS, reason_of
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin


class Clock:
    """Stands still unless told to go on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Disk:
    """Writes bytes, or raises what it was told to; counts the tries."""

    def __init__(self) -> None:
        self.fault: int | None = None
        self.tries = 0

    def __call__(self, descriptor: int, content: bytes) -> int:
        self.tries += 1
        if self.fault is not None:
            raise OSError(self.fault, os.strerror(self.fault))
        return os.write(descriptor, content)


def _lines(directory: Path) -> list[dict[str, Any]]:
    segments, headless = list_segments(directory)
    assert headless == []
    batches = [segment.read(0, 2**24) for segment in segments]
    assert [batch.damages for batch in batches] == [()] * len(batches)
    return [json.loads(line) for batch in batches for line in batch.lines]


def _told(directory: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in _lines(directory):
        if line["kind"] == "dropped":
            found[line["reason"]] = found.get(line["reason"], 0) + line["count"]
    return found


def _begins(directory: Path) -> int:
    return sum(line["kind"] == "begin" for line in _lines(directory))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EIO, "disk_fault"),
        (errno.EROFS, "read_only"),
        (errno.EACCES, "no_permission"),
        (errno.EMFILE, "too_many_files"),
        (errno.ESTALE, "write_failed"),
    ],
)
def test_a_fault_of_the_disk_is_told_afterwards(tmp_path: Path, clock: Clock, number: int, reason: str) -> None:
    """Every line that did not get onto the disk, no more and no less, with the reason."""
    disk, health = Disk(), Health()
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=health, clock=clock, write=disk)
    assert writer.begin(make_begin())
    disk.fault = number
    assert [writer.begin(make_begin()) for _ in range(5)] == [False] * 5
    disk.fault = None
    clock.now += LONGEST_WAIT
    assert writer.begin(make_begin())
    writer.close()

    assert _told(tmp_path) == {reason: 5}
    assert (_begins(tmp_path), health.counts()["calls_dropped_total"]) == (2, 5)


def test_trying_is_rare_while_nothing_can_be_written(tmp_path: Path, clock: Clock) -> None:
    """Lines between two tries cost no call of the system; the tries become rarer, up to one in five seconds."""
    disk = Disk()
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), clock=clock, write=disk)
    disk.fault = errno.ENOSPC
    for _ in range(1_000):
        writer.begin(make_begin())
    assert disk.tries == 1

    times = []
    for _ in range(3_000):
        clock.now += 0.01
        before = disk.tries
        writer.begin(make_begin())
        if disk.tries > before:
            times.append(clock.now)

    waits = [round(later - earlier, 1) for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT


def test_the_log_tells_it_once_an_hour(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """One sentence that names the directory, the fault and what to do."""
    disk = Disk()
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), clock=clock, write=disk)
    disk.fault = errno.ENOSPC
    for _ in range(100):
        clock.now += LONGEST_WAIT
        writer.begin(make_begin())

    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(
        f"openai-monitor cannot record: The directory {tmp_path} cannot be written (No space left"
    )
    assert "Free some space there." in message
    clock.now += 3_600
    writer.begin(make_begin())
    assert len(caplog.records) == 2


def test_the_end_of_the_trouble_is_in_the_log(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """For whoever reads it afterwards."""
    caplog.set_level(logging.INFO)
    disk = Disk()
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), clock=clock, write=disk)
    disk.fault = errno.EIO
    writer.begin(make_begin())
    disk.fault = None
    clock.now += LONGEST_WAIT
    for _ in range(3):
        writer.begin(make_begin())

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_what_is_left_to_tell_is_told_at_the_end(tmp_path: Path, clock: Clock) -> None:
    """A program that ends before the next try leaves its loss on the spool, if that works by then."""
    disk = Disk()
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), clock=clock, write=disk)
    disk.fault = errno.ENOSPC
    for _ in range(3):
        writer.begin(make_begin())
    disk.fault = None
    writer.close()

    assert _told(tmp_path) == {"disk_full": 3}


def test_an_end_without_room_raises_nothing(tmp_path: Path, clock: Clock) -> None:
    """Then the loss stays untold."""
    disk = Disk()
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), clock=clock, write=disk)
    disk.fault = errno.ENOSPC
    writer.begin(make_begin())
    writer.close()

    assert list(tmp_path.iterdir()) == []


def test_a_removed_directory_is_made_again(tmp_path: Path, clock: Clock) -> None:
    """A file without a name takes lines as before; that nobody can read them is noticed, and they are counted."""
    home, health = Home(tmp_path / "home"), Health()
    writer = SpoolWriter(home.spool, segment_size=2**20, health=health, prepare=home.create, clock=clock)
    for _ in range(3):
        writer.begin(make_begin())
    clock.now += 1
    writer.begin(make_begin())
    for path in home.spool.iterdir():
        path.unlink()
    home.spool.rmdir()
    home.path.rmdir()
    for _ in range(4):
        writer.begin(make_begin())
    clock.now += 1
    for _ in range(2):
        writer.begin(make_begin())
    writer.close()

    # One line after the last look was in the file before it was removed: nobody read it, so it counts.
    assert _told(home.spool) == {"removed": 5}
    assert (_begins(home.spool), health.counts()["calls_dropped_total"]) == (2, 5)


def test_a_directory_that_cannot_be_made_is_tried_again(tmp_path: Path, clock: Clock) -> None:
    """As soon as what stands in the way is gone, lines are written."""
    (tmp_path / "home").write_text("in the way")
    home = Home(tmp_path / "home")
    writer = SpoolWriter(home.spool, segment_size=2**20, health=Health(), prepare=home.create, clock=clock)
    assert not writer.begin(make_begin())
    (tmp_path / "home").unlink()
    assert not writer.begin(make_begin())
    clock.now += LONGEST_WAIT
    assert writer.begin(make_begin())
    writer.close()

    assert _told(home.spool) == {"no_directory": 2}


def test_a_directory_open_to_others_is_not_written(tmp_path: Path, clock: Clock) -> None:
    """Others could put records there; the log says how to mend it."""
    home = Home(tmp_path / "home")
    home.create()
    home.spool.chmod(0o777)
    writer = SpoolWriter(home.spool, segment_size=2**20, health=Health(), prepare=home.create, clock=clock)
    assert not writer.begin(make_begin())
    home.spool.chmod(0o700)
    clock.now += LONGEST_WAIT
    assert writer.begin(make_begin())
    writer.close()

    assert _told(home.spool) == {"unsafe_directory": 1}


def test_a_check_tells_it_before_the_first_line(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever starts a program sees the warning at its start; the first line does not say it again."""
    (tmp_path / "home").write_text("in the way")
    home = Home(tmp_path / "home")
    writer = SpoolWriter(home.spool, segment_size=2**20, health=Health(), prepare=home.create, clock=clock)
    writer.check()
    clock.now += LONGEST_WAIT
    writer.begin(make_begin())

    (record,) = caplog.records
    assert "Set MONITOR_HOME" in record.getMessage()


def test_a_check_of_a_good_directory_makes_it_and_no_more(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that makes no call leaves no segment."""
    home = Home(tmp_path / "home")
    SpoolWriter(home.spool, segment_size=2**20, health=Health(), prepare=home.create, clock=clock).check()

    assert (list(home.spool.iterdir()), caplog.records) == ([], [])


class FaultError(Exception):
    """Anything that is no fault of the system."""


def test_after_any_other_fault_another_segment_is_begun(tmp_path: Path, clock: Clock) -> None:
    """The numbers of a segment have no gap, and its size is known, whatever went wrong within a write."""

    def write(descriptor: int, content: bytes) -> int:
        written = os.write(descriptor, content)
        if b'"bad"' in content:
            raise FaultError
        return written

    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), clock=clock, write=write)
    writer.begin(make_begin())
    with pytest.raises(FaultError):
        writer.begin(make_begin(request_model="bad"))
    writer.begin(make_begin())
    writer.close()

    assert _begins(tmp_path) == 3
    assert len(list_segments(tmp_path)[0]) == 2


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: OSError(errno.EROFS, "x"), "read_only"),
        (lambda: OSError("no number"), "write_failed"),
        (lambda: HomeError("open to others"), "unsafe_directory"),
    ],
)
def test_every_trouble_has_a_name(make: Callable[[], OSError | HomeError], reason: str) -> None:
    """Few names, all of them known."""
    assert reason_of(make()) == reason
    assert reason in REASONS
