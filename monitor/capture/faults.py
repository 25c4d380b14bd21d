"""Faults that an answer states: the class, and the finer reason behind it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from monitor.capture.bodies import AnswerBody, text_of
from monitor.capture.endpoints import Endpoint
from monitor.capture.fault_codes import (
    BY_CODE,
    BY_STATUS,
    BY_TYPE,
    BY_WORDS,
    OTHER_REFUSAL,
    OTHER_TROUBLE,
    SAYS_TO_WAIT,
    Fault,
)

_NAMED_BY_PARAM: Final = frozenset({"invalid_request", "not_found", "content_filter"})
_VAGUE: Final = frozenset({"invalid_request", "rate_limit", "server"})
_LONGEST_MESSAGE: Final = 4096
_ROOT: Final = re.compile(r"([a-z][a-z0-9_]{0,39})(?:[.\[]|$)", re.ASCII)
_LIMIT: Final = re.compile(r"[a-z][a-z_-]{0,39}", re.ASCII)
_A_MINUTE: Final = 60.0
_POLICIES: Final = {b"token": "tokens", b"request": "requests", b"call": "requests"}


def refuses(endpoint: Endpoint, body: AnswerBody) -> bool:
    """Whether it is an error under a status that says all is well, as some servers send. A job's error is its own."""
    is_thing = endpoint.units is not None and body.id is not None
    return isinstance(body.error, Mapping) and body.usage is None and not is_thing


def error_fields(
    error: object, status: int | None, *, tier: str | None = None, limit: str | None = None
) -> dict[str, str | None]:
    """All fields of a record that tell of an error in an answer; None where it does not say.

    Args:
        error: what the answer states of it: a mapping with type and code, or something else that says little.
        status: of the answer; None for a job, or a line of a batch.
        tier: as for `fault_of_answer`; so is the other.
        limit: the limit that the headers show to be used up.
    """
    told = error if isinstance(error, Mapping) else {"message": error}
    kind, code = text_of(told.get("type")) or _name_of_google(told), text_of(told.get("code"))
    fault = fault_of_answer(status, kind, code, param=told.get("param"), tier=tier, limit=limit) or OTHER_TROUBLE
    if code not in BY_CODE and fault.error_class in _VAGUE:
        fault = _fault_in_words(told.get("message")) or fault
    is_refused = status is not None and status >= 400
    return {
        "error_class": fault.error_class,
        "error_reason": fault.reason,
        "error_type": kind or (str(status) if is_refused else code or "error"),
        "error_code": code,
    }


def fault_of_answer(
    status: int | None,
    error_type: str | None,
    error_code: str | None,
    *,
    param: object = None,
    tier: str | None = None,
    limit: str | None = None,
) -> Fault | None:
    """The fault of an answered request, None when nothing is wrong. Codes tell more than types, types than statuses.

    Args:
        status: of the answer; None for a job, or a line of a batch.
        error_type: `type` of the error it states.
        error_code: `code` of it.
        param: `param` of it, anything.
        tier: the service tier that was asked for.
        limit: the limit that the headers show to be used up, from `limit_of_headers`.
    """
    if status is None or status < 400:
        if error_type is None and error_code is None:
            return None
        status = _status_in(error_code)
    found = _found(status, error_type, error_code)
    if found.reason is not None:
        return found
    if found.error_class == "rate_limit":
        return Fault("rate_limit", _limit_of(error_type, limit))
    if found.error_class == "overloaded" and status == 429 and tier == "flex":
        return BY_CODE["flex_unavailable"]
    if found.error_class in _NAMED_BY_PARAM and isinstance(param, str) and (root := _ROOT.match(param)):
        return Fault(found.error_class, root[1])
    return found


def _name_of_google(told: Mapping[str, Any]) -> str | None:
    """Google calls `status` what others call `type`; Azure puts the number there."""
    name = told.get("status")
    return text_of(name) if isinstance(name, str) else None


def _fault_in_words(message: object) -> Fault | None:
    """What the message says of it; None where that is nothing that is known. The message itself is not kept."""
    if not isinstance(message, str):
        return None
    words = message[:_LONGEST_MESSAGE].lower()
    said = next((fault for phrase, fault in BY_WORDS.items() if phrase in words), None)
    may_wait = said is not None and said.error_class == "quota" and any(wait in words for wait in SAYS_TO_WAIT)
    return None if may_wait else said


def _found(status: int | None, error_type: str | None, error_code: str | None) -> Fault:
    found = BY_CODE.get(error_code or "")
    if status == 403 and (found is None or found.error_class == "not_found"):
        # A model that the key has no right to is said not to exist.
        return Fault("permission", found and found.reason)
    if found is None and status in (None, 429):
        found = BY_TYPE.get(error_type or "")
    if found is not None:
        return found
    if status is None:
        return OTHER_TROUBLE
    return BY_STATUS.get(status, OTHER_TROUBLE if status >= 500 else OTHER_REFUSAL)


def _status_in(code: str | None) -> int | None:
    """Some servers state the status of a refusal as its code, inside an answer that says all is well."""
    return int(code) if code and len(code) == 3 and code.isascii() and code.isdigit() and code[0] in "45" else None


def _limit_of(error_type: str | None, limit: str | None) -> str | None:
    """The type of a refusal names the limit; headers tell more where they show a part of it to be used up."""
    if error_type is None or error_type in _GENERAL or not _LIMIT.fullmatch(error_type):
        return limit
    told = error_type.replace("-", "_")
    return limit if limit is not None and told in limit else told


_GENERAL: Final = frozenset({"rate_limit_error", "rate_limit_exceeded", "error", *BY_TYPE} - {"requests", "tokens"})


def limit_of_headers(facts: Mapping[str, Any], raw: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Which limit the headers of a refusal show to be used up; None when they do not.

    Args:
        facts: what `read_headers` made of them.
        raw: the headers themselves.
    """
    if facts.get("requests_remaining") == 0:
        # A limit by the minute is full again within one.
        return "requests_per_day" if facts.get("requests_reset", 0.0) > _A_MINUTE else "requests"
    for name, left in facts.get("other_limits", {}).items():
        what = name.removeprefix("remaining-")
        if left == 0 and what != name and _LIMIT.fullmatch(what):
            return str(what.replace("-", "_"))
    if facts.get("tokens_remaining") == 0:
        return "tokens"
    return _limit_of_policy(raw)


def _limit_of_policy(raw: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Azure names the rule that refused: `DeploymentRatelimit-Token`."""
    for name, value in raw:
        if name.lower() == b"policy-id":
            policy = value.lower()
            return next((limit for word, limit in _POLICIES.items() if word in policy), None)
    return None
