"""Ends in many ways while it calls; tells what it began and what came back.

python -m tests.flow.ending_app WAY
python -m tests.flow.ending_app FOLDER WAY...

With a folder each way is a child of its own, forked when everything is loaded: FOLDER/WAY.out, .err and .status tell
of it. Its records have the service WAY.
"""

import asyncio
import atexit
import concurrent.futures
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.flow.telling import call, call_async, new_async_client, new_client, open_stream, stream, stream_async, tell

_AT_ONCE = 4


def _begin_stream(client: Any) -> Any:
    chunks = open_stream(client)
    next(chunks)
    return chunks


def after_the_end() -> None:
    """Calls from functions that run at the end, some of them after the spool is closed."""
    clients: list[Any] = []
    atexit.register(lambda: (call(clients[0]), stream(clients[0])))
    clients.append(new_client())
    call(clients[0])
    atexit.register(lambda: (stream(clients[0]), call(clients[0])))


class _Caller:
    def __init__(self) -> None:
        self.client = new_client()

    def __del__(self) -> None:
        call(self.client)


_kept: list[object] = []
"""What lives as long as the interpreter."""


def in_a_finalizer() -> None:
    """Calls from `__del__`: now, and of an object that the interpreter itself takes down."""
    _Caller()
    _kept.append(_Caller())


def streams_left_at_the_end() -> None:
    """Streams that are still open when the interpreter goes: one held by a module, one by a frame."""
    client = new_client()
    _kept.append(_begin_stream(client))
    held = _begin_stream(client)
    call(client)
    tell(f"held {type(held).__name__}")


def daemon_threads() -> None:
    """Threads that nobody waits for go on calling while the interpreter goes."""
    client = new_client()
    have_called = threading.Barrier(_AT_ONCE + 1)

    def go_on() -> None:
        call(client)
        have_called.wait()
        while True:
            call(client)
            stream(client)

    for _ in range(_AT_ONCE):
        threading.Thread(target=go_on, daemon=True).start()
    have_called.wait()
    call(client)


def threads_of_a_pool() -> None:
    """A pool's threads are waited for, after the end of the program's own code."""
    client = new_client()
    pool = concurrent.futures.ThreadPoolExecutor(_AT_ONCE)
    for _ in range(20):
        pool.submit(call, client)
        pool.submit(stream, client)


def exit_in_a_stream() -> None:
    _begin_stream(new_client())
    sys.exit(3)


def exit_in_a_block() -> None:
    with _begin_stream(new_client()):
        sys.exit(3)


def gone_in_a_stream() -> None:
    """The process ends at once, with nothing cleared up."""
    client = new_client()
    call(client)
    chunks = _begin_stream(client)
    os._exit(5 if chunks else 6)


def unhandled() -> None:
    for _ in _begin_stream(new_client()):
        raise RuntimeError("The program's own fault.")


def unhandled_in_a_thread() -> None:
    client = new_client()

    def work() -> None:
        with _begin_stream(client):
            raise RuntimeError("The thread's own fault.")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    call(client)


def terminated() -> None:
    """SIGTERM as it is by default."""
    client = new_client()
    call(client)
    _begin_stream(client)
    chunks = _begin_stream(client)
    os.kill(os.getpid(), signal.SIGTERM)
    next(chunks)


def terminated_in_order() -> None:
    """SIGTERM that a handler turns into an exit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    client = new_client()
    call(client)
    for _ in _begin_stream(client):
        os.kill(os.getpid(), signal.SIGTERM)


def interrupted() -> None:
    """Ctrl-C in the middle of a stream; the program goes on."""
    client = new_client()
    try:
        with _begin_stream(client) as chunks:
            os.kill(os.getpid(), signal.SIGINT)
            next(chunks)
    except KeyboardInterrupt:
        call(client)


def replaced() -> None:
    """Another program takes the place of this one, in the same process."""
    client = new_client()
    call(client)
    _kept.append(_begin_stream(client))
    os.execv(sys.executable, [sys.executable, "-m", "tests.flow.ending_app", "one_call"])


def one_call() -> None:
    call(new_client())


def loop_that_ends() -> None:
    """The event loop ends with a stream in the middle and a task that is not done."""

    async def run() -> None:
        client = new_async_client()
        await call_async(client)
        tell("begun")
        chunks = await client.chat.completions.create(model="gpt-4o-mini", messages=[], stream=True)
        await anext(chunks)
        _kept.append(chunks)
        await stream_async(client)

    asyncio.run(run())


def loop_that_is_exited() -> None:
    async def run() -> None:
        client = new_async_client()
        await call_async(client)
        sys.exit(8)

    asyncio.run(run())


WAYS: dict[str, Callable[[], None]] = {
    work.__name__: work
    for work in (
        after_the_end,
        in_a_finalizer,
        streams_left_at_the_end,
        daemon_threads,
        threads_of_a_pool,
        exit_in_a_stream,
        exit_in_a_block,
        gone_in_a_stream,
        unhandled,
        unhandled_in_a_thread,
        terminated,
        terminated_in_order,
        interrupted,
        replaced,
        one_call,
        loop_that_ends,
        loop_that_is_exited,
    )
}


def _in_children(folder: Path, ways: list[str]) -> str | None:
    """Start each way in a child, one after the other; in a child: the way that it has to go."""
    for way in ways:
        child = os.fork()
        if not child:
            os.environ["MONITOR_SERVICE"] = way
            for descriptor, kind in ((1, "out"), (2, "err")):
                file = os.open(folder / f"{way}.{kind}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                os.dup2(file, descriptor)
            return way
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        (folder / f"{way}.status").write_text(str(status))
    return None


if __name__ == "__main__":
    first, *rest = sys.argv[1:]
    # The child comes back here and ends as any program does: at the end of its file.
    chosen = _in_children(Path(first), rest) if rest else first
    if chosen is not None:
        WAYS[chosen]()
