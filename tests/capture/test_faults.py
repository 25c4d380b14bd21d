"""What an error means: its class and the reason behind it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.fault_codes import BY_CODE, BY_STATUS, BY_TYPE, Fault
from monitor.capture.faults import error_fields, fault_of_answer, limit_of_headers
from monitor.capture.headers import Facts, read_headers

_CODES = {
    "authentication/key": "invalid_api_key",
    "authentication/account": "account_deactivated",
    "authentication": "authentication_error",
    "permission/region": "unsupported_country_region_territory",
    "permission": "insufficient_permissions",
    "quota/insufficient_quota": "insufficient_quota insufficient_user_quota pre_consume_token_quota_failed",
    "quota/credit_balance": "credit_balance_exhausted",
    "quota/organization_spend_limit": "organization_spend_limit_exceeded",
    "quota/project_spend_limit": "project_spend_limit_exceeded",
    "quota/usage_limit": "organization_usage_limit_exceeded usage_limit_exceeded",
    "quota/hard_limit": "billing_hard_limit_reached",
    "quota/billing_not_active": "billing_not_active",
    "quota/session_budget": "session_budget_exceeded",
    "rate_limit": "rate_limit_exceeded",
    "rate_limit/slow_down": "slow_down",
    "rate_limit/batch_queue": "token_limit_exceeded",
    "overloaded/flex_unavailable": "flex_unavailable",
    "overloaded": "server_is_overloaded server_overloaded overloaded resource_unavailable",
    "context_length": "context_length_exceeded",
    "context_length/output": "max_output_tokens",
    "content_filter": "content_filter content_policy_violation",
    "content_filter/prompt": "invalid_prompt ResponsibleAIPolicyViolation",
    "content_filter/image": "moderation_blocked image_content_policy_violation",
    "content_filter/bio": "bio_policy",
    "content_filter/cyber": "cyber_policy",
    "content_filter/misalignment": "misalignment_policy_violation",
    "not_found/model": "model_not_found model_not_available",
    "not_found/deployment": "DeploymentNotFound",
    "not_found/image": "image_file_not_found",
    "not_found/response": "response_not_found",
    "not_found": "not_found resource_not_found",
    "conflict/state": "response_already_completed active_turn_not_steerable",
    "timeout/server": "request_timeout",
    "timeout/vector_store": "vector_store_timeout",
    "timeout/batch": "batch_expired",
    "cancelled/batch": "batch_cancelled",
    "server": "server_error internal_error",
    "server/sandbox": "sandbox_error",
    "connection": "connection_failed",
    "invalid_request/image": """
        invalid_image invalid_image_format invalid_base64_image invalid_image_url image_too_large image_too_small
        image_parse_error invalid_image_mode image_file_too_large unsupported_image_media_type empty_image_file
        failed_to_download_image invalid_image_file
    """,
    "invalid_request/file": "invalid_file unsupported_file empty_file",
    "invalid_request/batch_line": "invalid_json_line duplicate_custom_id mismatched_model",
    "invalid_request/data_residency": "data_residency_mismatch",
    "invalid_request/version": "executor_version_incompatible",
    "invalid_request": """
        invalid_value missing_required_parameter unknown_parameter unsupported_parameter unsupported_value
        string_above_max_length invalid_type invalid_request
    """,
}


def _said(fault: Fault | None) -> str | None:
    return fault and "/".join(filter(None, fault))


@pytest.mark.parametrize(("said", "code"), [(said, code) for said, codes in _CODES.items() for code in codes.split()])
def test_every_code_has_a_class(said: str, code: str) -> None:
    """In an answer that says all is well, an event, a job or a line of a batch: the code alone tells."""
    assert _said(fault_of_answer(None, None, code)) == said


@pytest.mark.parametrize(
    ("status", "kind", "code", "said"),
    [
        (400, "invalid_request_error", None, "invalid_request"),
        (400, "invalid_request_error", "context_length_exceeded", "context_length"),
        (400, None, "content_filter", "content_filter"),
        (400, "image_generation_user_error", "moderation_blocked", "content_filter/image"),
        (400, "image_generation_user_error", None, "invalid_request"),
        (400, "invalid_request_error", "billing_hard_limit_reached", "quota/hard_limit"),
        (400, "invalid_request_error", "model_not_found", "not_found/model"),
        (401, "invalid_request_error", "invalid_api_key", "authentication/key"),
        (401, "invalid_request_error", None, "authentication"),
        (401, None, "401", "authentication"),
        (402, None, None, "quota"),
        (403, "request_forbidden", "unsupported_country_region_territory", "permission/region"),
        (403, "invalid_request_error", "model_not_found", "permission/model"),
        (403, "invalid_request_error", "insufficient_permissions", "permission"),
        (403, None, None, "permission"),
        (404, "invalid_request_error", "model_not_found", "not_found/model"),
        (404, "invalid_request_error", None, "not_found"),
        (404, None, "DeploymentNotFound", "not_found/deployment"),
        (408, None, None, "timeout/server"),
        (409, None, None, "conflict"),
        (407, None, None, "connection/proxy"),
        (410, None, None, "not_found"),
        (413, None, None, "invalid_request/size"),
        (418, None, None, "invalid_request"),
        (422, None, None, "invalid_request"),
        (429, "tokens", "rate_limit_exceeded", "rate_limit/tokens"),
        (429, "requests", "rate_limit_exceeded", "rate_limit/requests"),
        (429, "requests", None, "rate_limit/requests"),
        (429, "input-images", "rate_limit_exceeded", "rate_limit/input_images"),
        (429, "images", None, "rate_limit/images"),
        (429, "Too Many Requests!", "rate_limit_exceeded", "rate_limit"),
        (429, "insufficient_quota", "insufficient_quota", "quota/insufficient_quota"),
        (429, "insufficient_quota", "some_new_limit_exceeded", "quota"),
        (429, "insufficient_quota", "project_spend_limit_exceeded", "quota/project_spend_limit"),
        (429, "billing_not_active", None, "quota/billing_not_active"),
        (429, None, "429", "rate_limit"),
        (429, None, None, "rate_limit"),
        (429, "rate_limit_error", "slow_down", "rate_limit/slow_down"),
        (503, "rate_limit_error", "slow_down", "rate_limit/slow_down"),
        (429, "resource_unavailable", "resource_unavailable", "overloaded"),
        (499, None, None, "cancelled/client"),
        (500, "server_error", None, "server"),
        (502, None, None, "server/gateway"),
        (503, "service_unavailable_error", "server_is_overloaded", "overloaded"),
        (503, "server_error", None, "overloaded"),
        (503, None, None, "overloaded"),
        (504, None, None, "timeout/server"),
        (520, None, None, "server/gateway"),
        (599, None, None, "server"),
        (200, "insufficient_quota", "insufficient_quota", "quota/insufficient_quota"),
        (200, None, "rate_limit_exceeded", "rate_limit"),
        (200, "service_unavailable_error", None, "overloaded"),
        (200, "something", None, "server"),
        (200, None, "502", "server/gateway"),
        (None, None, "429", "rate_limit"),
        (None, None, "200", "server"),
        (200, None, None, None),
        (None, None, None, None),
    ],
)
def test_a_refusal_has_one_class(status: int | None, kind: str | None, code: str | None, said: str | None) -> None:
    """The code tells more than the type, the type more than the status."""
    assert _said(fault_of_answer(status, kind, code)) == said


@pytest.mark.parametrize(
    ("status", "code", "param", "said"),
    [
        (400, None, "service_tier", "invalid_request/service_tier"),
        (400, "unknown_parameter", "tools[0].function.parameters", "invalid_request/tools"),
        (400, "invalid_value", "metadata.customer", "invalid_request/metadata"),
        (400, "content_filter", "prompt", "content_filter/prompt"),
        (404, None, "completion_id", "not_found/completion_id"),
        (404, "model_not_found", "anything", "not_found/model"),
        (400, None, "What I wrote to my doctor", "invalid_request"),
        (400, None, "sk-proj-abc", "invalid_request"),
        (400, None, "a" * 41, "invalid_request"),
        (400, None, ["model"], "invalid_request"),
        (400, None, 7, "invalid_request"),
        (429, "rate_limit_exceeded", "model", "rate_limit"),
    ],
)
def test_the_parameter_is_the_reason(status: int, code: str | None, param: object, said: str) -> None:
    """Of a parameter its first name is kept; what is no name of one could be anything."""
    assert _said(fault_of_answer(status, "invalid_request_error", code, param=param)) == said


@pytest.mark.parametrize(
    ("tier", "kind", "code", "said"),
    [
        ("flex", "resource_unavailable", "resource_unavailable", "overloaded/flex_unavailable"),
        ("flex", None, "resource_unavailable", "overloaded/flex_unavailable"),
        ("flex", "tokens", "rate_limit_exceeded", "rate_limit/tokens"),
        ("flex", None, None, "rate_limit"),
        ("auto", "resource_unavailable", "resource_unavailable", "overloaded"),
    ],
)
def test_flex_without_room_is_told_apart(tier: str, kind: str | None, code: str | None, said: str) -> None:
    """There the way out is another tier; an unread refusal does not say so much."""
    assert _said(fault_of_answer(429, kind, code, tier=tier)) == said


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}, "requests"),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7m12s"}, "requests_per_day"),
        ({"x-ratelimit-remaining-requests": "0"}, "requests"),
        ({"x-ratelimit-remaining-tokens": "0"}, "tokens"),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-remaining-project-tokens": "0"}, "project_tokens"),
        ({"x-ratelimit-remaining-input-images": "0", "x-ratelimit-limit-tokens": "0"}, "input_images"),
        ({"x-ratelimit-remaining-tokens": "1200", "retry-after": "2"}, None),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": ""}, None),
        ({"Policy-Id": "DeploymentRatelimit-Token"}, "tokens"),
        ({"policy-id": "DeploymentRatelimit-Call"}, "requests"),
        ({"policy-id": "Something"}, None),
        ({"x-ratelimit-remaining-What I wrote": "0"}, None),
        ({}, None),
    ],
)
def test_headers_name_the_limit(headers: dict[str, str], limit: str | None) -> None:
    """The SDK leaves the body of a refusal unread that it will retry; what is used up is then the reason."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    facts: Facts = {}
    read_headers(raw, facts)

    assert limit_of_headers(facts, raw) == limit


