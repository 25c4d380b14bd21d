"""When a segment may go: all of it is stored in the file itself, nobody writes it, and it was kept long enough."""

import os
import shutil
from pathlib import Path

import pytest

from monitor.errors import LedgerError
from monitor.jobs.upkeep import compact
from monitor.ledger import queries
from monitor.ledger.aside import write_ahead_logs
from monitor.ledger.examine import examine
from monitor.ledger.retire import compact_positions, retire_empty_files, retire_segments
from tests.factories import make_begin, make_record
from tests.world import ALWAYS, DyingError, DyingLedger, World, fields_of, line_of

_KEEP = 3_600.0


def _ended(world: World) -> Path:
    """A drained segment whose writer is gone."""
    path = world.forge(line_of(fields_of(make_record())))
    world.drain.run()
    return path


def _retire(world: World) -> list[Path]:
    return retire_segments(world.ledger, world.home.spool, keep=_KEEP)


def test_a_segment_goes_when_it_is_safe_and_old(world: World) -> None:
    """Committed, checkpointed, kept."""
    path = _ended(world)
    world.clock.advance(seconds=_KEEP + 1)

    assert _retire(world) == [path]
    assert not path.exists()


def test_a_segment_that_is_still_written_stays_though_a_copy_of_it_was_read_to_its_end(world: World) -> None:
    """A copy has no writer; under the original's name there is one, who has a request in flight."""
    record = make_record()
    world.writer.begin(make_begin(record))
    (path,) = world.segments()
    away = path.rename(world.home.path / "away")
    shutil.copy(away, path)
    world.drain.run()
    away.rename(path)
    world.clock.advance(seconds=_KEEP + 1)
    gone = _retire(world)
    world.store(record)

    assert gone == []
    assert world.rows("select outcome from requests") == [("completed",)]
    assert world.value("select sum(requests) from usage_hourly") == 1


def test_what_a_segment_held_is_in_the_file_itself_before_it_goes(world: World) -> None:
    """So a write-ahead log that is damaged can be set aside: the rest is still on the spool."""
    _ended(world)
    world.clock.advance(seconds=_KEEP + 1)
    log = write_ahead_logs(world.ledger.path)[0]
    logged = log.stat().st_size
    _retire(world)
    copy = world.home.path / "copy.duckdb"
    copy.write_bytes(world.ledger.path.read_bytes())

    assert logged > 0
    assert examine(copy).requests == 1


def test_a_segment_stays_when_the_ledger_cannot_checkpoint(tmp_path: Path) -> None:
    """A full disk, perhaps: only the log has it then."""
    with World(tmp_path, ledger_type=DyingLedger) as world:
        path = _ended(world)
        world.clock.advance(seconds=_KEEP + 1)
        assert isinstance(world.ledger, DyingLedger)
        world.ledger.dies_at(2)
        with pytest.raises(DyingError):
            _retire(world)
        world.ledger.dies_at(None)

        assert path.exists()


def test_a_young_segment_stays(world: World) -> None:
    """It is kept as long as the setting says."""
    _ended(world)
    world.clock.advance(seconds=_KEEP - 1)

    assert _retire(world) == []


def test_a_segment_that_is_still_written_stays(world: World) -> None:
    """Though all of it is stored."""
    world.store(make_record())
    world.clock.advance(seconds=_KEEP + 1)

    assert _retire(world) == []


def test_a_segment_that_is_not_read_to_its_end_stays(world: World) -> None:
    """What nobody has drained is not safe."""
    _ended(world)
    path = world.forge(line_of(fields_of(make_record())))
    world.clock.advance(seconds=_KEEP + 1)
    _retire(world)

    assert path.exists()


def test_a_segment_that_has_grown_stays_and_is_read_on(world: World) -> None:
    """It is not what was read to its end."""
    path = _ended(world)
    with path.open("ab") as file:
        file.write(line_of(fields_of(make_record())) + b"\n")
    world.clock.advance(seconds=_KEEP + 1)

    assert _retire(world) == []
    assert world.drain.run() == 1


