"""A WSGI application that makes a call for each request; its client is wrapped before a server forks its workers.

The call's id is what it answers with. `/busy` makes calls until its worker is gone, and names the worker first.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.flow.telling import call, new_client, stream, tell

_CLIENT = new_client()
tell(f"loaded {os.getpid()}")
# Used before the fork as well: the segment of the parent is open then.
call(_CLIENT)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer a request."""
    start_response("200 OK", [("content-type", "text/plain")])
    if environ["PATH_INFO"] == "/busy":
        return _busy()
    make = stream if environ["PATH_INFO"] == "/stream" else call
    return [f"{os.getpid()} {make(_CLIENT)}".encode()]


def _busy() -> Iterator[bytes]:
    yield f"{os.getpid()}\n".encode()
    while True:
        call(_CLIENT)
