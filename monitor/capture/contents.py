"""Keeps prompts and answers of clients that were told to: redacted, cut, and written before the call returns."""

import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from monitor.capture.forms import form_content
from monitor.capture.guarded import Guard, guarded
from monitor.capture.joined import joined
from monitor.capture.redaction import Redaction
from monitor.health import Health
from monitor.home import Home
from monitor.records import Content
from monitor.spool.format import CONTENT
from monitor.spool.writer import SpoolWriter

LONGEST_SEGMENT: Final = 3_600.0
"""Seconds after which a segment of contents is ended at the next write."""

_LARGEST: Final = 32 * 2**20
_TAIL: Final = 4_096
"""The last letters of a torn text are left out: they may be the first half of a secret."""

_EVENTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_UNREADABLE: Final = (ValueError, RecursionError)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrt/]))")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "/": "/"}


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
    """Makes of bodies what may be written. One for each wrapped client that keeps its contents."""

    def __init__(self, writer: ContentWriter, *, limit: int, redact: Sequence[str], guard: Guard) -> None:
        """Nothing is written yet.

        Args:
            writer: where contents go.
            limit: bytes kept of each body.
            redact: patterns, see `Redaction`.
            guard: counts faults, which never reach the caller.
        """
        self._writer = writer
        self._limit = limit
        self._redaction = Redaction(redact)
        self.guard = guard

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
        """Write what was asked and answered; None where there is no body or it was not in memory.

        Args:
            record_id: of the request's record.
            started_at: of it too.
            request: the body as the caller gave it.
            answer: the body with its content encoding undone; of a stream the events as they came.
            is_answer_torn: whether the answer goes on behind what is given.
        """
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
        shown, is_torn = self._shown(body, text, is_torn=is_torn)
        kept = shown.encode("utf-8", "replace")
        return kept[: self._limit].decode("utf-8", "ignore"), is_torn or len(kept) > self._limit

    def _shown(self, body: bytes, text: str, *, is_torn: bool) -> tuple[str, bool]:
        try:
            value = joined(text, is_torn=is_torn) if body.lstrip().startswith(_EVENTS) else json.loads(text)
            if value is not None:
                shown = self._redaction.value(value)
                return json.dumps(shown, ensure_ascii=False, separators=(",", ":")), is_torn
        except _UNREADABLE:
            # No JSON, a torn one, or one that is nested too deeply: a text like any other.
            pass
        text = _ESCAPE.sub(_letter_of, text) if text.lstrip().startswith(("{", "[")) else text
        window = self._limit + _TAIL
        if len(text) > window:
            text, is_torn = text[:window], True
        shown = self._redaction.text(text)
        return (shown[:-_TAIL] if is_torn else shown), is_torn


def _text_of(body: bytes) -> str | None:
    """The text; None for sound, pictures and the like. A letter that was cut at the end is no fault."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return None
        text = body[: error.start].decode("utf-8")
    return None if "\0" in text else text


def _letter_of(found: re.Match[str]) -> str:
    """What an escape of JSON stands for; in a torn body it would hide where a secret begins."""
    return chr(int(found[1], 16)) if found[1] else _LETTERS[found[2]]
