"""Calls from children of a program that calls too; each tells what it began and what came back.

python -m tests.flow.forking_app WAY CHILDREN
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from openai import OpenAI

import monitor
from tests.flow.telling import call, new_client, stream

_AT_ONCE = 4
_PATIENCE = 40


def _work(client: Any) -> None:
    """What each child does."""
    call(client)
    stream(client)


def _leave(status: int = 0) -> NoReturn:
    os._exit(status)


def _forked(work: Callable[[], None], leave: Callable[[int], NoReturn]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        leave(status)


def _wait_for(*children: int) -> None:
    for child in children:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            raise SystemExit(f"A child ended with status {status}.")


def left_at_once(children: int) -> None:
    """Children that end without any clearing up, each forked between two calls of its parent."""
    client = new_client()
    for _ in range(children):
        call(client)
        _wait_for(_forked(lambda: _work(client), _leave))
    call(client)


def grandchildren(children: int) -> None:
    """A child has a child, and all call after it as before it."""
    client = new_client()

    def work() -> None:
        call(client)
        _wait_for(_forked(lambda: _work(client), _leave))
        stream(client)

    for _ in range(children // 2):
        _wait_for(_forked(work, _leave))
    call(client)


def inside_a_stream(children: int) -> None:
    """The parent forks while it reads a stream; the child reads none of it."""
    client = new_client()
    for _ in range(children):
        with client.chat.completions.create(model="gpt-4o-mini", messages=[], stream=True) as chunks:
            name = next(chunks).id
            _wait_for(_forked(lambda: _work(client), _leave))
            for _chunk in chunks:
                pass
        os.write(1, f"begun\nreturned {name}\n".encode())


def preloaded(children: int) -> None:
    """As servers do: the client is used before workers are forked, which call from threads and are told to end."""
    client = new_client()
    call(client)

    def serve() -> None:
        threads = [threading.Thread(target=_work, args=(client,)) for _ in range(_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        signal.signal(signal.SIGTERM, lambda *_: _leave())
        os.kill(os.getpid(), signal.SIGTERM)

    for _ in range(0, children, _AT_ONCE):
        _wait_for(*(_forked(serve, _leave) for _ in range(_AT_ONCE)))


def among_threads(children: int) -> None:
    """The parent forks while its threads wrap clients and call, so that any lock of ours may be held at that moment.

    Every client is used before: `cached_property`, on which the SDK builds, holds a lock of its own up to Python 3.11,
    and a child that is forked in it waits for ever, watched or not.
    """
    clients = [new_client() for _ in range(_AT_ONCE + 2)]
    for client in clients:
        call(client)
    shared, spare, *others = clients
    monitor.unwrap(spare)
    stopping = threading.Event()

    def go_on(own: OpenAI) -> None:
        while not stopping.is_set():
            monitor.wrap(monitor.unwrap(own))
            call(own)
            call(shared)

    threads = [threading.Thread(target=go_on, args=(own,)) for own in others]
    for thread in threads:
        thread.start()

    def work() -> None:
        # A child that waits for a lock of a thread it does not have must not hold up the tests.
        signal.alarm(_PATIENCE)
        _work(shared)
        _work(monitor.wrap(spare))

    try:
        for _ in range(children):
            _wait_for(_forked(work, _leave))
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def _process_work() -> None:
    """What a process of multiprocessing does: it may have inherited nothing."""
    _work(new_client())


def _of_method(method: str) -> Callable[[int], None]:
    def run(children: int) -> None:
        context: Any = multiprocessing.get_context(method)
        client = new_client()
        call(client)
        for _ in range(0, children, _AT_ONCE):
            processes = [context.Process(target=_process_work) for _ in range(min(children, _AT_ONCE))]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
                if process.exitcode:
                    raise SystemExit(f"A process ended with status {process.exitcode}.")
        call(client)

    return run


WAYS: dict[str, Callable[[int], None]] = {
    **{work.__name__: work for work in (left_at_once, grandchildren, inside_a_stream, preloaded, among_threads)},
    **{method: _of_method(method) for method in ("fork", "spawn", "forkserver")},
}
SLOW = frozenset({"spawn", "forkserver"})
"""Ways whose children load everything themselves."""

if __name__ == "__main__":
    WAYS[sys.argv[1]](int(sys.argv[2]))
