"""The two thin shells around a client's transports: guarded, naked, guarded.

The classes are made for the HTTP library that the client really uses (httpx or httpx2), found in its own class; this
module imports neither.
"""

import functools
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

from monitor.capture.answers import Answers
from monitor.capture.exchange import Exchange
from monitor.capture.recorder import Recorder
from monitor.capture.watches import Watch


class RecordingTransport:
    """What both shells have in common. It marks our transports, so that wrapping twice does nothing."""

    first: Any = None
    """How the client is recorded for which this transport was put around another."""

    _library: ModuleType
    _body: type[Any]

    def __init__(self, inner: Any, recorder: Recorder) -> None:
        """Put it around `inner`; `recorder` takes what passes."""
        self.inner = inner
        self.recorder = recorder
        self._answers = Answers(recorder, self._library, self._body)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


class _Body:
    """What the bodies of both have in common."""

    def __init__(self, inner: Any, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def __del__(self) -> None:
        if not self._watch.exchange.is_done:
            self._watch.left()


@functools.cache
def transports_for(library: ModuleType) -> tuple[type[Any], type[Any]]:
    """The sync and the async recording transport for an HTTP library."""
    return _sync_transport(library), _async_transport(library)


def _sync_body(library: ModuleType) -> type[Any]:
    class Body(_Body, library.SyncByteStream):  # type: ignore[misc, name-defined]  # the base is known at run time only
        """The answer's body, looked at while it passes."""

        def __iter__(self) -> Iterator[bytes]:
            watch = self._watch
            passing = watch.passing
            try:
                # Not by `map`: what C calls takes Python longer than what it calls itself.
                for piece in self._inner:
                    if shown := passing(piece):
                        yield shown
            except GeneratorExit:
                watch.left()
                raise
            except BaseException as error:
                watch.broke(error)
                raise
            if rest := watch.ended():
                yield rest

        def close(self) -> None:
            try:
                self._inner.close()
            finally:
                if not self._watch.exchange.is_done:
                    self._watch.left()

    return Body


def _sync_transport(library: ModuleType) -> type[Any]:
    body = _sync_body(library)

    class Transport(RecordingTransport, library.BaseTransport):  # type: ignore[misc, name-defined]  # as above
        """Records what goes through the transport it is put around."""

        _library = library
        _body = body

        def handle_request(self, request: Any) -> Any:
            exchange = self.recorder.observe(request)
            try:
                if exchange is None or exchange.changed is None:
                    response = self.inner.handle_request(request)
                else:
                    response = self._ask(exchange, request)
            except BaseException as error:
                self._answers.failed(exchange, error)
                raise
            if exchange is None:
                return response
            watched = self._answers.watched(exchange, response)
            return self._answers.unwatched(exchange, response) if watched is None else watched

        def _ask(self, exchange: Exchange, request: Any) -> Any:
            sent = self._answers.asking(exchange, request)
            response = self.inner.handle_request(sent)
            if not self._answers.may_refuse(exchange, sent, response):
                return response
            refusal = b"".join(response.stream)
            response.close()
            kept = self._answers.reconsider(exchange, sent, response, refusal)
            return kept or self._answers.asked_plainly(exchange, request, self.inner.handle_request(request))

        def close(self) -> None:
            self.inner.close()

        def __enter__(self) -> Any:
            self.inner.__enter__()
            return self

        def __exit__(self, *details: Any) -> None:
            self.inner.__exit__(*details)

    return Transport


def _async_body(library: ModuleType) -> type[Any]:
    class Body(_Body, library.AsyncByteStream):  # type: ignore[misc, name-defined]  # the base is known at run time only
        """The answer's body, looked at while it passes. It may be iterated again: the SDK reads the rest so."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            watch = self._watch
            passing = watch.passing
            try:
                async for piece in self._inner:
                    if shown := passing(piece):
                        yield shown
            except GeneratorExit:
                watch.left()
                raise
            except BaseException as error:
                watch.broke(error)
                raise
            if rest := watch.ended():
                yield rest

        async def aclose(self) -> None:
            try:
                await self._inner.aclose()
            finally:
                if not self._watch.exchange.is_done:
                    self._watch.left()

    return Body


def _async_transport(library: ModuleType) -> type[Any]:
    body = _async_body(library)

    class Transport(RecordingTransport, library.AsyncBaseTransport):  # type: ignore[misc, name-defined]  # as above
        """Records what goes through the transport it is put around."""

        _library = library
        _body = body

        async def handle_async_request(self, request: Any) -> Any:
            exchange = self.recorder.observe(request)
            try:
                if exchange is None or exchange.changed is None:
                    response = await self.inner.handle_async_request(request)
                else:
                    response = await self._ask(exchange, request)
            except BaseException as error:
                self._answers.failed(exchange, error)
                raise
            if exchange is None:
                return response
            watched = self._answers.watched(exchange, response)
            return self._answers.unwatched(exchange, response) if watched is None else watched

        async def _ask(self, exchange: Exchange, request: Any) -> Any:
            sent = self._answers.asking(exchange, request)
            response = await self.inner.handle_async_request(sent)
            if not self._answers.may_refuse(exchange, sent, response):
                return response
            refusal = b"".join([piece async for piece in response.stream])
            await response.aclose()
            kept = self._answers.reconsider(exchange, sent, response, refusal)
            return kept or self._answers.asked_plainly(
                exchange, request, await self.inner.handle_async_request(request)
            )

        async def aclose(self) -> None:
            await self.inner.aclose()

        async def __aenter__(self) -> Any:
            await self.inner.__aenter__()
            return self

        async def __aexit__(self, *details: Any) -> None:
            await self.inner.__aexit__(*details)

    return Transport
