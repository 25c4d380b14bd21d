"""What the caller of a realtime socket said for the next response, where contents are kept."""

from typing import Final

from monitor.capture.socket_events import Message, encoded

_MOST: Final = 256
_LARGEST: Final = 2**20


class Said:
    """Holds its messages but for the sound, from one response to the next; where they are too many the oldest go."""

    def __init__(self) -> None:
        """Nothing was said."""
        self._messages: list[bytes] = []
        self._size = self._forgotten = 0

    def add(self, message: Message) -> None:
        """The caller has sent this, a JSON object."""
        content = bytes(encoded(message))
        self._messages.append(content)
        self._size += len(content)
        while len(self._messages) > 1 and (len(self._messages) > _MOST or self._size > _LARGEST):
            self._size -= len(self._messages.pop(0))
            self._forgotten += 1

    def take(self) -> bytes | None:
        """All of it as a JSON array, to be forgotten here; None where nothing was said."""
        messages, forgotten = self._messages, self._forgotten
        self._messages, self._size, self._forgotten = [], 0, 0
        if forgotten:
            messages.insert(0, b'"[%d earlier messages, too many to keep]"' % forgotten)
        return b"[%b]" % b",".join(messages) if messages else None
