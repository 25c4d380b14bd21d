"""A segment stays the same one: with a damaged header, renamed, copied, torn and whole again."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.health import Health
from monitor.spool.format import HEADER, encode_line
from monitor.spool.numbers import Seen
from monitor.spool.reader import Heads, Segment, list_segments
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin
from tests.spool.machines import refuse


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SpoolWriter]:
    made = SpoolWriter(tmp_path, segment_size=2**20, health=Health(), start=refuse)
    for _ in range(5):
        made.begin(make_begin())
    yield made
    made.close()


def _segment(directory: Path) -> Segment:
    ((segment,), headless) = list_segments(directory)
    assert headless == []
    return segment


def _damage_header(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"header"', b'"hexder"', 1))


def test_a_header_tells_the_boot(writer: SpoolWriter, tmp_path: Path) -> None:
    """After another one the same process number means another process."""
    boot = Path("/proc/sys/kernel/random/boot_id")

    assert _segment(tmp_path).header.boot_id == (boot.read_text().strip() if boot.exists() else None)


def test_a_header_of_an_older_program_is_read(tmp_path: Path) -> None:
    """It tells no boot."""
    facts = {"segment": "0" * 32, "format": 1, "host": "h", "pid": 1, "process_started_at": 2.0, "started_at": "x"}
    (tmp_path / "old.ndjson").write_bytes(encode_line(0, HEADER, facts))

    assert _segment(tmp_path).header.boot_id is None


def test_a_damaged_header_costs_nothing_but_itself(writer: SpoolWriter, tmp_path: Path) -> None:
    """The lines are read under the same id, while the writer lives and afterwards."""
    before = _segment(tmp_path)
    first = before.read(0, 1_000, Seen())
    _damage_header(before.path)
    living = _segment(tmp_path).read(first.next_offset, 2**20, first.seen)
    again = _segment(tmp_path).read(0, 2**20, Seen())

    assert _segment(tmp_path).id == before.id
    assert (len(first.lines) + len(living.lines), living.damages) == (6, ())
    (damage,) = again.damages
    assert (damage.offset, damage.reason, len(again.lines)) == (0, "checksum", 5)


def test_a_renamed_segment_with_a_damaged_header_is_known_by_its_footer(writer: SpoolWriter, tmp_path: Path) -> None:
    """The footer names the segment again."""
    writer.close()
    before = _segment(tmp_path)
    _damage_header(before.path)
    before.path.rename(tmp_path / "renamed.ndjson")

    assert _segment(tmp_path).id == before.id


def test_a_segment_that_nothing_names_is_left_alone(writer: SpoolWriter, tmp_path: Path) -> None:
    """Under another id its lines could count twice."""
    path = _segment(tmp_path).path
    _damage_header(path)
    path.rename(tmp_path / "renamed.ndjson")

    assert list_segments(tmp_path) == ([], [tmp_path / "renamed.ndjson"])


def test_garbage_before_a_header_hides_it_not(writer: SpoolWriter, tmp_path: Path) -> None:
    """With a newline or without."""
    before = _segment(tmp_path)
    content = before.path.read_bytes()
    for garbage in (b"garbage", b"gar\nbage\n", b"\n"):
        path = tmp_path / "renamed.ndjson"
        path.write_bytes(garbage + content)
        before.path.unlink(missing_ok=True)
        batch = _segment(tmp_path).read(0, 2**20, Seen())

        assert (_segment(tmp_path).id, len(batch.lines)) == (before.id, 6)
        assert b"".join(damage.content for damage in batch.damages) == garbage.replace(b"\n", b"")


def test_a_segment_of_a_newer_program_waits_for_it(tmp_path: Path) -> None:
    """Its name is no reason to read it as one of ours."""
    facts = {"segment": "0" * 32, "format": 99, "host": "h", "pid": 1, "process_started_at": 2.0, "started_at": "x"}
    path = tmp_path / f"20261120T120000-1-{'0' * 32}.ndjson"
    path.write_bytes(encode_line(0, HEADER, facts) + encode_line(1, b"begin", make_begin()))

    assert list_segments(tmp_path) == ([], [path])


def test_a_torn_copy_and_its_whole_original_give_each_line_once(writer: SpoolWriter, tmp_path: Path) -> None:
    """Wherever the copy ends: what it lacks is read from the original, though the torn line was told as damage."""
    writer.close()
    whole = _segment(tmp_path)
    content = whole.path.read_bytes()
    lines = content.splitlines()
    begin = len(lines[0]) + 1
    ends = [place + shift for place in range(begin, len(content)) if content[place] == 10 for shift in (-1, 0, 1)]
    for length in sorted({*range(begin, len(content), 41), *ends} - {len(content)}):
        whole.path.write_bytes(content[:length])
        torn = _segment(tmp_path).read(0, 2**20, Seen())
        assert torn.is_last
        whole.path.write_bytes(content)
        rest = _segment(tmp_path).read(torn.next_offset, 2**20, torn.seen)

        assert [*torn.lines, *rest.lines] == lines, length
        assert (rest.damages, rest.repeated) == ((), 0)


def test_reading_again_gives_what_was_damaged_then(writer: SpoolWriter, tmp_path: Path) -> None:
    """A copy that is whole gives the missing lines and no other."""
    writer.close()
    segment = _segment(tmp_path)
    content = segment.path.read_bytes()
    segment.path.write_bytes(content.replace(b'{"seq":3', b'{"sex":3'))
    damaged = segment.read(0, 2**20, Seen())
    assert damaged.seen == Seen(7, ((3, 3),))
    segment.path.write_bytes(content)

    again = segment.read(0, 2**20, damaged.seen)

    assert ([line[:8] for line in again.lines], again.repeated) == ([b'{"seq":3'], 6)
    assert again.seen == Seen(7)


def test_a_line_that_stands_there_twice_is_read_once(writer: SpoolWriter, tmp_path: Path) -> None:
    """In one batch or in two."""
    writer.close()
    segment = _segment(tmp_path)
    content = segment.path.read_bytes()
    segment.path.write_bytes(content + content)
    first = segment.read(0, len(content) // 2, Seen())

    rest = segment.read(first.next_offset, 2**20, first.seen)

    assert [*first.lines, *rest.lines] == content.splitlines()
    assert first.repeated + rest.repeated == 7


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe would hold up everything, a link would lead elsewhere."""
    (tmp_path / "there").touch()
    (tmp_path / "link.ndjson").symlink_to(tmp_path / "there")
    (tmp_path / "nowhere.ndjson").symlink_to(tmp_path / "not there")
    (tmp_path / "folder.ndjson").mkdir()
    path = tmp_path / "pipe.ndjson"
    os.mkfifo(path)

    segments, headless = list_segments(tmp_path)

    assert (segments, [path.name for path in headless]) == ([], ["folder.ndjson", "link.ndjson", "pipe.ndjson"])


