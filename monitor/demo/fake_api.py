"""An OpenAI API that only pretends, over real HTTP on this machine, in a thread of this process."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn

from monitor.demo.api_app import Api
from monitor.demo.connection import CuttableProtocol
from monitor.demo.faults import ErrorRates

_START_TIMEOUT = 10.0
_STOP_TIMEOUT = 5.0


class FakeOpenAI:
    """A pretended API on a free port of 127.0.0.1; serves from `start` to `stop`, or inside `with`."""

    def __init__(self, *, seed: int = 0, errors: ErrorRates | None = None, speed: float = 1.0) -> None:
        """Make an API that does not serve yet.

        Args:
            seed: the same requests in the same order get the same answers.
            errors: how often what fails; None means a little of everything.
            speed: 2 answers twice as fast; 0 without any waiting.
        """
        self._seed = seed
        self._errors = errors or ErrorRates()
        self._speed = speed
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        """What a client takes as its `base_url`; meaningful once the API was started."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def requests(self) -> int:
        """How many requests came since the last start."""
        return self._server.api.requests if self._server is not None else 0

    def start(self) -> None:
        """Begin to serve; returns when requests are taken.

        Raises:
            OSError: no port could be opened.
            RuntimeError: the server did not come up, or this API serves already.
        """
        if self._thread is not None:
            raise RuntimeError("The pretended API serves already.")
        listener = socket.create_server(("127.0.0.1", 0))
        self._port = listener.getsockname()[1]
        server = _Server(seed=self._seed, errors=self._errors, speed=self._speed)
        thread = threading.Thread(target=server.run_on, args=(listener,), name="fake-openai", daemon=True)
        self._server, self._thread = server, thread
        thread.start()
        if not server.ready.wait(_START_TIMEOUT) or not thread.is_alive():
            self.stop()
            raise RuntimeError("The pretended API did not start.")

    def stop(self) -> None:
        """Finish what is being answered without waiting, then close everything; may be called twice."""
        if self._server is None or self._thread is None:
            return
        self._server.finish()
        self._thread.join(_STOP_TIMEOUT)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start to serve."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.stop()


class _Server(uvicorn.Server):
    """One run of uvicorn that says when it serves and can be ended from another thread."""

    def __init__(self, *, seed: int, errors: ErrorRates, speed: float) -> None:
        self.ready = threading.Event()
        self.api = Api(seed=seed, errors=errors, speed=speed)
        self._loop: asyncio.AbstractEventLoop | None = None
        config = uvicorn.Config(
            self.api.app(),
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)

    def run_on(self, listener: socket.socket) -> None:
        """Serve until `finish`; the body of the thread."""
        try:
            with listener:
                asyncio.run(self._serve_on(listener))
        finally:
            self.ready.set()

    def finish(self) -> None:
        """Ask the server to end; from any thread, at any time."""
        self.should_exit = True
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.api.hurry)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the server and tell that it is open."""
        await super().startup(sockets)
        self.ready.set()

    async def _serve_on(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        await self.serve([listener])
