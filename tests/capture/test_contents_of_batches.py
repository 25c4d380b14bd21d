"""Contents of a batch's lines: off unless asked for, redacted, one beside each record, and never a file in memory."""

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.capture.batch_lines import BatchLines
from monitor.health import Health
from monitor.ledger.contents import ContentDrain, find_requests
from monitor.spool.room import size_of_all
from tests.architecture.sources import ROOT
from tests.capture.batch_files import BASE, a_line, chat_body, refused
from tests.capture.world import World, always, opened
from tests.cassettes.server import Answer, LoopbackServer
from tests.world import World as Stores

_SECRET = "sk-proj-abcDEF0123456789"


def _chat(text: str, number: int = 1) -> dict[str, Any]:
    return chat_body(id=f"chatcmpl-B{number}", choices=[{"index": 0, "message": {"content": text}}])


def _file(*lines: str) -> Answer:
    content = "".join(line + "\n" for line in lines).encode()
    pieces = tuple(content[place : place + 100] for place in range(0, len(content), 100))
    return Answer(headers=(("content-type", "application/octet-stream"),), pieces=pieces, is_chunked=True)


def _download(world: World, *lines: str, **named: Any) -> list[dict[str, Any]]:
    """What a program leaves that downloads a file of these lines: its contents that have something to tell."""
    with opened(always(_file(*lines))) as client:
        world.wrap(client, **{"content": True} | named)
        assert client.files.content("file-1").read() == b"".join(_file(*lines).pieces)
    return _told(world)


def _told(world: World) -> list[dict[str, Any]]:
    return [line for line in world.contents() if "request" in line or "answer" in line]


def _lines(world: World) -> list[dict[str, Any]]:
    return [line for line in world.ends() if line.get("is_batch")]


def test_nothing_of_a_file_is_kept_unless_asked_for(world: World) -> None:
    """No file holds a word of it."""
    with opened(always(_file(a_line(body=_chat("Paris.")))), world) as client:
        client.files.content("file-1").read()

    assert not (world.directory / "content").exists()
    assert (len(_lines(world)), b"Paris" in world.content()) == (1, False)


def test_each_line_has_its_answer(world: World) -> None:
    """Beside its record, with its id and time; nobody knows what was asked."""
    contents = _download(world, a_line("a", _chat("Paris.")), a_line("b", _chat("Rome.")))

    records = _lines(world)
    assert [(line["record_id"], line["started_at"]) for line in contents] == [
        (line["record_id"], line["started_at"]) for line in records
    ]
    assert [json.loads(line["answer"]) for line in contents] == [_chat("Paris."), _chat("Rome.")]
    assert [line["custom_id"] for line in records] == ["a", "b"]
    assert not any("request" in line or "is_cut" in line for line in contents)


_ERROR = {"code": "batch_expired", "message": "Too late."}


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (refused(_ERROR), _ERROR),
        (a_line(body={"error": _ERROR}, status=400), {"error": _ERROR}),
        ('{"id":"b","custom_id":"a","response":[1],"error":"odd"}', "odd"),
        ('{"id":"b","custom_id":"a","response":{"body":"odd"},"error":null}', "odd"),
        ('{"id":"b","custom_id":"a","response":{"body":{"n":NaN,"x":"y"}}}', {"n": None, "x": "y"}),
    ],
)
def test_what_a_line_says_is_kept_though_it_is_no_answer(world: World, line: str, kept: object) -> None:
    """An error, a refusal, something odd."""
    (first, second) = _download(world, a_line("sure"), line)[-2:]

    assert [first["record_id"], second["record_id"]] == [record["record_id"] for record in _lines(world)]
    assert json.loads(second["answer"]) == kept


def test_a_line_that_says_nothing_has_no_content(world: World) -> None:
    """Its record has none; the next line has its own."""
    contents = _download(world, a_line("a"), refused(None), a_line("c", _chat("Rome.")))

    first, silent, last = _lines(world)
    assert [line["record_id"] for line in contents] == [first["record_id"], last["record_id"]]
    assert silent["record_id"] not in {line["record_id"] for line in contents}


def test_a_secret_in_an_answer_is_in_no_file(world: World) -> None:
    """However it is written."""
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in _SECRET)
    lines = (
        a_line("a", _chat(f"yours is {_SECRET}")),
        a_line("b", _chat("mark")).replace("mark", escaped),
        refused({"message": f"Incorrect API key provided: {_SECRET}"}),
    )
    contents = _download(world, *lines)

    assert ["[redacted]" in line["answer"] for line in contents] == [True] * 3
    assert _SECRET[8:].encode() not in world.content()
    assert escaped.encode() not in world.content()


