"""Which servers refuse the option that only we ask for: their streams go out as the caller made them."""

import re
from typing import Any, Final

from monitor.capture.bodies import error_of, read_answer
from monitor.capture.decoding import decoder_of

STATUSES: Final = frozenset({400, 403, 404, 405, 415, 422, 500, 501})
"""Those of an answer that may be a refusal of the option, where it names it."""

_UNNAMED: Final = frozenset({400, 404, 405, 415, 422, 501})
"""Under which a server complains of a field without its name; the others tell of keys, places and breakdowns."""

_NAMES: Final = (b"stream_options", b"include_usage")
_KNOWN: Final = (".openai.com", ".azure.com")
"""They take the option, or name it where they refuse it."""

_COMPLAINT: Final = re.compile(
    rb"un(known|recogni[sz]ed|expected|supported)|not (supported|permitted|allowed|recogni[sz]ed)|extra|additional",
    re.IGNORECASE,
)
"""What servers say of a field that they do not know, if anything."""

_LARGEST: Final = 64 * 2**10
_MOST_DOUBTS: Final = 3
"""As often a server is asked twice that has not yet taken the option, and did not say what it refuses."""


class Refusals:
    """What one client has learned; a server may take the option for one model and refuse it for another."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._refused: set[tuple[bytes, str | None]] = set()
        self._taken: set[bytes] = set()
        self._doubts: dict[bytes, int] = {}

    def is_known(self, url: Any, model: str | None) -> bool:
        """Whether the server has refused it for that model."""
        return (url.netloc, model) in self._refused

    def take(self, url: Any) -> None:
        """Note that the server has taken it."""
        self._taken.add(url.netloc)

    def is_ours(self, url: Any, response: Any, body: bytes) -> bool:
        """Whether a refusal may be of the option, so that the caller's own request is to be sent."""
        text = _plain(response, body)[:_LARGEST]
        if any(name in text for name in _NAMES):
            return True
        host, doubts = url.netloc, self._doubts.get(url.netloc, 0)
        if response.status_code not in _UNNAMED or host in self._taken or doubts >= _MOST_DOUBTS:
            return False
        if f".{url.host}".endswith(_KNOWN) or (text and not _COMPLAINT.search(text)) or _names_another(text):
            return False
        self._doubts[host] = doubts + 1
        return True

    def learn(self, url: Any, model: str | None, status: int) -> bool:
        """After the caller's own request: whether that shows that it was the option which was refused."""
        if status >= 400:
            return False
        self._refused.add((url.netloc, model))
        return True


def _plain(response: Any, body: bytes) -> bytes:
    encoding = response.headers.get("content-encoding")
    decode = decoder_of(encoding) if encoding else None
    return decode(body) if decode else body


def _names_another(text: bytes) -> bool:
    """Whether it says what is wrong, and that is no field we sent."""
    body = read_answer(text)
    error = {} if body is None else error_of(body)
    return isinstance(error.get("code"), str) or error.get("param") is not None
