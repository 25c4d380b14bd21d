"""The recorder: policy of capture, written once for sync and async. It touches requests, never their outcome."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from monitor.capture.attribution import HEADER_PREFIX, current_tags, header_tag
from monitor.capture.bodies import RequestBody, read_request, text_of
from monitor.capture.call_sites import call_sites
from monitor.capture.calls import call_of
from monitor.capture.exchange import Exchange, Keeper
from monitor.capture.fingerprints import Fingerprints
from monitor.capture.forms import content_of, form_fields
from monitor.capture.guarded import Guard, guarded
from monitor.capture.ids import new_id
from monitor.capture.keys import KeyNames
from monitor.capture.routes import Identity, Route, Routes
from monitor.capture.tracing import current_trace
from monitor.health import Health
from monitor.records import TAG_COLUMNS, Begin, Record
from monitor.spool.format import BEGIN, encode_facts
from monitor.spool.writer import SpoolWriter

_JSON: Final = b"application/json"
_OWN_FRAMES: Final = 3
"""The search for the call site, `_facts`, and what asks it."""


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
        self.guard = Guard(health)
        self._keeper = keeper

    @guarded
    def observe(self, request: RequestLike) -> Exchange:
        """Note the request and put its begin line on the spool."""
        headers = {name.lower(): value for name, value in request.headers.raw}
        route = self._routes.of(request, headers)
        content_type = headers.get(b"content-type", b"")
        content = content_of(request) if content_type.startswith(_JSON) else None
        body = read_request(content) if content else None
        if body is None:
            body = form_fields(request, {"content-type": content_type.decode("latin-1")})
        facts = self._facts(request, route, headers, body)
        if content and (fingerprint := self._fingerprints.of(content)):
            facts["body_fingerprint"] = fingerprint
        start = b"%b,%b" % (route.encoded, encode_facts(facts))
        self._writer.put(BEGIN, start)
        return Exchange(
            self._writer, route, facts, start, body=body, content=content, guard=self.guard, keeper=self._keeper
        )

    def facts_for(self, request: RequestLike) -> dict[str, Any]:
        """Fields of a record that a request without a body states, and who makes it."""
        headers = {name.lower(): value for name, value in request.headers.raw}
        route = self._routes.of(request, headers)
        return {**route.facts, **route.accounts, **self._facts(request, route, headers, RequestBody())}

    def begin(self, facts: Begin) -> None:
        """Put a begin line on the spool."""
        self._writer.begin(facts)

    def end(self, facts: Record) -> None:
        """Put a finished record on the spool."""
        self._writer.end(facts)

    def _facts(
        self, request: RequestLike, route: Route, headers: Mapping[bytes, bytes], body: RequestBody
    ) -> dict[str, Any]:
        """What the request itself says, and who makes it."""
        record_id = new_id(time.time_ns())
        call_id, attempt = call_of(route.place, headers, record_id)
        facts: dict[str, Any] = {
            "record_id": record_id,
            "call_id": call_id,
            "attempt": attempt,
            "started_at": datetime.now(UTC),
        }
        model = text_of(body.model) or route.deployment
        if model:
            facts["request_model"] = model
        if body.service_tier is not None and (tier := text_of(body.service_tier)):
            facts["request_service_tier"] = tier
        site, function = self._sites.here(_OWN_FRAMES)
        if site:
            facts["call_site"], facts["call_function"] = site, function
        trace_id, span_id = current_trace()
        if trace_id:
            facts["trace_id"], facts["span_id"] = trace_id, span_id
        tags = current_tags()
        if self._identity.tags:
            tags = {**self._identity.tags, **tags}
        # One search over all names is quicker than a look at each.
        if HEADER_PREFIX in b"\n".join(headers):
            tags = {**tags, **_take_tags(request, headers)}
        _put_tags(facts, tags, body)
        return facts


def _take_tags(request: RequestLike, headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The tags among the headers, which are taken off the request where that can be done."""
    tags = {}
    # AWS signs all headers: without one of them the request would be refused.
    is_signed = headers.get(b"authorization", b"").startswith(b"AWS4-")
    for name, value in headers.items():
        if tag := header_tag(name, value):
            tags[tag[0]] = tag[1]
        if name.startswith(HEADER_PREFIX) and not is_signed:
            del request.headers[name.decode("latin-1")]
    return tags


def _put_tags(facts: dict[str, Any], tags: Mapping[str, str], body: RequestBody) -> None:
    if tags:
        others = dict(tags)
        for name in TAG_COLUMNS:
            if value := others.pop(name, None):
                facts[name] = value
        if others:
            facts["tags"] = others
    if "user" not in facts and (user := text_of(body.safety_identifier) or text_of(body.user)):
        facts["user"] = user
