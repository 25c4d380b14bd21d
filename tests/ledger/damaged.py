"""A data directory as a server leaves it that was killed at work, ways to damage it, and all that its ledger holds."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.health import Health
from monitor.home import Home
from monitor.jobs.backup import back_up
from monitor.jobs.upkeep import compact
from monitor.ledger.columns import quoted
from monitor.ledger.contents import ContentDrain
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.records import Content
from monitor.spool.format import CONTENT
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin, make_failure, make_record
from tests.ledger.work_records import batch_begun, batch_polled, begun, line, polled
from tests.world import World, fields_of, line_of, price_book, sealed

Dump = dict[str, list[tuple[Any, ...]]]

_MOMENTS: Final = ("drained_at", "seen_at", "matched_at", "added_at", "fingerprint")
"""When the drain did something differs from one drain to the next, and with it which names of a model came together:
their fingerprints tell."""


@dataclass(frozen=True)
class Template:
    """A directory to be copied, and the backup that was made before its last segments came."""

    home: Path
    backup: Path

    def copy(self, place: Path) -> Home:
        """A data directory like it; its writers are gone."""
        return Home(Path(shutil.copytree(self.home, place)))


def make_template(place: Path) -> Template:
    """Some of it is in the ledger only, some in the file and on the spool, some in the write-ahead log."""
    backup = place / "backup"
    with World(place) as world:
        contents = SpoolWriter(
            world.home.content, segment_size=2**25, health=Health(), prepare=world.home.create_content
        )
        kept = ContentDrain(world.ledger, world.home.content, Health())
        Control.open(world.home.control, system_clock).close()
        _work(world, "first", contents)
        world.drain.run()
        kept.run()
        # Of these segments the spool has nothing any more.
        contents.close()
        world.writer.close()
        world.drain.run()
        kept.run()
        world.clock.advance(seconds=10)
        compact(world.ledger, world.home.spool, keep=1)
        for path in world.home.content.glob("*.ndjson"):
            path.unlink()
        _work(world, "second", contents)
        world.drain.run()
        kept.run()
        back_up(world.ledger, world.home, backup, system_clock)
        for name in ("third", "fourth"):
            _work(world, name, contents)
            world.drain.run()
            kept.run()
        _work(world, "last", contents)
        home = place / "template"
        shutil.copytree(world.home.path, home)
        contents.close()
    return Template(home=home, backup=backup)


def drained(home: Home) -> Dump:
    """Read all that waits into the ledger; then its rows as `rows_of` has them."""
    with Ledger.open(home.ledger) as ledger:
        Drain(ledger, home.spool, price_book(), Health()).run()
        ContentDrain(ledger, home.content, Health()).run()
        return rows_of(ledger)


def rows_of(ledger: Ledger) -> Dump:
    """Every row of every table, without the moments of the work itself; positions and rollups are added up."""
    found: Dump = {}
    with ledger.cursor() as cursor:
        cursor.execute("select table_name from duckdb_tables() where not internal and not temporary order by 1")
        for (table,) in cursor.fetchall():
            cursor.execute(f"describe {table}")
            columns = [(row[0], row[1]) for row in cursor.fetchall() if row[0] not in _MOMENTS]
            found[table] = cursor.execute(_rows(table, columns)).fetchall()
    return found


def _rows(table: str, columns: list[tuple[str, str]]) -> str:
    """Rows of sums that belong together are one, however many batches they came in."""
    if table == "checkpoints":
        sums = "max(to_offset), sum(lines), sum(records), bool_or(is_last)"
        return f"select segment, {sums} from checkpoints group by 1 order by all"
    if not table.startswith(("usage_", "speeds_")):
        return f"select {', '.join(quoted(name) for name, _ in columns)} from {table} order by all"
    keys = [quoted(name) for name, kind in columns if kind in ("VARCHAR", "TIMESTAMP") or name == "bucket"]
    sums = ", ".join(f"sum({quoted(name)})" for name, kind in columns if kind in ("BIGINT", "DECIMAL(38,18)"))
    return f"select {', '.join(keys)}, {sums} from {table} group by all order by all"


def _work(world: World, name: str, contents: SpoolWriter) -> None:
    records = [make_record(team=name, user=f"{name}-{number}") for number in range(300)]
    world.spool(*records, make_failure(), begun(f"resp-{name}"), batch_begun(f"batch-{name}"))
    world.spool(polled(f"resp-{name}"), batch_polled(f"batch-{name}", file=name), line(file=name))
    world.writer.begin(make_begin())
    world.forge(line_of(fields_of(make_record())), sealed(b"bad " + name.encode()), b"torn")
    first = records[0]
    content = Content(record_id=first.record_id, started_at=first.started_at, request=f"asked {name}", answer="said")
    assert contents.append(CONTENT, content)


def truncated(content: bytes, random: Random) -> bytes:
    """Its end is gone."""
    return content[: random.randrange(len(content))]


def flipped(content: bytes, random: Random) -> bytes:
    """A bit is another one."""
    altered = bytearray(content)
    altered[random.randrange(len(altered))] ^= 1 << random.randrange(8)
    return bytes(altered)


def zeroed(content: bytes, random: Random) -> bytes:
    """A sector was never written. DuckDB's checksum does not see an even number of equal words that become others."""
    place = 0
    while len({content[at : at + 8] for at in range(place, place + 512, 8)}) < 32:
        place = random.randrange(len(content)) // 512 * 512
    return content[:place] + bytes(min(512, len(content) - place)) + content[place + 512 :]


def overwritten(content: bytes, random: Random) -> bytes:
    """Something else stands there."""
    place = random.randrange(len(content))
    return (content[:place] + random.randbytes(64) + content[place + 64 :])[: len(content)]


def beheaded(content: bytes, random: Random) -> bytes:
    """The first bytes, with the header, are something else."""
    return random.randbytes(4_096 * 3) + content[4_096 * 3 :]


DAMAGES: Final[dict[str, Callable[[bytes, Random], bytes]]] = {
    damage.__name__: damage for damage in (truncated, flipped, zeroed, overwritten, beheaded)
}
