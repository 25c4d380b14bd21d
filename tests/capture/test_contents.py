"""Prompts and answers on their way to disk: redacted, cut, and never in the way of the program."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.capture.contents import LONGEST_SEGMENT, ContentKeeper, ContentWriter
from monitor.capture.guarded import Guard
from monitor.health import Health
from monitor.home import Home
from monitor.spool.reader import list_segments
from tests.capture.world import CHAT, MESSAGES, World, chunks, events
from tests.factories import NOW, make_id

_SECRET = "sk-proj-abcDEF0123456789"
_PROMPT = {"model": "gpt-4o", "messages": MESSAGES}


class Kept:
    """A keeper of its own, and what it wrote."""

    def __init__(self, home: Path, *, limit: int = 2**16, redact: tuple[str, ...] = ()) -> None:
        self.home = Home(home)
        self.health = Health()
        self.now = 1_000.0
        writer = ContentWriter(self.home, segment_size=2**25, health=self.health, clock=lambda: self.now)
        self.keeper = ContentKeeper(writer, limit=limit, redact=redact, guard=Guard(self.health))

    def keep(self, request: object, answer: object = None, **more: Any) -> dict[str, Any]:
        """What is written of these bodies."""
        self.keeper.keep(make_id(), NOW, _bytes(request), _bytes(answer), **more)
        assert self.health.counts() == {}
        return World(self.home.path).contents()[-1]


def _bytes(body: object) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "home")


def test_bodies_are_kept_as_they_are(kept: Kept) -> None:
    """Where nothing is to be taken out."""
    line = kept.keep(_PROMPT, CHAT)

    assert (json.loads(line["request"]), json.loads(line["answer"])) == (_PROMPT, CHAT)
    assert "is_cut" not in line


def test_files_belong_to_the_user_alone(kept: Kept) -> None:
    """As all files of the data directory."""
    kept.keep(_PROMPT)
    (path,) = kept.home.content.iterdir()

    assert (kept.home.content.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"content": f"use {_SECRET}"}]},
        {_SECRET: 1},
        f"plain text with {_SECRET}".encode(),
        b'{"torn": "a\\n' + _SECRET.encode(),
        b'{"escaped": "' + "".join(f"\\u{ord(letter):04x}" for letter in _SECRET).encode() + b'"}',
        b'{"torn and escaped": "' + "".join(f"\\u{ord(letter):04x}" for letter in _SECRET).encode(),
        b"[" * 50_000 + _SECRET.encode(),
        b'{"n": NaN, "key": "%b"}' % _SECRET.encode(),
        b"".join(events([{"choices": [{"index": 0, "delta": {"content": letter}}]} for letter in _SECRET])),
        b"\xef\xbb\xbf" + _SECRET.encode(),
    ],
)
def test_a_secret_is_in_no_file(kept: Kept, body: object) -> None:
    """Wherever in a body it stands, and however it came."""
    line = kept.keep(body, body)

    assert _SECRET[8:] not in kept.home.content.joinpath(*_names(kept.home.content)).read_text()
    assert "[redacted]" in line["request"] + line["answer"] or line["is_cut"]


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_what_the_settings_name_is_taken_out(tmp_path: Path) -> None:
    """Presets and patterns."""
    kept = Kept(tmp_path / "home", redact=("email", "card", r"cust-\d+"))
    line = kept.keep({"text": "ann@example.com paid with 4111 1111 1111 1111 for cust-77"})

    assert json.loads(line["request"]) == {"text": "[redacted] paid with [redacted] for [redacted]"}


@pytest.mark.parametrize("filler", ["x ", "é ", "\U0001f5fc "])
def test_a_long_body_is_cut(tmp_path: Path, filler: str) -> None:
    """At the limit, between two letters, and it is told."""
    kept = Kept(tmp_path / "home", limit=1_000)
    line = kept.keep({"text": filler * 5_000}, (filler * 5_000).encode())

    assert {0 <= 1_000 - len(line[part].encode()) < 6 for part in ("request", "answer")} == {True}
    assert line["is_cut"]


@pytest.mark.parametrize("place", range(990, 1_001))
def test_a_secret_at_the_cut_is_taken_out(tmp_path: Path, place: int) -> None:
    """No half of it is left."""
    kept = Kept(tmp_path / "home", limit=1_000)
    line = kept.keep(b"x" * (place - 1) + b" " + _SECRET.encode() + b" y" * 9_000)

    assert "sk-" not in line["request"]


def test_a_torn_text_loses_its_tail(kept: Kept) -> None:
    """What goes on behind what was gathered may have been cut within a secret."""
    line = kept.keep(_PROMPT, b"word " * 2_000 + b"4111 1111 1", is_answer_torn=True)

    assert line["is_cut"]
    assert "4111" not in line["answer"]


def test_a_stream_is_kept_as_its_text(kept: Kept) -> None:
    """Whole and readable."""
    line = kept.keep(_PROMPT, b"".join(events(chunks(has_usage=True))))
    (found,) = json.loads(line["answer"])

    assert found["choices"][0]["delta"]["content"] == 'Paris — is it, "usage":null said [DONE] \U0001f5fc.'


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"\xff\xfb\x90\x64" + bytes(600), "[604 bytes that are no text]"),
        (b"RIFF\0\0\0\0", "[8 bytes that are no text]"),
        (b'--abc\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n', "[a form of 66 bytes]"),
        (b"x" * (2**25 + 1), "[33554433 bytes, too many to keep]"),
    ],
)
def test_bodies_that_nobody_reads_are_a_note(kept: Kept, body: bytes, note: str) -> None:
    """Sound, pictures, uploads."""
    assert kept.keep(body)["request"] == note


def test_a_picture_in_a_body_is_a_note(kept: Kept) -> None:
    """The rest of the body is kept."""
    picture = base64.b64encode(bytes(range(256)) * 12).decode()
    line = kept.keep({"data": [{"b64_json": picture, "revised_prompt": "a cat"}]})

    assert json.loads(line["request"]) == {"data": [{"b64_json": "[3072 bytes of base64]", "revised_prompt": "a cat"}]}


@pytest.mark.parametrize("body", [None, b""])
def test_no_body_is_no_content(kept: Kept, body: bytes | None) -> None:
    """It is null in the ledger."""
    line = kept.keep(body, b"x")

    assert ("request" in line, line["answer"]) == (False, "x")


@pytest.mark.parametrize("body", [None, b""])
def test_nothing_is_written_where_there_is_nothing(kept: Kept, body: bytes | None) -> None:
    """Neither for a download, nor for a request without a body that nobody answered."""
    kept.keeper.keep(make_id(), NOW, body, body, is_answer_torn=True)

    assert (kept.home.content.exists(), kept.health.counts()) == (False, {})


def test_a_short_text_that_broke_off_is_kept_but_for_its_last_word(kept: Kept) -> None:
    """It is marked."""
    line = kept.keep(_PROMPT, b"The capital is Par", is_answer_torn=True)

    assert (line["answer"], line["is_cut"]) == ("The capital is", True)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_mark_of_byte_order_hides_nothing(kept: Kept, mark: bytes) -> None:
    """What follows is JSON, or a stream."""
    stream = b"".join(events([{"choices": [{"index": 0, "delta": {"content": letter}}]} for letter in _SECRET]))
    line = kept.keep(mark + b'{"password": ["a secret"]}', mark + stream)

    assert json.loads(line["request"]) == {"password": ["[redacted]"]}
    assert json.loads(line["answer"])[0]["choices"][0]["delta"]["content"] == "[redacted]"


def test_what_cannot_be_written_is_counted(kept: Kept) -> None:
    """Nothing is raised, and no record is called lost."""
    kept.home.create()
    kept.home.content.write_text("a file stands where the directory should")
    kept.keeper.keep(make_id(), NOW, b"x", b"y")

    assert kept.health.counts() == {"contents_dropped_total": 1}


def test_a_fault_of_ours_is_counted(kept: Kept) -> None:
    """And goes no further."""
    odd: Any = object()
    kept.keeper.keep(make_id(), NOW, odd, None)

    assert kept.health.counts() == {"internal_errors_total": 1}


def test_an_old_segment_is_ended_before_it_is_written_to_again(kept: Kept) -> None:
    """So the server can delete it in time, though this program writes seldom."""
    for later in (0, LONGEST_SEGMENT - 1, 1, LONGEST_SEGMENT / 2, -LONGEST_SEGMENT):
        kept.now += later
        kept.keep(b"x")
    segments, _ = list_segments(kept.home.content)

    assert sorted(segment.is_writer_gone() for segment in segments) == [False, True, True]
    assert len(World(kept.home.path).contents()) == 5
