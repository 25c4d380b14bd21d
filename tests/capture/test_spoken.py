"""What is held of a response that runs."""

import json
from typing import Any

import pytest

from monitor.capture.socket_events import Piece, read_piece
from monitor.capture.spoken import Spoken

_TEXT = "response.output_text.delta"


def _told(spoken: Spoken) -> Any:
    return json.loads(spoken.take() or b"null")


def _gathered(*texts: object, limit: int = 1_000, **more: Any) -> Spoken:
    spoken = Spoken(limit)
    for text in texts:
        spoken.add(Piece(type=_TEXT, item_id="i", delta=text, **more))
    return spoken


def test_pieces_are_joined_by_their_place() -> None:
    """Whichever comes first; the place is told."""
    spoken = Spoken(1_000)
    for place, text in ((0, "one "), (1, "two "), (0, "more "), (1, "twice ")):
        spoken.add(Piece(type=_TEXT, item_id="i", content_index=place, delta=text))

    assert _told(spoken) == [
        {"type": _TEXT, "item_id": "i", "content_index": "0", "delta": "one more"},
        {"type": _TEXT, "item_id": "i", "content_index": "1", "delta": "two twice"},
    ]
    assert _told(spoken) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Good evening", "Good"),
        ("Good evening ", "Good evening"),
        ("sk-proj-abc", ""),
        ("write to ann@exam", "write to"),
        ("paid with 4111 1111-1111 11", "paid with"),
        ("Bearer abc", "Bearer"),
        ("こんばんは、アンさん", "こんばんは、アンさん"),
        ("こんばんはsk-ab", "こんばんは"),
        ("", ""),
    ],
)
def test_the_last_word_is_left_out(text: str, left: str) -> None:
    """It may be half a secret; a script without spaces loses its Latin end only."""
    assert [event["delta"] for event in _told(_gathered(text))] == [left]


@pytest.mark.parametrize("delta", [None, 3, {"stdout": "x"}, ["x"]])
def test_what_is_no_text_is_passed_over(delta: object) -> None:
    """Whatever it is."""
    assert _told(_gathered(delta)) is None


@pytest.mark.parametrize("kind", ["response.audio.delta", "response.output_audio.delta"])
def test_sound_is_passed_over(kind: str) -> None:
    """However it came here: not every message begins with its type."""
    spoken = Spoken(1_000)
    spoken.add(read_piece(json.dumps({"delta": "UklGRg", "type": kind})))

    assert _told(spoken) is None


def test_little_is_held() -> None:
    """As many letters as are kept, of as many texts as a response may have."""
    (event,) = _told(_gathered(*["a b " * 100] * 10, limit=1_000))
    assert 990 < len(event["delta"]) <= 1_000

    spoken = Spoken(1_000)
    for place in range(2_000):
        spoken.add(Piece(type=_TEXT, item_id=f"i{place}", delta=""))
    assert len(_told(spoken)) == 256


def test_odd_places_are_no_harm() -> None:
    """A server may send anything."""
    assert [event["delta"] for event in _told(_gathered("one two", output_index=[1], content_index={"a": 1}))] == [
        "one"
    ]
