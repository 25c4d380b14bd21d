"""Lines that are damaged or no records are quarantined, and what stands around them counts."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger import queries
from monitor.records import Record
from monitor.spool.format import BEGIN, END, encode_facts
from tests.factories import make_record
from tests.ledger.drained import REQUIRED, stored_requests
from tests.world import World, fields_of, line_of, sealed


def test_an_altered_line_is_quarantined_with_its_place(world: World) -> None:
    """The lines around it count."""
    lines = [line_of(fields_of(make_record())) for _ in range(3)]
    spoilt = lines[1].replace(b"gpt-4o", b"gpt-9o")
    path = world.forge(lines[0], spoilt, lines[2])
    world.drain.run()
    (row,) = queries.quarantined_lines(world.ledger, limit=10)

    assert stored_requests(world) == 2
    assert (row["reason"], row["file"], row["byte_offset"], row["line"]) == (
        "checksum",
        path.name,
        path.read_bytes().index(spoilt),
        spoilt.decode(),
    )


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in fields_of(make_record()).items() if key != name}


_NO_RECORDS = {
    "no json": sealed(b"no json at all"),
    "no utf-8": sealed(b'{"seq":1,"kind":"end","user":"\xff"'),
    "half a character": sealed(b'{"seq":1,"kind":"end","user":"\\ud800"'),
    "a tag twice": sealed(b'{"seq":1,"kind":"end","tags":{"a":"1","a":"2"}'),
    "a list": sealed(b"[1]"),
    "another kind": sealed(b'{"seq":1,"kind":"other",' + encode_facts(make_record())),
    "no kind": sealed(b'{"seq":1,"record_id":"x"'),
    **{f"no {name}": line_of(_without(name)) for name in REQUIRED},
    **{f"begin without {name}": line_of(_without(name), kind=BEGIN) for name in REQUIRED},
    "no id": line_of(fields_of(make_record()) | {"record_id": "not an id"}),
    "no time": line_of(fields_of(make_record()) | {"started_at": "yesterday"}),
    "no finite time": line_of(fields_of(make_record()) | {"started_at": "infinity"}),
    "too many attempts": line_of(fields_of(make_record()) | {"attempt": 70_000}),
}


def test_intact_lines_that_are_no_records_are_quarantined(world: World) -> None:
    """They are kept with their reason, and what stands around them counts."""
    files = {}
    for name, line in _NO_RECORDS.items():
        good = [line_of(fields_of(make_record())) for _ in range(2)]
        files[world.forge(good[0], line, good[1]).name] = name

    assert world.drain.run() == 2 * len(files)
    assert {files[row[0]]: row[1:] for row in world.rows("select file, reason, line from quarantine")} == {
        name: ("not_a_record", line.decode("utf-8", "replace")) for name, line in _NO_RECORDS.items()
    }


_FIELDS = [name for name in Record.__struct_fields__ if name != "record_id"]
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.sampled_from([10**12, 10**15, 2**62, -(2**63), 1e308, -1e308, "nan", "-inf", "2026-11-20", "\x00"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.one_of(st.integers(), st.text(max_size=3)), max_size=2),
)


@settings(max_examples=10, deadline=None)
@given(odd=st.lists(st.dictionaries(st.sampled_from(_FIELDS), _ODD, max_size=4), min_size=1, max_size=20))
def test_no_line_stops_the_drain(shared: World, odd: list[dict[str, Any]]) -> None:
    """Whatever an intact line says, it is stored or quarantined."""
    before = _kept(shared)
    shared.forge(*(line_of(fields_of(make_record()) | fields, kind=kind) for fields in odd for kind in (END, BEGIN)))
    shared.drain.run()

    assert _kept(shared) - before == 2 * len(odd)


def _kept(world: World) -> int:
    """Lines that stand somewhere: begin lines of a dead writer end as requests too."""
    stored: int = world.value("select count(*) from requests")
    refused: int = world.value("select count(*) from quarantine")
    return stored + refused
