"""The recorder: policy of capture, written once for sync and async. It touches requests, never their outcome."""

import os
import socket
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from monitor.capture.attribution import call_site, current_tags
from monitor.capture.bodies import RequestBody, read_request, text_of
from monitor.capture.endpoints import Endpoint, deployment_of, endpoint_of
from monitor.capture.exchange import Exchange
from monitor.capture.forms import content_of, form_fields
from monitor.capture.guarded import Guard, guarded
from monitor.capture.keys import KeyNames
from monitor.capture.providers import provider_of
from monitor.capture.usage_option import with_usage_option
from monitor.health import Health
from monitor.records import TAG_COLUMNS, Begin, Record
from monitor.spool.writer import SpoolWriter

_WANTED: Final = frozenset(
    b"""
    authorization api-key content-type x-stainless-retry-count x-stainless-package-version user-agent
    openai-organization openai-project
    """.split()
)
_BEGIN_TAGS: Final = ("team", "feature", "user")


class RequestLike(Protocol):
    """What httpx's and httpx2's requests have in common."""

    method: str
    url: Any
    headers: Any
    stream: Any
    extensions: Any


@dataclass(frozen=True, slots=True)
class _Call:
    """The call that this context made last; its retries come right after it."""

    call_id: str
    method: str
    url: str
    attempt: int


_last_call: ContextVar[_Call | None] = ContextVar("openai_monitor_last_call", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What is the same for all requests of one wrapped client."""

    service: str | None
    environment: str | None
    provider: str | None
    providers: Mapping[str, str]
    tags: Mapping[str, str]
    include_usage: bool


class Recorder:
    """Makes an `Exchange` of a request that is about to leave."""

    def __init__(self, writer: SpoolWriter, identity: Identity, keys: KeyNames, health: Health) -> None:
        """Nothing is written yet."""
        self._writer = writer
        self._identity = identity
        self._keys = keys
        self._host = socket.gethostname()
        self.guard = Guard(health)

    def end(self, record: Record) -> None:
        """Put a finished record on the spool."""
        self._writer.end(record)

    @guarded
    def observe(self, request: RequestLike) -> "Observed":
        """Note the request, put its begin line on the spool, and say whether its body should be changed."""
        started_at = datetime.now(UTC)
        headers = _headers(request)
        url = request.url
        endpoint = endpoint_of(request.method, url.path)
        content = _json_content(request, headers)
        body = read_request(content) if content else None
        facts = self._facts(request, endpoint, headers, body or form_fields(request, headers))
        self._begin(facts, started_at)
        exchange = Exchange(self, endpoint, started_at, facts)
        changed = None
        if content and body is not None and endpoint.has_usage_option and self._may_change(headers):
            changed = with_usage_option(content, body)
        original = content if changed is not None else None
        return Observed(exchange, facts["is_streaming"], changed, original)

    def _may_change(self, headers: Mapping[str, str]) -> bool:
        # The signature of AWS covers the body.
        return self._identity.include_usage and not headers.get("authorization", "").startswith("AWS4-")

    def _facts(
        self, request: RequestLike, endpoint: Endpoint, headers: Mapping[str, str], body: RequestBody
    ) -> dict[str, Any]:
        identity = self._identity
        url = request.url
        facts: dict[str, Any] = {
            "provider_name": identity.provider or provider_of(url.host, url.port, identity.providers),
            "operation_name": endpoint.operation_name,
            "endpoint": endpoint.path,
            "method": request.method,
            "is_billable": endpoint.is_billable,
            "is_streaming": body.stream in (True, "true"),
            "request_model": text_of(body.model) or deployment_of(url.path),
            "request_service_tier": text_of(body.service_tier),
            "service": identity.service,
            "environment": identity.environment,
            "host": self._host,
            "process_id": os.getpid(),
            "billing_account_id": headers.get("openai-organization"),
            "sub_account_id": headers.get("openai-project"),
            "sdk_version": headers.get("x-stainless-package-version"),
        }
        facts["call_site"], facts["call_function"] = call_site()
        facts["key_fingerprint"], facts["key_hint"] = self._keys.name(
            headers.get("authorization"), headers.get("api-key")
        )
        facts["record_id"] = new_id()
        facts["call_id"], facts["attempt"] = _call_of(request, headers, facts["record_id"])
        self._put_tags(facts, body)
        return facts

    def _put_tags(self, facts: dict[str, Any], body: RequestBody) -> None:
        tags = {**self._identity.tags, **current_tags()}
        for name in TAG_COLUMNS:
            facts[name] = tags.pop(name, None)
        if facts["user"] is None:
            facts["user"] = text_of(body.safety_identifier) or text_of(body.user)
        if tags:
            facts["tags"] = tags

    def _begin(self, facts: dict[str, Any], started_at: datetime) -> None:
        self._writer.begin(
            Begin(
                record_id=facts["record_id"],
                call_id=facts["call_id"],
                attempt=facts["attempt"],
                started_at=started_at,
                provider_name=facts["provider_name"],
                operation_name=facts["operation_name"],
                endpoint=facts["endpoint"],
                request_model=facts["request_model"],
                is_billable=facts["is_billable"],
                service=facts["service"],
                environment=facts["environment"],
                call_site=facts["call_site"],
                **{name: facts[name] for name in _BEGIN_TAGS},
            )
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """An exchange, and the body to send instead of the caller's with the caller's own (None: nothing to change)."""

    exchange: Exchange
    is_streaming: bool
    changed_content: bytes | None
    original_content: bytes | None


def new_id() -> str:
    """32 hex digits that sort by time: 48 bits of milliseconds, then 80 random bits."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def _headers(request: RequestLike) -> dict[str, str]:
    found = {}
    for name, value in request.headers.raw:
        key = name.lower()
        if key in _WANTED:
            found[key.decode("latin-1")] = value.decode("latin-1")
    return found


def _json_content(request: RequestLike, headers: Mapping[str, str]) -> bytes | None:
    if not headers.get("content-type", "").startswith("application/json"):
        return None
    return content_of(request)


def _call_of(request: RequestLike, headers: Mapping[str, str], record_id: str) -> tuple[str, int]:
    """The call this request belongs to, and its number in it.

    The SDK sends its retries from the same thread or task, one after the other, with a rising count.
    """
    count = headers.get("x-stainless-retry-count", "0")
    attempt = int(count) if count.isdigit() and len(count) < 4 else 0
    url = str(request.url)
    last = _last_call.get()
    is_retry = attempt > 0 and last is not None and (last.method, last.url) == (request.method, url)
    call_id = last.call_id if is_retry and last is not None and last.attempt < attempt else record_id
    _last_call.set(_Call(call_id, request.method, url, attempt))
    return call_id, attempt
