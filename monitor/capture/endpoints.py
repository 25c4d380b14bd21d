"""The API's endpoints as a table: what a request is, whether it costs, and how its answer is read.

Adding an endpoint is adding a row. A path that no row knows is recorded under its own normal form.
"""

import functools
from dataclasses import dataclass
from typing import Final

_PREFIXES: Final = (
    ("openai", "deployments", "*"),
    ("openai", "v1"),
    ("openai",),
    ("v1", "projects", "*", "locations", "*", "publishers", "openai", "v1"),
    ("v1",),
)
"""What stands before the endpoint, by kind of server; the longest that fits is taken off."""

_WORDS: Final = frozenset(
    """
    admin_api_keys agents analyze api_keys approve archive assistants audio audit_logs batches calls cancel
    certificates chat chatkit checkpoints client_secrets completions compact complete containers content
    content_provenance_checks conversations costs decisions edits embeddings events evals extensions file_batches
    files fine_tuning fork generations groups hangup images input_items input_tokens invites items jobs live
    messages models moderations organization output_items parts pause permissions projects rate_limits realtime
    refer reject remix responses resume roles runs search service_accounts sessions skills speech steps
    submit_tool_outputs threads transcription_sessions transcriptions translations turns uploads usage users validate
    variations vaults vector_stores versions videos voice_consents voices webhook_endpoints
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
"""The fixed words of the paths; everything else in a path is an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One kind of request.

    Attributes:
        operation_name: after OpenTelemetry's `gen_ai.operation.name` where that has a word.
        path: the normal form, ids replaced by `{id}`.
        is_billable: whether a good answer costs money.
        is_repeat: the answer states usage that an earlier request was charged for.
        has_usage_option: a stream of it tells its usage only when asked with `stream_options.include_usage`.
    """

    operation_name: str
    path: str
    is_billable: bool = False
    is_repeat: bool = False
    has_usage_option: bool = False


_ROWS: Final = {
    "POST /chat/completions": ("chat", "billable usage_option"),
    "POST /completions": ("text_completion", "billable usage_option"),
    "POST /responses": ("chat", "billable"),
    "POST /responses/compact": ("chat", "billable"),
    "POST /responses/input_tokens": ("count_tokens", ""),
    "POST /responses/{id}/cancel": ("cancel_response", "repeat"),
    "GET /responses/{id}": ("retrieve_response", "repeat"),
    "GET /chat/completions": ("list_chats", "repeat"),
    "GET /chat/completions/{id}": ("retrieve_chat", "repeat"),
    "POST /chat/completions/{id}": ("update_chat", "repeat"),
    "DELETE /chat/completions/{id}": ("delete_chat", ""),
    "GET /chat/completions/{id}/messages": ("list_chat_messages", ""),
    "POST /embeddings": ("embeddings", "billable"),
    "POST /moderations": ("moderation", ""),
    "POST /decisions": ("decision", "billable"),
    "POST /images/generations": ("image_generation", "billable"),
    "POST /images/edits": ("image_edit", "billable"),
    "POST /images/variations": ("image_variation", "billable"),
    "POST /audio/speech": ("speech", "billable"),
    "POST /audio/transcriptions": ("transcription", "billable"),
    "POST /audio/translations": ("translation", "billable"),
    "POST /videos": ("video", "billable"),
    "GET /videos/{id}": ("retrieve_video", "repeat"),
    "POST /batches": ("create_batch", "repeat"),
    "GET /batches": ("list_batches", "repeat"),
    "GET /batches/{id}": ("retrieve_batch", "repeat"),
    "POST /batches/{id}/cancel": ("cancel_batch", "repeat"),
    "POST /threads/runs": ("run", "billable"),
    "POST /threads/{id}/runs": ("run", "billable"),
    "POST /threads/{id}/runs/{id}/submit_tool_outputs": ("run", "billable"),
    "GET /threads/{id}/runs": ("list_runs", "repeat"),
    "GET /threads/{id}/runs/{id}": ("retrieve_run", "repeat"),
    "POST /threads/{id}/runs/{id}": ("update_run", "repeat"),
    "POST /threads/{id}/runs/{id}/cancel": ("cancel_run", "repeat"),
    "GET /threads/{id}/runs/{id}/steps": ("list_run_steps", "repeat"),
    "GET /threads/{id}/runs/{id}/steps/{id}": ("retrieve_run_step", "repeat"),
}


def _build(key: str, name: str, marks: str) -> Endpoint:
    return Endpoint(
        operation_name=name,
        path=key.split(" ")[1],
        is_billable="billable" in marks,
        is_repeat="repeat" in marks,
        has_usage_option="usage_option" in marks,
    )


_TABLE: Final = {key: _build(key, name, marks) for key, (name, marks) in _ROWS.items()}


@functools.lru_cache(maxsize=1024)
def endpoint_of(method: str, path: str) -> Endpoint:
    """The endpoint of a request; one that no row knows is named after the first word of its path."""
    rest = _without_prefix(tuple(part for part in path.split("/") if part))
    if not rest:
        return Endpoint(operation_name="unknown", path="/")
    known = _TABLE.get(f"{method} {_normal(rest)}") or _behind_other_prefix(method, rest)
    return known or Endpoint(operation_name=rest[0][:64], path=_normal(rest)[:128])


def _normal(parts: tuple[str, ...]) -> str:
    # The first part is kept though it may be unknown: it names the resource. Only ids are many.
    return "/" + "/".join(part if part in _WORDS or place == 0 else "{id}" for place, part in enumerate(parts))


def _behind_other_prefix(method: str, parts: tuple[str, ...]) -> Endpoint | None:
    """The known endpoint behind parts that are none of the API's words, as proxies and other servers have them."""
    start = next((place for place, part in enumerate(parts) if part in _WORDS), 0)
    return _TABLE.get(f"{method} {_normal(parts[start:])}")


@functools.lru_cache(maxsize=256)
def deployment_of(path: str) -> str | None:
    """The Azure deployment that a path names, if it names one."""
    parts = [part for part in path.split("/") if part]
    return parts[2] if len(parts) > 2 and parts[:2] == ["openai", "deployments"] else None


def _without_prefix(parts: tuple[str, ...]) -> tuple[str, ...]:
    for prefix in _PREFIXES:
        head = parts[: len(prefix)]
        if len(head) == len(prefix) and all(mark in ("*", part) for mark, part in zip(prefix, head, strict=True)):
            return parts[len(prefix) :]
    return parts
