"""Secrets that are found by the name of the member that holds them, wherever a body has it."""

import json
from typing import Any

import pytest

from monitor.capture.redaction import Redaction
from monitor.capture.secret_names import SECRET, STEMS, kind_of

_SECRET = "correct horse battery staple"
_NAMES = tuple(
    """
    authorization Authorization proxy-authorization api_key apikey api-key x-api-key X-Api-Key x-goog-api-key
    OPENAI_API_KEY apiKey access_token refresh_token id_token client_secret clientSecret secret password DB_PASSWORD
    passwd private_key credentials cookie set-cookie Set-Cookie session_token webhook_secret signing_secret token
    aws_secret_access_key x-amz-security-token
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)


def _shown(value: Any) -> str:
    return json.dumps(Redaction().value(value))


@pytest.mark.parametrize("name", _NAMES)
def test_what_has_the_name_of_a_secret_is_taken_out(name: str) -> None:
    """In a body, in JSON within a text of it, in JSON among other words, and in what is torn or code."""
    member = {"server": "db-1", name: _SECRET}
    inner = json.dumps(member)
    for value in (
        member,
        {"list": [member]},
        {name: {"value": _SECRET, "more": [_SECRET]}},
        {"arguments": inner},
        {"arguments": json.dumps({"body": inner})},
        {"content": f"It answered {inner}, see?"},
        {"content": f"```json\n{json.dumps(member, indent=2)}\n```"},
        {"content": f"It answered {json.dumps(inner)}"},
        {"content": str(member)},
        {"content": f"{name} = '{_SECRET}'"},
        {"content": json.dumps({name: [_SECRET]}) + "."},
        {"arguments": inner[:-3]},
        {"arguments": inner[:-2].replace(" ", "\\u0020")},
        {"arguments": inner[:-1] + f', "{name}": ""}}'},
    ):
        shown = _shown(value)
        assert (_SECRET[8:20] in shown, "battery" in shown, "[redacted]" in shown) == (False, False, True), value


@pytest.mark.parametrize("value", [7, 0.5, True, False, None, ""])
def test_what_is_no_text_is_no_secret(value: object) -> None:
    """A number of tokens, a switch, nothing at all."""
    member = {"token": value, "secret": [value], "client_secret": {"expires_at": value}}

    assert Redaction().value(member) == member


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "token_count", "tokens", "secretary", "keys", "key", "passage", "cookies", "header", "headers"],
)
def test_ordinary_names_are_left(name: str) -> None:
    """However much they look like others; also where it stands in a text."""
    member = {name: _SECRET, "inner": json.dumps({name: _SECRET}), "text": f'"{name}": "{_SECRET}"'}

    assert Redaction().value(member) == member


def test_all_headers_of_a_tool_are_taken_out() -> None:
    """Nobody knows which of them is a key; their names stay."""
    tool = {"type": "mcp", "headers": {"X-Team": _SECRET, "Retries": 3}, "cookies": [{"name": "a", "value": _SECRET}]}

    assert Redaction().value(tool) == {
        "type": "mcp",
        "headers": {"X-Team": "[redacted]", "Retries": 3},
        "cookies": [{"name": "[redacted]", "value": "[redacted]"}],
    }


def test_headers_of_a_table_are_left() -> None:
    """They are names without values."""
    table = {"headers": ["city", "country"], "rows": [["Paris", "France"]]}

    assert Redaction().value(table) == table


@pytest.mark.parametrize("name", ["name", "key"])
def test_a_pair_is_told_by_its_name(name: str) -> None:
    """As some tools tell headers and variables."""
    shown = Redaction().value([{name: "X-Api-Key", "value": _SECRET}, {name: "city", "value": "Paris"}])

    assert [pair["value"] for pair in shown] == ["[redacted]", "Paris"]


def test_a_schema_says_only_that_there_is_a_secret() -> None:
    """What a tool takes can be read; an example in it cannot."""
    password = {"type": "string", "description": "of the database", "default": _SECRET, "examples": [_SECRET]}
    schema = {"type": "object", "properties": {"password": password, "token": {"anyOf": []}}, "required": ["password"]}
    shown = Redaction().value({"parameters": schema})["parameters"]

    assert shown["properties"]["password"] == {
        "type": "string",
        "description": "of the database",
        "default": "[redacted]",
        "examples": ["[redacted]"],
    }
    assert (shown["properties"]["token"], shown["required"]) == ({"anyOf": []}, ["password"])


def test_a_secret_among_properties_is_no_schema() -> None:
    """Its name decides, where it is described by nothing."""
    shown = _shown({"properties": {"password": _SECRET, "credentials": {"type": "service_account", "data": _SECRET}}})

    assert "battery" not in shown


def test_json_without_secrets_is_left_as_it_was_written() -> None:
    """Spaces and all."""
    text = '{ "city" : "Par\\"is",\n "n": 1.0 }'

    assert Redaction().text(text) == text


def test_a_name_that_stands_twice_hides_nothing() -> None:
    """Most readers of JSON see only the last."""
    assert "battery" not in Redaction().text(f'{{"x": {{"password": "{_SECRET}"}}, "x": 1}}')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password": "a\\"b c", "x": "d"} .', '{"password": "[redacted]", "x": "d"} .'),
        ('say "token": "a b\nc "d"', 'say "token": "[redacted]\nc "d"'),
        ('credentials = {"a": {"b": "c"}} + x', "credentials = [redacted] + x"),
        ('"secret": ["a", "b"', '"secret": [redacted]'),
        ('"password": ""', '"password": ""'),
    ],
)
def test_only_the_value_is_taken_out_of_a_text(text: str, shown: str) -> None:
    """To the quote or the bracket that ends it, else to the end of the line or the text."""
    assert Redaction().text(text) == shown


def test_every_name_is_found_by_its_stem() -> None:
    """Texts without one are not searched for names."""
    for name in _NAMES:
        assert kind_of(name) is SECRET
        assert any(stem in name.lower() for stem in STEMS)
