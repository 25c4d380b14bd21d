"""Real places to deliver to: an HTTP server and an SMTP server on loopback, which keep what they are sent."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


def eventually(holds: Callable[[], bool], *, within: float = 20.0) -> bool:
    """Whether something that another thread or process does comes true in time."""
    end = time.monotonic() + within
    pause = threading.Event()
    while not holds():
        if time.monotonic() > end:
            return False
        pause.wait(0.01)
    return True


@dataclass
class Answer:
    """What the HTTP receiver says to one request; `drip` sends the body byte by byte until the test ends."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: bool = False


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


class HttpReceiver:
    """Keeps each POST; gives the `answers` in turn, then 200."""

    def __init__(self, *answers: Answer) -> None:
        self.posted: list[Posted] = []
        self.answers = list(answers)
        self.ended = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.posted.append(Posted(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = receiver.answers.pop(0) if receiver.answers else Answer()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.drip:
                    self.end_headers()
                    self._drip()
                    return
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def _drip(self) -> None:
                try:
                    while not receiver.ended.wait(0.05):
                        self.wfile.write(b".")
                        self.wfile.flush()
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its interface)
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "HttpReceiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Mailed:
    sender: str
    recipients: list[str]
    mail: EmailMessage
    was_encrypted: bool
    user: str | None


class MailReceiver:
    """Keeps each mail; gives the `answers` to MAIL data in turn, then accepts. `refused` addresses are not taken."""

    def __init__(self, *answers: str, refused: Mapping[str, str] | None = None) -> None:
        self.mailed: list[Mailed] = []
        self.answers = list(answers)
        self.refused = dict(refused or {})
        self.port = _free_port()

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's interface)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (as above)
        mail = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
        self.mailed.append(
            Mailed(
                sender=str(envelope.mail_from),
                recipients=list(envelope.rcpt_tos),
                mail=mail,
                was_encrypted=server.transport is not None
                and server.transport.get_extra_info("sslcontext") is not None,
                user=getattr(session.auth_data, "user", None),
            )
        )
        return self.answers.pop(0) if self.answers else "250 OK"


@contextmanager
def mail_server(
    receiver: MailReceiver,
    *,
    starttls: ssl.SSLContext | None = None,
    smtps: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
) -> Iterator[MailReceiver]:
    """Run an SMTP server for the receiver; `login` is the user and password that it knows."""

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: LoginPassword
    ) -> AuthResult:
        is_known = login is not None and (auth_data.login, auth_data.password) == tuple(p.encode() for p in login)
        return AuthResult(success=is_known, handled=False, auth_data=_User(auth_data.login.decode()))

    controller = Controller(
        receiver,
        hostname="127.0.0.1",
        port=receiver.port,
        ssl_context=smtps,
        tls_context=starttls,
        authenticator=authenticate if login else None,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()


@dataclass
class _User:
    user: str


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
