"""Classes of failure, few and telling: what to do differs from one to the next."""

from typing import Final

_BY_CODE: Final = {
    "insufficient_quota": "quota",
    "credit_balance_exhausted": "quota",
    "organization_spend_limit_exceeded": "quota",
    "project_spend_limit_exceeded": "quota",
    "organization_usage_limit_exceeded": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "rate_limit_exceeded": "rate_limit",
    "slow_down": "rate_limit",
    "context_length_exceeded": "context_length",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "moderation_blocked": "content_filter",
    "invalid_prompt": "content_filter",
    "model_not_found": "not_found",
    "DeploymentNotFound": "not_found",
    "invalid_api_key": "authentication",
    "server_error": "server",
    "server_is_overloaded": "overloaded",
    "insufficient_permissions": "permission",
}
_BY_TYPE: Final = {
    "insufficient_quota": "quota",
    "requests": "rate_limit",
    "tokens": "rate_limit",
    "rate_limit_error": "rate_limit",
    "authentication_error": "authentication",
    "server_error": "server",
    "service_unavailable_error": "overloaded",
    "invalid_request_error": "invalid_request",
}
_BY_STATUS: Final = {
    400: "invalid_request",
    401: "authentication",
    402: "quota",
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "conflict",
    413: "invalid_request",
    422: "invalid_request",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
}
_BY_EXCEPTION: Final = {
    "ConnectTimeout": "timeout",
    "ReadTimeout": "timeout",
    "WriteTimeout": "timeout",
    "PoolTimeout": "timeout",
    "TimeoutError": "timeout",
    "CancelledError": "cancelled",
    "KeyboardInterrupt": "cancelled",
    "GeneratorExit": "cancelled",
    "SystemExit": "cancelled",
    "DecodingError": "parse",
}


def class_of_answer(status: int | None, error_type: str | None, error_code: str | None) -> str | None:
    """The class of an answered request, None when nothing is wrong. Codes tell more than types, types than statuses.

    `model_not_found` under a 403 is a missing right, not a missing model.
    """
    if status == 403:
        return "permission"
    found = _BY_CODE.get(error_code or "")
    if found is None and (status is None or status < 400 or status == 429):
        found = _BY_TYPE.get(error_type or "")
    if found is not None:
        return found
    if status is None or status < 400:
        return "server" if error_type or error_code else None
    return _BY_STATUS.get(status, "server" if status >= 500 else "invalid_request")


def class_of_exception(error: BaseException) -> str:
    """The class of a request that got no answer, by the name of what the transport raised."""
    for kind in type(error).__mro__:
        if kind.__name__ in _BY_EXCEPTION:
            return _BY_EXCEPTION[kind.__name__]
    return "connection"
