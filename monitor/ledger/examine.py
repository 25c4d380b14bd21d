"""Looks at a ledger file from end to end, in a process of its own: damage can end the process that meets it.

python -m monitor.ledger.examine PATH
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a segment had been read; `is_last` says that nothing was to follow."""

    segment: str
    file: str
    offset: int
    records: int
    is_last: bool
    drained_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a ledger file holds; None is what could not be read. Times are UTC without a zone.

    `fault` is the first thing that was wrong, in DuckDB's words; None says that all of the file was read.
    """

    fault: str | None = None
    revision: str | None = None
    requests: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    list_cost: Decimal | None = None
    rolled_up: int | None = None
    quarantined: int | None = None
    places: tuple[Place, ...] | None = None


_QUESTIONS: Final = {
    "alembic_version": "select version_num as revision from alembic_version",
    "requests": """
        select count(*) as requests, min(started_at) as first_at, max(started_at) as last_at,
            sum(list_cost) as list_cost
        from requests
    """,
    "usage_hourly": "select cast(coalesce(sum(requests), 0) as bigint) as rolled_up from usage_hourly",
    "quarantine": "select count(*) as quarantined from quarantine",
    "checkpoints": """
        select list({
            'segment': segment, 'file': file, 'offset': "offset", 'records': records, 'is_last': is_last,
            'drained_at': drained_at
        }) as places
        from (
            select segment, arg_max(file, to_offset) as file, max(to_offset) as "offset",
                cast(sum(records) as bigint) as records, bool_or(is_last) as is_last, max(drained_at) as drained_at
            from checkpoints group by segment
        )
    """,
}
_TABLES: Final = "select table_name from duckdb_tables() where not internal order by 1"


def examine(path: Path) -> Standing:
    """Read all of a ledger that nobody writes to, its write-ahead log included; changes nothing."""
    done = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-m", __name__, str(path)], capture_output=True, check=False
    )
    found: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        told = msgspec.json.decode(line)
        found |= {name: value for name, value in told.items() if name != "fault" or "fault" not in found}
    if done.returncode:
        found.setdefault("fault", f"DuckDB died of it (exit status {done.returncode}).")
    return msgspec.convert(found, Standing, strict=False)


class _Reader:
    """Asks a ledger; after a fault in a new connection, as some make a connection useless."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: duckdb.DuckDBPyConnection | None = None

    def ask(self, what: str, sql: str) -> tuple[list[dict[str, Any]], str | None]:
        """The rows, or in words why there are none."""
        try:
            if self._connection is None:
                self._connection = duckdb.connect(str(self._path), read_only=True)
            self._connection.execute(sql)
            names = [column[0] for column in self._connection.description or ()]
            return [dict(zip(names, row, strict=True)) for row in self._connection.fetchall()], None
        except (duckdb.Error, MemoryError, RuntimeError) as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return [], f"{what}: {' '.join(str(error).split())}"


def _answers(path: Path) -> Iterator[dict[str, Any]]:
    """One part after the other, so that what could be read is known though a later part ends the process."""
    reader = _Reader(path)
    found, fault = reader.ask("opening it", _TABLES)
    yield {"fault": fault} if fault else {}
    for table in [str(row["table_name"]) for row in found]:
        if table in _QUESTIONS:
            rows, fault = reader.ask(table, _QUESTIONS[table])
            yield {"fault": fault} if fault else (rows[0] if rows else {})
        # The hash of a whole row needs every column.
        _, fault = reader.ask(table, f'select bit_xor(hash(t)) from "{table}" t')
        yield {"fault": fault} if fault else {}


if __name__ == "__main__":
    for told in _answers(Path(sys.argv[1])):
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()
