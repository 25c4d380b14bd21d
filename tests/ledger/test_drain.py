"""From the spool into the ledger: each line counts once, and none is dropped in silence."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger import queries
from monitor.ledger.drain import Drain
from monitor.records import Record
from monitor.spool.format import BEGIN, END
from tests.factories import make_begin, make_record, make_usage
from tests.world import ALWAYS, World, fields_of, line_of, price_book, sealed


def _reasons(world: World) -> list[str]:
    return [row["reason"] for row in queries.quarantined_lines(world.ledger, limit=100)]


def _stored(world: World) -> int:
    return queries.totals(world.ledger, ALWAYS).requests


def test_all_fields_arrive(world: World) -> None:
    """What a record says, its row says."""
    usage = make_usage(
        cache_read_input_tokens=1,
        cache_creation_input_tokens=2,
        reasoning_output_tokens=3,
        input_audio_tokens=4,
        output_audio_tokens=5,
        input_image_tokens=6,
        output_image_tokens=7,
        audio_seconds=8.5,
        cache_read_audio_tokens=9,
        cache_read_image_tokens=10,
        cache_creation_long_tokens=11,
        accepted_prediction_tokens=12,
        rejected_prediction_tokens=13,
        trained_tokens=14,
        input_characters=15,
        image_count=16,
        video_seconds=17.5,
    )
    facts: dict[str, Any] = {
        "attempt": 2,
        "request_id": "req_1",
        "response_id": "resp_1",
        "conversation_id": "conv_1",
        "file_id": "file-1",
        "custom_id": "line-1",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "body_fingerprint": "fedcba9876543210",
        "time_to_first_chunk": 0.25,
        "server_duration": 0.125,
        "method": "GET",
        "request_service_tier": "auto",
        "service_tier": "default",
        "is_streaming": True,
        "is_batch": True,
        "outcome": "interrupted",
        "error_class": "timeout",
        "error_type": "ReadTimeout",
        "error_code": "code",
        "error_reason": "read",
        "answer_status": "incomplete",
        "finish_reasons": ["stop", "length"],
        "media_size": "1024x1024",
        "media_quality": "high",
        "tool_calls": {"web_search": 2},
        "containers": ["cntr_1"],
        "container_memory": "4g",
        "tool_model": "gpt-image-1",
        "tool_usage": {"input_tokens": 60},
        "environment": "production",
        "host": "host",
        "process_id": 4711,
        "billing_account_id": "org-1",
        "sub_account_id": "proj_1",
        "key_fingerprint": "0123456789abcdef",
        "key_hint": "abcd",
        "team": "search",
        "feature": "ranking",
        "user": 'zoë \x00 "\\ \N{GRINNING FACE}',
        "session": "s",
        "call_site": "app.py:7",
        "call_function": "main",
        "tags": {"a": "b", "c": ""},
        "sdk_version": "3.1.0",
        "requests_limit": 10,
        "requests_remaining": 9,
        "requests_reset": 0.5,
        "tokens_limit": 1_000,
        "tokens_remaining": 900,
        "tokens_reset": 1.5,
        "retry_after": 2.5,
        "other_limits": {"limit-input-images": 5.0},
    }
    record = make_record(usage=usage, **facts)
    world.store(record)
    stored = world.one(record)
    row = {name: value.hex if isinstance(value, UUID) else value for name, value in stored.items()}
    row["started_at"] = stored["started_at"].replace(tzinfo=UTC)
    sent = msgspec.structs.asdict(record)

    assert {name: row[name] for name in sent} == sent
    assert None not in sent.values()


def test_what_a_record_leaves_out_is_null_or_usual(world: World) -> None:
    """Unknown is null, and a method that is not named is POST."""
    world.forge(line_of({name: fields_of(make_record())[name] for name in _REQUIRED}))
    world.drain.run()
    (row,) = queries.latest_requests(world.ledger, ALWAYS, limit=1)
    stated = {name for name, value in row.items() if value is not None}

    assert stated == {
        *_REQUIRED,
        "method",
        "is_streaming",
        "is_batch",
        "is_billable",
        "outcome",
        "usage_source",
        "pricing_state",
    }
    assert (row["method"], row["outcome"], row["usage_source"], row["pricing_state"]) == (
        "POST",
        "completed",
        "none",
        "free",
    )


_REQUIRED = ("record_id", "call_id", "attempt", "started_at", "provider_name", "operation_name", "endpoint")


def test_draining_again_stores_nothing_more(world: World) -> None:
    """However often it is done, and whatever is added between."""
    world.spool(*(make_record() for _ in range(3)))
    first = [world.drain.run() for _ in range(3)]
    world.spool(make_record())

    assert [*first, world.drain.run(), _stored(world)] == [3, 0, 0, 1, 4]


def test_another_drain_goes_on_where_the_last_one_stopped(world: World) -> None:
    """The position stands in the ledger, not in the process."""
    world.store(make_record())
    world.spool(make_record())
    another = Drain(world.ledger, world.home.spool, price_book(), world.health)

    assert (another.run(), _stored(world)) == (1, 2)


def test_several_writers_are_drained_together(world: World) -> None:
    """Each program has a segment of its own."""
    writers = [world.new_writer() for _ in range(3)]
    for writer in (*writers, *writers):
        writer.end(make_record())

    assert world.drain.run() == 6


def test_a_rotated_segment_goes_on_in_the_next(world: World) -> None:
    """Nothing is lost or counted twice where one ends and the next begins."""
    writer = world.new_writer(segment_size=2_000)
    for _ in range(20):
        writer.begin(make_begin(record := make_record()))
        writer.end(record)
        if record.record_id.endswith("5"):
            world.drain.run()
    world.drain.run()

    assert (_stored(world), queries.in_flight(world.ledger)) == (20, 0)
    assert len(world.segments()) > 5


@pytest.mark.parametrize("when", ["before", "between", "after"])
@pytest.mark.parametrize("name", ["0.ndjson", "z.ndjson"])
def test_a_copy_of_a_segment_counts_once(world: World, when: str, name: str) -> None:
    """The id inside tells it; the original goes on to be read while its writer lives."""

    def copy() -> None:
        shutil.copy(world.segments()[0], world.home.spool / name)

    world.spool(make_record(), make_record())
    if when == "before":
        copy()
    world.drain.run()
    if when == "between":
        copy()
    world.drain.run()
    world.spool(make_record())
    if when == "after":
        copy()
    world.drain.run()
    world.spool(make_record())
    world.drain.run()

    assert (_stored(world), _reasons(world), world.drain.waiting()) == (4, [], 0)


def test_a_renamed_segment_counts_once(world: World) -> None:
    """Its name says nothing."""
    world.store(make_record())
    world.segments()[0].rename(world.home.spool / "renamed.ndjson")
    world.spool(make_record())
    world.drain.run()

    assert _stored(world) == 2


def test_half_a_copy_is_completed_when_the_rest_has_come(world: World) -> None:
    """A segment that somebody copies back is read on, not taken for its first part."""
    lines = [line_of(fields_of(make_record())) for _ in range(4)]
    path = world.forge(*lines)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(lines[2])])
    world.drain.run()
    path.write_bytes(whole)
    world.drain.run()

    assert (_stored(world), _reasons(world)) == (4, [])


def test_a_torn_tail_of_a_living_writer_waits(world: World) -> None:
    """The rest of the line is still to come."""
    world.spool(make_record(), make_record())
    (path,) = world.segments()
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    before = (world.drain.run(), _stored(world), world.drain.waiting() > 0)
    path.write_bytes(whole)

    assert before == (1, 1, True)
    assert (world.drain.run(), _stored(world), _reasons(world)) == (1, 2, [])


def test_a_torn_tail_of_a_dead_writer_is_quarantined(world: World) -> None:
    """Nothing will complete it; it is seen, once."""
    path = world.forge(line_of(fields_of(make_record())), line_of(fields_of(make_record())))
    path.write_bytes(path.read_bytes()[:-10])
    world.drain.run()
    world.drain.run()

    assert (_stored(world), _reasons(world), world.drain.waiting()) == (1, ["torn"], 0)


def test_an_altered_line_is_quarantined_with_its_place(world: World) -> None:
    """The lines around it count."""
    lines = [line_of(fields_of(make_record())) for _ in range(3)]
    spoilt = lines[1].replace(b"gpt-4o", b"gpt-9o")
    path = world.forge(lines[0], spoilt, lines[2])
    world.drain.run()
    (row,) = queries.quarantined_lines(world.ledger, limit=10)

    assert _stored(world) == 2
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
    "another kind": line_of(fields_of(make_record()), kind=b"other"),
    "no kind": sealed(b'{"seq":1,"record_id":"x"'),
    **{f"no {name}": line_of(_without(name)) for name in _REQUIRED},
    **{f"begin without {name}": line_of(_without(name), kind=BEGIN) for name in _REQUIRED},
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


_ODD_VALUES: list[tuple[str, object, object]] = [
    ("status", "x", None),
    ("status", 99_999, None),
    ("status", "200", 200),
    ("input_tokens", "many", None),
    ("input_tokens", 10**18, None),
    ("input_tokens", -(2**63), None),
    ("input_tokens", -5, -5),
    ("audio_seconds", 1e300, None),
    ("audio_seconds", "nan", None),
    ("duration", "inf", None),
    ("duration", "nan", None),
    ("duration", {}, None),
    ("is_streaming", "perhaps", False),
    ("tags", ["a"], None),
    ("tags", {"a": 1}, {"a": "1"}),
    ("finish_reasons", "stop", None),
    ("user", 7, "7"),
    ("unheard_of", 7, KeyError),
]


def test_a_value_of_another_type_is_read_if_it_can_be_else_unknown(world: World) -> None:
    """One odd value costs nobody the record."""
    records = [make_record() for _ in _ODD_VALUES]
    pairs = list(zip(records, _ODD_VALUES, strict=True))
    world.forge(*(line_of(fields_of(record) | {name: value}) for record, (name, value, _) in pairs))
    world.drain.run()
    stored = [(name, value, world.one(record).get(name, KeyError)) for record, (name, value, _) in pairs]

    assert stored == _ODD_VALUES


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


def test_a_file_without_a_header_is_left_alone(world: World) -> None:
    """It may be a segment that is just being made; its bytes are told as waiting."""
    (world.home.spool / "x.ndjson").write_bytes(b'{"seq":0')
    world.store(make_record())

    assert (_stored(world), world.drain.waiting()) == (1, 8)


def test_dropped_records_are_told(world: World) -> None:
    """What a writer could not write is counted by its reason."""
    world.forge(line_of({"reason": "disk_full", "count": 3}, kind=b"dropped"))
    world.forge(line_of({"reason": "disk_full", "count": 2}, kind=b"dropped"))
    world.drain.run()

    assert queries.losses(world.ledger) == {"disk_full": 5, "quarantined": 0}


def test_order_and_batches_change_nothing(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same records come to the same sums, one by one backwards or all at once."""
    start = datetime(2026, 11, 20, 10, 59, tzinfo=UTC)
    models = ("gpt-4o", "o3", "gpt-99")
    records = [
        make_record(
            response_model=models[i % 3],
            started_at=start + timedelta(seconds=10 * i),
            usage=make_usage(input_tokens=i * 1_000),
        )
        for i in range(15)
    ]
    world.store(*records)
    with World(tmp_path_factory.mktemp("other")) as other:
        for record in reversed(records):
            other.store(record)
        sums = [queries.by_dimension(w.ledger, ALWAYS, "model") for w in (world, other)]
        rows = [w.rows("select * exclude (sku_price_id) from requests order by record_id") for w in (world, other)]

    assert sums[0] == sums[1]
    assert rows[0] == rows[1]


def test_the_counters_count_what_came(world: World) -> None:
    """Our own health tells how far the drain has come, and what it refused."""
    world.forge(line_of(fields_of(make_record())), sealed(b"x"), line_of(fields_of(make_record())))
    world.drain.run()

    assert world.health.counts() == {"records_drained_total": 2, "lines_quarantined_total": 1}
