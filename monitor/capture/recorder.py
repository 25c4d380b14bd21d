"""The recorder: policy of capture, written once for sync and async. It touches requests, never their outcome."""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from monitor.capture.attribution import current_tags
from monitor.capture.bases import Base
from monitor.capture.bodies import RequestBody, read_request, text_of
from monitor.capture.call_sites import call_sites
from monitor.capture.calls import call_of
from monitor.capture.exchange import Exchange, Keeper
from monitor.capture.fingerprints import Fingerprints
from monitor.capture.forms import content_of, form_fields
from monitor.capture.guarded import Guard, guarded
from monitor.capture.ids import new_id
from monitor.capture.keys import KeyNames
from monitor.capture.request_headers import Headers
from monitor.capture.routes import Identity, Routes
from monitor.capture.shapes import Shape, Shapes
from monitor.capture.tracing import TRACING, current_trace
from monitor.health import Health
from monitor.records import TAG_COLUMNS, Begin, Record
from monitor.spool.format import BEGIN, encode_facts
from monitor.spool.writer import SpoolWriter

_FRAMES_OF_FACTS: Final = 3
"""Those of the search for the call site, of `_facts`, and of what asks it."""

_FRAMES_OF_OBSERVE: Final = 5
"""The guard's and the transport's as well."""


class RequestLike(Protocol):
    """What httpx's and httpx2's requests have in common."""

    method: str
    url: Any
    headers: Any
    stream: Any
    extensions: Any


class Recorder:
    """Makes an `Exchange` of a request that is about to leave.

    Attributes:
        guard: takes note of faults.
        keeper: takes the contents, None where they are not to be kept.
    """

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
        self._shapes = Shapes(self._routes)
        self._fingerprints = Fingerprints(keys)
        self._sites = call_sites(identity.frameworks)
        self.guard = Guard(health)
        self.keeper = keeper

    def know(self, base: Base) -> None:
        """Note a base URL of the clients."""
        self._routes.know(base)

    @guarded
    def observe(self, request: RequestLike) -> Exchange | None:
        """Note the request and put its begin line on the spool; None where it is not the SDK's."""
        shape = self._shapes.of(request)
        if shape.is_foreign:
            return None
        route = shape.route
        content = content_of(request) if shape.is_json else None
        body = read_request(content) if content else None
        fingerprint = self._fingerprints.of(content) if content and body else None
        if body is None:
            body = _form(request, shape.headers)
        begun, facts = self._facts(shape, body, skipped=_FRAMES_OF_OBSERVE)
        if fingerprint:
            facts["body_fingerprint"] = fingerprint
        start = route.begun + encode_facts(begun)
        self._writer.put(BEGIN, start)
        keeper = None if self.keeper is None else self.keeper.of(shape.headers.items(), request.url.raw_path)
        exchange = Exchange(self._writer, route, begun, facts, start, body, content, self.guard, keeper)
        if content is None and keeper is not None:
            exchange.form = keeper.form_of(request)
        return exchange

    def facts_for(self, request: RequestLike) -> dict[str, Any]:
        """Fields of a record that a request without a body states, and who makes it."""
        shape = self._shapes.of(request)
        begun, more = self._facts(shape, RequestBody(), skipped=_FRAMES_OF_FACTS)
        return {**shape.route.facts, **begun, **more}

    def begin(self, facts: Begin) -> None:
        """Put a begin line on the spool."""
        self._writer.begin(facts)

    def end(self, facts: Record) -> None:
        """Put a finished record on the spool."""
        self._writer.end(facts)

    def _facts(self, shape: Shape, body: RequestBody, *, skipped: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the request itself says, and who makes it: what the begin line has of it, and the rest."""
        route = shape.route
        record_id = new_id(time.time_ns())
        call_id, attempt = call_of(route.place, shape.headers, record_id) if shape.is_retry else (record_id, 0)
        begun: dict[str, Any] = {
            "record_id": record_id,
            "call_id": call_id,
            "attempt": attempt,
            "started_at": datetime.now(UTC),
        }
        more: dict[str, Any] = {**route.accounts}
        if model := text_of(body.model) or route.deployment:
            begun["request_model"] = model
        if body.service_tier is not None and (tier := text_of(body.service_tier)):
            more["request_service_tier"] = tier
        site, function = self._sites.here(skipped, shape.entry)
        if site:
            begun["call_site"], more["call_function"] = site, function
        if TRACING in sys.modules:
            _put_trace(more)
        tags = current_tags()
        if shape.tags or self._identity.tags:
            tags = {**self._identity.tags, **tags, **shape.tags}
        if tags or body.user is not None or body.safety_identifier is not None:
            _put_tags(begun, more, tags, body)
        return begun, more


def _form(request: RequestLike, headers: Headers) -> RequestBody:
    """What a request says that is no JSON object."""
    return form_fields(request, {"content-type": headers.get(b"content-type", b"").decode("latin-1")})


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
