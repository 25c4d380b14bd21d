"""The recorder: policy of capture, written once for sync and async. It touches requests, never their outcome."""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from monitor.capture.attribution import current_tags
from monitor.capture.bodies import RequestBody, read_fields, read_request, request_of, text_of
from monitor.capture.call_sites import call_sites
from monitor.capture.calls import COUNT, FIRST, call_of
from monitor.capture.exchange import Exchange, Keeper
from monitor.capture.fingerprints import Fingerprints
from monitor.capture.forms import content_of, form_fields
from monitor.capture.guarded import Guard, guarded
from monitor.capture.ids import new_id
from monitor.capture.keys import KeyNames
from monitor.capture.request_headers import Headers, UsualNames
from monitor.capture.routes import Identity, Route, Routes
from monitor.capture.tracing import TRACING, current_trace
from monitor.health import Health
from monitor.records import TAG_COLUMNS, Begin, Record
from monitor.spool.format import BEGIN, encode_facts
from monitor.spool.writer import SpoolWriter

_JSON: Final = b"application/json"
_FRAMES_OF_FACTS: Final = 3
"""Those of the search for the call site, of `_facts`, and of what asks it."""

_FRAMES_OF_OBSERVE: Final = 5
"""The guard's and the transport's as well."""

_NO_TAGS: Final[dict[str, str]] = {}


class RequestLike(Protocol):
    """What httpx's and httpx2's requests have in common."""

    method: str
    url: Any
    headers: Any
    stream: Any
    extensions: Any


class Recorder:
    """Makes an `Exchange` of a request that is about to leave."""

    def __init__(
        self,
        writer: SpoolWriter,
        identity: Identity,
        keys: KeyNames,
        health: Health,
        *,
        keeper: Keeper | None = None,
    ) -> None:
        """Nothing is written yet; `keeper` takes the contents, None where they are not to be kept."""
        self._writer = writer
        self._identity = identity
        self._routes = Routes(identity, keys)
        self._fingerprints = Fingerprints(keys)
        self._sites = call_sites(identity.frameworks)
        self._usual = UsualNames()
        self.guard = Guard(health)
        self._keeper = keeper

    @guarded
    def observe(self, request: RequestLike) -> Exchange:
        """Note the request and put its begin line on the spool."""
        headers, tags = dict(request.headers.raw), _NO_TAGS
        if not self._usual.issuperset(headers):
            tags = self._usual.settle(request, headers)
        route = self._routes.of(request, headers)
        content = content_of(request) if headers.get(b"content-type", b"").startswith(_JSON) else None
        fields = read_fields(content) if content else None
        body = _other_body(request, headers, content) if fields is None else request_of(fields)
        begun, more = self._facts(route, headers, body, tags, skipped=_FRAMES_OF_OBSERVE)
        if fields is not None and (fingerprint := self._fingerprints.of(fields)):
            more["body_fingerprint"] = fingerprint
        start = route.begun + encode_facts(begun)
        self._writer.put(BEGIN, start)
        return Exchange(self._writer, route, begun, more, start, body, content, self.guard, self._keeper)

    def facts_for(self, request: RequestLike) -> dict[str, Any]:
        """Fields of a record that a request without a body states, and who makes it."""
        headers = dict(request.headers.raw)
        tags = self._usual.settle(request, headers)
        route = self._routes.of(request, headers)
        begun, more = self._facts(route, headers, RequestBody(), tags, skipped=_FRAMES_OF_FACTS)
        return {**route.facts, **route.accounts, **begun, **more}

    def begin(self, facts: Begin) -> None:
        """Put a begin line on the spool."""
        self._writer.begin(facts)

    def end(self, facts: Record) -> None:
        """Put a finished record on the spool."""
        self._writer.end(facts)

    def _facts(
        self, route: Route, headers: Headers, body: RequestBody, told: Mapping[str, str], *, skipped: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the request itself says, and who makes it: what the begin line has of it, and the rest."""
        record_id = new_id(time.time_ns())
        call_id, attempt = record_id, 0
        if headers.get(COUNT, FIRST) != FIRST:
            call_id, attempt = call_of(route.place, headers, record_id)
        begun: dict[str, Any] = {
            "record_id": record_id,
            "call_id": call_id,
            "attempt": attempt,
            "started_at": datetime.now(UTC),
        }
        more: dict[str, Any] = {}
        if model := text_of(body.model) or route.deployment:
            begun["request_model"] = model
        if body.service_tier is not None and (tier := text_of(body.service_tier)):
            more["request_service_tier"] = tier
        site, function = self._sites.here(skipped)
        if site:
            begun["call_site"], more["call_function"] = site, function
        if TRACING in sys.modules:
            _put_trace(more)
        tags = current_tags()
        if self._identity.tags or told:
            tags = {**self._identity.tags, **tags, **told}
        if tags or body.user is not None or body.safety_identifier is not None:
            _put_tags(begun, more, tags, body)
        return begun, more


def _other_body(request: RequestLike, headers: Headers, content: bytes | None) -> RequestBody:
    """What a request says that is no strict JSON object."""
    body = read_request(content) if content else None
    return body or form_fields(request, {"content-type": headers.get(b"content-type", b"").decode("latin-1")})


def _put_trace(facts: dict[str, Any]) -> None:
    trace_id, span_id = current_trace()
    if trace_id:
        facts["trace_id"], facts["span_id"] = trace_id, span_id


def _put_tags(begun: dict[str, Any], more: dict[str, Any], tags: Mapping[str, str], body: RequestBody) -> None:
    if tags:
        others = dict(tags)
        for name in TAG_COLUMNS:
            if value := others.pop(name, None):
                begun[name] = value
        if others:
            more["tags"] = others
    if "user" not in begun and (user := text_of(body.safety_identifier) or text_of(body.user)):
        begun["user"] = user
