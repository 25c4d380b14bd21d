"""`wrap`: puts a recording transport around a client's own, in place."""

import logging
import os
import threading
import weakref
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from monitor.capture.around import MARK, Watched, first_of, guest_of, invite, library_of, put_around, take_off
from monitor.capture.bases import base_of
from monitor.capture.copies import watch_copies, watch_requests
from monitor.capture.guarded import Guard, guarded
from monitor.capture.options import Options
from monitor.capture.recorder import Recorder
from monitor.capture.recorders import Recorders
from monitor.capture.sockets import watch
from monitor.errors import WrapError
from monitor.health import Health
from monitor.home import working_directory
from monitor.settings import Settings

log = logging.getLogger(__name__)

C = TypeVar("C")

HEALTH: Final = Health()
"""The counters of this process's recorders."""

_RECORDERS: Final = Recorders(HEALTH)
# Two threads may make clients that share an HTTP client.
_wrapping_lock = threading.RLock()
# A child must not find it held by a thread that it has not.
os.register_at_fork(
    before=_wrapping_lock.acquire, after_in_parent=_wrapping_lock.release, after_in_child=_wrapping_lock.release
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
    everything made from them; copies made with `copy` and `with_options` are covered too, also those with another HTTP
    client. Wrapping twice does nothing more, except that what is given here wins over `instrument`, and what is not
    given stays as `instrument` was told. Of clients that share an HTTP client, each that is wrapped with other words
    is recorded as they say; all others, wrapped or not, as the first. The client's results, exceptions and streams
    stay as they are.

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
        first, guest = first_of(http_client), guest_of(client)
        if guest is not None:
            if guest.recorder is None:
                _join(client, http_client, given)
        elif first is None or first.recorder is None:
            _begin(client, http_client, given)
        elif first.client() is client:
            if first.is_automatic:
                _begin(client, http_client, given.over(first.options))
        else:
            _join(client, http_client, given.over(first.options) if first.is_automatic else given)
    return client


def wrap_automatically(client: object, options: Options, settings: Settings) -> None:
    """The same for a client that nobody asked about by name: one that is wrapped already stays as it is."""
    http_client = _http_client_of(client)
    with _wrapping_lock:
        first = first_of(http_client)
        if first is None or first.recorder is None:
            _put_first(client, http_client, _watched(client, options, settings, is_automatic=True))
        else:
            _know_base(first.recorder, client)


def unwrap(client: C) -> C:
    """Take the recording transport off again; a client that is not wrapped stays as it is.

    Clients that share its connections are recorded no more, but for those that were wrapped with other words.
    """
    http_client: Any = getattr(client, "_client", None)
    with _wrapping_lock:
        take_off(client, http_client)
    return client


def _begin(client: Any, http_client: Any, given: Options) -> None:
    """Record a client, and all that share its HTTP client and say nothing else."""
    settings = given.settings or Settings.load(os.environ, working_directory())
    unwrap(client)
    if settings.enabled:
        _put_first(client, http_client, _watched(client, given, settings))


def _join(client: Any, http_client: Any, given: Options) -> None:
    """Record a client on an HTTP client that is recorded for another: apart, where it says something else."""
    first = first_of(http_client)
    if first is not None and first.recorder is not None and given.add_nothing_to(first.options):
        vars(client).pop(MARK, None)
        _know_base(first.recorder, client)
        return
    settings = given.settings or Settings.load(os.environ, working_directory())
    _invite(client, http_client, _watched(client, given, settings))


def _put_first(client: Any, http_client: Any, watched: Watched) -> None:
    put_around(http_client, watched)
    _watch_class(client)


def _invite(client: Any, http_client: Any, guest: Watched) -> None:
    if watch_requests(type(client)):
        invite(http_client, client, guest)
        _watch_class(client)
        return
    first = first_of(http_client)
    log.warning(
        "%s shares its HTTP client with one that is wrapped already, and its requests cannot be told apart: they are "
        "recorded as the other's. Give each its own HTTP client.",
        type(client).__qualname__,
    )
    if first is not None and first.recorder is not None and (guest.recorder is None or guest.recorder.keeper is None):
        first.recorder.keeper = None


def _watch_class(client: Any) -> None:
    watch(client)
    watch_copies(type(client), _COPIES.made)


class _Copies:
    """Wraps the copies of wrapped clients that have an HTTP client of their own."""

    def __init__(self) -> None:
        self.guard = Guard(HEALTH)

    @guarded
    def made(self, client: Any, copy: Any, *, is_moved: bool) -> None:
        """A copy is made of a client, wrapped or not."""
        http_client, guest = getattr(client, "_client", None), guest_of(client)
        watched = guest or first_of(http_client)
        if watched is None or not hasattr(copy, "_client"):
            return
        if copy._client is not http_client:  # noqa: SLF001 - there is no public way to it
            is_moved = True
            with _wrapping_lock:
                _wrap_copy(copy, watched)
        elif guest is not None:
            vars(copy)[MARK] = guest
        if is_moved and watched.recorder is not None:
            _know_base(watched.recorder, copy)


def _wrap_copy(copy: Any, watched: Watched) -> None:
    """Record a copy as the client that it was made of."""
    http_client = _http_client_of(copy)
    first, own = first_of(http_client), msgspec.structs.replace(watched, client=weakref.ref(copy))
    if watched.recorder is None:
        return
    if first is None or first.recorder is None:
        _put_first(copy, http_client, own)
    elif watched.is_automatic:
        return
    elif first.is_automatic and first.client() is copy:
        _put_first(copy, http_client, own)
    elif not watched.options.add_nothing_to(first.options):
        _invite(copy, http_client, own)


_COPIES: Final = _Copies()


def _http_client_of(client: object) -> Any:
    http_client = getattr(client, "_client", None)
    if http_client is None or library_of(http_client) is None or not hasattr(http_client, "_transport"):
        raise WrapError(
            f"{type(client).__module__}.{type(client).__qualname__} is not an OpenAI client. "
            "Give wrap an openai.OpenAI or openai.AsyncOpenAI object."
        )
    return http_client


def _watched(client: object, options: Options, settings: Settings, *, is_automatic: bool = False) -> Watched:
    recorder = _RECORDERS.new(options, settings) if settings.enabled else None
    if recorder is not None:
        _know_base(recorder, client)
    options = msgspec.structs.replace(options, settings=settings)
    return Watched(recorder=recorder, options=options, client=weakref.ref(client), is_automatic=is_automatic)


def _know_base(recorder: Recorder, client: object) -> None:
    if (base := base_of(client)) is not None:
        recorder.know(base)
