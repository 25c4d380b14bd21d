"""Records of the lines of a batch's output or error file, made while the program downloads it."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from monitor.capture.batch_bodies import read_line
from monitor.capture.batch_facts import Facts, LineReader
from monitor.capture.ids import new_id
from monitor.health import Health

_BULK: Final = 500
_SLICE: Final = 2**20
_LONGEST_LOOK: Final = 2**20
_LONGEST_LINE: Final = 64 * 2**20
_BLANK: Final = b" \t\r\n"

_SHARED: Final = (
    "provider_name",
    "region",
    "service",
    "environment",
    "host",
    "process_id",
    "billing_account_id",
    "sub_account_id",
    "key_fingerprint",
    "key_hint",
    "team",
    "feature",
    "user",
    "session",
    "call_site",
    "call_function",
    "tags",
    "sdk_version",
    "trace_id",
    "span_id",
)
"""What a line has in common with the request that downloaded its file."""


class BatchLines:
    """Feed it a downloaded file; each line of a batch becomes the facts of a record.

    Nothing but the unfinished line is held. Of a file that is none of a batch only the beginning is looked at.
    """

    def __init__(
        self, base: Mapping[str, Any], file_id: str, append: Callable[[Sequence[Facts]], None], health: Health
    ) -> None:
        """Begin at the start of the file.

        Args:
            base: facts of the download's request; `started_at` among them, the rest may be missing.
            file_id: the file's id.
            append: takes the facts of some hundred records at a time.
            health: counts lines that cannot be read.
        """
        self._shared = {name: base[name] for name in _SHARED if base.get(name) is not None}
        self._shared |= {"file_id": file_id, "is_batch": True, "method": "POST", "attempt": 0}
        self._reader = LineReader(base["started_at"])
        self._append = append
        self._health = health
        # The unfinished line, in pieces that are joined once.
        self._held: list[bytes] = []
        self._held_size = 0
        self._waiting: list[Facts] = []
        self._is_sure = False
        self.is_over = False
        """Whether there is nothing more to see: feeding it is of no use."""

    def feed(self, piece: bytes) -> None:
        """Read the lines that this piece completes."""
        for start in range(0, len(piece), _SLICE):
            if not self.is_over:
                self._feed(piece[start : start + _SLICE])

    def _feed(self, piece: bytes) -> None:
        if not self._is_sure:
            piece = piece if self._held else piece.lstrip(_BLANK)
            if not self._may_be_batch(piece):
                self._give_up()
                return
        first, *lines = piece.split(b"\n")
        self._hold(first)
        if lines:
            last = lines.pop()
            self._read(self._take_held())
            for line in lines:
                self._read(line)
            self._hold(last)

    def end(self, *, is_whole: bool = True) -> None:
        """The file is over: its last line may lack its end. A file that broke off has half a line, which is left."""
        if is_whole and not self.is_over:
            rest = self._take_held()
            if self._is_sure or _shows_batch(rest):
                self._read(rest)
        self._flush()
        self._give_up()

    def _may_be_batch(self, piece: bytes) -> bool:
        """Whether the file may still be one of a batch; sure of it when its first line is whole."""
        if not self._held and piece[:1] not in (b"{", b""):
            return False
        line, end, _ = piece.partition(b"\n")
        if end or self._held_size > _LONGEST_LOOK:
            self._is_sure = _shows_batch(b"".join((*self._held, line)))
            return self._is_sure
        return True

    def _hold(self, part: bytes) -> None:
        if part:
            self._held_size += len(part)
            if self._held_size > _LONGEST_LINE:
                # It will be counted as one that cannot be read.
                self._held = [b"!"]
            else:
                self._held.append(part)

    def _take_held(self) -> bytes:
        line = b"".join(self._held)
        self._held = []
        self._held_size = 0
        return line

    def _read(self, content: bytes) -> None:
        line = read_line(content)
        if line is not None and line.is_output:
            self._waiting.append(self._reader.facts_of(line, content))
            if len(self._waiting) >= _BULK:
                self._flush()
        elif content.strip(_BLANK):
            self._health.count("batch_lines_unreadable_total")

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            now = time.time_ns()
            self._append([self._with_shared(facts, new_id(now)) for facts in waiting])

    def _with_shared(self, facts: Facts, record_id: str) -> Facts:
        return {**facts, **self._shared, "record_id": record_id, "call_id": record_id}

    def _give_up(self) -> None:
        self.is_over = True
        self._take_held()


def _shows_batch(content: bytes) -> bool:
    """Whether a first line, or the long beginning of one, is of a batch's output."""
    line = read_line(content)
    if line is not None:
        return line.is_output and line.custom_id is not None
    return b'"custom_id"' in content and (b'"response"' in content or b'"error"' in content)
