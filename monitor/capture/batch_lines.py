"""Records of the lines of a batch's output or error file, and their contents, made while the program downloads it."""

import time
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from monitor.capture.batch_bodies import content_in, read_line
from monitor.capture.batch_facts import Facts, LineReader
from monitor.capture.exchange import Keeper
from monitor.capture.ids import new_id
from monitor.health import Health

_BULK: Final = 500
_BULK_OF_CONTENTS: Final = 2**20
_SLICE: Final = 2**20
_LONGEST_LOOK: Final = 2**20
_LINES_LOOKED_AT: Final = 10
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

    The unfinished line is held, and of contents to be kept a mebibyte, or the one line that is longer. Of a file that
    is none of a batch only the beginning is looked at.
    """

    def __init__(
        self,
        base: Mapping[str, Any],
        file_id: str,
        append: Callable[[Sequence[Facts]], None],
        health: Health,
        *,
        keeper: Keeper | None = None,
    ) -> None:
        """Begin at the start of the file.

        Args:
            base: facts of the download's request; `started_at` among them, the rest may be missing.
            file_id: the file's id.
            append: takes the facts of some hundred records at a time.
            health: counts lines that cannot be read.
            keeper: takes the contents, each after its record; None where they are not to be kept.
        """
        self._shared = {name: base[name] for name in _SHARED if base.get(name) is not None}
        self._shared |= {"file_id": file_id, "is_batch": True, "method": "POST", "attempt": 0}
        self._reader = LineReader(base["started_at"])
        self._append = append
        self._health = health
        self._keeper = keeper
        # The unfinished line, in pieces that are joined once.
        self._held: list[bytes] = []
        self._held_size = 0
        self._waiting: list[Facts] = []
        # Of each line that waits, where contents are kept.
        self._contents: list[bytes | None] = []
        self._contents_size = 0
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
            if not self._held:
                piece = piece.removeprefix(BOM_UTF8).lstrip(_BLANK)
            shown = self._shown(piece)
            if shown is False:
                self._give_up()
            if not shown:
                self._hold(b"" if self.is_over else piece)
                return
            self._is_sure, piece = True, self._take_held() + piece
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
            lines = rest.split(b"\n")
            if self._is_sure or _shown_by(lines):
                for line in lines:
                    self._read(line)
        self._flush()
        self._give_up()

    def _shown(self, piece: bytes) -> bool | None:
        """Whether the file is one of a batch, as one of its first lines shows; None where more has to come.

        A damaged line at the start must not cost those behind it.
        """
        if not self._held and piece[:1] not in (b"{", b""):
            return False
        is_long = self._held_size + len(piece) > _LONGEST_LOOK
        if not is_long and b"\n" not in piece:
            return None
        *whole, last = b"".join((*self._held, piece)).split(b"\n", _LINES_LOOKED_AT)
        shown = _shown_by(whole)
        if shown is None and is_long:
            shown = _shows_batch(last[:_LONGEST_LOOK])
        return shown or (False if shown is False or is_long or len(whole) == _LINES_LOOKED_AT else None)

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
            if self._keeper is not None:
                self._hold_content(content_in(content))
            if len(self._waiting) >= _BULK or self._contents_size >= _BULK_OF_CONTENTS:
                self._flush()
        elif content.strip(_BLANK):
            self._health.count("batch_lines_unreadable_total")

    def _hold_content(self, content: bytes | None) -> None:
        self._contents.append(content)
        self._contents_size += len(content or b"")

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        contents, self._contents, self._contents_size = self._contents, [], 0
        if waiting:
            now = time.time_ns()
            records = [self._with_shared(facts, new_id(now)) for facts in waiting]
            self._append(records)
            if self._keeper is not None:
                _keep(self._keeper, records, contents)

    def _with_shared(self, facts: Facts, record_id: str) -> Facts:
        return {**facts, **self._shared, "record_id": record_id, "call_id": record_id}

    def _give_up(self) -> None:
        self.is_over = True
        self._take_held()


def _keep(keeper: Keeper, records: Sequence[Mapping[str, Any]], contents: Sequence[bytes | None]) -> None:
    for record, content in zip(records, contents, strict=True):
        if content is not None:
            # What was asked stands in the batch's input file, which nobody has here.
            keeper.keep(record["record_id"], record["started_at"], None, content)


def _shown_by(lines: Sequence[bytes]) -> bool | None:
    """Whether the file is one of a batch, as the first of its lines has it that tells; None where none does."""
    return next((shown for shown in map(_shows_batch, lines) if shown is not None), None)


def _shows_batch(content: bytes) -> bool | None:
    """Whether a line, or the long beginning of one, is of a batch's output; None where it cannot be told."""
    line = read_line(content)
    if line is None:
        return True if b'"custom_id"' in content and (b'"response"' in content or b'"error"' in content) else None
    if line.is_output and line.custom_id is not None:
        return True
    return None if line.has_answer else False
