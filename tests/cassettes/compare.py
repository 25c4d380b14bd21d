"""Holds a row of the ledger against what is known of the interaction it came from."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.cassettes.material import Row

Stored = dict[str, Any]

_READS: Final = frozenset(
    """
    chat.retrieve chat.list chat.update responses.retrieve responses.cancel assistants.run_steps
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
"""Kinds whose answers state usage that an earlier request was charged for."""

WORKS: Final = ("assistants.runs", "batches")
"""Kinds whose answers are about work that one request begins and others report on: where its usage counts is decided
over all of them."""

_UNFINISHED: Final = ("validating", "in_progress", "finalizing", "cancelling")
_DATA: Final = re.compile(rb'"data":\s*\[\s*\{')

_ENDS: Final = re.compile(rb'"type":\s*"response\.(?:completed|incomplete|failed)"')
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_WAIT: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One field that is not as it should be."""

    row: Row
    field: str
    expected: object
    stored: object


def mismatches(row: Row, stored: Stored) -> list[Mismatch]:
    """Every field of a stored request that differs from the recorded interaction."""
    return [
        Mismatch(row=row, field=field, expected=wanted, stored=stored[field])
        for field, wanted in expected_of(row).items()
        if not _is_equal(wanted, stored[field]) and not (field in _TOLD_LATE and _is_otherwise_known(row, stored))
    ]


def _is_otherwise_known(row: Row, stored: Stored) -> bool:
    """Whether the usage of a row is not what its own answer states: an estimate, or what came late."""
    is_estimate = stored["usage_source"] == "estimated" and (row.is_event_stream or _is_transcript(row))
    states_its_usage = row.expected["has_usage"] and not is_unfinished(row)
    return not states_its_usage and (is_estimate or row.kind in WORKS)


def _is_transcript(row: Row) -> bool:
    return row.kind == "audio.transcriptions" and b"-->" in row.response_body


@dataclass(frozen=True)
class OneOf:
    """Stands for a list that holds a value: the material knows one choice of an answer only."""

    value: object


USAGE: Final = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cached_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
    "reasoning_output_tokens": "reasoning_tokens",
    "input_audio_tokens": "audio_input_tokens",
    "output_audio_tokens": "audio_output_tokens",
    "input_image_tokens": "image_input_tokens",
    "output_image_tokens": "image_output_tokens",
    "audio_seconds": "audio_seconds",
}
"""Columns of the ledger, and the names of the same figures in the material."""

_TOLD_LATE: Final = frozenset({*USAGE, "usage_source", "response_model"})


@dataclass(frozen=True)
class AnyOf:
    """Stands for one of some values."""

    values: tuple[object, ...]


def expected_of(row: Row) -> Stored:
    """What the ledger must say about an interaction."""
    expected, headers = row.expected, row.response_headers
    wanted = {
        "method": row.method,
        "status": row.status,
        "request_model": expected["request_model"] or _deployment(row) or _old_model(row),
        "response_model": expected["model"] or _model_of_session(row),
        "response_id": expected["response_id"],
        "service_tier": expected["service_tier"],
        "request_service_tier": expected["request_service_tier"],
        "is_streaming": bool(expected["request_stream"] or expected["stream"]),
        "provider_name": "azure.ai.openai" if row.is_azure else "openai",
        "usage_source": _usage_source(row),
        "error_code": expected["error_code"],
        "request_id": headers.get("x-request-id") or headers.get("apim-request-id"),
        "billing_account_id": headers.get("openai-organization"),
        "sub_account_id": headers.get("openai-project"),
        "server_duration": _scaled(headers.get("openai-processing-ms"), 0.001),
        **{column: None if is_unfinished(row) else expected[name] for column, name in USAGE.items()},
        **_limits(expected["ratelimit"] or {}),
    }
    if expected["error_type"] is not None:
        wanted["error_type"] = expected["error_type"]
    if row.kind in ("chat", "completions"):
        wanted["finish_reasons"] = OneOf(expected["finish_reason"]) if expected["finish_reason"] else None
    return wanted


def _deployment(row: Row) -> str | None:
    match = re.search(r"/openai/deployments/([^/]+)/", row.url)
    return match[1] if match else None


def is_unfinished(row: Row) -> bool:
    """Whether it tells of work that goes on: batches state zeros until they have ended."""
    if row.kind not in WORKS or row.is_event_stream:
        return False
    return any(f'"status": "{state}"'.encode() in row.response_body for state in _UNFINISHED)


def _usage_source(row: Row) -> object:
    if row.kind in WORKS and row.expected["has_usage"]:
        return "none" if is_unfinished(row) else AnyOf(("response", "repeated"))
    if not row.expected["has_usage"]:
        return "response" if states_units(row) else "none"
    return "repeated" if row.kind in _READS else "response"


def states_units(row: Row) -> bool:
    """Whether something else counts than tokens: characters that were spoken, pictures, a container."""
    if row.status >= 400 or row.method != "POST":
        return False
    if row.kind.startswith("images."):
        return _DATA.search(row.response_body) is not None
    is_container = row.kind == "containers" and row.url.endswith("/containers")
    return is_container or (row.kind == "audio.speech" and b'"input"' in (row.request_body or b""))


def _old_model(row: Row) -> str | None:
    """The model that makes pictures where none is named and no tokens are stated, as the API documents it."""
    is_old = row.kind.startswith("images.") and states_units(row) and not row.expected["has_usage"]
    return "dall-e-2" if is_old else None


def _model_of_session(row: Row) -> str | None:
    model = re.search(rb'"session":\s*\{[^{}]*"model":\s*"([^"]+)"', row.response_body)
    return model[1].decode() if model and row.kind == "realtime" else None


def _limits(headers: dict[str, str]) -> Stored:
    wanted: Stored = {
        f"{what}_{kind}": None for what in ("requests", "tokens") for kind in ("limit", "remaining", "reset")
    }
    others: dict[str, float] = {}
    for header, text in headers.items():
        if not header.startswith("x-ratelimit-"):
            continue
        kind, _, what = header.removeprefix("x-ratelimit-").partition("-")
        value = seconds(text) if kind == "reset" else _scaled(text, 1)
        if f"{what}_{kind}" in wanted:
            wanted[f"{what}_{kind}"] = value
        elif value is not None:
            others[f"{kind}-{what}"] = value
    wanted["other_limits"] = others or None
    wanted["retry_after"] = _scaled(headers.get("retry-after-ms"), 0.001) or _scaled(headers.get("retry-after"), 1)
    return wanted


def seconds(text: str) -> float | None:
    """A wait as the API writes it (`6m0s`, `20ms`, bare seconds), read with another pattern than the program's."""
    match = _WAIT.fullmatch(text)
    if match is None or not text:
        return _scaled(text, 1)
    hours, minutes, whole, thousandths = (float(part) if part else 0.0 for part in match.groups())
    return hours * 3600 + minutes * 60 + whole + thousandths / 1000


