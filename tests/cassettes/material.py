"""The recorded interactions, read from their files, and how the server answers each."""

import base64
import gzip
import itertools
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cassettes.server import Answer, Asked

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "cassettes"
MARK = "x-cassette"
"""The request header that says which interaction is wanted."""

_NOT_REPLAYED = frozenset(
    """
    connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade
    content-encoding content-length status
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recorded interaction; header names are in lower case."""

    id: str
    source: str
    kind: str
    method: str
    url: str
    request_headers: dict[str, str]
    request_body: bytes | None
    status: int
    response_headers: dict[str, str]
    response_body: bytes
    elided: frozenset[str]
    expected: dict[str, Any]

    @property
    def is_event_stream(self) -> bool:
        return bool(self.expected["stream"])

    @property
    def is_azure(self) -> bool:
        return bool(self.expected["azure"])

    def asked_for(self) -> dict[str, Any] | None:
        """The body of a JSON request; None where it is something else."""
        try:
            body = json.loads(self.request_body or b"")
        except ValueError:
            return None
        return body if isinstance(body, dict) else None


def read_rows(folder: Path = FOLDER) -> list[Row]:
    """All interactions of a folder, in the order of its files."""
    return [_row(json.loads(line)) for path in sorted(folder.glob("*.jsonl.gz")) for line in _lines(path)]


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from file


def _row(raw: dict[str, Any]) -> Row:
    return Row(
        id=raw["id"],
        source=raw["source"],
        kind=raw["kind"],
        method=raw["method"],
        url=raw["url"],
        request_headers=_lower(raw["request_headers"]),
        request_body=_content(raw, "request_body"),
        status=raw["status"],
        response_headers=_lower(raw["response_headers"]),
        response_body=_content(raw, "response_body") or b"",
        elided=frozenset(raw["elided"]),
        expected=raw["expected"],
    )


def _lower(headers: dict[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _content(raw: dict[str, Any], name: str) -> bytes | None:
    text = raw[name]
    if text is None:
        return None
    return base64.b64decode(text) if raw[f"{name}_encoding"] == "base64" else str(text).encode("utf-8")


def answer_of(row: Row) -> Answer:
    """The recorded answer; an event stream comes in pieces cut at awkward places."""
    headers = {name: value for name, value in row.response_headers.items() if name not in _NOT_REPLAYED}
    body = row.response_body
    if row.is_event_stream:
        headers["content-type"] = headers.get("content-type") or "text/event-stream; charset=utf-8"
        return Answer(
            status=row.status, headers=tuple(headers.items()), pieces=cut(body, random.Random(row.id)), is_chunked=True
        )
    if "content-type" not in headers and body[:1] in (b"{", b"["):
        headers["content-type"] = "application/json"
    return Answer(status=row.status, headers=tuple(headers.items()), pieces=(body,) if body else ())


def cut(body: bytes, chance: random.Random) -> tuple[bytes, ...]:
    """Cut a stream: anywhere, also inside of line ends, names and letters; a few ends of events for certain."""
    largest = max(48, len(body) // 40)
    places = {0, len(body)}
    position = 0
    while position < len(body):
        position += chance.choice((1, 2, 7, chance.randint(1, largest), chance.randint(1, largest)))
        places.add(min(position, len(body)))
    ends = [place for place in range(1, min(len(body), 4000)) if body[place - 1 : place + 1] in (b"\n\n", b"\r\n")]
    places.update(chance.sample(ends, min(3, len(ends))))
    letters = [place for place in range(min(len(body), 4000)) if body[place] & 0xC0 == 0x80]
    places.update(chance.sample(letters, min(2, len(letters))))
    order = sorted(places)
    return tuple(body[start:end] for start, end in itertools.pairwise(order) if end > start)


class Library:
    """Finds the recorded answer to a request by its mark."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = {row.id: row for row in rows}

    def answer(self, asked: Asked) -> Answer:
        return answer_of(self._rows[asked.headers[MARK]])
