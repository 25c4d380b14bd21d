"""However often a file is imported, and whenever an import dies: each row is there once."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.formats import format_of
from collectors.imports import append, check, rows_stored
from collectors.material import Given, Material, Refusal
from monitor.errors import CollectorError
from monitor.health import Health
from monitor.home import Home
from monitor.ledger.lease import Lease
from monitor.spool.writer import SpoolWriter
from tests.collectors import killed_import
from tests.collectors.made import burstgpt, imported, many, run, segments, stored
from tests.factories import NOW

_ONCE = "count(*), count(distinct record_id), sum(input_tokens)"


def _sums(count: int) -> list[tuple[int, int, int]]:
    """What a file of `many` rows comes to."""
    return [(count, count, count * (count - 1) // 2)]


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    """It says that all is there, be it drained or still on the spool."""
    path = many(tmp_path, 300)

    imported(tmp_path, path)

    assert "was imported before: all of its 300 requests are there." in imported(tmp_path, path)
    assert stored(tmp_path, _ONCE) == _sums(300)


def test_rows_that_come_to_the_spool_twice_are_stored_once(tmp_path: Path) -> None:
    """Should the question to the ledger ever be answered wrongly, the drain knows the records by their ids."""
    path = many(tmp_path, 128)
    _start_of_an_import(path, tmp_path, rows=64)
    _start_of_an_import(path, tmp_path, rows=128)

    assert stored(tmp_path, _ONCE) == _sums(128)
    assert stored(tmp_path, "distinct source") == [("import",)]


def test_a_copy_under_another_name_is_the_same_file(tmp_path: Path) -> None:
    """Its content tells, not its name; nor do the options matter."""
    path = many(tmp_path, 10)
    imported(tmp_path, path)

    told = imported(tmp_path, Path(shutil.copy(path, tmp_path / "copy.csv")), "--team", "other")

    assert "was imported before" in told


def test_two_files_are_two_imports(tmp_path: Path) -> None:
    """Though they have the same rows."""
    imported(tmp_path, many(tmp_path, 10))
    imported(tmp_path, burstgpt(tmp_path, "1,GPT-4,1,1,2,API log", name="other.csv"))

    assert stored(tmp_path, "count(*)") == [(11,)]


@pytest.mark.parametrize("row", [1, 128])
def test_a_killed_import_goes_on_where_it_died(tmp_path: Path, row: int) -> None:
    """SIGKILL at any row: run again, the rest comes, and nothing twice."""
    path = many(tmp_path, 256)
    words = [sys.executable, "-m", killed_import.__name__, str(path), str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for told in process.stdout:
            if int(told) >= row:
                break
        process.kill()

    imported(tmp_path, path)

    assert stored(tmp_path, _ONCE) == _sums(256)


@pytest.mark.parametrize("lost", [1, 7_000])
def test_a_torn_tail_costs_nothing(tmp_path: Path, lost: int) -> None:
    """The machine died and took the end of the segment with it: the next import brings those rows again."""
    path = many(tmp_path, 100)
    _start_of_an_import(path, tmp_path, rows=64)
    (segment,) = segments(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-lost])

    told = imported(tmp_path, path)

    assert "Another import had come as far as row" in told
    assert stored(tmp_path, _ONCE) == _sums(100)


def test_an_import_that_goes_on_must_say_the_same(tmp_path: Path) -> None:
    """Else the first rows lie in another time, and under another name, than the last ones."""
    path = many(tmp_path, 100)
    _start_of_an_import(path, tmp_path, rows=64)

    other_start = run(tmp_path, path, "--start", "2026-11-02")
    other_team = run(tmp_path, path, "--start", "2026-11-01", "--team", "search")

    assert "first request was 2026-11-01T00:00:00+00:00, now it is 2026-11-02" in str(other_start.exception)
    assert "team was None, now it is search" in str(other_team.exception)
    assert stored(tmp_path, "count(*)") == [(64,)]


def test_what_is_soon_let_go_of_is_not_imported(tmp_path: Path) -> None:
    """Of requests older than they are kept only sums would stay, and a second import would not be recognised."""
    path = many(tmp_path, 3)

    done = run(tmp_path, path, "--start", "2020-01-01")

    assert "Give a later --start, or set MONITOR_KEEP_REQUESTS=forever." in str(done.exception)
    assert segments(tmp_path) == []


def test_two_imports_at_once_are_one_too_many(tmp_path: Path) -> None:
    """Both would find nothing in the ledger."""
    home = Home(tmp_path)
    home.create()

    with Lease(home.importing):
        done = run(tmp_path, many(tmp_path, 3), "--start", "2026-11-01")

    assert "Another import into" in str(done.exception)
    assert segments(tmp_path) == []


@pytest.mark.parametrize("refused", [set(), {1}, {10}, {5}, {1, 2, 3, 9, 10}, {2, 4, 6, 8}])
def test_how_far_an_import_came_is_found_between_refused_rows(tmp_path: Path, refused: set[int]) -> None:
    """For every end that an import can have had; rows that are no records leave no trace."""
    material = Material.open(many(tmp_path, 10), Given(start=NOW))
    content = check(material, format_of(material.path), lambda _: None)
    content.refusals = [Refusal(row=row, reason="odd") for row in sorted(refused)]
    good = [row for row in range(1, 11) if row not in refused]

    for known in range(len(good) + 1):
        stored_ids = {material.record_id(row) for row in good[:known]}
        found = rows_stored(material, content, stored_ids.__contains__)

        assert [row for row in good if row <= found] == good[:known]


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    """What was written stays; the same command brings the rest."""
    path = many(tmp_path, 256)
    room = 60_000

    def write(descriptor: int, content: bytes) -> int:
        nonlocal room
        room -= len(content)
        return os.write(descriptor, content if room > 0 else content[:100])

    with pytest.raises(CollectorError, match=r"The spool takes no more: .* run the same command again"):
        _start_of_an_import(path, tmp_path, rows=256, write=write)

    imported(tmp_path, path)

    assert stored(tmp_path, _ONCE) == _sums(256)


def test_a_file_that_changes_meanwhile_is_told(tmp_path: Path) -> None:
    """Its rows are not those that its digest stands for."""
    path = many(tmp_path, 10)
    material = Material.open(path, Given(start=NOW))
    path.write_text(path.read_text(encoding="utf-8") + "11,GPT-4,1,1,2,API log\n", encoding="utf-8")

    with pytest.raises(CollectorError, match="was changed while it was read: nothing was imported"):
        check(material, format_of(path), lambda _: None)


class _DeadError(Exception):
    """Stands for the death of the process."""


def _start_of_an_import(
    path: Path, directory: Path, *, rows: int, write: Callable[[int, bytes], int] = os.write
) -> None:
    """An import, with the options of `imported`, that dies after so many rows."""

    def die(row: int) -> None:
        if row >= rows:
            raise _DeadError

    home = Home(directory)
    home.create()
    material = Material.open(path, Given(start=datetime(2026, 11, 1, tzinfo=UTC), service="burstgpt"))
    writer = SpoolWriter(home.spool, segment_size=2**25, health=Health(), write=write)
    with contextlib.suppress(_DeadError):
        append(material, format_of(path), writer, die)
    writer.close()
