"""Answers too large to be kept whole: what they state of usage and model stands at their end."""

import re
from typing import Final

from monitor.capture.bodies import read_answer

_TAIL: Final = 64 * 2**10
_MEMBER: Final = re.compile(rb',\s*(?="(?:model|usage)"\s*:)')


class Tail:
    """Keeps the last bytes of what passes, no more than twice as many as are looked at."""

    __slots__ = ("_pieces", "_size")

    def __init__(self, pieces: list[bytes]) -> None:
        """Begin with what has passed already; takes the list over."""
        self._pieces = pieces
        self._size = sum(map(len, pieces))
        self._shorten()

    def take(self, piece: bytes) -> None:
        """Another one."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > 2 * _TAIL:
            self._shorten()

    def members(self) -> bytes:
        """The last members of the JSON object that ended here, as an object; empty where there are none to be found."""
        self._shorten()
        tail = b"".join(self._pieces)
        for found in _MEMBER.finditer(tail):
            # Those of an inner object have an end too many.
            members = b"{" + tail[found.end() :]
            if read_answer(members) is not None:
                return members
        return b""

    def _shorten(self) -> None:
        tail = b"".join(self._last())[-_TAIL:]
        self._pieces, self._size = [tail], len(tail)

    def _last(self) -> list[bytes]:
        size, place = 0, len(self._pieces)
        while place and size < _TAIL:
            place -= 1
            size += len(self._pieces[place])
        return self._pieces[place:]
