"""The beginning of a stream, kept for what can only be told when it is over."""

from typing import Final

KEPT: Final = 2**20


class Heard:
    """The pieces of a stream as they came, decoded, up to about 1 MiB; `size` is the length of all."""

    __slots__ = ("pieces", "size")

    def __init__(self) -> None:
        """Nothing has come."""
        self.pieces: list[bytes] = []
        self.size = 0

    def take(self, piece: bytes) -> None:
        """A piece has come."""
        if self.size < KEPT:
            self.pieces.append(piece)
        self.size += len(piece)
