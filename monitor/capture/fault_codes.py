"""Faults as the provider names them, by code, by type and by status.

Classes are few and telling: what to do differs from one to the next. The reason says which limit, which bar to
paying, which part of the request.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from monitor.records import UNREADABLE


class Fault(NamedTuple):
    """What kind of failure it is, and why; a reason of None says that nothing told it."""

    error_class: str
    reason: str | None = None


def _faults(error_class: str, **reasons: str) -> dict[str, Fault]:
    """A fault for each code, by its reason."""
    return {code: Fault(error_class, reason) for reason, codes in reasons.items() for code in codes.split()}


BY_CODE: Final[Mapping[str, Fault]] = {
    **_faults(
        "quota",
        insufficient_quota="insufficient_quota insufficient_user_quota pre_consume_token_quota_failed",
        hard_limit="billing_hard_limit_reached",
        organization_spend_limit="organization_spend_limit_exceeded",
        project_spend_limit="project_spend_limit_exceeded",
        usage_limit="organization_usage_limit_exceeded usage_limit_exceeded",
        billing_not_active="billing_not_active",
        credit_balance="credit_balance_exhausted",
        session_budget="session_budget_exceeded",
    ),
    **_faults("rate_limit", slow_down="slow_down", batch_queue="token_limit_exceeded"),
    "rate_limit_exceeded": Fault("rate_limit"),
    "rate_limit_reached": Fault("rate_limit"),
    **_faults("overloaded", flex_unavailable="flex_unavailable"),
    "server_is_overloaded": Fault("overloaded"),
    "server_overloaded": Fault("overloaded"),
    "overloaded": Fault("overloaded"),
    "resource_unavailable": Fault("overloaded"),
    "context_length_exceeded": Fault("context_length"),
    **_faults("context_length", output="max_output_tokens"),
    "content_filter": Fault("content_filter"),
    "content_policy_violation": Fault("content_filter"),
    **_faults(
        "content_filter",
        prompt="invalid_prompt ResponsibleAIPolicyViolation",
        image="moderation_blocked image_content_policy_violation",
        bio="bio_policy",
        cyber="cyber_policy",
        misalignment="misalignment_policy_violation",
    ),
    **_faults("not_found", model="model_not_found model_not_available", deployment="DeploymentNotFound"),
    **_faults("not_found", image="image_file_not_found", response="response_not_found"),
    "not_found": Fault("not_found"),
    "resource_not_found": Fault("not_found"),
    **_faults("authentication", key="invalid_api_key", account="account_deactivated"),
    "authentication_error": Fault("authentication"),
    "insufficient_permissions": Fault("permission"),
    **_faults("permission", region="unsupported_country_region_territory"),
    "server_error": Fault("server"),
    "internal_error": Fault("server"),
    **_faults("server", sandbox="sandbox_error"),
    **_faults("timeout", server="request_timeout", vector_store="vector_store_timeout", batch="batch_expired"),
    **_faults("cancelled", batch="batch_cancelled"),
    **_faults("conflict", state="response_already_completed active_turn_not_steerable"),
    **_faults(
        "invalid_request",
        image="""
            invalid_image invalid_image_format invalid_base64_image invalid_image_url invalid_image_mode
            invalid_image_file image_too_large image_too_small image_parse_error image_file_too_large empty_image_file
            unsupported_image_media_type failed_to_download_image
        """,
        file="invalid_file unsupported_file empty_file",
        batch_line="invalid_json_line duplicate_custom_id mismatched_model",
        data_residency="data_residency_mismatch",
        version="executor_version_incompatible",
    ),
    **dict.fromkeys(
        """
        invalid_value missing_required_parameter unknown_parameter unsupported_parameter unsupported_value
        string_above_max_length invalid_type invalid_request invalid_function_parameters invalid_language_format
        """.split(),  # noqa: SIM905 - words read better than a column of quotes
        Fault("invalid_request"),
    ),
    "connection_failed": Fault("connection"),
}
"""What a `code` says, wherever it stands: in an answer, in an event, in a job, in a line of a batch."""

BY_TYPE: Final[Mapping[str, Fault]] = {
    "insufficient_quota": Fault("quota"),
    "billing_not_active": Fault("quota", "billing_not_active"),
    "requests": Fault("rate_limit"),
    "tokens": Fault("rate_limit"),
    "rate_limit_error": Fault("rate_limit"),
    "authentication_error": Fault("authentication"),
    "permission_error": Fault("permission"),
    "request_forbidden": Fault("permission"),
    "not_found_error": Fault("not_found"),
    "server_error": Fault("server"),
    "api_error": Fault("server"),
    "service_unavailable_error": Fault("overloaded"),
    "overloaded_error": Fault("overloaded"),
    "resource_unavailable": Fault("overloaded"),
    "timeout_error": Fault("timeout", "server"),
    "invalid_request_error": Fault("invalid_request"),
    "image_generation_user_error": Fault("invalid_request"),
    **dict.fromkeys(("JSONDecodeError", "UnicodeDecodeError", "RecursionError"), Fault(UNREADABLE, "json")),
}
"""What a `type` says where neither code nor status say more."""

BY_STATUS: Final[Mapping[int, Fault]] = {
    400: Fault("invalid_request"),
    401: Fault("authentication"),
    402: Fault("quota"),
    403: Fault("permission"),
    404: Fault("not_found"),
    407: Fault("connection", "proxy"),
    408: Fault("timeout", "server"),
    409: Fault("conflict"),
    410: Fault("not_found"),
    413: Fault("invalid_request", "size"),
    429: Fault("rate_limit"),
    499: Fault("cancelled", "client"),
    502: Fault("server", "gateway"),
    503: Fault("overloaded"),
    504: Fault("timeout", "server"),
    **{status: Fault("server", "gateway") for status in (*range(520, 528), 530)},
    529: Fault("overloaded"),
}
OTHER_REFUSAL: Final = Fault("invalid_request")
OTHER_TROUBLE: Final = Fault("server")
"""What a status says that has no row: below 500, and from there on."""

_TOO_LONG: Final = Fault("context_length")
BY_WORDS: Final[Mapping[str, Fault]] = {
    "maximum context length": _TOO_LONG,
    "context_length_exceeded": _TOO_LONG,
    "context length exceeded": _TOO_LONG,
    "exceeds the context window": _TOO_LONG,
    "exceeds the available context size": _TOO_LONG,
    "longer than the maximum model length": _TOO_LONG,
    "longer than the model's context length": _TOO_LONG,
    "maximum number of tokens allowed": _TOO_LONG,
    "prompt is too long": _TOO_LONG,
    "insufficient_quota": BY_CODE["insufficient_quota"],
    "exceeded your current quota": BY_CODE["insufficient_quota"],
    "billing hard limit has been reached": BY_CODE["billing_hard_limit_reached"],
}
"""What a message says, in small letters, where no code does: some servers have nothing else."""

SAYS_TO_WAIT: Final = ("retry in", "try again in", "retry after")
"""A quota that is there again soon is a rate limit, as Google means it."""