def test_a_file_that_is_gone_holds_up_nothing(writer: SpoolWriter, tmp_path: Path) -> None:
    """It was removed since it was listed: nothing is read, and nothing is over."""
    segment = _segment(tmp_path)
    shutil.move(segment.path, tmp_path / "elsewhere")

    batch = segment.read(10, 2**20, Seen())

    assert (batch.lines, batch.next_offset, batch.is_last, segment.size()) == ((), 10, False, 0)


def test_headers_are_remembered_until_their_file_changes(tmp_path: Path) -> None:
    """A listing costs little where thousands of segments wait to be let go, and tells the same as a fresh one."""
    heads = Heads()
    paths = [tmp_path / f"{number}.ndjson" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(_header_line(str(number) * 32))

    def listed() -> list[str]:
        found = [segment.id for segment in list_segments(tmp_path, heads)[0]]
        assert found == [segment.id for segment in list_segments(tmp_path)[0]]
        return found

    assert listed() == listed() == ["0" * 32, "1" * 32, "2" * 32]
    paths[0].unlink()
    paths[1].write_bytes(_header_line("7" * 32))
    shutil.copy(paths[2], tmp_path / "copy")
    (tmp_path / "copy").replace(paths[2])
    (tmp_path / "4.ndjson").write_bytes(b"")
    assert listed() == ["7" * 32, "2" * 32]
    (tmp_path / "4.ndjson").write_bytes(_header_line("4" * 32))
    assert listed() == ["7" * 32, "2" * 32, "4" * 32]


def _header_line(segment: str) -> bytes:
    facts = {
        "segment": segment,
        "format": 1,
        "host": "h",
        "pid": 1,
        "process_started_at": 2.0,
        "started_at": "x",
    }
    return encode_line(0, HEADER, facts)
