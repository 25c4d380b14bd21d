"""Names of keys, and what becomes of them while there is no install secret."""

from pathlib import Path

import pytest

from monitor.capture.keys import KeyNames
from monitor.errors import HomeError
from monitor.home import Home

_KEY = "sk-proj-0123456789abcdef"


class Clock:
    """Stands still unless told to go on."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("authorization", "hint"),
    [
        (f"Bearer {_KEY}", "cdef"),
        (f"bearer  {_KEY} ", "cdef"),
        (_KEY, "cdef"),
        ("Bearer short", None),
        ("Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.xyz", None),
        ("Basic dXNlcjpteSBsb25nIHBhc3N3b3JkIGlzIHRoaXM=", None),
        (
            (
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261120/us-east-1/bedrock/aws4_request, "
                "SignedHeaders=host, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024"
            ),
            "MPLE",
        ),
    ],
)
def test_only_the_end_of_a_key_is_shown(authorization: str, hint: str | None) -> None:
    """Four letters of a short secret, of a password or of a token are too many."""
    assert KeyNames(b"salt").name(authorization, None)[1] == hint


def test_signatures_of_one_access_key_are_one_key() -> None:
    """AWS signs every request anew."""
    start = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261120/us-east-1/bedrock/aws4_request, Signature="
    names = KeyNames(b"salt")

    assert names.name(start + "a" * 64, None) == names.name(start + "b" * 64, None)


def test_without_a_secret_there_is_no_fingerprint_yet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log says why, once; five seconds later it is tried again, and then keys are told apart."""
    home, clock = Home(tmp_path), Clock()
    home.secret_file.write_text("damaged")
    names = KeyNames(home.secret, clock=clock)
    assert names.name(f"Bearer {_KEY}", None) == (None, "cdef")
    home.secret_file.unlink()
    clock.now += 4.9
    assert names.name(f"Bearer {_KEY}", None) == (None, "cdef")
    clock.now += 0.1

    fingerprint, _ = names.name(f"Bearer {_KEY}", None)
    assert (fingerprint, names.salt) == (KeyNames(home.secret()).name(f"Bearer {_KEY}", None)[0], home.secret())
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(f"The install secret {home.secret_file} cannot be read or made")


def test_what_the_spool_tells_is_not_told_twice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where there is no directory, nothing can be recorded: that is said elsewhere, with what to do."""
    assert KeyNames(Home(tmp_path / "nowhere").secret).salt is None
    assert caplog.records == []


def test_a_quiet_one_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Where the log has been told already that the directory cannot be used."""

    def fail() -> bytes:
        raise HomeError("no")

    assert KeyNames(fail, is_quiet=True).salt is None
    assert caplog.records == []
