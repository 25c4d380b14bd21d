"""Cuts an event stream into events as it passes, wherever the network cut it."""


class EventSplitter:
    """Feed it pieces of an event stream; it gives back whole events.

    An event is the bytes up to and including its empty line; `rest` is what has come of the next one. Line ends may
    be LF, CRLF or CR.
    """

    __slots__ = ("rest",)

    def __init__(self) -> None:
        """Begin at the start of a stream."""
        self.rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that this piece completes."""
        data = self.rest + piece if self.rest else piece
        if b"\r" in data:
            return self._feed_with_returns(data)
        if data.endswith(b"\n\n") and data.count(b"\n\n") == 1:
            # The common case: the network brings one event at a time.
            self.rest = b""
            return [data]
        *whole, self.rest = data.split(b"\n\n")
        return [event + b"\n\n" for event in whole]

    def _feed_with_returns(self, data: bytes) -> list[bytes]:
        # A CR at the very end may be half of a CRLF: it waits for the next piece.
        held = b"\r" if data.endswith(b"\r") else b""
        lines = data[: len(data) - len(held)].splitlines(keepends=True)
        events, current = [], b""
        for line in lines:
            current += line
            if line in (b"\n", b"\r\n", b"\r"):
                events.append(current)
                current = b""
        self.rest = current + held
        return events


def data_of(event: bytes) -> bytes:
    """The data of an event: its `data:` lines joined; empty for comments."""
    if event.startswith(b"data:") and event.find(b"\n") >= len(event) - 2 and b"\r" not in event:
        return event[5:].strip()
    parts = [line[5:].lstrip(b" ") for line in event.splitlines() if line.startswith(b"data:")]
    return b"\n".join(parts).strip()