@pytest.mark.parametrize(
    ("kind", "limit", "said"),
    [
        (None, "tokens", "rate_limit/tokens"),
        ("requests", "requests_per_day", "rate_limit/requests_per_day"),
        ("tokens", "project_tokens", "rate_limit/project_tokens"),
        ("tokens", "requests", "rate_limit/tokens"),
        ("rate_limit_error", "requests", "rate_limit/requests"),
    ],
)
def test_the_type_and_the_headers_say_it_together(kind: str | None, limit: str, said: str) -> None:
    """The type wins, unless a header says the same more exactly."""
    assert _said(fault_of_answer(429, kind, None, limit=limit)) == said


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            {"type": "tokens", "code": "rate_limit_exceeded"},
            429,
            ("rate_limit", "tokens", "tokens", "rate_limit_exceeded"),
        ),
        ({"type": None, "code": 40001}, 400, ("invalid_request", None, "400", "40001")),
        ({"code": "server_error"}, 200, ("server", None, "server_error", "server_error")),
        ({"code": "server_error"}, None, ("server", None, "server_error", "server_error")),
        ({"param": "tools[0].name"}, 400, ("invalid_request", "tools", "400", None)),
        ({}, None, ("server", None, "error", None)),
        (None, 503, ("overloaded", None, "503", None)),
        (
            {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"},
            400,
            ("invalid_request", None, "INVALID_ARGUMENT", "400"),
        ),
        ({"code": "429", "status": 429}, 429, ("rate_limit", None, "429", "429")),
        ("Too bad.", 200, ("server", None, "error", None)),
    ],
)
def test_an_error_fills_four_fields(error: object, status: int | None, said: tuple[str | None, ...]) -> None:
    """All of them, so that nothing stays of an earlier one; a refusal without a type is named by its status."""
    fields = error_fields(error, status)

    assert tuple(fields[name] for name in ("error_class", "error_reason", "error_type", "error_code")) == said
    assert len(fields) == 4


