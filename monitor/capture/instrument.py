"""`instrument`: every OpenAI client that the process makes from now on is wrapped, whoever makes it."""

import functools
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from monitor.capture.guarded import Guard, guarded
from monitor.capture.options import Options
from monitor.capture.wrap import HEALTH, wrap_automatically
from monitor.home import working_directory
from monitor.settings import Settings

_MODULE: Final = "openai._base_client"
_CLASSES: Final = ("SyncAPIClient", "AsyncAPIClient")
"""What all clients of the SDK derive from: plain, Azure, Bedrock, and the one behind `openai.chat`."""
_MARK: Final = "__openai_monitor__"


def instrument(
    *,
    service: str | None = None,
    environment: str | None = None,
    provider: str | None = None,
    tags: Mapping[str, object] | None = None,
    content: bool | None = None,
    settings: Settings | None = None,
) -> None:
    """Wrap every OpenAI client that this process makes from now on, also those that frameworks make inside.

    Imports nothing: where openai is not loaded yet, it is looked after when it is. Clients that exist already stay
    as they are; `wrap` them. Calling it again changes the options for the clients made afterwards.

    Args:
        service: as for `wrap`; so are the others.
        environment: where it runs.
        provider: who answers behind hosts that do not tell.
        tags: put on every request of these clients.
        content: whether prompts and answers are kept, redacted.
        settings: everything else.

    Raises:
        SettingsError: a setting has a value that cannot be used. Faults that come later are counted and logged, and
            never reach the program.
    """
    settings = settings or Settings.load(os.environ, working_directory())
    options = Options.given(
        service=service, environment=environment, provider=provider, tags=tags, content=content, settings=settings
    )
    _INSTRUMENT.start(options, settings)


def uninstrument() -> None:
    """Wrap no more clients; those that are wrapped stay so until `unwrap`."""
    _INSTRUMENT.stop()


class _Instrument:
    """An import hook that looks after the SDK's base classes."""

    def __init__(self) -> None:
        self._wanted: tuple[Options, Settings] | None = None
        self.guard = Guard(HEALTH)

    def start(self, options: Options, settings: Settings) -> None:
        if not settings.enabled:
            self.stop()
            return
        self._wanted = (options, settings)
        # First the hook, then the look at what is loaded: an import in another thread is not missed in between.
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        if _MODULE in sys.modules:
            self._catch_up()

    def stop(self) -> None:
        self._wanted = None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for kind in _kinds(sys.modules.get(_MODULE)):
            init = kind.__init__
            # Where somebody has put something around ours, it stays there and does nothing.
            if hasattr(init, _MARK) and init.__wrapped__ is getattr(init, _MARK):
                kind.__init__ = init.__wrapped__

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Let the other finders find the SDK's module, and hear when it is loaded."""
        if name != _MODULE:
            return None
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self.loaded)  # type: ignore[assignment]  # quacks like one
                return spec
        return None

    @guarded
    def _catch_up(self) -> None:
        # Waits where another thread has not finished the import.
        self.loaded(importlib.import_module(_MODULE))

    @guarded
    def loaded(self, module: ModuleType) -> None:
        """The SDK's module is there."""
        for kind in _kinds(module):
            if not hasattr(kind.__init__, _MARK):
                kind.__init__ = self._followed(kind.__init__)

    @guarded
    def created(self, client: object) -> None:
        """A client is there."""
        if self._wanted is not None:
            wrap_automatically(client, *self._wanted)

    def _followed(self, init: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(init)
        def run(client: object, /, *args: Any, **kwargs: Any) -> None:
            init(client, *args, **kwargs)
            self.created(client)

        setattr(run, _MARK, init)
        return run


class _Loader:
    """Loads a module as its own loader does, tells of it, and leaves no trace of itself."""

    def __init__(self, inner: Any, loaded: Callable[[ModuleType], None]) -> None:
        self._inner = inner
        self._loaded = loaded

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        found: ModuleType | None = self._inner.create_module(spec)
        return found

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._inner
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        self._inner.exec_module(module)
        self._loaded(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _kinds(module: ModuleType | None) -> list[Any]:
    found = (getattr(module, name, None) for name in _CLASSES)
    return [kind for kind in found if isinstance(kind, type)]


_INSTRUMENT: Final = _Instrument()
