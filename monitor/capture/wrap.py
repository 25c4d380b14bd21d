"""`wrap`: puts a recording transport around a client's own, in place."""

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

from monitor.capture.attribution import storable
from monitor.capture.keys import KeyNames
from monitor.capture.recorder import Identity, Recorder
from monitor.capture.transport import RecordingTransport, transports_for
from monitor.errors import WrapError
from monitor.health import Health
from monitor.home import Home
from monitor.settings import Settings
from monitor.spool.writer import SpoolWriter

C = TypeVar("C")

_LIBRARIES: Final = ("httpx2", "httpx")

HEALTH: Final = Health()
"""The counters of this process's recorders."""

# A spool has one writer a process, however many clients there are; so the writers are known here, by directory.
_writers: dict[Path, SpoolWriter] = {}
_writers_lock = threading.Lock()


def wrap(
    client: C,
    *,
    service: str | None = None,
    environment: str | None = None,
    provider: str | None = None,
    tags: Mapping[str, object] | None = None,
    settings: Settings | None = None,
) -> C:
    """Record every request that an OpenAI client makes from now on; returns the same client.

    Works on `OpenAI` and `AsyncOpenAI` of openai 3.x and everything made from them; copies made with `with_options`
    are covered too. Wrapping twice does nothing more. The client's results, exceptions and streams stay as they are.

    Args:
        client: the client.
        service: name of the program or part of it; wins over the setting `service`.
        environment: where it runs; wins over the setting `environment`.
        provider: who answers behind the client's host, when the host does not tell; decides the prices.
        tags: put on every request of this client; `monitor.tag` wins over them.
        settings: everything else; None reads them from the environment and the nearest settings file.

    Raises:
        WrapError: the object is no OpenAI client.
        SettingsError: a setting has a value that cannot be used.
        HomeError: the data directory cannot be used.
    """
    http_client = getattr(client, "_client", None)
    library = _library_of(http_client)
    if http_client is None or library is None or not hasattr(http_client, "_transport"):
        raise WrapError(
            f"{type(client).__module__}.{type(client).__qualname__} is not an OpenAI client. "
            "Give wrap an openai.OpenAI or openai.AsyncOpenAI object."
        )
    settings = settings or Settings.load(os.environ, Path.cwd())
    if not settings.enabled or isinstance(http_client._transport, RecordingTransport):  # noqa: SLF001 - see below
        return client
    home = Home(settings.home)
    home.create()
    identity = Identity(
        service=_storable(service or settings.service),
        environment=_storable(environment or settings.environment),
        provider=provider,
        providers=settings.providers,
        tags={name: storable(value) for name, value in (tags or {}).items()},
        include_usage=settings.include_usage,
    )
    recorder = Recorder(_writer(home, settings), identity, KeyNames(home.secret()), HEALTH)
    _put_around(http_client, library, recorder)
    return client


def unwrap(client: C) -> C:
    """Take the recording transport off again; a client that is not wrapped stays as it is."""
    http_client: Any = getattr(client, "_client", None)
    if isinstance(getattr(http_client, "_transport", None), RecordingTransport):
        http_client._transport = http_client._transport.inner  # noqa: SLF001 - put there by us
        http_client._mounts = {  # noqa: SLF001 - put there by us
            pattern: transport.inner if isinstance(transport, RecordingTransport) else transport
            for pattern, transport in http_client._mounts.items()  # noqa: SLF001 - as above
        }
    return client


def _put_around(http_client: Any, library: ModuleType, recorder: Recorder) -> None:
    # There is no public way to change the transport of a client that exists. Making a new client instead would lose
    # its time-outs, limits and proxies.
    sync_type, async_type = transports_for(library)
    kind = async_type if isinstance(http_client, library.AsyncClient) else sync_type
    http_client._transport = kind(http_client._transport, recorder)  # noqa: SLF001 - see above
    http_client._mounts = {  # noqa: SLF001 - see above
        pattern: None if transport is None else kind(transport, recorder)
        for pattern, transport in http_client._mounts.items()  # noqa: SLF001 - see above
    }


def _library_of(http_client: object) -> ModuleType | None:
    """The HTTP library of a client, from its class: both can be loaded in one process."""
    for kind in type(http_client).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in _LIBRARIES:
            return sys.modules.get(name)
    return None


def _storable(name: str | None) -> str | None:
    return None if name is None else storable(name)


def _writer(home: Home, settings: Settings) -> SpoolWriter:
    with _writers_lock:
        writer = _writers.get(home.spool)
        if writer is None:
            writer = SpoolWriter(home.spool, segment_size=settings.segment_size, health=HEALTH)
            _writers[home.spool] = writer
        return writer
