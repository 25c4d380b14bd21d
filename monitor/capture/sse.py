"""Cuts an event stream into events as it passes, wherever the network cut it."""

from typing import Final

_LINE_ENDS: Final = (b"\n", b"\r\n", b"\r")


class EventSplitter:
    """Feed it pieces of an event stream; it gives back whole events.

    An event is the bytes up to and including its empty line. Line ends may be LF, CRLF or CR.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        """Begin at the start of a stream."""
        # Kept in pieces and joined once: an event that holds a picture comes in hundreds of them.
        self._held: list[bytes] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a next event has come."""
        return not self._held

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that this piece completes."""
        held = self._held
        if not held:
            if piece.endswith(b"\n\n") and piece.count(b"\n\n") == 1 and b"\r" not in piece:
                # The common case: the network brings one event at a time.
                return [piece]
            data = piece
        elif b"\n" in piece or b"\r" in piece or held[-1].endswith(b"\r"):
            held.append(piece)
            data = b"".join(held)
        else:
            held.append(piece)
            return []
        events, rest = _cut_at_returns(data) if b"\r" in data else _cut(data)
        self._held = [rest] if rest else []
        return events

    def take_rest(self) -> bytes:
        """What has come of an event that is not whole; it is forgotten here."""
        rest, self._held = b"".join(self._held), []
        return rest


def _cut(data: bytes) -> tuple[list[bytes], bytes]:
    *whole, rest = data.split(b"\n\n")
    return [event + b"\n\n" for event in whole], rest


def _cut_at_returns(data: bytes) -> tuple[list[bytes], bytes]:
    # A CR at the very end may be half of a CRLF: it waits for the next piece.
    held = b"\r" if data.endswith(b"\r") else b""
    events: list[bytes] = []
    current: list[bytes] = []
    for line in data[: len(data) - len(held)].splitlines(keepends=True):
        current.append(line)
        if line in _LINE_ENDS:
            events.append(b"".join(current))
            current = []
    return events, b"".join(current) + held


def data_of(event: bytes) -> bytes:
    """The data of an event: its `data:` lines joined; empty for comments."""
    if event.startswith(b"data:") and event.find(b"\n") >= len(event) - 2 and b"\r" not in event:
        return event[5:].strip()
    parts = [line[5:].lstrip(b" ") for line in event.splitlines() if line.startswith(b"data:")]
    return b"\n".join(parts).strip()
