"""Whatever happens to a segment: every line that is whole is read, once, and nothing else is."""

import itertools
import random
from collections import Counter
from pathlib import Path

import pytest

from monitor.health import Health
from monitor.spool.format import is_intact, seq_of
from monitor.spool.numbers import Seen
from monitor.spool.reader import Batch, Segment, list_segments
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin
from tests.spool.machines import refuse
from tests.spool.mutations import mutated

_IN_THE_ORDINARY_RUN = 300


class _Sample:
    """A segment as it was written, and a place for its damaged copies."""

    def __init__(self, directory: Path) -> None:
        writer = SpoolWriter(directory, segment_size=2**20, health=Health(), start=refuse)
        for number in range(24):
            writer.begin(make_begin(request_model="m" * chance.randrange(300), attempt=number))
        writer.close()
        (segment,) = list_segments(directory)[0]
        self.directory = directory
        self.id = segment.id
        self.path = segment.path
        self.content = segment.path.read_bytes()
        self.lines = self.content.splitlines()

    def damaged(self, content: bytes) -> Segment | None:
        """The segment with this content; None where too little is left of it."""
        self.path.write_bytes(content)
        segments, headless = list_segments(self.directory)
        assert len(segments) + len(headless) == 1
        return segments[0] if segments else None


chance = random.Random(7)


@pytest.fixture
def sample(tmp_path: Path) -> _Sample:
    return _Sample(tmp_path)


def _read(segment: Segment, limit: int, seen: Seen | None) -> list[Batch]:
    batches: list[Batch] = []
    offset, is_last = 0, False
    while not is_last:
        batch = segment.read(offset, limit, seen)
        assert batch.next_offset > offset or batch.is_last
        offset, is_last, seen = batch.next_offset, batch.is_last, batch.seen
        batches.append(batch)
    return batches


def _check(sample: _Sample, number: int) -> None:
    """One mutation: read in pieces of any size, with and without a look at the numbers."""
    chance = random.Random(number)
    content = mutated(sample.content, chance)
    segment = sample.damaged(content)
    if segment is None:
        assert not content
        return
    assert segment.id == sample.id
    limit = chance.choice((300, 2_000, 2**20))
    whole = [line for line in sample.lines if line in content]

    batches = _read(segment, limit, Seen())
    lines = [line for batch in batches for line in batch.lines]
    assert Counter(lines) == Counter(whole), number
    seen = batches[-1].seen
    assert seen is not None
    numbers = {seq_of(line) for line in lines}
    assert seen.next_seq == max((seq or 0 for seq in numbers), default=-1) + 1
    assert seen.missing_count == seen.next_seq - len(numbers)

    everything = _read(segment, limit, None)
    damages = [damage for batch in everything for damage in batch.damages]
    for damage in damages:
        assert damage.offset is not None
        assert content[damage.offset : damage.offset + len(damage.content)] == damage.content
        assert damage.reason in ("checksum", "torn")
    found = sum(len(line) for batch in everything for line in batch.lines)
    assert found + sum(len(damage.content) for damage in damages) + content.count(b"\n") == len(content), number


def test_what_is_whole_is_recovered_and_nothing_else(sample: _Sample) -> None:
    """All lines whose bytes are there, each once; every other byte is told with its place and reason."""
    for number in range(_IN_THE_ORDINARY_RUN):
        _check(sample, number)


@pytest.mark.torture
def test_many_mutations(sample: _Sample, mutations: int) -> None:
    """The same, ten thousand times."""
    for number in range(mutations):
        _check(sample, number)


def test_lines_without_a_newline_between_them_are_two(sample: _Sample) -> None:
    """Nothing is lost with it, so nothing is told."""
    lines = sample.lines
    segment = sample.damaged(b"\n".join(lines[:3]) + lines[3] + b"\n" + b"\n".join(lines[4:]) + b"\n")
    assert segment is not None

    batch = segment.read(0, 2**20, Seen())

    assert (list(batch.lines), batch.damages) == (lines, ())


def test_garbage_before_a_line_costs_nothing_but_itself(sample: _Sample) -> None:
    """Its place and content are told."""
    lines = sample.lines
    segment = sample.damaged(b"\n".join([*lines[:3], b"garbage" + lines[3], *lines[4:]]) + b"\n")
    assert segment is not None

    batch = segment.read(0, 2**20, Seen())

    (damage,) = batch.damages
    assert (damage.offset, damage.reason, damage.content) == (len(b"\n".join(lines[:3])) + 1, "checksum", b"garbage")
    assert list(batch.lines) == lines


def test_a_line_that_lacks_only_its_newline_is_whole(sample: _Sample) -> None:
    """A writer that died there had written all of it."""
    segment = sample.damaged(b"\n".join(sample.lines[:5]))
    assert segment is not None

    batch = segment.read(0, 2**20, Seen())

    assert (list(batch.lines), batch.damages, batch.is_last) == (sample.lines[:5], (), True)


def test_a_huge_piece_without_sense_is_read_in_no_time(sample: _Sample) -> None:
    """What looks like many beginnings and ends of lines takes no time that grows with its square."""
    noise = b'{"seq":1,"kind":"' * 50_000 + b',"crc":"00000000"}' * 5
    segment = sample.damaged(sample.lines[0] + b"\n" + noise + b"\n" + sample.lines[1] + b"\n")
    assert segment is not None

    batch = segment.read(0, 2**24, Seen())

    assert (list(batch.lines), [damage.content for damage in batch.damages]) == (sample.lines[:2], [noise[: 2**16]])


@pytest.mark.parametrize("torn", [b"", b'{"seq":3,"kind":"begin","rec'])
def test_a_hole_of_any_size_is_read_piece_by_piece(sample: _Sample, torn: bytes) -> None:
    """A disk that lost pages gives zeros without a newline: they fill no memory, and what is behind them counts."""
    before, behind = b"\n".join(sample.lines[:3]) + b"\n" + torn, b"\n".join(sample.lines[3:]) + b"\n"
    segment = sample.damaged(before)
    assert segment is not None
    with segment.path.open("r+b") as file:
        file.seek(len(before) + 2**26 - len(behind) // 2)
        file.write(behind)

    batches = _read(segment, 2**22, Seen())

    places = [0, *(batch.next_offset for batch in batches)]
    assert [line for batch in batches for line in batch.lines] == sample.lines
    assert max(after - before for before, after in itertools.pairwise(places)) <= 2**23
    assert max(len(damage.content) for batch in batches for damage in batch.damages) == 2**16


def test_a_record_in_the_tags_of_a_damaged_line_is_none(sample: _Sample) -> None:
    """A text in a line, be it like a whole line, is never taken for one."""
    inner = b'{"seq":"1","kind":"end","crc":"0"}'
    segment = sample.damaged(sample.lines[0] + b'\n{"seq":1,"kind":"begin","tags":' + inner + b',"crc":"00000000"}\n')
    assert segment is not None

    batch = segment.read(0, 2**20, Seen())

    assert (len(batch.lines), len(batch.damages)) == (1, 1)
    assert all(map(is_intact, batch.lines))