def _scaled(text: str | None, factor: float) -> float | None:
    return float(text) * factor if text and _NUMBER.fullmatch(text) else None


def _is_equal(wanted: object, stored: object) -> bool:
    if isinstance(wanted, dict) and isinstance(stored, dict):
        return wanted.keys() == stored.keys() and all(_is_equal(wanted[key], stored[key]) for key in wanted)
    if isinstance(wanted, int | float) and isinstance(stored, int | float):
        return abs(wanted - stored) < 1e-6
    if isinstance(wanted, AnyOf):
        return stored in wanted.values
    if isinstance(wanted, OneOf):
        return isinstance(stored, list) and wanted.value in stored
    return wanted == stored


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why some differences are as they must be."""

    reason: str
    holds: Callable[[Mismatch], bool]


EXPLAINED: Final = (
    Explanation(
        reason="the material names the id of the last segment of a transcript, which is not the id of an answer",
        holds=lambda found: found.field == "response_id" and found.row.kind == "audio.transcriptions",
    ),
    Explanation(
        reason="the recording holds several answers one after the other; a request has one, and it is the first",
        holds=lambda found: len(_ENDS.findall(found.row.response_body)) > 1,
    ),
    Explanation(
        reason="made by hand: a stream that nobody asked for, under the content type of JSON",
        holds=lambda found: (
            found.row.is_event_stream
            and not found.row.expected["request_stream"]
            and found.row.response_headers.get("content-type") == "application/json"
        ),
    ),
)


def explanation_of(found: Mismatch) -> Explanation | None:
    """Why this difference is as it must be; None where nothing explains it."""
    return next((explanation for explanation in EXPLAINED if explanation.holds(found)), None)


def shows_unasked_usage(row: Row) -> bool:
    """Whether a stream tells its usage to a caller who did not ask for it.

    The wrapper asks in his place and hides the answer; a server that tells it anyway looks the same.
    """
    is_asked = row.expected["request_include_usage"] or not row.expected["request_stream"]
    return (
        row.is_event_stream and row.kind in ("chat", "completions") and not is_asked and b'"usage"' in row.response_body
    )
