"""What an exception of the transport means: real ones, made by a server that misbehaves."""

import asyncio
import contextlib
import errno
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from monitor.capture.breaks import BY_NAME, fault_of_exception

_RESETTING = struct.pack("ii", 1, 0)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETTING)


def _resets(connection: socket.socket) -> None:
    connection.recv(10)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    _reset(connection)


def _hangs_up(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(65536)


def _stops_short(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")


def _talks_nonsense(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HELLO\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    connection.recv(65536)


def _is_silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@contextmanager
def _server(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does this with its one connection; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(ConnectionError):
                act(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def _ask(url: str) -> None:
    with httpx2.Client(timeout=0.3, trust_env=False, verify=False) as client:
        client.get(url)


async def _ask_async(url: str) -> None:
    async with httpx2.AsyncClient(timeout=0.3, trust_env=False, verify=False) as client:
        await client.get(url)


def _error_of(url: str, *, is_async: bool) -> BaseException:
    with pytest.raises(httpx2.HTTPError) as caught:
        asyncio.run(_ask_async(url)) if is_async else _ask(url)
    return caught.value


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("scheme", "act", "fault"),
    [
        ("http", _resets, ("connection", "reset")),
        ("http", _hangs_up, ("connection", "closed")),
        ("http", _stops_short, ("connection", "closed")),
        ("http", _talks_nonsense, ("connection", "protocol")),
        ("https", _talks_nonsense, ("connection", "tls")),
        ("http", _is_silent, ("timeout", "read")),
    ],
)
def test_a_misbehaving_server_is_named(
    scheme: str, act: Callable[[socket.socket], None], fault: tuple[str, str], is_async: bool
) -> None:
    """What lies behind the library's exception tells more than the exception."""
    with _server(act) as address:
        assert fault_of_exception(_error_of(f"{scheme}://{address}/", is_async=is_async)) == fault


@pytest.mark.parametrize("is_async", [False, True])
def test_a_closed_door_is_named(is_async: bool) -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert fault_of_exception(_error_of(f"http://127.0.0.1:{port}/", is_async=is_async)) == ("connection", "refused")


def test_a_closed_proxy_is_named() -> None:
    """There the library drops what its exception was raised from, and only holds it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx2.Client(proxy=proxy, verify=False) as client, pytest.raises(httpx2.ConnectError) as caught:
        client.get("http://127.0.0.1:1/")

    assert fault_of_exception(caught.value) == ("connection", "refused")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("url", "fault"),
    [("http://nowhere.invalid/", ("connection", "dns")), ("ftp://127.0.0.1/", ("invalid_request", "url"))],
)
def test_an_address_that_cannot_be_is_named(url: str, fault: tuple[str, str], is_async: bool) -> None:
    """The address is at fault, not the server."""
    assert fault_of_exception(_error_of(url, is_async=is_async)) == fault


class OwnTimeout(httpx2.ReadTimeout):
    pass


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (httpx2.ConnectTimeout("x"), ("timeout", "connect")),
        (httpx2.WriteTimeout("x"), ("timeout", "write")),
        (httpx2.PoolTimeout("x"), ("timeout", "pool")),
        (OwnTimeout("x"), ("timeout", "read")),
        (TimeoutError(), ("timeout", None)),
        (asyncio.CancelledError(), ("cancelled", "task")),
        (KeyboardInterrupt(), ("cancelled", "interrupt")),
        (SystemExit(), ("cancelled", "exit")),
        (httpx2.DecodingError("x"), ("parse", "encoding")),
        (httpx2.LocalProtocolError("x"), ("invalid_request", "protocol")),
        (httpx2.ProxyError("x"), ("connection", "proxy")),
        (OSError(errno.EMFILE, "x"), ("connection", "too_many_files")),
        (OSError(errno.ENETUNREACH, "x"), ("connection", "unreachable")),
        (ExceptionGroup("x", [OSError(errno.EHOSTUNREACH, "x")]), ("connection", "unreachable")),
        (ValueError(), ("connection", None)),
    ],
)
def test_an_exception_has_a_fault(error: BaseException, fault: tuple[str, str | None]) -> None:
    """The name of an exception, or of one it derives from, tells; else what it was raised from."""
    assert fault_of_exception(error) == fault


def test_what_the_program_was_handling_is_no_reason() -> None:
    """A program that calls inside an `except` gives its own error as the context of ours."""
    error = httpx2.RemoteProtocolError("nonsense")
    error.__context__ = ConnectionResetError()

    assert fault_of_exception(error) == ("connection", "protocol")


def test_a_chain_in_a_circle_ends() -> None:
    """Exceptions are objects that anybody may tie to each other."""
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first

    assert fault_of_exception(first) == ("connection", None)


def test_names_stand_for_every_library() -> None:
    """The same in httpx and httpx2, which need not be installed here."""
    names = {name for name in BY_NAME if name.endswith("Timeout")}

    assert {name for name in names if hasattr(httpx2, name)} == names
