"""A batch's output or error file is read while it passes, however it is cut, and other files are left."""

import gzip
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capture.batch_files import CREATED_AT, Reading, a_line
from tests.capture.world import World, always, opened
from tests.cassettes.material import FOLDER, read_rows
from tests.cassettes.server import Answer


def cut(content: bytes, places: list[int]) -> list[bytes]:
    order = sorted({0, len(content), *(place % len(content) for place in places)})
    return [content[start:end] for start, end in pairwise(order)]


@settings(deadline=None)
@given(
    places=st.lists(st.integers(min_value=0), max_size=40),
    end=st.sampled_from(["\n", "\r\n"]),
    has_end=st.booleans(),
    blank=st.sampled_from(["", "\n", "\r\n \n"]),
)
def test_cutting_changes_no_record(places: list[int], end: str, has_end: bool, blank: str) -> None:
    """Any cutting and any line end give the same records, and a last line needs no end."""
    lines = [a_line(f"req-{number} é") for number in range(3)]
    content = (blank + (end + blank).join(lines) + (end if has_end else "")).encode()

    reading = Reading(*cut(content, places))

    assert reading.told() == Reading("\n".join(lines).encode()).told()
    assert len(reading.told()) == 3
    assert reading.unreadable == 0


def test_lines_are_handed_on_by_hundreds() -> None:
    """A long file needs few appends, and is not kept."""
    reading = Reading("\n".join(a_line(f"req-{number}") for number in range(1_201)).encode())

    assert reading.bulks == [500, 500, 201]


def test_no_two_lines_have_the_same_id() -> None:
    """Each line is a record of its own."""
    reading = Reading("\n".join(a_line(f"req-{number}") for number in range(600)).encode())

    assert len({facts["record_id"] for facts in reading.facts}) == 600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"%PDF-1.7",
        b"prompt,completion\n1,2\n",
        b'{"prompt":"a","completion":"b"}\n{"prompt":"a","completion":"b"}\n',
        b'{"custom_id":"req-1","method":"POST","url":"/v1/chat/completions","body":{"response":1}}\n',
        b'{"error":{"message":"No such File object","type":"invalid_request_error"}}',
        b'{"custom_id":"a","response"',
        b'["custom_id","response"]\n',
    ],
)
def test_other_files_give_no_record(content: bytes) -> None:
    """Input files, training files, pictures and errors are no output of a batch, and count as no damage."""
    reading = Reading(*(content[place : place + 7] for place in range(0, len(content), 7)), is_whole=False)

    assert (reading.facts, reading.unreadable) == ([], 0)


@pytest.mark.parametrize("start", [b"%PDF-1.7", b'{"prompt":"a"}\n', b'{"x":"' + b"y" * 2**21])
def test_of_another_file_only_the_beginning_is_looked_at(start: bytes) -> None:
    """The rest of a file that is none of a batch costs nothing, and is not held."""
    assert Reading(start, b"z").is_over_early


def test_a_first_line_too_long_to_wait_for_is_known_by_its_names() -> None:
    """Pictures make long lines; they are read when they are whole."""
    body = {
        "created": int(CREATED_AT.timestamp()),
        "data": [{"b64_json": "A" * 3 * 2**20}],
        "usage": {"input_tokens": 5},
    }
    content = a_line(body=body).encode()

    reading = Reading(*(content[place : place + 65_536] for place in range(0, len(content), 65_536)))

    assert [facts["input_tokens"] for facts in reading.facts] == [5]
    assert reading.facts[0]["endpoint"] == "/images/generations"


def test_damaged_lines_are_counted_and_the_others_read() -> None:
    """A line that is no JSON, or none of an output, is no record."""
    reading = Reading("\n".join([a_line("a"), a_line("b")[:-9], '{"custom_id":"c"}', "[]", a_line("d")]).encode())

    assert [facts["custom_id"] for facts in reading.facts] == ["a", "d"]
    assert reading.unreadable == 3


_BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    "start",
    [
        _BOM,
        _BOM + b"\r\n",
        b"{bad\n",
        b'{"error":{"message":"no id"}}\n',
        a_line(None).encode() + b"\n",
        b"{bad\n" * 9,
    ],
    ids=["mark", "mark and blank", "damaged", "nameless error", "no custom id", "nine damaged"],
)
@pytest.mark.parametrize("size", [7, 500, 2**20])
def test_an_odd_start_costs_no_line_behind_it(start: bytes, size: int) -> None:
    """However the file is cut on its way."""
    content = start + b"\n".join(a_line(f"r{number}").encode() for number in range(3))
    pieces = [content[at : at + size] for at in range(0, len(content), size)]

    names = {facts["custom_id"] for facts in Reading(*pieces).facts}

    assert {"r0", "r1", "r2"} <= names


def test_a_download_that_broke_off_gives_its_whole_lines() -> None:
    """The half line at its end is no damage: the file is whole where it lies."""
    reading = Reading((a_line("a") + "\n" + a_line("b")[:50]).encode(), is_whole=False)

    assert [facts["custom_id"] for facts in reading.facts] == ["a"]
    assert reading.unreadable == 0


def test_deep_nesting_is_no_harm() -> None:
    """Such a line cannot be read, the next one can."""
    deep = '{"custom_id":"a","response":{"body":{"usage":' + "[" * 200_000 + "]" * 200_000 + "}}}"

    reading = Reading("\n".join([a_line("a"), deep, a_line("b")]).encode())

    assert [facts["custom_id"] for facts in reading.facts] == ["a", "b"]


def read_at_once(client: Any) -> bytes:
    return bytes(client.files.content("file-1").read())


def read_raw(client: Any) -> bytes:
    return bytes(client.files.with_raw_response.content("file-1").content)


def read_streaming(client: Any) -> bytes:
    with client.files.with_streaming_response.content("file-1") as response:
        return b"".join(response.iter_bytes(11))


@pytest.mark.parametrize("read", [read_at_once, read_raw, read_streaming])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_every_way_to_download_records_the_lines(world: World, read: Callable[[Any], bytes], encoding: str) -> None:
    """The program gets its file as it is; the spool gets a record for each line beside that of the download."""
    content = (a_line("a") + "\n" + a_line("b") + "\n").encode()
    sent = gzip.compress(content) if encoding == "gzip" else content
    headers = (("content-type", "application/octet-stream"), ("content-encoding", encoding))
    pieces = tuple(sent[place : place + 100] for place in range(0, len(sent), 100))

    with opened(always(Answer(headers=headers, pieces=pieces, is_chunked=True)), world) as client:
        assert read(client) == content

    lines = [line for line in world.ends() if line.get("is_batch")]
    assert [(line["custom_id"], line["file_id"], line["input_tokens"]) for line in lines] == [
        ("a", "file-1", 14),
        ("b", "file-1", 14),
    ]
    assert len(world.ends()) == 3


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded interactions are not in ../shared/data/cassettes")
def test_recorded_files_are_read_as_they_are() -> None:
    """Files that were really downloaded give the model and tokens of each line."""
    rows = [row for row in read_rows() if row.expected.get("batch_lines")]
    names = ("custom_id", "status", "response_model", "input_tokens", "output_tokens", "reasoning_output_tokens")

    for row in rows:
        wanted = [
            tuple(
                line[name]
                for name in ("custom_id", "status_code", "model", "input_tokens", "output_tokens", "reasoning_tokens")
            )
            for line in row.expected["batch_lines"]
        ]
        found = [tuple(facts.get(name) for name in names) for facts in Reading(row.response_body).facts]
        assert found == wanted
    assert len(rows) == 2
