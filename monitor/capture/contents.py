"""Keeps prompts and answers of clients that were told to: redacted, cut, and written before the call returns."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Self

from monitor.capture.forms import form_content
from monitor.capture.guarded import Guard, guarded
from monitor.capture.inner_json import dumped
from monitor.capture.joined import joined
from monitor.capture.own_keys import own_keys
from monitor.capture.redaction import Redaction
from monitor.capture.torn import without_last_word
from monitor.health import Health
from monitor.home import Home
from monitor.records import Content
from monitor.spool.format import CONTENT
from monitor.spool.writer import SpoolWriter

LONGEST_SEGMENT: Final = 3_600.0
"""Seconds after which a segment of contents is ended at the next write."""

_LARGEST: Final = 32 * 2**20
_TAIL: Final = 4_096
"""The last letters of a text of which only the beginning is looked at are left out: they may be half a secret."""

_MOST_KEYS: Final = 256

_EVENTS: Final = ("data:", "event:", "id:", "retry:", ":")
_UNREADABLE: Final = (ValueError, RecursionError)


class ContentWriter:
    """The one writer of its process for a directory of contents."""

    def __init__(
        self,
        home: Home,
        *,
        segment_size: int,
        health: Health,
        limit: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Touches no file; the directory is made at the first content.

        Args:
            home: the data directory.
            segment_size: bytes after which a segment is ended and the next one begun.
            health: counts contents that could not be written, apart from records.
            limit: bytes of all segments in the directory, beyond which contents are dropped; None for no limit.
            clock: seconds since 1970.
        """
        self._writer = SpoolWriter(
            home.content, segment_size=segment_size, health=Health(), limit=limit, prepare=home.create_content
        )
        self._health = health
        self._clock = clock
        self._opened_at = clock()

    def write(self, content: Content) -> None:
        """Append it; raises nothing for a full disk."""
        # A segment may live no longer than its contents: the server deletes it once it is ended and taken in. By the
        # clock on the wall, which goes on while a machine sleeps; one that was set back ends the segment too.
        now = self._clock()
        if not 0 <= now - self._opened_at < LONGEST_SEGMENT:
            self._opened_at = now
            self._writer.close()
        if not self._writer.append(CONTENT, content):
            self._health.count("contents_dropped_total")


class ContentKeeper:
    """Makes of bodies what may be written. One for each wrapped client that keeps its contents.

    Attributes:
        guard: counts faults.
        limit: bytes kept of each body.
    """

    def __init__(
        self, writer: ContentWriter, *, limit: int, redact: Sequence[str], guard: Guard, keys: Sequence[str] = ()
    ) -> None:
        """Nothing is written yet.

        Args:
            writer: where contents go.
            limit: bytes kept of each body.
            redact: patterns, see `Redaction`.
            guard: counts faults, which never reach the caller.
            keys: what to take out wherever it stands.
        """
        self._writer = writer
        self.limit = limit
        self._redact = redact
        self._redaction = Redaction(redact, keys)
        self.guard = guard
        self._by_keys: dict[tuple[str, ...], Self] = {}

    @guarded
    def of(self, headers: Iterable[tuple[bytes, bytes]], path: bytes) -> Self:
        """The keeper for requests with these headers: it takes out the keys in them too, whatever they look like.

        Args:
            headers: names and values.
            path: with the query, which may hold a key as well.
        """
        keys = own_keys(headers, path)
        keeper = self._by_keys.get(keys)
        if keeper is None:
            if len(self._by_keys) >= _MOST_KEYS:
                # Tokens that are changed often are never met again.
                self._by_keys.clear()
            keeper = type(self)(self._writer, limit=self.limit, redact=self._redact, guard=self.guard, keys=keys)
            self._by_keys[keys] = keeper
        return keeper

    @guarded
    def keep(
        self,
        record_id: str,
        started_at: datetime,
        request: bytes | None,
        answer: bytes | None,
        *,
        is_answer_torn: bool = False,
    ) -> None:
        """Write what was asked and answered, if anything was; None where there is no body or it was not in memory.

        Args:
            record_id: of the request's record.
            started_at: of it too.
            request: the body as the caller gave it.
            answer: the body with its content encoding undone; of a stream the events as they came.
            is_answer_torn: whether the answer goes on behind what is given.
        """
        if not request and not answer:
            return
        asked, is_cut = self._kept(request, is_torn=False)
        answered, is_answer_cut = self._kept(answer, is_torn=is_answer_torn)
        self._writer.write(
            Content(
                record_id=record_id,
                started_at=started_at,
                request=asked,
                answer=answered,
                is_cut=is_cut or is_answer_cut,
            )
        )

    @guarded
    def form_of(self, request: Any) -> bytes | None:
        """What a form says, files by their names; None for other requests."""
        return form_content(request)

    def _kept(self, body: bytes | None, *, is_torn: bool) -> tuple[str | None, bool]:
        """What is written of a body, and whether its end is missing."""
        if not body:
            return None, is_torn
        if len(body) > _LARGEST:
            return f"[{len(body)} bytes, too many to keep]", True
        text = _text_of(body)
        if text is None:
            return f"[{len(body)} bytes that are no text]", False
        if body[:2] == b"--" and b"form-data" in body[:1024].lower():
            return f"[a form of {len(body)} bytes]", False
        shown, is_torn = self._shown(text, is_torn=is_torn)
        kept = shown.encode("utf-8", "replace")
        return kept[: self.limit].decode("utf-8", "ignore"), is_torn or len(kept) > self.limit

    def _shown(self, text: str, *, is_torn: bool) -> tuple[str, bool]:
        try:
            value = joined(text, is_torn=is_torn) if text.lstrip().startswith(_EVENTS) else json.loads(text)
            if value is not None:
                return dumped(self._redaction.value(value)), is_torn
        except _UNREADABLE:
            # No JSON, a torn one, or one that is nested too deeply: a text like any other.
            pass
        window = self.limit + _TAIL
        if len(text) > window:
            return self._redaction.text(text[:window])[:-_TAIL], True
        return self._redaction.text(without_last_word(text) if is_torn else text), is_torn


def _text_of(body: bytes) -> str | None:
    """The text; None for sound, pictures and the like. A letter that was cut at the end is no fault."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return None
        text = body[: error.start].decode("utf-8-sig")
    return None if "\0" in text else text
