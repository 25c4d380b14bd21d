"""The writer's promise: what it took is in the file; and the reader's: each line once, no damaged one."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.health import Health
from monitor.records import Begin
from monitor.spool.reader import Segment, list_segments
from monitor.spool.trouble import LONGEST_WAIT
from monitor.spool.writer import SpoolWriter

ROOT = Path(__file__).parents[2]


def _begin(name: str) -> Begin:
    return Begin(
        record_id=f"{abs(hash(name)) % 2**128:032x}",
        call_id="0" * 32,
        attempt=0,
        started_at=datetime(2026, 11, 20, tzinfo=UTC),
        provider_name="openai",
        operation_name="chat",
        endpoint="/chat/completions",
        request_model=name,
    )


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def writer(tmp_path: Path, health: Health) -> Iterator[SpoolWriter]:
    made = SpoolWriter(tmp_path, segment_size=2**20, health=health)
    yield made
    made.close()


def _segment(directory: Path) -> Segment:
    (segments, headless) = list_segments(directory)
    assert headless == []
    (segment,) = segments
    return segment


def _decoded(lines: tuple[bytes, ...]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def _models(directory: Path) -> list[str]:
    lines = [line for segment in list_segments(directory)[0] for line in _decoded(segment.read(0, 2**30).lines)]
    return [line["request_model"] for line in lines if line["kind"] == "begin"]


def test_nothing_is_made_before_the_first_line(writer: SpoolWriter, tmp_path: Path) -> None:
    """A process that makes no call leaves no file."""
    assert list(tmp_path.iterdir()) == []


def test_a_line_is_readable_at_once(writer: SpoolWriter, tmp_path: Path) -> None:
    """Right after `begin` the line stands in the file, behind the header, with numbers without a gap."""
    assert writer.begin(_begin("one"))
    assert writer.begin(_begin("two"))

    batch = _segment(tmp_path).read(0, 2**20)
    assert [(line["seq"], line["kind"]) for line in _decoded(batch.lines)] == [
        (0, "header"),
        (1, "begin"),
        (2, "begin"),
    ]
    assert not batch.is_last


def test_reading_goes_on_where_it_ended(writer: SpoolWriter, tmp_path: Path) -> None:
    """Each line is read once, whatever the size of the reads."""
    for number in range(50):
        writer.begin(_begin(f"m{number}"))
    writer.close()
    segment = _segment(tmp_path)

    offset, lines, is_last = 0, list[bytes](), False
    while not is_last:
        batch = segment.read(offset, 300)
        offset, is_last = batch.next_offset, batch.is_last
        lines += batch.lines

    assert [line["seq"] for line in _decoded(tuple(lines))] == list(range(52))
    assert offset == segment.size()


def test_a_torn_tail_waits_while_the_writer_lives(writer: SpoolWriter, tmp_path: Path) -> None:
    """Half a line may still become whole: it is neither read nor thrown away."""
    writer.begin(_begin("one"))
    segment = _segment(tmp_path)
    whole = segment.size()
    with segment.path.open("ab") as file:
        file.write(b'{"seq":2,"kind":"end"')

    batch = segment.read(0, 2**20)

    assert (batch.next_offset, len(batch.lines), batch.damages) == (whole, 2, ())
    assert not batch.is_last


def test_a_torn_tail_is_damage_when_the_writer_is_gone(writer: SpoolWriter, tmp_path: Path) -> None:
    """When nobody can finish the line, it is quarantined with its reason and the segment has ended."""
    writer.begin(_begin("one"))
    writer.close()
    segment = _segment(tmp_path)
    whole = segment.size()
    with segment.path.open("ab") as file:
        file.write(b'{"seq":2,"kind":"end"')

    batch = segment.read(0, 2**20)

    assert [(damage.offset, damage.reason, damage.content) for damage in batch.damages] == [
        (whole, "torn", b'{"seq":2,"kind":"end"')
    ]
    assert batch.next_offset == segment.size()
    assert batch.is_last


def test_only_the_altered_line_is_damage(writer: SpoolWriter, tmp_path: Path) -> None:
    """A byte that changed on the disk costs that line alone."""
    for name in ("one", "two", "three"):
        writer.begin(_begin(name))
    writer.close()
    segment = _segment(tmp_path)
    content = segment.path.read_bytes()
    segment.path.write_bytes(content.replace(b'"two"', b'"twx"'))

    batch = segment.read(0, 2**20)

    (damage,) = batch.damages
    assert (damage.reason, damage.offset) == ("checksum", content.index(b'{"seq":2'))
    assert b'"twx"' in damage.content
    assert _models(tmp_path) == ["one", "three"]


def test_a_segment_ends_with_its_size(tmp_path: Path, health: Health) -> None:
    """Each segment ends with a footer at its size; no line is lost between two, and the writer never seems gone."""
    writer = SpoolWriter(tmp_path, segment_size=2000, health=health)
    for number in range(40):
        assert writer.begin(_begin(f"m{number}"))
        assert any(not segment.is_writer_gone() for segment in list_segments(tmp_path)[0])

    segments, _ = list_segments(tmp_path)
    ended = [segment.read(0, 2**20).is_last for segment in segments]
    writer.close()
    assert len(segments) > 3
    assert sorted(ended) == [False] + [True] * (len(segments) - 1)
    assert sorted(_models(tmp_path)) == sorted(f"m{number}" for number in range(40))


def test_two_writers_write_two_segments(tmp_path: Path, health: Health) -> None:
    """Writers share a directory, never a file."""
    writers = [SpoolWriter(tmp_path, segment_size=2**20, health=health) for _ in range(2)]
    for number in range(20):
        writers[number % 2].begin(_begin(f"m{number}"))
    for writer in writers:
        writer.close()

    segments, _ = list_segments(tmp_path)
    assert [len(segment.read(0, 2**20).lines) for segment in segments] == [12, 12]


def test_threads_share_a_writer(writer: SpoolWriter, tmp_path: Path) -> None:
    """Lines of many threads stand one after the other, none in the middle of another."""

    def write(name: str) -> None:
        for number in range(100):
            writer.begin(_begin(f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    batch = _segment(tmp_path).read(0, 2**30)
    assert batch.damages == ()
    assert [line["seq"] for line in _decoded(batch.lines)] == list(range(801))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_leaves_the_parents_segment_alone(writer: SpoolWriter, tmp_path: Path) -> None:
    """The child begins a segment of its own; the parent's stays locked and goes on."""
    writer.begin(_begin("before"))
    child = os.fork()
    if child == 0:
        os._exit(0 if writer.begin(_begin("child")) else 1)
    assert os.waitpid(child, 0)[1] == 0
    writer.begin(_begin("after"))

    by_pid = {segment.header.pid: segment for segment in list_segments(tmp_path)[0]}
    assert by_pid[child].is_writer_gone()
    assert not by_pid[os.getpid()].is_writer_gone()
    models = {
        pid: [line["request_model"] for line in _decoded(segment.read(0, 2**20).lines) if line["kind"] == "begin"]
        for pid, segment in by_pid.items()
    }
    assert models == {os.getpid(): ["before", "after"], child: ["child"]}


