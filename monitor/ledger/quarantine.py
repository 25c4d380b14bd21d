"""The quarantine: what is in it, and the way out for lines that can be read after all."""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

from monitor.ledger.ledger import Ledger
from monitor.ledger.lines import LineReader
from monitor.spool.format import FOOTER, FORMAT_VERSION, HEADER, SUFFIX, Header, encode_line, is_intact, line_of

RETRIED: Final = "retried"
"""The host in the headers of segments whose lines come out of the quarantine."""

_MOST_AT_ONCE: Final = 1_000
_FETCHED: Final = 10_000
_LINE: Final = re.compile(rb'\{"seq":\d+,"kind":"(?P<kind>begin|end)",(?P<inner>.*),"crc":"[0-9a-f]{8}"\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Piece:
    segment: str
    reason: str
    line: str


@dataclass(frozen=True, slots=True)
class DamagedPiece:
    """Where something damaged stood in its file; `size` is at least the bytes that are kept of it."""

    offset: int
    size: int


_DAMAGED: Final = "reason in ('checksum', 'torn') and byte_offset is not null"


def damaged_pieces(ledger: Ledger, segments: Sequence[str]) -> Mapping[str, list[DamagedPiece]]:
    """The damaged pieces of those of the segments that have some."""
    with ledger.cursor() as cursor:
        found = cursor.execute(
            f"""
            select segment, byte_offset, strlen(line) from quarantine
            where {_DAMAGED} and segment in (select unnest(?::varchar[]))
            """,
            [list(segments)],
        ).fetchall()
    pieces = defaultdict(list)
    for segment, offset, size in found:
        pieces[segment].append(DamagedPiece(offset, size))
    return pieces


def settle_pieces(cursor: duckdb.DuckDBPyConnection, segment: str, offsets: Sequence[int], now: datetime) -> None:
    """Take damaged pieces whose place is whole now out of the quarantine; what they were is kept in `retried`."""
    chosen = f"{_DAMAGED} and segment = $1 and byte_offset in (select unnest($2::bigint[]))"
    values: list[object] = [segment, list(offsets)]
    cursor.execute(
        f"insert into retried by name select *, $3::timestamp as retried_at, segment as retried_segment"
        f" from quarantine where {chosen}",
        [*values, now],
    )
    cursor.execute(f"delete from quarantine where {chosen}", values)


def readable_again(ledger: Ledger, spool: Path) -> list[tuple[str, str]]:
    """Put quarantined lines that this program can read on the spool, at most a thousand; the segment and line of each.

    Each gets a segment of its own, whose id is made of where the line comes from: tried twice, it is the same segment,
    of which a drain reads nothing twice. Only lines with a good checksum are looked at: of the others nobody knows
    which figure in them is wrong.
    """
    found = []
    for piece, match in islice(_readable(ledger), _MOST_AT_ONCE):
        _write(spool, _segment_of(piece), match["kind"], match["inner"], ledger.clock())
        found.append((piece.segment, piece.line))
    return found


def _readable(ledger: Ledger) -> Iterator[tuple[_Piece, re.Match[bytes]]]:
    """All are looked at: those that nobody can read must not stand in the way of the others for ever."""
    reader = LineReader()
    with ledger.cursor() as cursor:
        cursor.execute(
            "select segment, reason, line from quarantine where reason = 'not_a_record' order by seen_at, line"
        )
        while rows := cursor.fetchmany(_FETCHED):
            pieces = [_Piece(*row) for row in rows]
            matches = [(piece, match) for piece in pieces if (match := _LINE.fullmatch(piece.line.encode()))]
            matches = [(piece, match) for piece, match in matches if is_intact(match[0])]
            refused = {*reader.read([match[0] for _, match in matches]).refused} if matches else set()
            yield from (each for number, each in enumerate(matches) if number not in refused)


def release(ledger: Ledger, lines: list[tuple[str, str]]) -> int:
    """Take lines whose segments were drained out of the quarantine; what they were is kept in `retried`."""
    now = ledger.clock().replace(tzinfo=None)
    released = 0
    with ledger.writing() as cursor:
        for segment, line in lines:
            own = _segment_of(_Piece(segment, "not_a_record", line))
            (records,) = cursor.execute(
                "select coalesce(sum(lines - 2), 0) from checkpoints where segment = ?", [own]
            ).fetchone() or (0,)
            if not records:
                continue
            chosen = "segment = $1 and line = $2 and reason = 'not_a_record'"
            cursor.execute(
                f"insert into retried by name select *, $3::timestamp as retried_at, $4 as retried_segment"
                f" from quarantine where {chosen}",
                [segment, line, now, own],
            )
            cursor.execute(f"delete from quarantine where {chosen}", [segment, line])
            released += 1
    return released


def _segment_of(piece: _Piece) -> str:
    """Always the same for the same line of the same segment."""
    return hashlib.sha256(f"retried/{piece.segment}/{piece.line}".encode()).hexdigest()[:32]


def _write(spool: Path, segment: str, kind: bytes, inner: bytes, now: datetime) -> None:
    header = Header(
        segment=segment,
        format=FORMAT_VERSION,
        host=RETRIED,
        pid=0,
        process_started_at=None,
        started_at=now.isoformat(),
    )
    content = encode_line(0, HEADER, header) + line_of(1, kind, inner) + encode_line(2, FOOTER, None)
    path = spool / f"retried-{segment}{SUFFIX}"
    draft = path.with_suffix(".unfinished")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
