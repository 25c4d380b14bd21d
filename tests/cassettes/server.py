"""A real HTTP server on loopback that answers as it is told, byte for byte and piece for piece."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to send back.

    `pieces` are sent one by one: as chunks where `is_chunked`, else as one body with its length. `breaks_off` closes
    the connection without the end of the body; `stalls` sends no more, and no end, until the client goes away;
    `hangs_up` closes the connection without any answer; `is_silent` waits, without one, until the client goes away.
    `missing` is how much longer the body is said to be than it is.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[bytes, ...] = ()
    is_chunked: bool = False
    breaks_off: bool = False
    stalls: bool = False
    hangs_up: bool = False
    is_silent: bool = False
    missing: int = 0


class LoopbackServer:
    """Serves in a thread of its own; `asked` holds every request in the order of their coming."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="loopback", daemon=True)
        self._is_ready = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.asked: list[Asked] = []
        self.left = threading.Event()
        """Set when a client has gone away before the end of an answer that stalls."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._is_ready.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(server.wait_closed())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = await _read(reader)
        self.asked.append(asked)
        answer = self._answer(asked)
        if answer.is_silent:
            await reader.read()
        if answer.hangs_up or answer.is_silent:
            return False
        writer.write(_head(answer))
        if answer.status not in _NO_BODY and asked.method != "HEAD":
            for piece in answer.pieces:
                if writer.is_closing():
                    return False
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.is_chunked else piece)
            await writer.drain()
            if answer.stalls:
                await reader.read()
                self.left.set()
                return False
            if answer.breaks_off:
                return False
            if answer.is_chunked:
                writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method=method, target=target, headers=headers, body=body)


def _head(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Recorded", *(f"{name}: {value}" for name, value in answer.headers)]
    if answer.is_chunked:
        lines.append("transfer-encoding: chunked")
    elif answer.status not in _NO_BODY:
        lines.append(f"content-length: {sum(map(len, answer.pieces)) + answer.missing}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
