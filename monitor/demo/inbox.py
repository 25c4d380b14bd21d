"""A place for the demo's alerts to arrive at: a webhook receiver on loopback that verifies and shows them."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_LARGEST = 64 * 2**10


class Inbox:
    """Listens on a free port of 127.0.0.1 while it is open; `url` is where to send to."""

    def __init__(self, show: Callable[[str], None]) -> None:
        """`show` gets a line for each alert that arrives with a good signature."""
        self.secret: str | None = None
        self._show = show
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="demo inbox", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/alerts"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Take a delivery; returns the status to answer with."""
        if not self._is_signed(headers, body):
            return 401
        data = json.loads(body).get("data", {})
        self._show(str(data.get("annotations", {}).get("summary", "An alert without a summary.")))
        return 204

    def _is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        """Check as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body."""
        key = base64.b64decode((self.secret or "").removeprefix("whsec_"))
        signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [part.partition(",")[2] for part in headers.get("webhook-signature", "").split()]
        return any(hmac.compare_digest(expected, signature) for signature in given)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length", "0")), _LARGEST)
                body = self.rfile.read(length)
                self.send_response(inbox.take({name.lower(): value for name, value in self.headers.items()}, body))
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing: the console belongs to the demo."""

        return Handler
