"""Where recording stands: around the transports of an HTTP client, which several clients of the SDK may share."""

import sys
import weakref
from types import ModuleType
from typing import Any, Final

import msgspec

from monitor.capture.exchange import Exchange
from monitor.capture.guarded import guarded
from monitor.capture.options import Options
from monitor.capture.recorder import Recorder, RequestLike
from monitor.capture.transport import RecordingTransport, transports_for

MARK: Final = "_openai_monitor"
"""The `Watched` of a guest, among its attributes and the extensions of its requests."""

_LIBRARIES: Final = ("httpx2", "httpx")


class Watched(msgspec.Struct, weakref=True, kw_only=True, eq=False):
    """How a client is recorded.

    The first that is wrapped on an HTTP client stands for all that share it, but for its guests: those that were
    wrapped with other words.

    Attributes:
        recorder: None when nothing is recorded any more.
        options: what was said of it, with the settings that hold.
        client: the client that it was said of.
        is_automatic: whether `instrument` said it.
    """

    recorder: Recorder | None
    options: Options
    client: weakref.ref[Any]
    is_automatic: bool = False


class Shared:
    """Stands for the recorder where an HTTP client has guests."""

    def __init__(self, first: Watched, guests: "weakref.WeakSet[Watched]", guard: Any) -> None:
        """Requests that do not say whose they are, are the first one's; `guard` takes note of faults."""
        self.first = first
        self.guests = guests
        self.guard = guard

    @property
    def is_used(self) -> bool:
        """Whether anybody is still recorded."""
        return any(watched.recorder for watched in (self.first, *self.guests))

    @guarded
    def observe(self, request: RequestLike) -> Exchange | None:
        """Let the recorder of the client that makes a request note it."""
        recorder = request.extensions.get(MARK, self.first).recorder
        return None if recorder is None else recorder.observe(request)


def first_of(http_client: Any) -> Watched | None:
    """The first that was wrapped on an HTTP client; None where nobody was."""
    transport = getattr(http_client, "_transport", None)
    first: Watched | None = transport.first if isinstance(transport, RecordingTransport) else None
    return first


def guest_of(client: Any) -> Watched | None:
    """How a guest is recorded; None for other clients."""
    if not isinstance(shared_on(getattr(client, "_client", None)), Shared):
        return None
    watched: Watched | None = vars(client).get(MARK)
    return watched


def recorder_of(client: Any) -> Recorder | None:
    """The recorder of a client; None where it is not recorded."""
    watched = guest_of(client) or first_of(getattr(client, "_client", None))
    return None if watched is None else watched.recorder


def shared_on(http_client: Any) -> Shared | None:
    """What stands for the recorder where an HTTP client has guests; None where it has none."""
    recorder = getattr(getattr(http_client, "_transport", None), "recorder", None)
    return recorder if isinstance(recorder, Shared) else None


def put_around(http_client: Any, first: Watched) -> None:
    """Record what passes, as was said of `first`; guests stay."""
    shared = shared_on(http_client)
    _put(http_client, first, first.recorder if shared is None else Shared(first, shared.guests, shared.guard))


def invite(http_client: Any, client: Any, guest: Watched) -> None:
    """Record what a client does on the HTTP client of another as is said of it."""
    shared = shared_on(http_client)
    if shared is None:
        first = http_client._transport.first  # noqa: SLF001 - put there by us
        shared = Shared(first, weakref.WeakSet(), first.recorder.guard)
        _put(http_client, first, shared)
    shared.guests.add(guest)
    vars(client)[MARK] = guest


def take_off(client: Any, http_client: Any) -> None:
    """Record a client no more; the guests of its HTTP client stay, and so does the first where this is a guest."""
    shared, watched = shared_on(http_client), guest_of(client) or first_of(http_client)
    if watched is not None:
        watched.recorder = None
        if shared is None or not shared.is_used:
            _put(http_client, None, None)


def _put(http_client: Any, first: Watched | None, recorder: Recorder | Shared | None) -> None:
    # There is no public way to change the transport of a client that exists. Making a new client instead would lose
    # its time-outs, limits and proxies.
    library: Any = library_of(http_client)
    kind = transports_for(library)[isinstance(http_client, library.AsyncClient)]

    def placed(transport: Any) -> Any:
        inner = transport.inner if isinstance(transport, RecordingTransport) else transport
        if inner is None or recorder is None:
            return inner
        around = kind(inner, recorder)
        around.first = first
        return around

    http_client._transport = placed(http_client._transport)  # noqa: SLF001 - see above
    http_client._mounts = {  # noqa: SLF001 - see above
        pattern: placed(transport)
        for pattern, transport in http_client._mounts.items()  # noqa: SLF001 - see above
    }


def library_of(http_client: object) -> ModuleType | None:
    """The HTTP library of a client, from its class: both can be loaded in one process."""
    for kind in type(http_client).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in _LIBRARIES:
            return sys.modules.get(name)
    return None
