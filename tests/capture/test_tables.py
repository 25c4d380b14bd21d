"""The tables of capture: endpoints and providers."""

import re
from pathlib import Path

import openai
import pytest

from monitor.capture.bodies import read_answer
from monitor.capture.endpoint_rows import FAMILIES, ROWS
from monitor.capture.endpoints import deployment_of, endpoint_of
from monitor.capture.providers import provider_of
from monitor.capture.units import usage_source_of

_CONTINUED = "/threads/{id}/runs/{id}/submit_tool_outputs"
_CALL = re.compile(
    r"""self\._(get_api_list|get|post|delete|put|patch)\(\s*(?:path_template\(\s*)?f?"([^"?]+)[^"]*"(.*?)\n {8}\)""",
    re.DOTALL,
)
"""A request in the source of the SDK's resources."""


def _sources() -> list[str]:
    folder = Path(openai.__file__).parent / "resources"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))]


def _method(name: str, rest: str) -> str:
    return "POST" if 'method="post"' in rest else name.removesuffix("_api_list").upper()


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
        ("GET", "/v1/chat/completions/chatcmpl-1", "retrieve_chat", "/chat/completions/{id}", "repeated"),
        ("DELETE", "/v1/chat/completions/chatcmpl-1", "delete_chat", "/chat/completions/{id}", ""),
        ("GET", "/v1/responses/resp_1", "retrieve_response", "/responses/{id}", "late"),
        ("POST", "/v1/responses/compact", "chat", "/responses/compact", "billable"),
        ("POST", "/v1/responses/input_tokens", "count_tokens", "/responses/input_tokens", ""),
        ("POST", "/v1/responses/resp_1/cancel", "cancel_response", "/responses/{id}/cancel", "late"),
        ("GET", "/v1/batches/batch_1", "retrieve_batch", "/batches/{id}", "late"),
        ("POST", "/v1/threads/thread_1/runs", "run", "/threads/{id}/runs", "billable"),
        ("GET", "/v1/threads/thread_1/runs/run_1", "retrieve_run", "/threads/{id}/runs/{id}", "late"),
        ("GET", "/v1/models", "list_models", "/models", ""),
        ("DELETE", "/v1/models/ft:gpt-4o:org::abc", "delete_model", "/models/{id}", ""),
        ("POST", "/v1/audio/transcriptions", "transcription", "/audio/transcriptions", "billable"),
        ("POST", "/v1/images/edits", "image_edit", "/images/edits", "billable"),
        ("GET", "/v1/files/file-1/content", "download_file", "/files/{id}/content", ""),
        ("GET", "/v1/batches", "list_batches", "/batches", "repeated"),
        ("POST", "/v1/batches", "create_batch", "/batches", "billable"),
        ("POST", "/v1/threads/t/runs/r/submit_tool_outputs", "continue_run", _CONTINUED, "late"),
        ("POST", "/v1/fine_tuning/jobs", "fine_tuning", "/fine_tuning/jobs", "billable"),
        ("GET", "/v1/videos/video_1", "retrieve_video", "/videos/{id}", "late"),
        ("GET", "/v1/videos/characters/char_1", "retrieve_video_character", "/videos/characters/{id}", ""),
        ("POST", "/v1/videos/edits", "video_edit", "/videos/edits", "billable"),
        ("GET", "/v1/agents/sessions/s/turns/t", "retrieve_agent_turn", "/agents/sessions/{id}/turns/{id}", "late"),
        ("GET", "/v1/organization/costs", "cost_report", "/organization/costs", "repeated"),
        ("GET", "/v1/organization/users/u", "administration", "/organization/users/{id}", "repeated"),
        ("POST", "/api/projects/p/openai/v1/responses", "chat", "/responses", "billable"),
        ("POST", "/v1/something/new", "something", "/something/{id}", ""),
        ("GET", "/v1/something/new", "something", "/something/{id}", "repeated"),
        ("POST", "/a-secret-account/gateway/v1/something/new", "something", "/something/{id}", ""),
        ("POST", "/a-secret-account/v1/v1/something", "something", "/something", ""),
        ("GET", "/something/v1", "something", "/something/{id}", "repeated"),
        ("POST", "/v1/0123abcd0123abcd/gate-1/openai/chat/completions", "chat", "/chat/completions", "billable usage"),
        ("POST", "/v1/0123abcd0123abcd/gate-1/openai/something/new", "something", "/something/{id}", ""),
        ("POST", "/acct-Secret4711/gw/something", "unknown", "/{id}/{id}/{id}", ""),
        ("GET", f"/{'long' * 9}/something", "unknown", "/{id}/{id}", "repeated"),
        ("GET", "/Alice/files", "list_files", "/files", ""),
        ("POST", "/v1/web_search", "web_search", "/web_search", ""),
        ("GET", "/", "unknown", "/", ""),
    ],
)
def test_a_path_is_one_endpoint(method: str, path: str, operation: str, normal: str, marks: str) -> None:
    """Ids are no part of an endpoint, and the same endpoint has one name behind every kind of server."""
    endpoint = endpoint_of(method, path)

    assert (endpoint.operation_name, endpoint.path) == (operation, normal)
    assert endpoint.is_billable == ("billable" in marks)
    assert endpoint.usage_source == next((mark for mark in ("late", "repeated") if mark in marks), "response")
    assert endpoint.has_usage_option == ("usage" in marks)


