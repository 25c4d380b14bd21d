"""A whole middle of the house in one directory: a spool with a writer, a ledger, and the drain between them."""

import functools
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import duckdb
import msgspec

from monitor.health import Health
from monitor.home import Home
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.ledger.migrate import migrate
from monitor.ledger.scopes import Condition, Slice
from monitor.pricing.book import PriceBook
from monitor.pricing.installed import installed_price_book
from monitor.records import Record
from monitor.spool.format import END, HEADER, SUFFIX, Header, encode_line
from monitor.spool.writer import SpoolWriter
from tests.factories import NOW
from tests.factories_alerts import FakeClock

ALWAYS = Slice(start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))


@functools.cache
def price_book() -> PriceBook:
    """The installed price book; reading it takes a moment."""
    return installed_price_book()


@functools.cache
def _new_ledger() -> bytes:
    """A ledger in which nothing is stored yet; to make one takes ten times as long as to write it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.duckdb"
        migrate(path)
        return path.read_bytes()


def put_new_ledger(home: Home) -> None:
    """Give a data directory the ledger that its first command would make."""
    home.ledger.write_bytes(_new_ledger())


class World:
    """The stores of one data directory. Its clock stands at `NOW` until it is moved."""

    def __init__(self, directory: Path, *, book: PriceBook | None = None, ledger_type: type[Ledger] = Ledger) -> None:
        self.home = Home(directory / "home")
        self.home.create()
        self.clock = FakeClock(NOW)
        self.health = Health()
        if not self.home.ledger.exists():
            self.home.ledger.write_bytes(_new_ledger())
        self.ledger = ledger_type.open(self.home.ledger, clock=self.clock)
        with self.ledger.cursor() as cursor:
            # For a few rows the others only wait, and a process waits for them: two fifths of a drain.
            cursor.execute("set global threads = 1")
        self.writer = self.new_writer()
        self.drain = Drain(self.ledger, self.home.spool, book or price_book(), self.health)

    def new_writer(self, *, segment_size: int = 2**25) -> SpoolWriter:
        """Another writer, as another program would have."""
        return SpoolWriter(self.home.spool, segment_size=segment_size, health=self.health)

    def spool(self, *records: Record) -> None:
        """Put end lines on the spool."""
        for record in records:
            assert self.writer.end(record)

    def store(self, *records: Record) -> None:
        """Put end lines on the spool and drain them."""
        self.spool(*records)
        self.drain.run()

    def forge(self, *lines: bytes) -> Path:
        """A segment whose writer is gone, with any lines behind a good header."""
        segment = secrets.token_hex(16)
        header = Header(
            segment=segment, format=1, host="h", pid=1, process_started_at=None, started_at="2026-11-20T12:00:00Z"
        )
        path = self.home.spool / f"{segment}{SUFFIX}"
        path.write_bytes(b"".join((encode_line(0, HEADER, header), *(line + b"\n" for line in lines))))
        return path

    def segments(self) -> list[Path]:
        """The files on the spool, oldest name first."""
        return sorted(self.home.spool.glob(f"*{SUFFIX}"))

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The answer to any question."""
        with self.ledger.cursor() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def value(self, sql: str, *values: object) -> Any:
        """The one value that is the answer."""
        ((found,),) = self.rows(sql, *values)
        return found

    def one(self, record: Record) -> dict[str, Any]:
        """The one row of a record."""
        with self.ledger.cursor() as cursor:
            cursor.execute("select * from requests where record_id = ?", [record.record_id])
            names = [column[0] for column in cursor.description or ()]
            (row,) = cursor.fetchall()
        return dict(zip(names, row, strict=True))

    def cost(self, record: Record) -> Decimal | None:
        """Drain a record and tell its list cost."""
        self.store(record)
        found: Decimal | None = self.one(record)["list_cost"]
        return found

    def close(self) -> None:
        """End the writer's segment and close the ledger."""
        self.writer.close()
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def span(start: datetime, end: datetime | timedelta, **values: Sequence[str | None] | str | None) -> Slice:
    """A slice; `team="search"` or `team=("search", None)` are its conditions, `not_team=…` negated ones."""
    conditions = tuple(
        Condition(
            dimension=name.removeprefix("not_"),
            values=(given,) if given is None or isinstance(given, str) else tuple(given),
            is_negated=name.startswith("not_"),
        )
        for name, given in values.items()
    )
    return Slice(start=start, end=start + end if isinstance(end, timedelta) else end, conditions=conditions)


def fields_of(record: Record) -> dict[str, Any]:
    """The fields of a record's line as plain values, to be spoilt."""
    fields: dict[str, Any] = msgspec.to_builtins(record)
    return fields


def line_of(fields: dict[str, Any], *, kind: bytes = END) -> bytes:
    """A line with a good checksum and a number that no other has, without its newline."""
    return encode_line(next(_numbers), kind, fields).rstrip(b"\n")


def sealed(body: bytes) -> bytes:
    """Anything, with the checksum of a good line behind it."""
    return b'%b,"crc":"%08x"}' % (body, crc32(body))


_numbers = count(1)


class DyingError(Exception):
    """Stands for the death of the process."""


class DyingLedger(Ledger):
    """A ledger whose writer dies just before its n-th statement from now; `statements` counts them."""

    _dies_at: int | None = None
    statements = 0

    def dies_at(self, statement: int | None) -> None:
        """Set the moment; None is never."""
        self._dies_at = statement
        self.statements = 0

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().cursor() as cursor:
            yield _Dying(cursor, self._count)  # type: ignore[misc]  # DuckDB's class cannot be derived

    def _count(self) -> None:
        self.statements += 1
        if self._dies_at is not None and self.statements >= self._dies_at:
            raise DyingError


class _Dying:
    def __init__(self, inner: duckdb.DuckDBPyConnection, count: Callable[[], None]) -> None:
        self._inner = inner
        self._count = count

    def execute(self, *given: Any) -> duckdb.DuckDBPyConnection:
        if given[0] != "rollback":
            self._count()
        return self._inner.execute(*given)

    def executemany(self, *given: Any) -> duckdb.DuckDBPyConnection:
        self._count()
        return self._inner.executemany(*given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()
