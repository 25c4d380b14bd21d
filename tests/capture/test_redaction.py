"""What is taken out of contents, wherever it stands in them, and what is left."""

import json
import re
import time
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.redaction import Redaction
from monitor.capture.secret_forms import ALWAYS
from monitor.capture.secret_names import REDACTED

_KEYS = (
    "sk-proj-abcDEF0123456789_-abcDEF0123456789",
    "sk-abcdefghijklmnopqrstuvwx",
    "sk-svcacct-0123456789abcdef",
    "ek_68af296e8e408191a1120ab6383263c2",
    "Bearer abc.def-ghi_jkl0123",
    "bearer  c2VjcmV0LXRva2Vu==",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk",
    "sk-ant-api03-0123456789abcdef",
    "sk-or-v1-0123456789abcdef",
    "gsk_0123456789abcdefABCDEF",
    "csk-0123456789abcdefghij",
    "xai-0123456789abcdefABCDEF",
    "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "pplx-0123456789abcdefABCDEF",
    "r8_0123456789abcdefABCDEF",
    "hf_0123456789abcdefABCDEF",
    "ghp_0123456789abcdefABCDEF",
    "ghs_0123456789abcdefABCDEF",
    "github_pat_0123456789abcdef_ABCDEF",
    "glpat-0123456789abcdef-_AB",
    "AKIA0123456789ABCDEF",
    "ASIA0123456789ABCDEF",
    "ya29.a0123456789abcdef-_AB",
    "nvapi-0123456789abcdef-_AB",
    "whsec_0123456789abcdef+/==",
    "xoxb-0123456789-abcdef",
    "xoxp-0123456789-abcdef",
    "xapp-1-0123456789-abcdef",
)


@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize(
    "around", ["{}", "use {} now", "KEY={}", '"{}"', "a\n{}\nb", "a\\n{}", "é{}é", "_{}", "({})", '{{"a": "{}"}}']
)
def test_keys_and_tokens_are_always_taken_out(key: str, around: str) -> None:
    """Nobody has to ask for it."""
    shown = Redaction().text(around.format(key))

    assert "[redacted]" in shown
    assert key[7:15] not in shown


@given(
    st.text() | st.lists(st.sampled_from((*_KEYS, "sk", "-", "_", "ek", "eyJ", "a.b", "0123456789", " "))).map("".join)
)
def test_a_text_without_secrets_is_left_as_soon_as_that_is_known(text: str) -> None:
    """No pattern that is not tried would have found something."""
    assert Redaction().text(text) == reduce(lambda shown, pattern: re.sub(pattern, REDACTED, shown), ALWAYS, text)


@pytest.mark.parametrize(
    "text",
    [
        "a task-force of desk-workers",
        "ask-me-anything-now",
        "the bearer of news",
        "Paris.",
        "pplx-70b-online and xai-org/grok and hf_hub_download",
        "Basic knowledge of cookies: none",
        "Authorization: who may do what. API key: see below. Cookie: sweet",
        "ASIA and the PACIFIC",
        "a private key-ring",
    ],
)
def test_plain_words_are_left(text: str) -> None:
    """What only looks a little like a key is none."""
    assert Redaction().text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to ann.lee+x@mail.example.co.uk, please", "write to [redacted], please"),
        ("ann@example.com;bob@example.org", "[redacted];[redacted]"),
        ("@home at 5", "@home at 5"),
    ],
)
def test_email_addresses_are_taken_out_when_asked(text: str, shown: str) -> None:
    """And else are left."""
    assert Redaction(["email"]).text(text) == shown
    assert Redaction().text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("card 4111 1111 1111 1111 ok", "card [redacted] ok"),
        ("4111-1111-1111-1111", "[redacted]"),
        ("5500005555555559", "[redacted]"),
        ("378282246310005.", "[redacted]."),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("order 1795168800000", "order 1795168800000"),
    ],
)
def test_card_numbers_are_taken_out_when_asked(text: str, shown: str) -> None:
    """Numbers whose check digit is wrong are no cards."""
    assert Redaction(["card"]).text(text) == shown


def test_patterns_of_ones_own_are_taken_out() -> None:
    """Each match, wherever it stands: in names, texts and numbers."""
    redaction = Redaction([r"cust-\d+", r"\b4242\b"])
    value = {"cust-1": ["cust-22 and cust-3", {"id": 4242}], "n": 5, "is": True, "none": None}

    assert redaction.value(value) == {
        "[redacted]": ["[redacted] and [redacted]", {"id": "[redacted]"}],
        "n": 5,
        "is": True,
        "none": None,
    }


