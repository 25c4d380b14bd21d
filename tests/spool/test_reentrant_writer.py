"""A line put in the middle of another one, by a signal's handler or a finalizer: both are in the file, each once."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from monitor.health import Health
from monitor.spool.reader import list_segments
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin
from tests.spool.machines import refuse

_LINES = 12
_MOST_WRITES = 30
_FILES = Path("/proc/self/fd")
_TINY = 600
"""So small that every second line begins another segment."""


class _Interrupting:
    """Writes as the system does, and puts a line of its own around the write of that number."""

    def __init__(self, number: int, *, is_before: bool) -> None:
        self._left = number
        self._is_before = is_before
        self.writer: SpoolWriter | None = None
        self.put: list[str] = []

    def __call__(self, descriptor: int, content: bytes) -> int:
        self._left -= 1
        if self._left or self.writer is None:
            return os.write(descriptor, content)
        if self._is_before:
            self._put()
        written = os.write(descriptor, content)
        if not self._is_before:
            self._put()
        return written

    def _put(self) -> None:
        assert self.writer is not None
        for _ in range(3):
            line = make_begin()
            if self.writer.begin(line):
                self.put.append(line.record_id)


def _stored(directory: Path) -> Counter[str]:
    """What a drain finds: whole segments, up to their footers."""
    found: Counter[str] = Counter()
    segments, headless = list_segments(directory)
    assert headless == []
    for segment in segments:
        batch = segment.read(0, 2**20)
        assert batch.damages == ()
        lines = [json.loads(line) for line in batch.lines]
        assert sorted(line["seq"] for line in lines) == list(range(len(lines)))
        assert [line["kind"] for line in lines].index("footer") == len(lines) - 1
        found.update(line["record_id"] for line in lines if line["kind"] == "begin")
    return found


def _open_files(directory: Path) -> list[str]:
    """Only those in that directory: what other tests left open may be closed at any moment."""
    if not _FILES.is_dir():
        return []
    # One of the descriptors is that of the listing itself, and gone when it is looked at.
    targets = (str(path.readlink()) for path in _FILES.iterdir() if path.is_symlink())
    return [target for target in targets if target.startswith(str(directory))]


@pytest.mark.parametrize("is_before", [True, False])
@pytest.mark.parametrize("number", range(1, _MOST_WRITES))
def test_a_line_in_the_middle_of_another_is_kept(number: int, is_before: bool, tmp_path: Path) -> None:
    """Whichever write it comes in, be it a header's or a footer's: nothing is lost, nothing is left open."""
    interrupting = _Interrupting(number, is_before=is_before)
    writer = SpoolWriter(tmp_path, segment_size=_TINY, health=Health(), write=interrupting, start=refuse)
    interrupting.writer = writer
    put = []
    for _ in range(_LINES):
        line = make_begin()
        assert writer.begin(line)
        put.append(line.record_id)
    writer.close()
    # A line that came in the middle of the end began another segment.
    writer.close()

    assert _stored(tmp_path) == Counter([*put, *interrupting.put])
    assert len(interrupting.put) in (0, 3)
    assert _open_files(tmp_path) == []
