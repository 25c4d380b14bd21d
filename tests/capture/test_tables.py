"""The tables of capture: endpoints, providers, limits, faults."""

import email.utils
from datetime import UTC, datetime, timedelta

import pytest

from monitor.capture.endpoints import deployment_of, endpoint_of
from monitor.capture.faults import class_of_answer, class_of_exception
from monitor.capture.limits import limit_fields, number_of, retry_after, seconds_of
from monitor.capture.providers import provider_of


@pytest.mark.parametrize(
    ("method", "path", "operation", "normal", "marks"),
    [
        ("POST", "/v1/chat/completions", "chat", "/chat/completions", "billable usage"),
        ("POST", "/openai/v1/chat/completions", "chat", "/chat/completions", "billable usage"),
        ("POST", "/openai/deployments/my-gpt/chat/completions", "chat", "/chat/completions", "billable usage"),
        ("POST", "//openai/deployments/my-gpt/embeddings", "embeddings", "/embeddings", "billable"),
        ("POST", "/api/v1/chat/completions", "chat", "/chat/completions", "billable usage"),
        ("POST", "/v1beta/openai/embeddings", "embeddings", "/embeddings", "billable"),
        ("POST", "/team/proxy/v1/responses", "chat", "/responses", "billable"),
        ("POST", "/openai/v1/responses", "chat", "/responses", "billable"),
        ("POST", "/v1/projects/p/locations/l/publishers/openai/v1/responses", "chat", "/responses", "billable"),
        ("POST", "/chat/completions", "chat", "/chat/completions", "billable usage"),
        ("GET", "/v1/chat/completions/chatcmpl-1", "retrieve_chat", "/chat/completions/{id}", "repeat"),
        ("DELETE", "/v1/chat/completions/chatcmpl-1", "delete_chat", "/chat/completions/{id}", ""),
        ("GET", "/v1/responses/resp_1", "retrieve_response", "/responses/{id}", "repeat"),
        ("POST", "/v1/responses/compact", "chat", "/responses/compact", "billable"),
        ("POST", "/v1/responses/input_tokens", "count_tokens", "/responses/input_tokens", ""),
        ("POST", "/v1/responses/resp_1/cancel", "cancel_response", "/responses/{id}/cancel", "repeat"),
        ("GET", "/v1/batches/batch_1", "retrieve_batch", "/batches/{id}", "repeat"),
        ("POST", "/v1/threads/thread_1/runs", "run", "/threads/{id}/runs", "billable"),
        ("GET", "/v1/threads/thread_1/runs/run_1", "retrieve_run", "/threads/{id}/runs/{id}", "repeat"),
        ("GET", "/v1/models", "models", "/models", ""),
        ("DELETE", "/v1/models/ft:gpt-4o:org::abc", "models", "/models/{id}", ""),
        ("POST", "/v1/audio/transcriptions", "transcription", "/audio/transcriptions", "billable"),
        ("POST", "/v1/images/edits", "image_edit", "/images/edits", "billable"),
        ("GET", "/v1/files/file-1/content", "files", "/files/{id}/content", ""),
        ("POST", "/v1/something/new", "something", "/something/{id}", ""),
        ("GET", "/", "unknown", "/", ""),
    ],
)
def test_a_path_is_one_endpoint(method: str, path: str, operation: str, normal: str, marks: str) -> None:
    """Ids are no part of an endpoint, and the same endpoint has one name behind every kind of server."""
    endpoint = endpoint_of(method, path)

    assert (endpoint.operation_name, endpoint.path) == (operation, normal)
    assert endpoint.is_billable == ("billable" in marks)
    assert endpoint.is_repeat == ("repeat" in marks)
    assert endpoint.has_usage_option == ("usage" in marks)


def test_the_deployment_stands_in_the_path() -> None:
    """Azure names the deployment in the path, before the endpoint."""
    assert deployment_of("/openai/deployments/my-gpt/chat/completions") == "my-gpt"
    assert deployment_of("/openai/v1/chat/completions") is None
    assert deployment_of("/v1/chat/completions") is None


@pytest.mark.parametrize(
    ("host", "port", "provider"),
    [
        ("api.openai.com", 443, "openai"),
        ("eu.api.openai.com", None, "openai"),
        ("mine.openai.azure.com", None, "azure.ai.openai"),
        ("mine.services.ai.azure.com", None, "azure.ai.openai"),
        ("mine.cognitiveservices.azure.com", None, "azure.ai.openai"),
        ("bedrock-runtime.us-east-1.amazonaws.com", None, "aws.bedrock"),
        ("us-central1-aiplatform.googleapis.com", None, "gcp.vertex_ai"),
        ("openrouter.ai", None, "openrouter"),
        ("api.groq.com", None, "groq"),
        ("localhost", 11434, "ollama"),
        ("evil-api.openai.com.example.org", None, "openai"),
        ("proxy.internal", 8080, "mapped-port"),
        ("proxy.internal", 9090, "mapped-host"),
        ("api.deepseek.com", None, "mine"),
    ],
)
def test_the_host_tells_the_provider(host: str, port: int | None, provider: str) -> None:
    """The user's map wins, with the port before without; an unknown host is a proxy of OpenAI."""
    mapped = {"proxy.internal:8080": "mapped-port", "proxy.internal": "mapped-host", "api.deepseek.com": "mine"}

    assert provider_of(host, port, mapped) == provider


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("120ms", 0.12),
        ("6m0s", 360.0),
        ("1m30s", 90.0),
        ("7.66s", 7.66),
        ("2h3m4s", 7384.0),
        ("1d", 86400.0),
        ("9m9.9s", 549.9),
        ("1m30.951s", 90.951),
        ("7", 7.0),
        ("0", 0.0),
        (" 5 ", 5.0),
        ("REDACTED", None),
        ("", None),
        ("9s, req_b9c9", None),
        ("-5", None),
        ("5x", None),
        ("1_000", None),
        ("nan", None),
        ("2026-11-20T10:00:00Z", None),
    ],
)
def test_a_wait_is_read_in_every_form(text: str, seconds: float | None) -> None:
    """Every form that was seen becomes seconds; what cannot be read is unknown."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1e5", "1_000", "0x10", "١٢", "1 2", "9" * 40])
def test_what_is_no_plain_number_is_unknown(text: str) -> None:
    """Python's own reader takes more than a header may hold."""
    assert number_of(text) is None


