"""What has come of a response that runs on a socket, where contents are kept: its texts and transcripts, no sound."""

from io import StringIO
from typing import Final

import msgspec

from monitor.capture.bodies import text_of
from monitor.capture.socket_events import Piece
from monitor.capture.torn import without_last_word

_PLACE: Final = ("type", "item_id", "output_index", "content_index", "summary_index")
_MOST: Final = 256


class Spoken:
    """Holds the pieces of one response, joined. They are all there is of an answer that breaks off."""

    def __init__(self, limit: int) -> None:
        """Nothing has come; of more letters than `limit` the last are not held."""
        self._texts: dict[tuple[str | None, ...], StringIO] = {}
        self._left = limit

    def add(self, piece: Piece) -> None:
        """This has come; what is no text is passed over."""
        place = tuple(text_of(getattr(piece, name)) for name in _PLACE)
        is_text = isinstance(piece.delta, str) and not str(piece.type).endswith("audio.delta")
        if is_text and self._left > 0 and (place in self._texts or len(self._texts) < _MOST):
            self._left -= self._texts.setdefault(place, StringIO()).write(piece.delta[: self._left])

    def take(self) -> bytes | None:
        """What had come, as a JSON array of events whose texts are joined, to be forgotten here; None for nothing."""
        texts, self._texts = self._texts, {}
        told = [
            {name: part for name, part in zip(_PLACE, place, strict=True) if part is not None}
            | {"delta": without_last_word(text.getvalue())}
            for place, text in texts.items()
        ]
        return msgspec.json.encode(told) if told else None
