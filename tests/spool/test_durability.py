"""What a power cut may take is what was chosen; a flush that fails is told and never tried again on the same file."""

import errno
import gc
import json
import logging
import os
import subprocess
import sys
import threading
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitor.health import Health
from monitor.spool.reader import list_segments
from monitor.spool.writer import SpoolWriter
from tests.architecture.sources import ROOT
from tests.factories import make_begin
from tests.spool.machines import Clock, Disk, Threads, refuse


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def disk() -> Disk:
    return Disk()


def _writer(directory: Path, disk: Disk, **more: Any) -> SpoolWriter:
    made = {"segment_size": 2**20, "health": Health(), "start": refuse, "write": disk, "flush": disk.flush}
    return SpoolWriter(directory, **{**made, **more})


def _flushes(disk: Disk) -> int:
    """How often a segment was flushed since it was last asked."""
    names, disk.flushed = disk.flushed, []
    return sum(name.endswith(".ndjson") for name in names)


def _segments(directory: Path) -> list[list[dict[str, Any]]]:
    segments, headless = list_segments(directory)
    assert headless == []
    batches = [segment.read(0, 2**24) for segment in segments]
    assert [batch.damages for batch in batches] == [()] * len(batches)
    return [[json.loads(line) for line in batch.lines] for batch in batches]


def test_fsync_flushes_each_line_before_it_returns(tmp_path: Path, disk: Disk) -> None:
    """And the name of the file once, when the segment is made."""
    writer = _writer(tmp_path, disk, durability="fsync")
    flushes = []
    names = Counter[str]()
    for _ in range(3):
        writer.begin(make_begin())
        names.update(disk.flushed)
        flushes.append(_flushes(disk))

    assert (flushes, names[tmp_path.name]) == ([1, 1, 1], 1)


def test_os_flushes_nothing_in_a_call_where_a_thread_can(tmp_path: Path, disk: Disk) -> None:
    """One thread is started, for any number of lines."""
    threads = Threads()
    writer = _writer(tmp_path, disk, start=threads)
    for _ in range(50):
        writer.begin(make_begin())
    writer.close()

    assert (_flushes(disk), len(threads.started)) == (0, 1)


def test_os_without_threads_flushes_now_and_then(tmp_path: Path, disk: Disk, clock: Clock) -> None:
    """At most once in 0.8 seconds a call waits for the disk."""
    writer = _writer(tmp_path, disk, clock=clock)
    for _ in range(40):
        writer.begin(make_begin())
        clock.now += 0.1

    assert 3 <= _flushes(disk) <= 5


def test_os_without_threads_waits_for_no_disk_at_each_rotation(tmp_path: Path, disk: Disk, clock: Clock) -> None:
    """Many small segments are flushed together, when it is time."""
    writer = _writer(tmp_path, disk, clock=clock, segment_size=600)
    for _ in range(20):
        writer.begin(make_begin())
    assert _flushes(disk) == 1
    clock.now += 1
    writer.begin(make_begin())

    assert _flushes(disk) > 5


def test_group_without_threads_flushes_each_line(tmp_path: Path, disk: Disk, clock: Clock) -> None:
    """The promise is kept at the cost of the calls."""
    writer = _writer(tmp_path, disk, durability="group", clock=clock)
    for _ in range(5):
        writer.begin(make_begin())

    assert _flushes(disk) == 5


@pytest.mark.parametrize("durability", ["os", "group"])
def test_a_thread_flushes_what_is_new(tmp_path: Path, durability: str) -> None:
    """Without another call."""
    flushed = threading.Event()
    writer = SpoolWriter(
        tmp_path, segment_size=2**20, health=Health(), durability=durability, flush=lambda _: flushed.set()
    )
    writer.begin(make_begin())

    assert flushed.wait(60)


def test_what_was_written_before_a_rotation_is_flushed_too(tmp_path: Path, disk: Disk) -> None:
    """Each of the segments that were ended meanwhile, and the one that is written."""
    writer = _writer(tmp_path, disk, segment_size=600, durability="group")
    for _ in range(7):
        writer.begin(make_begin())
    writer.close()

    names = {path.name for path in tmp_path.iterdir()}
    assert set(disk.flushed) == {tmp_path.name, *names}
    assert len(names) > 2