def test_limits_are_found_by_their_pattern() -> None:
    """Requests and tokens have fields; every other limit is kept under the rest of its name."""
    fields = limit_fields(
        {
            "x-ratelimit-limit-requests": "5000",
            "x-ratelimit-remaining-requests": "-1",
            "x-ratelimit-reset-requests": "12ms",
            "x-ratelimit-limit-tokens": "REDACTED",
            "x-ratelimit-remaining-tokens": "",
            "x-ratelimit-reset-tokens": "1m0s",
            "x-ratelimit-limit-project-tokens": "900",
            "x-ratelimit-reset-input-images": "1m12s",
            "x-ratelimit-renewalperiod-tokens": "60",
            "x-ratelimit-key": "gpt-5-nano",
            "x-ratelimit-abusepenalty-active": "False",
            "x-request-id": "req_1",
        }
    )

    assert fields == {
        "requests_limit": 5000,
        "requests_remaining": -1,
        "requests_reset": 0.012,
        "tokens_reset": 60.0,
        "other_limits": {"limit-project-tokens": 900.0, "reset-input-images": 72.0, "renewalperiod-tokens": 60.0},
    }


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "9"}, 9.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "x", "retry-after": "3"}, 3.0),
        ({}, None),
    ],
)
def test_the_wait_of_a_refusal_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds win over seconds; what is neither is unknown."""
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_is_read() -> None:
    """A date in the future is a wait, one in the past is none."""
    soon = datetime.now(UTC) + timedelta(seconds=60)

    wait = retry_after({"retry-after": email.utils.format_datetime(soon, usegmt=True)})

    assert wait is not None
    assert 50 < wait <= 60
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize(
    ("status", "kind", "code", "error_class"),
    [
        (400, "invalid_request_error", None, "invalid_request"),
        (400, "invalid_request_error", "context_length_exceeded", "context_length"),
        (400, None, "content_filter", "content_filter"),
        (400, "image_generation_user_error", "moderation_blocked", "content_filter"),
        (400, "invalid_request_error", "billing_hard_limit_reached", "quota"),
        (401, "invalid_request_error", "invalid_api_key", "authentication"),
        (401, None, "401", "authentication"),
        (402, None, None, "quota"),
        (403, "invalid_request_error", "model_not_found", "permission"),
        (404, "invalid_request_error", "model_not_found", "not_found"),
        (404, None, "DeploymentNotFound", "not_found"),
        (408, None, None, "timeout"),
        (409, None, None, "conflict"),
        (418, None, None, "invalid_request"),
        (422, None, None, "invalid_request"),
        (429, "tokens", "rate_limit_exceeded", "rate_limit"),
        (429, "insufficient_quota", "insufficient_quota", "quota"),
        (429, "insufficient_quota", "some_new_limit_exceeded", "quota"),
        (429, None, "429", "rate_limit"),
        (429, None, None, "rate_limit"),
        (429, "rate_limit_error", "slow_down", "rate_limit"),
        (500, "server_error", None, "server"),
        (502, None, None, "server"),
        (503, "service_unavailable_error", "server_is_overloaded", "overloaded"),
        (503, None, None, "overloaded"),
        (504, None, None, "timeout"),
        (520, None, None, "server"),
        (200, "insufficient_quota", "insufficient_quota", "quota"),
        (200, None, "rate_limit_exceeded", "rate_limit"),
        (200, "something", None, "server"),
        (200, None, None, None),
        (None, None, None, None),
    ],
)
def test_a_refusal_has_one_class(
    status: int | None, kind: str | None, code: str | None, error_class: str | None
) -> None:
    """The code tells more than the type, the type more than the status."""
    assert class_of_answer(status, kind, code) == error_class


class ReadTimeout(Exception):  # noqa: N818 - the name of the HTTP library
    pass


class OwnTimeout(ReadTimeout):
    pass


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        (ReadTimeout(), "timeout"),
        (OwnTimeout(), "timeout"),
        (TimeoutError(), "timeout"),
        (KeyboardInterrupt(), "cancelled"),
        (ConnectionResetError(), "connection"),
        (ValueError(), "connection"),
    ],
)
def test_what_the_transport_raises_has_a_class(error: BaseException, error_class: str) -> None:
    """The name of an exception, or of one it derives from, tells its class."""
    assert class_of_exception(error) == error_class
