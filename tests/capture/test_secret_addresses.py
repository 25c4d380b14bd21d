"""Addresses in contents: where they lead can be read, what opens the door cannot."""

import json

import pytest

from monitor.capture.redaction import Redaction


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://x.blob/y.png?sig=abc%2Bd&se=1", "https://x.blob/y.png?sig=[redacted]&se=[redacted]"),
        (
            "see https://a.example/b?X-Amz-Signature=0f&page=2, then",
            "see https://a.example/b?X-Amz-Signature=[redacted]&page=[redacted], then",
        ),
        ("[it](https://a.example/?q=1) and", "[it](https://a.example/?q=[redacted]) and"),
        ("<a href='https://a.example/?key=b'>", "<a href='https://a.example/?key=[redacted]'>"),
        ("https://a.example/?abcdef", "https://a.example/?[redacted]"),
        ("https://a.example/cb#access_token=x.y&n=1", "https://a.example/cb#access_token=[redacted]&n=[redacted]"),
        ("https://a.example/page#section-2", "https://a.example/page#section-2"),
        ("https://a.example/cb?code=1#top", "https://a.example/cb?code=[redacted]#top"),
        ("GET /files/1?sig=abc HTTP/1.1", "GET /files/1?sig=[redacted] HTTP/1.1"),
        ("https://ann:pa55@db.example:80/x", "https://[redacted]@db.example:80/x"),
        ("postgres://ann:p@ss/w0rd@db/x", "postgres://[redacted]@db/x"),
        ("https://token@github.com/a/b", "https://[redacted]@github.com/a/b"),
    ],
)
def test_users_and_values_are_taken_out_of_addresses(text: str, shown: str) -> None:
    """All values: nobody knows which are secret. What was taken out once stays so."""
    redaction = Redaction()

    assert redaction.text(text) == shown
    assert redaction.text(shown) == shown
    assert json.loads(redaction.text(json.dumps({"u": text}))) == {"u": shown}


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "https://a.example/b/c and http://localhost:8080/@x/y",
        "Is it so?x, or a ? b = c : d",
        "(?P<name>[a-z]=1) and a?.b=c",
        "https://a.example/?",
        "mail ann@example.com",
    ],
)
def test_other_texts_are_left(text: str) -> None:
    """A question mark is no query."""
    assert Redaction().text(text) == text
