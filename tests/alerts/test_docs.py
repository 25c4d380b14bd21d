"""What the page about alerts says is true."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts.retry import SCHEDULE
from monitor.notifiers.webhook import signed_headers, webhook_config
from monitor.records import DIMENSIONS

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def documented_verify() -> Callable[[str, dict[str, str], bytes], dict[str, Any]]:
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)
    verify: Callable[[str, dict[str, str], bytes], dict[str, Any]] = names["verify"]
    return verify


def test_the_snippet_takes_what_we_sign() -> None:
    """Whoever copies it can verify our messages."""
    secret = webhook_config(url="https://example.com")["secret"]
    headers = signed_headers(secret, message_id="msg_1", sent_at=datetime.now(UTC), body=b'{"type":"x"}')

    assert documented_verify()(secret, headers, b'{"type":"x"}') == {"type": "x"}


def test_the_snippet_refuses_what_we_did_not_sign() -> None:
    """Another body, and a message recorded long ago."""
    secret = webhook_config(url="https://example.com")["secret"]
    now, old = datetime.now(UTC), datetime(2020, 1, 1, tzinfo=UTC)
    for sent_at, body in ((now, b"{}"), (old, b'{"type":"x"}')):
        headers = signed_headers(secret, message_id="msg_1", sent_at=sent_at, body=b'{"type":"x"}')
        with pytest.raises(ValueError, match=r"does not fit|too old"):
            documented_verify()(secret, headers, body)


def test_every_dimension_is_listed() -> None:
    """The page knows what a budget can be scoped by."""
    assert [name for name in DIMENSIONS if f"`{name}`" not in PAGE] == []


def test_the_schedule_is_the_one_in_the_code() -> None:
    """The table of waits has a column for each wait."""
    (row,) = re.findall(r"\| wait before it \|(.*)\|", PAGE)
    units = {"s": 1, "min": 60, "h": 3600}
    waits = [int(number) * units[unit] for number, unit in (cell.split() for cell in row.split("|"))]

    assert waits == [wait.total_seconds() for wait in SCHEDULE]
