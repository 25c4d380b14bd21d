"""Lets the application break off a connection, which ASGI has no word for."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION: Final = "monitor.demo.transport"


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 that hands its transport to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn narrows it
        """Take the connection."""
        super().connection_made(transport)
        self.app = _with_transport(self.app, transport)


async def cut(request: Request) -> None:
    """Close the connection of this request, though its answer has not ended; returns when the caller is cancelled."""
    request.scope["extensions"][_EXTENSION]["transport"].close()
    await asyncio.Event().wait()


def _with_transport(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    async def carry(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[_EXTENSION] = {"transport": transport}
        await app(scope, receive, send)

    return carry
