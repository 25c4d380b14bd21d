"""Output files of a batch as the API makes them, and what is read from one."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from monitor.capture.batch_lines import BatchLines
from monitor.health import Health

DOWNLOADED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CREATED_AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
BASE = {
    "record_id": "0" * 32,
    "started_at": DOWNLOADED_AT,
    "provider_name": "openai",
    "operation_name": "files",
    "endpoint": "/files/{id}/content",
    "method": "GET",
    "status": 200,
    "service": "shop",
    "team": None,
    "tags": {"a": "b"},
}
_IDS = {"record_id", "call_id"}
USAGE = {"prompt_tokens": 14, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}


def chat_body(**changes: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-B1",
        "object": "chat.completion",
        "created": int(CREATED_AT.timestamp()),
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"content": "Paris.\nIs it?"}, "finish_reason": "stop"}],
        "usage": USAGE,
        "service_tier": "default",
    } | changes


def a_line(name: object = "req-1", body: object = None, *, status: object = 200, error: object = None) -> str:
    response = {"status_code": status, "request_id": "req_b1", "body": chat_body() if body is None else body}
    return json.dumps(
        {"id": "batch_req_S1", "custom_id": name, "response": response, "error": error}, ensure_ascii=False
    )


def refused(error: object) -> str:
    return json.dumps({"id": "batch_req_S2", "custom_id": "req-2", "response": None, "error": error})


class Reading:
    """A file as it was read, piece for piece."""

    def __init__(self, *pieces: bytes, is_whole: bool = True) -> None:
        self.health = Health()
        self.bulks: list[int] = []
        self.facts: list[dict[str, Any]] = []
        self.lines = BatchLines(BASE, "file-1", self._take, self.health)
        for piece in pieces:
            self.lines.feed(piece)
        self.is_over_early = self.lines.is_over
        self.lines.end(is_whole=is_whole)

    def _take(self, facts: Sequence[dict[str, object]]) -> None:
        self.bulks.append(len(facts))
        self.facts.extend(facts)

    @property
    def unreadable(self) -> int:
        return self.health.counts().get("batch_lines_unreadable_total", 0)

    def told(self) -> list[dict[str, Any]]:
        """The facts without the ids that differ each time."""
        return [{name: value for name, value in facts.items() if name not in _IDS} for facts in self.facts]


def read_one(line: str) -> dict[str, Any]:
    reading = Reading(line.encode())
    assert len(reading.facts) == 1, reading.health.counts()
    return reading.facts[0]
