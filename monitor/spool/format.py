"""One spool line: a JSON object with a gap-free `seq`, a `kind`, its facts, and a checksum at the end.

    {"seq":7,"kind":"end","record_id":"…",…,"crc":"1f0a33c2"}

`crc` is the CRC-32 (zlib's, eight hex digits) of all bytes of the line before `,"crc":`. So `head`, `jq` and DuckDB
read a segment, and a torn or altered line shows.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final
from zlib import crc32

import msgspec

FORMAT_VERSION: Final = 1
SUFFIX: Final = ".ndjson"
_TAIL: Final = b',"crc":"%08x"}'
_NOTHING: Final = _TAIL % 0
"""The end of a line without the line: its checksum is that of nothing, and holds."""

_BODY_OF: Final = itemgetter(slice(None, -len(_NOTHING)))
_TAIL_OF: Final = itemgetter(slice(-len(_NOTHING), None))

HEADER: Final = b"header"
BEGIN: Final = b"begin"
END: Final = b"end"
CONTENT: Final = b"content"
DROPPED: Final = b"dropped"
FOOTER: Final = b"footer"

_BEFORE_SEQ: Final = b'{"seq":'
_KIND: Final = b',"kind":"%b"'
_AFTER_SEQ: Final = {kind: _KIND % kind for kind in (HEADER, BEGIN, END, CONTENT, DROPPED, FOOTER)}
_BEFORE_CRC: Final = b',"crc":"'
_AFTER_CRC: Final = b'"}\n'
_HEADER_START: Final = _BEFORE_SEQ + b"0" + _AFTER_SEQ[HEADER]
LARGEST_SEQ: Final = 2**63 - 1
"""No line of ours has this number or a greater one: the ledger could not hold it."""

MOST_DROPPED: Final = 10**12
"""More lines than this nobody has dropped at once: a greater number is nonsense, whose sum would overflow."""

_SEQ: Final = slice(len(_BEFORE_SEQ), len(_BEFORE_SEQ) + 20)

_encode = msgspec.json.Encoder().encode


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a segment: who writes it. `boot_id` tells a process number of an earlier boot apart."""

    segment: str
    format: int
    host: str
    pid: int
    process_started_at: float | None
    started_at: str
    boot_id: str | None = None


class HeaderLine(Header, frozen=True, kw_only=True):
    """A header as it is read back, with what every line has."""

    seq: int
    kind: str


def encode_facts(facts: msgspec.Struct | Mapping[str, object]) -> bytes:
    """Facts as the inside of a JSON object, without its braces."""
    return _encode(facts)[1:-1]


def encode_line(seq: int, kind: bytes, facts: msgspec.Struct | Mapping[str, object] | None) -> bytes:
    """The whole line, newline included."""
    return line_of(seq, kind, b"" if facts is None else encode_facts(facts))


def line_of(seq: int, kind: bytes, inner: bytes) -> bytes:
    """The whole line of facts that are encoded already; empty for a line that has none."""
    # Joined, not formatted: each call makes two lines, and this way needs the least code.
    after = _AFTER_SEQ.get(kind) or _KIND % kind
    body = b"".join((_BEFORE_SEQ, str(seq).encode(), after, b"," + inner if inner else b""))
    return b"".join((body, _BEFORE_CRC, crc32(body).to_bytes(4, "big").hex().encode(), _AFTER_CRC))


def is_intact(line: bytes) -> bool:
    """Whether the checksum of a line (without its newline) holds."""
    return _TAIL_OF(line) == _TAIL % crc32(_BODY_OF(line)) and line != _NOTHING


def intact_of(lines: Sequence[bytes]) -> list[bytes]:
    """Those of the lines (without their newlines) whose checksum holds."""
    # All at once, without a step of Python for each of millions of lines. A tail is never longer than it should be:
    # where all together are as long as they should be, each is.
    tails = _TAIL * len(lines) % tuple(map(crc32, map(_BODY_OF, lines)))
    if b"".join(map(_TAIL_OF, lines)) == tails and _NOTHING not in lines:
        return [*lines]
    return [line for line in lines if is_intact(line)]


def seq_of(line: bytes) -> int | None:
    """The number of an intact line; None for one that is not ours."""
    digits = line[_SEQ].partition(b",")[0]
    seq = int(digits) if digits.isdigit() else LARGEST_SEQ
    return seq if seq < LARGEST_SEQ else None


def is_header(line: bytes) -> bool:
    """Whether it is an intact header, be it of a format that this program does not know."""
    return line.startswith(_HEADER_START) and is_intact(line)


def begins_header(content: bytes) -> bool:
    """Whether this may be the first part of a header that has not come whole yet."""
    return b"\n" not in content and (content.startswith(_HEADER_START) or _HEADER_START.startswith(content))


def decode_header(line: bytes) -> Header | None:
    """The header, or None when the line is not an intact header of a format this program knows."""
    if not is_intact(line):
        return None
    try:
        header = msgspec.json.decode(line, type=HeaderLine)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return header if header.kind == HEADER.decode() and header.format <= FORMAT_VERSION else None