def test_a_closed_writer_begins_anew(writer: SpoolWriter, tmp_path: Path) -> None:
    """Closing ends the segment; a later line finds a new one."""
    writer.begin(_begin("one"))
    writer.close()
    writer.close()
    writer.begin(_begin("two"))

    assert len(list_segments(tmp_path)[0]) == 2
    assert sorted(_models(tmp_path)) == ["one", "two"]


def test_a_missing_directory_is_told_later(tmp_path: Path, health: Health) -> None:
    """What cannot be written is counted, and told on the spool as soon as that works."""
    directory = tmp_path / "spool"
    now = [0.0]
    writer = SpoolWriter(directory, segment_size=2**20, health=health, clock=lambda: now[0])

    assert not writer.begin(_begin("one"))
    assert not writer.begin(_begin("two"))
    directory.mkdir()
    now[0] = LONGEST_WAIT
    assert writer.begin(_begin("three"))
    writer.close()

    lines = _decoded(_segment(directory).read(0, 2**20).lines)
    assert [line["kind"] for line in lines] == ["header", "dropped", "begin", "footer"]
    assert (lines[1]["reason"], lines[1]["count"]) == ("no_directory", 2)
    assert health.counts()["calls_dropped_total"] == 2


_FULL = """
import itertools, resource, sys
from pathlib import Path
from monitor.health import Health
from monitor.spool.trouble import LONGEST_WAIT
from monitor.spool.writer import SpoolWriter
from tests.spool.test_writer_and_reader import _begin

health = Health()
clock = itertools.count(step=LONGEST_WAIT).__next__
writer = SpoolWriter(Path(sys.argv[1]), segment_size=2**20, health=health, clock=clock)
results = [writer.begin(_begin("m0"))]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
results += [writer.begin(_begin(f"m{number}")) for number in range(1, 6)]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
results.append(writer.begin(_begin("last")))
writer.close()
print(results.count(False), health.counts().get("calls_dropped_total", 0))
"""


