"""A line of the spool is what was put into it, or it shows that it is not."""

import json
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.records import Begin, Record
from monitor.spool.format import (
    BEGIN,
    DROPPED,
    END,
    FOOTER,
    HEADER,
    Header,
    decode_header,
    encode_line,
    intact_of,
    is_intact,
)

_KINDS = st.sampled_from([BEGIN, END, DROPPED, FOOTER])
_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
_FACTS = st.dictionaries(st.text(string.ascii_lowercase, min_size=1).map("f_{}".format), _VALUES, max_size=6)
_HEADER = Header(
    segment="0" * 32, format=1, host="host", pid=17, process_started_at=None, started_at="2026-11-20T10:00:00+00:00"
)


@settings(deadline=None)
@given(seq=st.integers(0, 2**63 - 1), kind=_KINDS, facts=st.none() | _FACTS)
def test_a_line_comes_back_as_it_was(seq: int, kind: bytes, facts: dict[str, Any] | None) -> None:
    """Number, kind and facts are read again; the line is one line, and intact."""
    line = encode_line(seq, kind, facts)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert is_intact(line[:-1])
    found = json.loads(line)
    assert found.pop("crc")
    assert found == {"seq": seq, "kind": kind.decode(), **(facts or {})}


@settings(deadline=None)
@given(facts=_FACTS, place=st.integers(0), bit=st.integers(0, 7))
def test_one_flipped_bit_shows(facts: dict[str, Any], place: int, bit: int) -> None:
    """Whatever bit of a line changes, the line is not intact any more."""
    line = bytearray(encode_line(3, END, facts)[:-1])
    line[place % len(line)] ^= 1 << bit

    assert not is_intact(bytes(line))


@settings(deadline=None)
@given(facts=_FACTS, length=st.integers(0))
def test_a_torn_line_shows(facts: dict[str, Any], length: int) -> None:
    """Any true beginning of a line is not intact."""
    line = encode_line(3, END, facts)[:-1]

    assert not is_intact(line[: length % len(line)])


@pytest.mark.parametrize("kind", [Record, Begin])
def test_the_facts_have_no_name_that_the_line_needs(kind: type[msgspec.Struct]) -> None:
    """No field of a record is called like the number, the kind or the checksum."""
    assert not {field.name for field in msgspec.structs.fields(kind)} & {"seq", "kind", "crc"}


def test_a_header_comes_back() -> None:
    """What the writer says of itself is read again."""
    found = decode_header(encode_line(0, HEADER, _HEADER)[:-1])

    assert found is not None
    assert (found.segment, found.pid, found.host) == (_HEADER.segment, 17, "host")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        encode_line(0, HEADER, _HEADER)[:-2],
        encode_line(0, END, _HEADER)[:-1],
        encode_line(0, HEADER, {"segment": "x"})[:-1],
        encode_line(0, HEADER, msgspec.structs.replace(_HEADER, format=99))[:-1],
    ],
    ids=["empty", "no header", "torn", "other kind", "fields missing", "newer format"],
)
def test_what_is_no_header_of_ours_is_none(line: bytes) -> None:
    """A torn header, another line and a format of a newer program are not taken for a header."""
    assert decode_header(line) is None


def test_the_end_of_a_line_alone_is_no_line() -> None:
    """The checksum of nothing is zero, and holds."""
    nothing = b',"crc":"00000000"}'
    line = encode_line(3, END, {"a": 1})[:-1]

    assert not is_intact(nothing)
    assert intact_of([line, nothing, line]) == [line, line]


def test_lines_are_told_from_damaged_ones_wherever_they_stand() -> None:
    """Ends of lines are compared all at once: one that is too short must not be made up for by its neighbours."""
    line = encode_line(3, END, {"a": 1})[:-1]
    broken = line[:9] + b"x" + line[10:]

    assert intact_of([line] * 3) == [line] * 3
    assert intact_of([line, broken, line]) == [line, line]
    assert intact_of([line[:-4], b"", line, line[-4:]]) == [line]
    assert intact_of([]) == []
