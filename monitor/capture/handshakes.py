"""The HTTP request that opens a socket, in the form that the recorder knows from HTTP clients, and its answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from monitor.capture.bodies import error_of, read_answer, text_of
from monitor.capture.headers import Facts, read_headers

Pairs = list[tuple[bytes, bytes]]

_VERSION: Final = "x-stainless-package-version"
_MODELS: Final = ("model", "deployment")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL with the parts that the recorder asks HTTP libraries for."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def host(self) -> str:
        """Without port; empty when unknown."""
        return urlsplit(self.text).hostname or ""

    @property
    def port(self) -> int | None:
        """None for the scheme's own."""
        return urlsplit(self.text).port

    @property
    def netloc(self) -> bytes:
        """Host and port."""
        return urlsplit(self.text).netloc.encode()

    @property
    def path(self) -> str:
        """Without query."""
        return urlsplit(self.text).path

    @property
    def raw_path(self) -> bytes:
        """With query."""
        parts = urlsplit(self.text)
        return f"{parts.path}?{parts.query}".encode() if parts.query else parts.path.encode()


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers as HTTP libraries give them."""

    raw: Pairs

    def __delitem__(self, _: str) -> None:
        """Nothing: these have been sent."""


@dataclass(slots=True)
class Handshake:
    """The request that opens a socket. Has what the recorder reads of any request."""

    url: Address
    headers: Headers
    method: str = "GET"
    stream: None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str | None:
        """The model, or Azure's deployment, that the query names."""
        query = parse_qs(urlsplit(self.url.text).query)
        return next((text_of(query[name][0]) for name in _MODELS if name in query), None)


def sent_by(socket: Any, client: Any) -> Handshake:
    """The handshake of an open socket, as it went out."""
    request = socket.request
    pairs = _pairs(request.headers)
    host = request.headers.get("Host", "")
    return Handshake(Address(f"ws://{host}{request.path}"), Headers(_with_version(pairs, client)))


def meant_by(manager: Any, client: Any, model: object) -> Handshake:
    """The handshake that a connection manager of the SDK was about to send, as far as that can be known."""
    url = str(manager._prepare_url())  # noqa: SLF001 - the SDK shows it nowhere else
    if isinstance(model, str) and model:
        url = f"{url}{'&' if '?' in url else '?'}model={model}"
    key = getattr(client, "api_key", None)
    pairs = [(b"authorization", f"Bearer {key}".encode())] if isinstance(key, str) and key else []
    return Handshake(Address(url), Headers(_with_version(pairs, client)))


def facts_of_answer(answer: Any) -> dict[str, Any]:
    """Fields of the record from the answer to a handshake: its status and headers."""
    facts: Facts = {}
    read_headers(_pairs(answer.headers), facts)
    return {**facts, "status": int(answer.status_code)}


def error_in(answer: Any) -> Mapping[str, Any] | None:
    """The error object in the answer that refuses a handshake; None when it states none."""
    content = getattr(answer, "body", None)
    body = read_answer(bytes(content)) if content else None
    return None if body is None else error_of(body)


def _pairs(headers: Any) -> Pairs:
    items: Iterable[tuple[str, str]] = headers.raw_items()
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in items]


def _with_version(pairs: Pairs, client: Any) -> Pairs:
    # Older SDKs send no header of their own with a handshake.
    version = getattr(client, "_version", None)
    if isinstance(version, str) and not any(name.lower() == _VERSION.encode() for name, _ in pairs):
        return [*pairs, (_VERSION.encode(), version.encode())]
    return pairs
