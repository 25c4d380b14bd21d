"""Makes the records of one past call, as capture would have written them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import openai
from msgspec import structs

from monitor.capture.keys import KeyNames
from monitor.demo.api_app import ORGANIZATION, project_of
from monitor.demo.company import CHAT, EMBEDDINGS, RESPONSES, Feature, Service
from monitor.demo.draws import Draw, draw_request
from monitor.demo.limits import RateLimits
from monitor.demo.programs import place_of
from monitor.demo.rates import Rates
from monitor.records import Record

_ATTEMPTS: Final = 3
_TIMEOUT: Final = 10.0
_TRANSPORT: Final = 0.003
_WAITS: Final = (0.4, 0.7, 1.2)
_BREAK_RATE: Final = 0.006
_BROKEN: Final = {
    "outcome": "interrupted",
    "error_class": "connection",
    "error_type": "RemoteProtocolError",
}


@dataclass(frozen=True, slots=True)
class _Failure:
    rate: float
    error_class: str
    status: int | None
    error_type: str
    error_code: str | None = None
    is_retried: bool = True
    error_reason: str | None = None


_RATE_LIMIT: Final = _Failure(0.009, "rate_limit", 429, "tokens", "rate_limit_exceeded", error_reason="tokens")
_NOT_FOUND: Final = _Failure(
    0.0, "not_found", 404, "invalid_request_error", "model_not_found", is_retried=False, error_reason="model"
)
_TOO_LONG: Final = _Failure(
    0.001, "context_length", 400, "invalid_request_error", "context_length_exceeded", is_retried=False
)
_FAILURES: Final = (
    _RATE_LIMIT,
    _TOO_LONG,
    _Failure(0.0002, "quota", 429, "insufficient_quota", "insufficient_quota", error_reason="insufficient_quota"),
    _Failure(0.004, "server", 500, "server_error"),
    _Failure(0.004, "overloaded", 503, "service_unavailable_error", "server_is_overloaded"),
    _Failure(0.0015, "timeout", None, "ReadTimeout", error_reason="read"),
    _Failure(0.001, "connection", None, "ConnectError", error_reason="refused"),
)


class Past:
    """Makes records; one object for one history, for the rate limits count on from call to call."""

    def __init__(self, random: Random, *, rates: Rates, secret: bytes) -> None:
        """Draw from `random`; `secret` salts the fingerprints of keys, as capture does."""
        self._random = random
        self._rates = rates
        self._keys = KeyNames(secret)
        self._limits = RateLimits()
        self._facts: dict[tuple[str, str], dict[str, Any]] = {}

    def call(
        self, service: Service[Any], feature: Feature[Any], *, at: float, is_long: bool, refusal_rate: float
    ) -> list[tuple[Record, int]]:
        """The requests of one call at the second `at`, each with its list cost in picodollars."""
        draw = draw_request(self._random, feature, is_long=is_long)
        facts = self._facts_of(service, feature)
        self._add_user(facts, feature)
        facts["call_id"] = self._new_id(at)
        facts["request_model"] = draw.model_name
        requests: list[tuple[Record, int]] = []
        for attempt in range(_ATTEMPTS):
            failure = self._failure(draw, refusal_rate)
            moment = facts.copy()
            moment["record_id"] = self._new_id(at) if attempt else facts["call_id"]
            moment["attempt"] = attempt
            moment["started_at"] = datetime.fromtimestamp(at, UTC)
            if failure is None:
                requests.append(self._answered(moment, feature, draw, at))
                break
            record = self._failed(moment, draw, failure, at)
            if feature.is_streaming and failure.is_retried and failure.status and attempt + 1 < _ATTEMPTS:
                record = _unread(record)
            requests.append((record, 0))
            if not failure.is_retried:
                break
            at += (record.duration or 0.0) + max(record.retry_after or 0.0, 0.5 * 2**attempt)
        return requests

    def _failure(self, draw: Draw, refusal_rate: float) -> _Failure | None:
        if draw.model is None:
            return _NOT_FOUND
        if draw.input_tokens > draw.model.context_window:
            return _TOO_LONG
        dice = self._random.random() - refusal_rate
        if dice < 0:
            return _RATE_LIMIT
        for failure in _FAILURES:
            dice -= failure.rate
            if dice < 0:
                return failure
        return None

    def _answered(self, facts: dict[str, Any], feature: Feature[Any], draw: Draw, at: float) -> tuple[Record, int]:
        first, duration = draw.timing.first_chunk, draw.timing.duration
        picodollars = 0
        facts["status"] = 200
        facts["server_duration"] = round(duration, 3)
        if feature.is_streaming:
            facts["server_duration"] = round(first, 3)
            facts["time_to_first_chunk"] = round(first + _TRANSPORT, 6)
        if feature.is_streaming and self._random.random() < _BREAK_RATE:
            # What a stream that broke off used up is not known.
            duration = first + (duration - first) / 2
            facts |= _BROKEN
        else:
            _add_usage(facts, feature, draw)
            picodollars = self._rates.picodollars(draw, feature.service_tier)
        facts["duration"] = round(duration + _TRANSPORT, 6)
        self._add_headers(facts, draw, at + duration)
        if draw.model is not None:
            facts["response_model"] = draw.model.answers_as
        if feature.endpoint != EMBEDDINGS:
            prefix = "resp_" if feature.endpoint == RESPONSES else "chatcmpl-"
            facts["response_id"] = f"{prefix}{self._random.getrandbits(128):032x}"
            facts["service_tier"] = feature.service_tier or "default"
        return Record(**facts), picodollars

    def _failed(self, facts: dict[str, Any], draw: Draw, failure: _Failure, at: float) -> Record:
        duration = _TIMEOUT if failure.error_class == "timeout" else self._random.uniform(0.02, 0.15)
        facts["outcome"] = "failed"
        facts["status"] = failure.status
        facts["error_class"] = failure.error_class
        facts["error_type"] = failure.error_type
        facts["error_code"] = failure.error_code
        facts["error_reason"] = failure.error_reason
        facts["duration"] = round(duration, 6)
        if failure is _RATE_LIMIT:
            self._add_headers(facts, draw, at + duration)
            facts["tokens_remaining"] = 0
            facts["retry_after"] = self._random.choice(_WAITS)
        if failure.status is None:
            facts["billing_account_id"] = facts["sub_account_id"] = None
        else:
            facts["request_id"] = f"req_{self._random.getrandbits(128):032x}"
            facts["server_duration"] = round(duration * 0.8, 3)
        return Record(**facts)

    def _add_headers(self, facts: dict[str, Any], draw: Draw, at: float) -> None:
        facts["request_id"] = f"req_{self._random.getrandbits(128):032x}"
        if draw.model is None:
            return
        state = self._limits.take(draw.model, tokens=draw.input_tokens, at=at)
        facts["requests_limit"] = state.requests_limit
        facts["requests_remaining"] = state.requests_remaining
        facts["tokens_limit"] = state.tokens_limit
        facts["tokens_remaining"] = state.tokens_remaining
        facts["requests_reset"] = facts["tokens_reset"] = round(state.reset, 3)

    def _add_user(self, facts: dict[str, Any], feature: Feature[Any]) -> None:
        user = feature.draw_user(self._random)
        if user is not None:
            facts["user"] = user
            if feature.has_sessions:
                facts["session"] = f"s_{user[2:]}{self._random.randrange(4)}"

    def _facts_of(self, service: Service[Any], feature: Feature[Any]) -> dict[str, Any]:
        key = service.name, feature.name
        if key not in self._facts:
            self._facts[key] = self._fixed(service, feature)
        return self._facts[key].copy()

    def _fixed(self, service: Service[Any], feature: Feature[Any]) -> dict[str, Any]:
        place = place_of(feature)
        fingerprint, hint = self._keys.name(f"Bearer {service.key}", None)
        return {
            "provider_name": "openai",
            "operation_name": feature.operation_name,
            "endpoint": feature.endpoint,
            "request_service_tier": feature.service_tier,
            "is_streaming": feature.is_streaming,
            "is_billable": True,
            "service": service.name,
            "environment": service.environment,
            "host": service.host,
            "process_id": self._random.randint(800, 30_000),
            "billing_account_id": ORGANIZATION,
            "sub_account_id": project_of(service.key),
            "key_fingerprint": fingerprint,
            "key_hint": hint,
            "team": service.team,
            "feature": feature.name,
            "call_site": f"{place.file}:{place.line}",
            "call_function": place.function,
            "tags": {"release": service.release},
            "sdk_version": openai.__version__,
        }

    def _new_id(self, at: float) -> str:
        return f"{int(at * 1000):012x}{self._random.getrandbits(80):020x}"


def _unread(record: Record) -> Record:
    # The SDK closes a stream that it will ask for again without reading why it was refused: the status is all.
    error_class = "rate_limit" if record.status == 429 else record.error_class
    facts = {"error_class": error_class, "error_type": str(record.status), "error_code": None}
    # Only headers tell which limit it was.
    reason = record.error_reason if record.error_class == "rate_limit" else None
    return structs.replace(record, **facts, error_reason=reason)


def _add_usage(facts: dict[str, Any], feature: Feature[Any], draw: Draw) -> None:
    facts["usage_source"] = "response"
    facts["input_tokens"] = draw.input_tokens
    if draw.model is None or draw.model.is_embedding:
        return
    facts["output_tokens"] = draw.answer.output_tokens
    facts["cache_read_input_tokens"] = draw.cached_tokens
    facts["cache_creation_input_tokens"] = draw.written_tokens
    facts["reasoning_output_tokens"] = draw.answer.reasoning_tokens
    if feature.endpoint == CHAT:
        facts["finish_reasons"] = ["length"] if draw.answer.is_cut else ["stop"]
        facts["input_audio_tokens"] = facts["output_audio_tokens"] = 0
    elif draw.answer.is_cut:
        facts["finish_reasons"] = ["max_output_tokens"]
