"""Damaged lines count once their file is mended, or a whole copy has come; what is damaged still stays where it is."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

import msgspec
import pytest

from monitor.jobs.tasks import TASKS
from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.retire import compact_positions
from monitor.spool.format import BEGIN, DROPPED, END, FOOTER, encode_line
from tests.chests import chest_of
from tests.factories import make_begin, make_record
from tests.ledger.damaged import DAMAGES
from tests.ledger.drained import reasons, stored_requests
from tests.ledger.dying import die_at_each_statement, mortal_world
from tests.world import World, sealed


@pytest.fixture(autouse=True)
def _agrees(world: World) -> Iterator[None]:
    """Nothing is lost or counted twice, whatever a test does."""
    yield
    assert check(world.ledger).faults == ()


def _retry(world: World) -> tuple[int, int]:
    """Lines stored, and pieces that stay."""

    def drain() -> None:
        world.drain.run()

    with chest_of(world, drain) as chest:
        done = TASKS["retry"](chest, {})
    return done["stored"], done["left"]


def _segment(world: World, number: int = 20) -> tuple[Path, list[bytes]]:
    """A segment whose writer is gone, and its lines."""
    path = world.forge(*(encode_line(place, END, make_record()).rstrip(b"\n") for place in range(1, number + 1)))
    return path, path.read_bytes().splitlines(keepends=True)


def _spoilt(lines: list[bytes], *places: int) -> bytes:
    return b"".join(line.replace(b'"seq"', b'"sEq"') if place in places else line for place, line in enumerate(lines))


@pytest.mark.parametrize("place", [0, 7, 20])
@pytest.mark.parametrize("name", [None, "copy.ndjson"])
def test_a_line_counts_once_when_it_is_whole_again(world: World, place: int, name: str | None) -> None:
    """Header, a line or the last one; the file itself or a copy; however often it is tried."""
    path, lines = _segment(world)
    path = path.rename(path.with_name(f"20261120T120000-1-{path.name}"))
    path.write_bytes(_spoilt(lines, place))
    world.drain.run()
    damaged = stored_requests(world), reasons(world)
    (path.with_name(name) if name else path).write_bytes(b"".join(lines))

    assert damaged == (20 - (place > 0), ["checksum"])
    assert [_retry(world), _retry(world)] == [(1, 0), (0, 0)]
    assert stored_requests(world) == 20


def test_what_was_in_quarantine_is_kept_as_retried(world: World) -> None:
    """With the place where it stood, and the segment that it was read of."""
    path, lines = _segment(world)
    path.write_bytes(_spoilt(lines, 3))
    world.drain.run()
    path.write_bytes(b"".join(lines))
    _retry(world)

    assert world.rows("select file, byte_offset, reason, segment = retried_segment from retried") == [
        (path.name, len(b"".join(lines[:3])), "checksum", True)
    ]


def test_what_is_damaged_still_stays_and_stands_there_once(world: World) -> None:
    """A file that is mended in part gives that part."""
    path, lines = _segment(world)
    path.write_bytes(_spoilt(lines, 3, 9, 10, 15))
    world.drain.run()
    unchanged = _retry(world)
    path.write_bytes(_spoilt(lines, 9, 10))
    partly = _retry(world)
    path.write_bytes(_spoilt(lines, 3, 10))

    assert (unchanged, partly) == ((0, 4), (2, 2))
    assert [_retry(world), _retry(world)] == [(1, 1), (0, 1)]
    assert stored_requests(world) == 19
    assert world.rows("select byte_offset from quarantine") == [(len(b"".join(lines[:10])),)]


def test_a_line_that_is_cut_out_is_not_mended(world: World) -> None:
    """The next one stands in its place: nobody has the line."""
    path, lines = _segment(world)
    path.write_bytes(_spoilt(lines, 3))
    world.drain.run()
    path.write_bytes(b"".join(lines[:3] + lines[4:]))

    assert _retry(world) == (0, 1)


def test_lines_that_somebody_cut_out_are_found_in_a_copy(world: World) -> None:
    """Nothing of them is in quarantine, and their numbers are missing."""
    path, lines = _segment(world)
    path.write_bytes(b"".join(lines[:3] + lines[7:]))
    world.drain.run()
    path.with_name("copy.ndjson").write_bytes(b"".join(lines))

    assert _retry(world) == (4, 0)
    assert stored_requests(world) == 20


def test_a_torn_line_that_has_come_whole_leaves_the_quarantine(world: World) -> None:
    """The drain took it by itself."""
    path, lines = _segment(world)
    path.write_bytes(b"".join(lines)[:-30])
    world.drain.run()
    path.write_bytes(b"".join(lines))
    world.drain.run()

    assert (stored_requests(world), reasons(world)) == (20, ["torn"])
    assert _retry(world) == (0, 0)


def test_lines_of_every_kind_come_back(world: World) -> None:
    """Beginnings of programs that died, ends of such, losses that are told, and lines that are no records."""
    record = make_record()
    numbered: list[tuple[bytes, msgspec.Struct | Mapping[str, object]]] = [
        (BEGIN, make_begin()),
        (BEGIN, make_begin(record)),
        (END, record),
        (DROPPED, {"reason": "disk_full", "count": 3}),
        (END, {"what": "ever"}),
        (FOOTER, {}),
    ]
    path = world.forge(*(encode_line(place, *line).rstrip(b"\n") for place, line in enumerate(numbered, start=1)))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(_spoilt(lines, 1, 3, 4, 5, 6))
    world.drain.run()
    before = world.rows("select outcome from requests")
    path.write_bytes(b"".join(lines))

    # What is no record goes to quarantine as such.
    assert _retry(world) == (4, 1)
    assert before == [("unknown",)]
    assert world.rows("select outcome, count(distinct record_id) from requests group by 1 order by 1") == [
        ("completed", 1),
        ("unknown", 1),
    ]
    assert reasons(world) == ["not_a_record"]
    assert queries.losses(world.ledger)["disk_full"] == 3


def test_lines_without_a_number_are_not_taken_twice(world: World) -> None:
    """Nothing tells them apart from those that were read."""
    path, lines = _segment(world, 3)
    odd = [sealed(b"no json at all") + b"\n", sealed(b'{"x":1,"kind":"other"') + b"\n"]
    path.write_bytes(_spoilt([*lines, *odd], 2))
    world.drain.run()
    path.write_bytes(b"".join([*lines, *odd]))

    assert [_retry(world), _retry(world)] == [(1, 2), (0, 2)]


def test_a_living_writer_goes_on_behind_what_is_mended(world: World) -> None:
    """Positions stay; what it writes meanwhile and later counts once."""
    world.spool(*(make_record() for _ in range(5)))
    world.drain.run()
    (path,) = world.segments()
    content = path.read_bytes()
    world.spool(*(make_record() for _ in range(5)))
    grown = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(len(content) + 60)
        file.write(b"x")
    world.drain.run()
    damaged = stored_requests(world)
    with path.open("r+b") as file:
        file.write(grown)
    world.spool(make_record())

    assert damaged == 9
    assert _retry(world) == (1, 0)
    world.store(make_record())
    compact_positions(world.ledger)
    assert (stored_requests(world), _retry(world)) == (12, (0, 0))


@pytest.mark.parametrize("damage", DAMAGES.values())
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.torture) for seed in range(1, 9))])
def test_whatever_was_damaged_all_counts_once_in_the_end(
    world: World, damage: Callable[[bytes, Random], bytes], seed: int
) -> None:
    """Copies with other damages come one after the other, and at last the whole file."""
    dice = Random(seed)
    path, lines = _segment(world, 120)
    path = path.rename(path.with_name(f"20261120T120000-1-{path.name}"))
    content = b"".join(lines)
    for _ in range(3):
        path.write_bytes(damage(damage(content, dice), dice))
        world.drain.run()
        _retry(world)
    path.with_name("whole.ndjson").write_bytes(content)

    assert _retry(world)[1] == 0
    assert stored_requests(world) == 120
    assert world.value("select count(distinct record_id) from requests") == 120


def test_a_retry_that_dies_at_any_statement_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Lines, their numbers and the end of the quarantine are one transaction."""
    with mortal_world(tmp_path / "mortal") as (world, ledger):

        def write(_: int) -> None:
            path, lines = _segment(world, 3)
            path.write_bytes(_spoilt(lines, 1, 3))
            world.drain.run()
            path.write_bytes(_spoilt(lines, 3))

        rounds = die_at_each_statement(ledger, write, world.drain.read_again)
        stored = world.rows("select count(*), count(distinct record_id) from requests")
        kept = world.rows("select (select count(*) from quarantine), (select count(*) from retried)")
        faults = check(world.ledger).faults

    assert rounds > 10
    assert stored == [(2 * rounds, 2 * rounds)]
    assert (kept, faults) == ([(rounds, rounds)], ())