def test_a_flush_that_fails_is_never_tried_again_on_the_file(
    tmp_path: Path, disk: Disk, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The line is kept, the segment ended with a footer that tells of it, and the next one begun."""
    health = Health()
    writer = _writer(tmp_path, disk, durability="fsync", health=health, clock=clock)
    assert writer.begin(make_begin())
    disk.flush_fault = errno.EIO
    assert writer.begin(make_begin())
    disk.flush_fault = None
    assert writer.begin(make_begin())
    writer.close()

    first, second = sorted(_segments(tmp_path), key=len, reverse=True)
    assert [line["kind"] for line in first] == ["header", "begin", "begin", "footer"]
    assert (first[-1]["reason"], first[-1]["count"]) == ("flush_failed", 1)
    assert [line["kind"] for line in second] == ["header", "begin", "footer"]
    assert "reason" not in second[-1]
    # The line whose flush failed, and the footer that says so.
    assert health.counts() == {"lines_unflushed_total": 2}
    flushes = Counter(name for name in disk.flushed if name.endswith(".ndjson"))
    assert max(flushes.values()) == 2
    (message,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert message.startswith(f"openai-monitor cannot flush: The directory {tmp_path} cannot be written (Input/output")


def test_a_disk_that_cannot_flush_gets_few_segments(tmp_path: Path, disk: Disk, clock: Clock) -> None:
    """Lines go on being written; another segment is tried more and more rarely."""
    health = Health()
    writer = _writer(tmp_path, disk, durability="fsync", health=health, clock=clock)
    disk.flush_fault = errno.EIO
    for _ in range(1_000):
        assert writer.begin(make_begin())
        clock.now += 0.1
    writer.close()

    segments = _segments(tmp_path)
    assert sum(line["kind"] == "begin" for lines in segments for line in lines) == 1_000
    assert 5 < len(segments) < 15
    assert health.counts() == {"lines_unflushed_total": sum(map(len, segments))}


def test_a_flush_that_fails_in_the_thread_is_noticed(tmp_path: Path, disk: Disk, clock: Clock) -> None:
    """At the next look, a second later at most."""
    failed = threading.Event()

    def flush(descriptor: int) -> None:
        failed.set()
        raise OSError(errno.EIO, "x")

    writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), durability="group", flush=flush, clock=clock)
    writer.begin(make_begin())
    assert failed.wait(60)
    for _ in range(3):
        clock.now += 1
        writer.begin(make_begin())
    writer.close()

    told = [line for lines in _segments(tmp_path) for line in lines if line.get("reason") == "flush_failed"]
    assert told
    assert sum(line["kind"] == "begin" for lines in _segments(tmp_path) for line in lines) == 4


def test_a_file_system_that_cannot_flush_directories_is_no_trouble(tmp_path: Path) -> None:
    """Some that are mounted from elsewhere cannot."""

    def flush(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112 - a descriptor's
            raise OSError(errno.EINVAL, "x")

    health = Health()
    writer = SpoolWriter(tmp_path, segment_size=2**20, health=health, durability="fsync", flush=flush)
    writer.begin(make_begin())
    writer.close()

    assert (len(_segments(tmp_path)), health.counts()) == (1, {})


def test_a_writer_is_gone_as_soon_as_nobody_has_it(tmp_path: Path) -> None:
    """No thread and no hook keeps it, and no cycle waits for the garbage collection."""
    gc.disable()
    try:
        writer = SpoolWriter(tmp_path, segment_size=2**20, health=Health())
        writer.begin(make_begin())
        writer.close()
        alive = weakref.ref(writer)
        del writer
        assert alive() is None
    finally:
        gc.enable()


_FORKING = """
import os, sys
from pathlib import Path
from monitor.health import Health
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin

def threads():
    return len(os.listdir("/proc/self/task"))

writer = SpoolWriter(Path(sys.argv[1]), segment_size=2**20, health=Health(), durability=sys.argv[2])
writer.begin(make_begin())
before = threads()
child = os.fork()
if child == 0:
    alone = threads()
    writer.begin(make_begin())
    os._exit(0 if (alone, threads()) == (1, 2) else 1)
assert os.waitpid(child, 0)[1] == 0
print(before, threads())
"""


@pytest.mark.parametrize("durability", ["os", "group"])
def test_a_fork_finds_no_thread(tmp_path: Path, durability: str) -> None:
    """So Python warns of nothing; afterwards parent and child each have one. Neither holds up the end."""
    run = _run(_FORKING, str(tmp_path), durability)

    assert (run.stdout, run.stderr) == ("2 2\n", "")
    assert sorted(len(lines) for lines in _segments(tmp_path)) == [2, 3]


_NO_THREADS = """
import sys, threading
from pathlib import Path
from monitor.health import Health
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin

# More than there is.
threading.stack_size(2**46)
writer = SpoolWriter(Path(sys.argv[1]), segment_size=2**20, health=Health(), durability=sys.argv[2])
print([writer.begin(make_begin()) for _ in range(3)])
"""


@pytest.mark.parametrize("durability", ["os", "group", "fsync"])
def test_where_no_thread_can_be_started_lines_are_written(tmp_path: Path, durability: str) -> None:
    """The system refuses it; nobody hears of it."""
    run = _run(_NO_THREADS, str(tmp_path), durability)

    assert (run.stdout, run.stderr) == ("[True, True, True]\n", "")
    (lines,) = _segments(tmp_path)
    assert [line["kind"] for line in lines] == ["header", "begin", "begin", "begin", "footer"]


_LATE = """
import atexit, sys
from pathlib import Path
from monitor.health import Health
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin

def late():
    print(writer.begin(make_begin()))

# Called after the writer's own hook, which is registered later.
atexit.register(late)
writer = SpoolWriter(Path(sys.argv[1]), segment_size=2**20, health=Health(), durability=sys.argv[2])
writer.begin(make_begin())
"""


@pytest.mark.parametrize("durability", ["os", "group", "fsync"])
def test_a_line_after_the_end_is_written_too(tmp_path: Path, durability: str) -> None:
    """While the interpreter ends, no thread is started: it could never run."""
    run = _run(_LATE, str(tmp_path), durability)

    assert (run.stdout, run.stderr) == ("True\n", "")
    assert len(_segments(tmp_path)) == 2


def _run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
