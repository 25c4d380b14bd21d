"""`wrap`: puts a recording transport around a client's own, in place."""

import importlib
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from monitor.capture.exchange import Keeper
from monitor.capture.guarded import Guard
from monitor.capture.keys import KeyNames
from monitor.capture.recorder import Recorder
from monitor.capture.routes import Identity
from monitor.capture.sockets import watch
from monitor.capture.texts import storable
from monitor.capture.transport import RecordingTransport, transports_for
from monitor.errors import WrapError
from monitor.health import Health
from monitor.home import Home, working_directory
from monitor.settings import Settings
from monitor.spool.writer import SpoolWriter

if TYPE_CHECKING:
    from monitor.capture.contents import ContentWriter

C = TypeVar("C")

_LIBRARIES: Final = ("httpx2", "httpx")

HEALTH: Final = Health()
"""The counters of this process's recorders."""

# A spool has one writer a process, however many clients there are; so the writers are known here, by directory.
_writers: dict[Path, SpoolWriter] = {}
_content_writers: dict[Path, "ContentWriter"] = {}
_writers_lock = threading.Lock()
# Two threads may make clients that share an HTTP client.
_wrapping_lock = threading.RLock()
# A child must not find it held by a thread that it has not.
os.register_at_fork(
    before=_wrapping_lock.acquire, after_in_parent=_wrapping_lock.release, after_in_child=_wrapping_lock.release
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a program says of the requests of its clients; None, and a tag that is not there, is not said."""

    service: str | None = None
    environment: str | None = None
    provider: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    content: bool | None = None
    settings: Settings | None = None

    @classmethod
    def given(
        cls, *, service: Any, environment: Any, provider: str | None, tags: Any, content: bool | None, settings: Any
    ) -> Self:
        """Options as a program gives them, made storable."""
        return cls(
            service=_storable(service),
            environment=_storable(environment),
            provider=provider,
            tags={str(name): storable(value) for name, value in (tags or {}).items()},
            content=content,
            settings=settings,
        )

    def over(self, weaker: "Options") -> "Options":
        """These, and the weaker ones where nothing is said."""
        return Options(
            service=self.service or weaker.service,
            environment=self.environment or weaker.environment,
            provider=self.provider or weaker.provider,
            tags={**weaker.tags, **self.tags},
            content=weaker.content if self.content is None else self.content,
            settings=self.settings or weaker.settings,
        )


def wrap(
    client: C,
    *,
    service: str | None = None,
    environment: str | None = None,
    provider: str | None = None,
    tags: Mapping[str, object] | None = None,
    content: bool | None = None,
    settings: Settings | None = None,
) -> C:
    """Record every request that an OpenAI client makes from now on; returns the same client.

    Works on `OpenAI` and `AsyncOpenAI` of openai 1.40 and newer, on the clients for Azure and Bedrock and on
    everything made from them; copies made with `with_options` are covered too. Wrapping twice does nothing more,
    except that what is given here wins over `instrument`, and what is not given stays as `instrument` was told. The
    client's results, exceptions and streams stay as they are.

    Args:
        client: the client.
        service: name of the program or part of it; wins over the setting `service`.
        environment: where it runs; wins over the setting `environment`.
        provider: who answers behind the client's host, when the host does not tell; decides the prices.
        tags: put on every request of this client; win over the setting `tags`; `monitor.tag` wins over them.
        content: whether prompts and answers are kept, redacted; wins over the setting `content`.
        settings: everything else; None reads them from the environment and the nearest settings file.

    Raises:
        WrapError: the object is no OpenAI client.
        SettingsError: a setting has a value that cannot be used.
    """
    http_client = _http_client_of(client)
    given = Options.given(
        service=service, environment=environment, provider=provider, tags=tags, content=content, settings=settings
    )
    with _wrapping_lock:
        transport = http_client._transport  # noqa: SLF001 - there is no public way to it
        if isinstance(transport, RecordingTransport):
            if transport.automatic is None:
                return client
            given = given.over(transport.automatic)
        settings = given.settings or Settings.load(os.environ, working_directory())
        unwrap(client)
        if settings.enabled:
            _record(http_client, given, settings)
            watch(client)
    return client


def wrap_automatically(client: object, options: Options, settings: Settings) -> None:
    """The same for a client that nobody asked about by name: one that is wrapped already stays as it is."""
    http_client = _http_client_of(client)
    with _wrapping_lock:
        if not isinstance(http_client._transport, RecordingTransport):  # noqa: SLF001 - there is no public way to it
            _record(http_client, options, settings)
            http_client._transport.automatic = options  # noqa: SLF001 - put there just now
            watch(client)


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


def _http_client_of(client: object) -> Any:
    http_client = getattr(client, "_client", None)
    if http_client is None or _library_of(http_client) is None or not hasattr(http_client, "_transport"):
        raise WrapError(
            f"{type(client).__module__}.{type(client).__qualname__} is not an OpenAI client. "
            "Give wrap an openai.OpenAI or openai.AsyncOpenAI object."
        )
    return http_client


def _record(http_client: Any, options: Options, settings: Settings) -> None:
    home = Home(settings.home)
    writer = _writer(home, settings)
    # A data directory that cannot be used is told in the log, and does not keep the program from its calls.
    keys = KeyNames(home.secret, is_quiet=not writer.check())
    identity = Identity(
        service=options.service or _storable(settings.service),
        environment=options.environment or _storable(settings.environment),
        provider=options.provider,
        providers=settings.providers,
        tags={**settings.tags, **options.tags},
        include_usage=settings.include_usage,
        frameworks=settings.frameworks,
    )
    is_kept = settings.content if options.content is None else options.content
    keeper = _keeper(home, settings) if is_kept else None
    _put_around(http_client, Recorder(writer, identity, keys, HEALTH, keeper=keeper))


def _put_around(http_client: Any, recorder: Recorder) -> None:
    # There is no public way to change the transport of a client that exists. Making a new client instead would lose
    # its time-outs, limits and proxies.
    library: Any = _library_of(http_client)
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


def _storable(name: object) -> str | None:
    return None if name is None else storable(name)


def _writer(home: Home, settings: Settings) -> SpoolWriter:
    with _writers_lock:
        writer = _writers.get(home.spool)
        if writer is None:
            writer = SpoolWriter(
                home.spool,
                segment_size=settings.segment_size,
                health=HEALTH,
                durability=settings.durability,
                limit=settings.spool_limit,
                prepare=home.create,
            )
            _writers[home.spool] = writer
        return writer


def _keeper(home: Home, settings: Settings) -> Keeper:
    # Loaded here: few programs keep contents, and all others would wait for it at their start.
    contents = importlib.import_module("monitor.capture.contents")
    with _writers_lock:
        writer = _content_writers.get(home.content)
        if writer is None:
            writer = contents.ContentWriter(
                home, segment_size=settings.segment_size, health=HEALTH, limit=settings.spool_limit
            )
            _content_writers[home.content] = writer
    keeper: Keeper = contents.ContentKeeper(
        writer, limit=settings.content_limit, redact=settings.content_redact, guard=Guard(HEALTH)
    )
    return keeper
