"""The headers of a request by name, and the tags among them."""

from typing import Any, Final

from monitor.capture.attribution import HEADER_PREFIX, header_tag

_MOST: Final = 512
_LOOKED_AT: Final = {
    name.lower(): name
    for name in (
        b"Host",
        b"authorization",
        b"api-key",
        b"content-type",
        b"openai-organization",
        b"openai-project",
        b"x-stainless-package-version",
        b"x-stainless-retry-count",
    )
}
"""Those that are looked at, as httpx2 and openai 3 write them."""

Headers = dict[bytes, bytes]

TAKEN: Final = "openai_monitor_tags"
"""Among the extensions of a request: its tags, for the request that a redirect makes of it, which has them no more."""


class UsualNames(set[bytes]):
    """Names of headers that need no second look: written as here, or looked at by nobody.

    All requests of a client have nearly the same ones, so what a name is worth is found out once.
    """

    def __init__(self) -> None:
        """Knows those that are looked at."""
        super().__init__(_LOOKED_AT.values())

    def settle(self, request: Any, headers: Headers) -> dict[str, str]:
        """Give headers the names they are looked for by; returns the tags among them, taken off the request.

        Args:
            request: whose they are.
            headers: by the names as they came.
        """
        told = []
        for name in headers.keys() - self:
            plain = name.lower()
            if plain in _LOOKED_AT:
                headers[_LOOKED_AT[plain]] = headers[name]
            elif plain.startswith(HEADER_PREFIX):
                told.append(name)
            elif len(self) < _MOST:
                self.add(name)
        return _take_tags(request, headers, told)


def _take_tags(request: Any, headers: Headers, told: list[bytes]) -> dict[str, str]:
    # AWS signs all headers: without one of them the request would be refused.
    is_signed = headers.get(b"authorization", b"").startswith(b"AWS4-")
    for name in told:
        if not is_signed:
            del request.headers[name.decode("latin-1")]
    tags = dict(tag for name in told if (tag := header_tag(name, headers[name])))
    if tags:
        request.extensions[TAKEN] = tags
    return tags