def test_a_card_number_that_is_a_number_is_taken_out() -> None:
    """A tool may be called with one."""
    assert Redaction(["card"]).value({"card": 4111111111111111}) == {"card": "[redacted]"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted]"),
        ("-H 'authorization: token abc def' -v", "-H 'authorization: [redacted]' -v"),
        ("Authorization: 0123456789abcdef", "Authorization: [redacted]"),
        ("it says Basic dXNlcjpwYXNzd29yZA== there", "it says [redacted] there"),
        ('curl -H "x-api-key: abcdefgh1"', 'curl -H "x-api-key: [redacted]"'),
        ("MY_API_KEY=abcdefgh1 ./run", "MY_API_KEY=[redacted] ./run"),
        ("Set-Cookie: sid=abc; Path=/\nX: y", "Set-Cookie: [redacted]\nX: y"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nok", "[redacted]\nok"),
        ("a -----BEGIN PRIVATE KEY-----\nMIIabc", "a [redacted]"),
    ],
)
def test_headers_and_settings_in_a_text_are_taken_out(text: str, shown: str) -> None:
    """As one writes them in a line."""
    assert Redaction().text(text) == shown


@pytest.mark.parametrize(
    "arguments",
    [
        '{"m": "ann\\u0040example.com", "k": "sk\\u002dproj-abcDEF0123456789"}',
        '{"m": "ann\\u0040example.com", "k": "\\nsk\\u002dproj-abcDEF0123456789',
        'It said {"m": "ann\\u0040example.com", "k": "\\u0073k-proj-abcDEF0123456789"}.',
        json.dumps({"body": '{"m": "ann\\u0040example.com", "k": "sk\\u002dproj-abcDEF0123456789"}'}),
    ],
)
def test_escapes_hide_nothing(arguments: str) -> None:
    """JSON within a text may write any letter by its number."""
    shown = Redaction(["email"]).value({"arguments": arguments})["arguments"]

    assert ("example" in shown, "abcDEF" in shown, shown.count("[redacted]")) == (False, False, 2)


@pytest.mark.parametrize("text", ["C:\\new\\table", "\\u00e9t\\u00e9", '{"a": "\\n"}', "\\frac{1}{2}"])
def test_backslashes_are_left_where_nothing_is_secret(text: str) -> None:
    """They may be meant."""
    assert Redaction(["email"]).text(text) in (text, '{"a":"\\n"}')


def test_a_pattern_may_mean_a_backslash() -> None:
    """Though there is something else in the text, and what follows looks like an escape."""
    assert Redaction([r"CORP\\\w+"]).text(f"CORP\\nora has {_KEYS[0]}") == "[redacted] has [redacted]"


_TOKENS = [{"token": "sk-", "bytes": [115, 107, 45], "logprob": -1, "top_logprobs": []}]


@pytest.mark.parametrize(
    "told",
    [
        {"logprobs": {"content": _TOKENS, "refusal": None}},
        {"logprobs": {"tokens": ["sk-"], "top_logprobs": [{"sk-": -1}]}},
        {"logprobs": _TOKENS},
        {"prompt_logprobs": [None, {"1": {"decoded_token": "sk-"}}]},
        {"text": json.dumps({"logprobs": _TOKENS})},
    ],
)
def test_tokens_with_their_likelihoods_are_left_out(told: dict[str, Any]) -> None:
    """Put together they spell what was taken out of the text."""
    shown = json.dumps(Redaction().value(told))

    assert ("sk-" in shown, "115" in shown, "[left out]" in shown) == (False, False, True)


def test_the_wish_for_likelihoods_is_kept() -> None:
    """It is no token."""
    asked = {"logprobs": True, "top_logprobs": 5, "x": {"logprobs": None}}

    assert Redaction().value(asked) == asked


def test_bulk_is_a_note_of_its_size() -> None:
    """Pictures and sound in a body, and vectors."""
    redaction = Redaction()

    assert redaction.value({"url": "data:image/png;base64," + "QUJD" * 500}) == {
        "url": "data:image/png;base64,[1500 bytes of base64]"
    }
    assert redaction.text("x" * 999) == "x" * 999
    assert [redaction.text("a " * place + "x" * 1_000) for place in (0, 1, 250, 499)] == [
        "a " * place + "[750 bytes of base64]" for place in (0, 1, 250, 499)
    ]
    assert redaction.value({"embedding": [0.5] * 1536}) == {"embedding": "[1536 numbers]"}


def _seconds(redaction: Redaction, text: str) -> float:
    began = time.thread_time()
    redaction.text(text)
    return time.thread_time() - began


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 999 + " ", "a." * 60, "1 " * 500, "sk-" * 300, "@" * 900, "-" * 999, "://a:b" * 150, "x://" * 200),
        *("?a=" * 300, "a?b=c " * 150, "\\" * 900, '"' * 900, "token:{" * 150, '"token":"' * 100, "cookie: a=" * 90),
        *("authorization:" * 60, "api_key=" * 100, "basic " * 150, "-----BEGIN PRIVATE KEY-----" * 30, "eyJ" * 300),
        *("password = '" * 70, "'password'='\\" * 60, "[" * 900, "bearer " * 120),
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """A pattern that looks at each letter many times would hold the program up, whenever it is asked."""
    redaction = Redaction(["email", "card"])

    assert any(_seconds(redaction, text * 60) < 2 for _ in range(5))