def test_a_segment_that_was_retired_and_comes_back_counts_once(world: World) -> None:
    """Its positions are remembered."""
    path = _ended(world)
    content = path.read_bytes()
    world.clock.advance(seconds=_KEEP + 1)
    compact(world.ledger, world.home.spool, keep=_KEEP)
    gone = not path.exists()
    path.write_bytes(content)
    world.drain.run()

    assert gone
    assert queries.totals(world.ledger, ALWAYS).requests == 1


def test_merged_positions_say_the_same(world: World) -> None:
    """Where to go on, how much was read, and whether it is the end."""
    for _ in range(3):
        world.store(make_record())
    path = _ended(world)
    asked = """
        select segment, max(to_offset), sum(lines), sum(records), sum(quarantined), max(last_seq), bool_or(is_last)
        from checkpoints group by 1 order by 1
    """
    before = world.rows(asked)
    compact_positions(world.ledger)
    world.spool(make_record())

    assert world.rows(asked) == before
    assert world.value("select count(*) from checkpoints") == 2
    assert (world.drain.run(), path.exists()) == (1, True)


def test_compaction_is_one_job(world: World) -> None:
    """Rollup rows and positions are merged, the file is checkpointed, old segments go; and all answers stay."""
    for _ in range(3):
        world.store(make_record())
    _ended(world)
    before = queries.totals(world.ledger, ALWAYS)
    world.clock.advance(seconds=_KEEP + 1)
    compact(world.ledger, world.home.spool, keep=_KEEP)

    assert queries.totals(world.ledger, ALWAYS) == before
    assert world.value("select count(*) from usage_hourly") == 1
    assert len(world.segments()) == 1


def test_empty_files_of_dead_writers_go(world: World) -> None:
    """An old file without a byte is deleted; a young one may still get its header, and one with bytes is kept."""
    now = 2_000_000_000.0
    names = ("old", "young", "torn")
    paths = {name: world.home.spool / f"{name}.ndjson" for name in names}
    for path in paths.values():
        path.touch()
    paths["torn"].write_bytes(b'{"seq":0')
    for name, age in (("old", 7_200), ("young", 1), ("torn", 7_200)):
        os.utime(paths[name], (now - age, now - age))

    assert retire_empty_files(world.home.spool, older_than=3_600, now=now) == [paths["old"]]
    assert sorted(path.name for path in world.home.spool.glob("*.ndjson")) == ["torn.ndjson", "young.ndjson"]


def test_a_segment_that_was_renamed_goes_and_so_does_every_copy(world: World) -> None:
    """It is known by the id inside."""
    path = _ended(world)
    shutil.copy(path, path.with_name("copy.ndjson"))
    path.rename(path.with_name("renamed.ndjson"))
    world.clock.advance(seconds=_KEEP + 1)
    _retire(world)

    assert world.segments() == []


def test_what_is_no_segment_does_not_hold_up_the_compaction(world: World) -> None:
    """A link to nowhere, a folder and a pipe: none is counted as waiting, none is removed."""
    path = _ended(world)
    others = [world.home.spool / name for name in ("link.ndjson", "folder.ndjson", "pipe.ndjson")]
    others[0].symlink_to("nowhere")
    others[1].mkdir()
    os.mkfifo(others[2])
    world.clock.advance(days=1)
    compact(world.ledger, world.home.spool, keep=_KEEP, limit=2**20)

    assert not path.exists()
    assert world.segments() == sorted(others)
    assert world.drain.waiting() == 0


def test_no_segment_goes_when_the_ledger_was_removed_under_its_server(world: World) -> None:
    """What was stored is gone when the server stops: the spool is all that is left."""
    path = _ended(world)
    world.clock.advance(seconds=_KEEP + 1)
    world.ledger.path.rename(world.home.path / "elsewhere")
    with pytest.raises(LedgerError, match="moved or removed while it was open"):
        compact(world.ledger, world.home.spool, keep=_KEEP)

    assert path.exists()