@pytest.mark.parametrize(
    ("path", "base", "operation", "normal"),
    [
        ("/acct-secret/gw/something/new", "/acct-secret/gw", "something", "/something/{id}"),
        ("/v1/acct-secret/gw/openai/something", "/v1/acct-secret/gw/openai", "something", "/something"),
        ("/files/acct-secret/something", "/files/acct-secret", "something", "/something"),
        ("/batches/acct-secret/chat/completions", "/batches/acct-secret", "chat", "/chat/completions"),
        ("/openai/deployments/my-gpt/chat/completions", "/openai", "chat", "/chat/completions"),
        ("/openai/deployments/my-gpt/something", "/openai", "something", "/something"),
        ("/v1/something", "", "something", "/something"),
        ("/acct-secret", "/acct-secret", "unknown", "/"),
    ],
)
def test_the_path_of_the_base_url_is_no_part_of_an_endpoint(path: str, base: str, operation: str, normal: str) -> None:
    """Whatever words stand in it; it may be an account, or a secret."""
    endpoint = endpoint_of("POST", path, base)

    assert (endpoint.operation_name, endpoint.path) == (operation, normal)


def test_every_path_of_the_sdk_has_a_row() -> None:
    """A method of the SDK that no row knows would be recorded by the first word of its path only."""
    asked = {(_method(found[1], found[3]), found[2]) for text in _sources() for found in _CALL.finditer(text)}
    paths = {(method, re.sub(r"\{[^}]*\}", "{id}", path)) for method, path in asked}
    rows = {tuple(row.split(" ")) for row in ROWS}

    assert len(paths) > 60
    assert {pair for pair in paths - rows if pair[1].split("/")[1] not in FAMILIES} == set()


@pytest.mark.parametrize(("row", "marks"), ROWS.items())
def test_every_row_is_found(row: str, marks: str) -> None:
    """Where a word and an id can stand in one place, the word is meant."""
    method, path = row.split(" ")

    endpoint = endpoint_of(method, f"/v1{path.replace('{id}', 'Xy-1')}")

    assert (endpoint.operation_name, endpoint.path) == (marks.split(" ", maxsplit=1)[0], path)


def test_ids_are_told_from_words_in_every_path_of_the_sdk() -> None:
    """Every path has its normal form, those of administration too, which have no rows."""
    paths = {(_method(found[1], found[3]), found[2]) for text in _sources() for found in _CALL.finditer(text)}
    normal = {re.sub(r"\{[^}]*\}", "{id}", path): re.sub(r"\{[^}]*\}", "Xy-1", path) for _, path in paths}

    assert {path: endpoint_of("PUT", f"/v1{asked}").path for path, asked in normal.items()} == {
        path: path for path in normal
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "source"),
    [
        ("POST", "/responses", '{"status": "completed"}', "response"),
        ("POST", "/responses", '{"status": "in_progress"}', "response"),
        ("GET", "/responses/r", '{"status": "completed", "background": true}', "late"),
        ("GET", "/responses/r", '{"status": "completed", "background": false}', "repeated"),
        ("GET", "/responses/r", '{"status": "completed", "background": "true"}', "repeated"),
        ("GET", "/responses/r", '{"status": "completed"}', "repeated"),
        ("POST", "/responses/r/cancel", '{"status": "cancelled", "background": true}', "late"),
        ("GET", "/batches/b", '{"status": "completed"}', "late"),
        ("GET", "/batches/b", '{"status": "in_progress"}', "none"),
        ("POST", "/batches", '{"status": "validating"}', "none"),
        ("GET", "/batches/b", '{"status": []}', "late"),
        ("GET", "/agents/sessions/s/events", '{"type": "agent.session.turn.completed"}', "none"),
        ("POST", "/chat/completions", "{}", "response"),
    ],
)
def test_whose_usage_an_answer_states(method: str, path: str, body: str, source: str) -> None:
    """What is read again counts only where it is the first to say what work of an earlier request used."""
    answer = read_answer(body.encode())

    assert answer is not None
    assert usage_source_of(endpoint_of(method, path), answer) == source


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