_TOO_LONG = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
_NO_MONEY = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        ({"message": _TOO_LONG, "type": "BadRequestError", "code": 400}, 400, "context_length"),
        ({"message": _TOO_LONG, "type": "invalid_request_error", "param": "messages"}, 400, "context_length"),
        ({"message": _TOO_LONG, "code": "invalid_value"}, 400, "invalid_request"),
        ({"message": _TOO_LONG}, 413, "context_length"),
        ({"message": _TOO_LONG}, 500, "context_length"),
        ({"message": _TOO_LONG}, 401, "authentication"),
        (_TOO_LONG, 200, "context_length"),
        ({"message": _NO_MONEY}, 429, "quota/insufficient_quota"),
        ({"message": _NO_MONEY, "code": 429, "type": "rate_limit_error"}, 429, "quota/insufficient_quota"),
        ({"message": f"{_NO_MONEY} Please retry in 33.2s."}, 429, "rate_limit/tokens"),
        ({"message": "upstream said: INSUFFICIENT_QUOTA"}, 500, "quota/insufficient_quota"),
        ({"message": "Billing hard limit has been reached"}, 400, "quota/hard_limit"),
        ({"message": _NO_MONEY, "code": "rate_limit_exceeded"}, 429, "rate_limit/tokens"),
        ({"message": "Slow down."}, 429, "rate_limit/tokens"),
        ({"message": [_NO_MONEY]}, 429, "rate_limit/tokens"),
        ({"message": "x" * 10_000 + _NO_MONEY}, 429, "rate_limit/tokens"),
    ],
)
def test_where_no_code_tells_the_message_does(error: object, status: int, said: str) -> None:
    """Of some servers it is all there is; where waiting helps, no money is lacking."""
    fields = error_fields(error, status, limit="tokens")

    assert "/".join(filter(None, (fields["error_class"], fields["error_reason"]))) == said
    assert not any("model's" in value or "plan" in value for value in fields.values() if value)


_words = st.none() | st.sampled_from([*BY_CODE, *BY_TYPE]) | st.text(max_size=30)


@given(
    status=st.none() | st.integers(0, 999) | st.sampled_from(list(BY_STATUS)),
    kind=_words,
    code=_words,
    param=_words | st.lists(st.integers()),
    tier=_words,
)
def test_any_error_has_a_class(status: int | None, kind: str | None, code: str | None, param: Any, tier: Any) -> None:
    """Whatever the server calls it; only an answer that is well and names no error has none."""
    fault = fault_of_answer(status, kind, code, param=param, tier=tier)

    is_well = (status is None or status < 400) and kind is None and code is None
    assert (fault is None) == is_well
