"""Offered is stored and counted, to the line, whatever the system refuses."""

import errno
import itertools
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.health import Health
from monitor.spool.numbers import Seen
from monitor.spool.reader import list_segments
from monitor.spool.trouble import LONGEST_WAIT
from monitor.spool.writer import SpoolWriter
from tests.architecture.sources import ROOT
from tests.factories import make_begin
from tests.spool.machines import refuse

_OFFERED = 400


class _Erratic:
    """A disk that takes all, a part or nothing, as it likes, and flushes as it likes."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.is_well = False

    def write(self, descriptor: int, content: bytes) -> int:
        """Write it, or do not."""
        mood = 1.0 if self.is_well else self._chance.random()
        if mood < 0.05:
            raise OSError(self._chance.choice((errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS)), "x")
        if mood < 0.10:
            return os.write(descriptor, content[: self._chance.randrange(len(content))])
        return os.write(descriptor, content)

    def flush(self, descriptor: int) -> None:
        """Flush it, or do not."""
        if not self.is_well and self._chance.random() < 0.1:
            raise OSError(errno.EIO, "x")


def _lines(directory: Path) -> list[dict[str, Any]]:
    """All intact lines; the numbers of each segment have no gap."""
    found = []
    for segment in list_segments(directory)[0]:
        batch = segment.read(0, 2**24, Seen())
        assert batch.seen == Seen(len(batch.lines))
        found += [json.loads(line) for line in batch.lines]
    return found


def _balance(directory: Path) -> tuple[int, int]:
    """Stored, and told as dropped."""
    lines = _lines(directory)
    return (
        sum(line["kind"] == "begin" for line in lines),
        sum(line["count"] for line in lines if line["kind"] == "dropped"),
    )


@pytest.mark.parametrize("durability", ["os", "group", "fsync"])
@pytest.mark.parametrize("number", range(6))
def test_whatever_the_disk_does_every_line_is_stored_or_told(tmp_path: Path, number: int, durability: str) -> None:
    """Faults and short writes in lines, headers, footers and flushes; no line twice."""
    disk, health = _Erratic(random.Random(number)), Health()
    clock = itertools.count(step=LONGEST_WAIT / 2).__next__
    writer = SpoolWriter(
        tmp_path,
        segment_size=3_000,
        health=health,
        durability=durability,
        write=disk.write,
        flush=disk.flush,
        clock=clock,
        start=refuse,
    )
    taken = sum(writer.begin(make_begin()) for _ in range(_OFFERED))
    disk.is_well = True
    writer.close()

    assert 0 < taken < _OFFERED
    assert _balance(tmp_path) == (taken, _OFFERED - taken)
    assert health.counts()["calls_dropped_total"] == _OFFERED - taken


_FULL_OF_FILES = """
import itertools, os, resource, sys
from pathlib import Path
from monitor.health import Health
from monitor.spool.trouble import LONGEST_WAIT
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin

health = Health()
writer = SpoolWriter(
    Path(sys.argv[1]), segment_size=1_500, health=health, durability=sys.argv[2],
    clock=itertools.count(step=LONGEST_WAIT).__next__,
)
results = [writer.begin(make_begin()) for _ in range(int(sys.argv[3]))]
resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
results += [writer.begin(make_begin()) for _ in range(20)]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
results += [writer.begin(make_begin()) for _ in range(5)]
writer.close()
print(results.count(True), results.count(False), health.counts().get("calls_dropped_total", 0))
"""


@pytest.mark.parametrize("durability", ["os", "fsync"])
@pytest.mark.parametrize("before", [0, 5])
def test_too_many_open_files(tmp_path: Path, before: int, durability: str) -> None:
    """A segment that is open goes on beyond its size; where none is, the loss is told."""
    run = subprocess.run(
        [sys.executable, "-c", _FULL_OF_FILES, str(tmp_path), durability, str(before)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    taken, refused, counted = map(int, run.stdout.split())

    assert (taken, refused) == ((before + 25, 0) if before else (5, 20))
    assert (*_balance(tmp_path), counted) == (taken, refused, refused)


def _jumping(*hours: float) -> Callable[[], datetime]:
    moments = itertools.cycle(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC) + timedelta(hours=hour) for hour in hours)
    return lambda: next(moments)


@pytest.mark.parametrize(
    "calendar",
    [
        _jumping(0, -1, 1, -2),
        _jumping(0, 24 * 365 * 10, -24 * 365 * 30),
        lambda: datetime(1970, 1, 1, tzinfo=UTC),
        _jumping(*range(0, -400, -1)),
    ],
    ids=["summer time", "years", "1970", "backwards"],
)
def test_nothing_depends_on_the_calendar(tmp_path: Path, calendar: Callable[[], datetime]) -> None:
    """It names the segments, no more: all lines are there, each once, and all segments are ended."""
    writer = SpoolWriter(tmp_path, segment_size=1_000, health=Health(), calendar=calendar, start=refuse)
    names = [make_begin().record_id for _ in range(50)]
    for name in names:
        assert writer.begin(make_begin(record_id=name))
    writer.close()

    assert Counter(line["record_id"] for line in _lines(tmp_path) if line["kind"] == "begin") == Counter(names)
    assert all(segment.read(0, 2**20).is_last for segment in list_segments(tmp_path)[0])
