"""The headers of a request are found whatever their case, and only strange names are looked at."""

from types import SimpleNamespace

from monitor.capture.handshakes import Headers
from monitor.capture.request_headers import UsualNames

_SENT = [(b"Host", b"api.openai.com"), (b"Authorization", b"Bearer x"), (b"X-Tenant", b"a"), (b"X-Monitor-Team", b"b")]


def test_names_are_found_in_any_case() -> None:
    """Older SDKs write them with capitals; a program may write them as it likes."""
    headers = dict(_SENT)

    UsualNames().settle(SimpleNamespace(headers=Headers(_SENT), extensions={}), headers)

    assert headers[b"authorization"] == b"Bearer x"


def test_tags_are_told_each_time() -> None:
    """Also of a socket, whose handshake has been sent; their names are never usual."""
    names = UsualNames()

    for _ in range(2):
        assert not names.issuperset(dict(_SENT))
        assert names.settle(SimpleNamespace(headers=Headers(_SENT), extensions={}), dict(_SENT)) == {"team": "b"}


def test_a_name_that_nobody_looks_at_becomes_usual() -> None:
    """So the next request with it costs no look."""
    names = UsualNames()

    names.settle(SimpleNamespace(headers=Headers(_SENT), extensions={}), dict(_SENT))

    assert b"X-Tenant" in names


def test_not_all_names_are_remembered() -> None:
    """A program that makes up names fills no memory."""
    names = UsualNames()
    made_up = [(b"x-%d" % number, b"") for number in range(2_000)]

    names.settle(SimpleNamespace(headers=Headers(made_up), extensions={}), dict(made_up))

    assert len(names) < 1_000
