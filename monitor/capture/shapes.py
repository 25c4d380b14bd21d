"""What a request has in common with the one before it to the same address: then nothing of it is worked out again."""

import os
from collections.abc import Mapping
from typing import Any, Final

from monitor.capture.call_sites import Entry
from monitor.capture.calls import COUNT, FIRST
from monitor.capture.request_headers import TAKEN, Headers, UsualNames
from monitor.capture.routes import Route, Routes

_JSON: Final = b"application/json"
_LENGTH: Final = b"Content-Length"
_MOST: Final = 256

Pairs = list[tuple[bytes, bytes]]


class Shape:
    """Method, headers and what follows from them.

    Attributes:
        route: of all requests like it.
        headers: by the names that `UsualNames` gives them.
        tags: those among the headers.
        is_json: whether the body is said to be JSON.
        is_retry: whether the SDK says that it tries again.
        entry: where the program went into the SDK the last time.
        is_foreign: whether the program made it itself, without the SDK.
    """

    __slots__ = (
        "_can_last",
        "_length_at",
        "_method",
        "_pairs",
        "_process_id",
        "entry",
        "headers",
        "is_foreign",
        "is_json",
        "is_retry",
        "route",
        "tags",
    )

    def __init__(
        self,
        request: Any,
        pairs: Pairs,
        headers: Headers,
        tags: Mapping[str, str],
        route: Route,
        *,
        is_settled: bool,
        is_foreign: bool = False,
    ) -> None:
        """Of a request with these headers; its route stays as it is if it `is_settled`."""
        self.is_foreign = is_foreign
        self._method: str = request.method
        self._pairs = pairs
        self._length_at = next((place for place, (name, _) in enumerate(pairs) if name == _LENGTH), None)
        # It stands in the facts of the route, and changes with a fork.
        self._process_id = os.getpid()
        self.route = route
        self.headers = headers
        self.tags = tags
        self.is_json = headers.get(b"content-type", b"").startswith(_JSON)
        self.is_retry = headers.get(COUNT, FIRST) != FIRST
        self.entry = Entry()
        # Tags are another request's next time, and so is the number of a retry.
        self._can_last = is_settled and not tags and not self.is_retry

    def fits(self, method: str, pairs: Pairs) -> bool:
        """Whether a request with these headers is like it in all but the length of its body; changes `pairs`."""
        if not self._can_last:
            return False
        place, ours = self._length_at, self._pairs
        if place is not None:
            if len(pairs) != len(ours) or pairs[place][0] != _LENGTH:
                return False
            pairs[place] = ours[place]
        return pairs == ours and method == self._method and os.getpid() == self._process_id


class Shapes:
    """The shapes of one client's requests, the last one of each address."""

    def __init__(self, routes: Routes) -> None:
        """None yet."""
        self._routes = routes
        self._usual = UsualNames()
        self._known: dict[bytes, Shape] = {}

    def of(self, request: Any) -> Shape:
        """The shape of a request; tags among its headers are taken off."""
        pairs: Pairs = request.headers.raw
        path: bytes = request.url.raw_path
        known = self._known.get(path)
        if known is not None and known.fits(request.method, pairs) and TAKEN not in request.extensions:
            return known
        shape = self._new(request, pairs)
        if known is not None:
            # The way through the SDK is the same, whatever the headers are.
            shape.entry = known.entry
        elif len(self._known) >= _MOST:
            # Addresses that hold an id are met a few times and never again.
            self._known.clear()
        self._known[path] = shape
        return shape

    def _new(self, request: Any, pairs: Pairs) -> Shape:
        headers = dict(pairs)
        tags: Mapping[str, str] = request.extensions.get(TAKEN, {})
        # Another's headers are not ours to take off.
        is_foreign = self._routes.are_foreign(request.url, pairs)
        if not is_foreign and not self._usual.issuperset(headers):
            tags = {**tags, **self._usual.settle(request, headers)}
        route, is_settled = self._routes.of(request, headers), self._routes.are_settled
        return Shape(request, pairs, headers, tags, route, is_settled=is_settled, is_foreign=is_foreign)