@pytest.mark.parametrize("limit", [100, 400, 560, 700, 1000, 1200])
def test_a_full_disk_loses_whole_lines_and_says_how_many(limit: int, tmp_path: Path) -> None:
    """Wherever the disk ends, in a header or in a line: files hold whole lines, and the loss is told exactly."""
    run = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path), str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lost, counted = map(int, run.stdout.split())

    segments, headless = list_segments(tmp_path)
    batches = [segment.read(0, 2**20) for segment in segments]
    lines = [line for batch in batches for line in _decoded(batch.lines)]
    told = sum(line["count"] for line in lines if line["kind"] == "dropped")
    assert headless == []
    assert all(batch.damages == () and batch.is_last for batch in batches)
    assert lost == counted == told
    assert len([line for line in lines if line["kind"] == "begin"]) == 7 - lost
    assert {line["reason"] for line in lines if line["kind"] == "dropped"} <= {"disk_full"}


def test_a_rotation_that_fails_goes_on_in_the_old_segment(tmp_path: Path, health: Health) -> None:
    """When the next segment cannot be made, the old one takes more than its size, and nothing is lost."""
    directory, moved = tmp_path / "spool", tmp_path / "moved"
    directory.mkdir()
    clock = itertools.count(step=LONGEST_WAIT).__next__
    writer = SpoolWriter(directory, segment_size=600, health=health, clock=clock)
    writer.begin(_begin("m0"))
    directory.rename(moved)
    for number in range(1, 6):
        assert writer.begin(_begin(f"m{number}"))
    moved.rename(directory)
    writer.begin(_begin("m6"))
    writer.begin(_begin("m7"))
    writer.close()

    assert len(list_segments(directory)[0]) == 2
    assert sorted(_models(directory)) == [f"m{number}" for number in range(8)]
    assert "calls_dropped_total" not in health.counts()


def test_files_without_a_header_are_told_apart(tmp_path: Path) -> None:
    """A file that is empty, torn in its header or foreign is no segment, and stops nothing."""
    (tmp_path / "empty.ndjson").touch()
    (tmp_path / "torn.ndjson").write_bytes(b'{"seq":0,"kind":"header"')
    (tmp_path / "foreign.ndjson").write_bytes(b"hello\n" * 3)
    (tmp_path / "other.txt").write_bytes(b"not looked at")

    segments, headless = list_segments(tmp_path)

    assert segments == []
    assert [path.name for path in headless] == ["empty.ndjson", "foreign.ndjson", "torn.ndjson"]


def test_a_line_longer_than_the_read_is_read_whole(writer: SpoolWriter, tmp_path: Path) -> None:
    """The limit of a read is about how much, not about where to cut."""
    writer.begin(_begin("m" * 50_000))
    segment = _segment(tmp_path)
    first = segment.read(0, 100)

    second = segment.read(first.next_offset, 100)

    assert [line["kind"] for line in _decoded(first.lines + second.lines)] == ["header", "begin"]
