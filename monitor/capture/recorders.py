"""Recorders, and the writers that they share."""

import importlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.capture.exchange import Keeper
from monitor.capture.guarded import Guard
from monitor.capture.keys import KeyNames
from monitor.capture.options import Options
from monitor.capture.recorder import Recorder
from monitor.capture.routes import Identity
from monitor.capture.texts import storable_or_none
from monitor.health import Health
from monitor.home import Home
from monitor.settings import Settings
from monitor.spool.writer import SpoolWriter

if TYPE_CHECKING:
    from monitor.capture.contents import ContentWriter


class Recorders:
    """Makes the recorders of a process.

    A spool has one writer a process, however many clients there are; so the writers are known here, by directory.
    """

    def __init__(self, health: Health) -> None:
        """Count into `health`."""
        self._health = health
        self._writers: dict[Path, SpoolWriter] = {}
        self._content_writers: dict[Path, ContentWriter] = {}
        self._lock = threading.Lock()

    def new(self, options: Options, settings: Settings) -> Recorder:
        """A recorder for a client of which a program says this."""
        home = Home(settings.home)
        writer = self._writer(home, settings)
        # A data directory that cannot be used is told in the log, and does not keep the program from its calls.
        keys = KeyNames(home.secret, is_quiet=not writer.check())
        identity = Identity(
            service=options.service or storable_or_none(settings.service),
            environment=options.environment or storable_or_none(settings.environment),
            provider=options.provider,
            providers=settings.providers,
            tags={**settings.tags, **options.tags},
            include_usage=settings.include_usage,
            frameworks=settings.frameworks,
        )
        is_kept = settings.content if options.content is None else options.content
        return Recorder(writer, identity, keys, self._health, keeper=self._keeper(home, settings) if is_kept else None)

    def _writer(self, home: Home, settings: Settings) -> SpoolWriter:
        with self._lock:
            writer = self._writers.get(home.spool)
            if writer is None:
                writer = SpoolWriter(
                    home.spool,
                    segment_size=settings.segment_size,
                    health=self._health,
                    durability=settings.durability,
                    limit=settings.spool_limit,
                    prepare=home.create,
                )
                self._writers[home.spool] = writer
            return writer

    def _keeper(self, home: Home, settings: Settings) -> Keeper:
        # Loaded here: few programs keep contents, and all others would wait for it at their start.
        contents = importlib.import_module("monitor.capture.contents")
        with self._lock:
            writer = self._content_writers.get(home.content)
            if writer is None:
                writer = contents.ContentWriter(
                    home, segment_size=settings.segment_size, health=self._health, limit=settings.spool_limit
                )
                self._content_writers[home.content] = writer
        keeper: Keeper = contents.ContentKeeper(
            writer, limit=settings.content_limit, redact=settings.content_redact, guard=Guard(self._health)
        )
        return keeper
