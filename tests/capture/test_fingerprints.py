"""Fingerprints of request bodies: equal requests share one, and no installation can read another's."""

import json

import pytest

from monitor.capture.bodies import read_request
from monitor.capture.fingerprints import Fingerprints
from monitor.capture.keys import KeyNames
from monitor.errors import HomeError
from tests.capture.world import MESSAGES, World, like_openai, opened

_BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'


def _fingerprints(secret: bytes = b"s" * 32) -> Fingerprints:
    return Fingerprints(KeyNames(secret))


def _name(content: bytes, secret: bytes = b"s" * 32) -> str | None:
    return _fingerprints(secret).of(content)


def _unreadable() -> bytes:
    raise HomeError("The secret cannot be read.")


def test_the_same_request_has_the_same() -> None:
    """Byte by byte, from one finder or from two."""
    fingerprints = _fingerprints()
    assert fingerprints.of(_BODY) == fingerprints.of(_BODY) == _name(_BODY)


@pytest.mark.parametrize("other", [_BODY.replace(b"Hi", b"Ho"), _BODY.replace(b"4o", b"5"), b"{}"])
def test_another_request_has_another(other: bytes) -> None:
    """One letter is enough."""
    assert _name(_BODY) != _name(other)


def test_the_secret_of_the_installation_is_in_it() -> None:
    """Two installations cannot compare what they were asked."""
    assert _name(_BODY, b"a" * 32) != _name(_BODY, b"b" * 32)


@pytest.mark.parametrize("content", [b"[]", b"3", b"{", b"\xff"])
def test_what_is_no_object_has_none(content: bytes) -> None:
    """Odd bodies are no fault."""
    assert read_request(content) is None


def test_without_a_secret_there_is_none() -> None:
    """A hash without salt could be guessed."""
    assert Fingerprints(KeyNames(_unreadable, is_quiet=True)).of(_BODY) is None


def test_it_stands_in_the_record(world: World) -> None:
    """The same question has the same fingerprint, streamed by us or asked twice."""
    with opened(like_openai, world) as client:
        for content in ("Hi.", "Hi.", "Ho."):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": content}])

    first, second, third = (end["body_fingerprint"] for end in world.ends())
    assert first == second != third
    assert json.dumps(MESSAGES) not in first