def test_a_long_answer_is_cut(world: World) -> None:
    """Each by itself."""
    world.settings = msgspec.structs.replace(world.settings, content_limit=1_000)
    contents = _download(world, a_line("a", _chat("word " * 5_000)), a_line("b", _chat("Paris.")))

    assert [line.get("is_cut", False) for line in contents] == [True, False]
    assert 990 < len(contents[0]["answer"]) <= 1_000


class Keeping:
    """A file as it is read by lines; `order` is what was handed on, `held` the most bytes of it that ever waited."""

    guard: Any = None
    limit = 2**16

    def __init__(self) -> None:
        self.order: list[tuple[str, str]] = []
        self.kept = self.held = 0
        self.lines = BatchLines(BASE, "file-1", self._append, Health(), keeper=self)

    def read(self, line: bytes, times: int) -> None:
        given = 0
        for _ in range(times):
            self.lines.feed(line)
            given += len(line)
            self.held = max(self.held, given - self.kept)
        self.lines.end()

    def keep(
        self,
        record_id: str,
        started_at: datetime,
        request: bytes | None,
        answer: bytes | None,
        *,
        is_answer_torn: bool = False,
    ) -> None:
        self.kept += len(answer or b"")
        self.order.append(("content", record_id))

    def form_of(self, request: Any) -> bytes | None:
        raise NotImplementedError

    def of(self, headers: Iterable[tuple[bytes, bytes]], path: bytes) -> "Keeping":
        raise NotImplementedError

    def _append(self, records: Sequence[dict[str, Any]]) -> None:
        self.order += [("record", record["record_id"]) for record in records]


@pytest.mark.parametrize(("size", "times", "most"), [(10_000, 1_000, 2 * 2**20), (2**20, 30, 2 * 2**20)])
def test_a_file_is_never_held(size: int, times: int, most: int) -> None:
    """A mebibyte of it, or one long line: the rest is on disk while the file still passes."""
    keeping = Keeping()
    line = a_line(body=_chat("x" * size)).encode() + b"\n"
    tracemalloc.start()
    keeping.read(line, times)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert keeping.held < most
    assert peak < 3 * most
    assert keeping.kept > size * times


def test_a_content_comes_after_its_record() -> None:
    """A program that dies in between leaves no content that belongs to nothing."""
    keeping = Keeping()
    keeping.read(a_line(body=_chat("x" * 100_000)).encode() + b"\n", 50)

    assert [kind for kind, _ in keeping.order].count("record") == 50
    for kind, record_id in keeping.order:
        before = keeping.order.index(("record", record_id))
        assert kind == "record" or before < keeping.order.index((kind, record_id))


def test_the_directory_of_contents_stays_within_its_limit(world: World) -> None:
    """What does not fit is dropped and counted; every record is there."""
    world.settings = msgspec.structs.replace(world.settings, spool_limit=2**20, segment_size=2**16)
    _download(world, *(a_line(f"a{number}", _chat("word " * 4_000)) for number in range(100)))

    kept = _told(world)
    assert len(_lines(world)) == 100
    assert 20 < len(kept) < 60
    assert size_of_all(world.directory / "content") < 2**20 + 2**16


_PROGRAM = """
import sys
from pathlib import Path
import openai
from tests.capture.world import KEY, World
client = openai.OpenAI(api_key=KEY, base_url=sys.argv[2])
World(Path(sys.argv[1])).wrap(client, content=True)
for _ in range(2):
    client.files.content("file-1").read()
"""


def test_a_file_that_is_read_again_has_a_content_for_each_record(tmp_path: Path) -> None:
    """By one program twice, and by two at once: each reading has records of its own, and each of these one content."""
    stores = Stores(tmp_path)
    lines = [a_line(f"a{number}", _chat(f"word {number}", number)) for number in range(700)]
    with LoopbackServer(always(_file(*lines))) as server:
        command = [sys.executable, "-c", _PROGRAM, str(stores.home.path), f"{server.address}/v1"]
        programs = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
        assert [program.wait(60) for program in programs] == [0, 0]
    stores.drain.run()
    drain = ContentDrain(stores.ledger, stores.home.content, stores.health)
    drain.run()
    drain.run()

    counts = stores.rows(
        """
        select count(*), count(distinct r.record_id), count(distinct c.record_id), count(distinct usage_source),
            bool_and(c.answer like '%word ' || substr(custom_id, 2) || '"%')
        from requests r join contents c using (record_id) where r.is_batch
        """
    )
    assert counts == [(2_800, 2_800, 2_800, 2, True)]
    found = find_requests(stores.ledger, "chatcmpl-B7")
    assert [json.loads(row["content"]["answer"]) for row in found] == [_chat("word 7", 7)] * 4
