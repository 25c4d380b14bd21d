"""The composed samples of the wire: same results for the program, and a true record."""

from typing import Any

import pytest

from tests.capture.samples import FOLDER, read_samples
from tests.capture.world import World
from tests.cassettes.material import Library, Row
from tests.cassettes.replay import replay, unwatched, wrapped
from tests.cassettes.server import LoopbackServer

pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the samples are not in ../shared/facts/samples"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_COMPARED = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "cache_write_12h_tokens": "cache_creation_long_tokens",
    "reasoning_tokens": "reasoning_output_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "output_image_tokens": "output_image_tokens",
    "trained_tokens": "trained_tokens",
    "characters": "input_characters",
    "images": "image_count",
    "size": "media_size",
    "quality": "media_quality",
    "containers": "containers",
    "memory_limit": "container_memory",
    "conversation_id": "conversation_id",
    "file_id": "file_id",
    "status": "answer_status",
    "response_id": "response_id",
    "bill_once_key": "response_id",
    "turn_id": "response_id",
    "code": "error_code",
    "error_code": "error_code",
    "error_type": "error_type",
}

_EXPLAINED = {
    "batches-output": "each line of a batch is a record of its own; this is the one of the download",
    "threads-runs-failed": "the run failed, not the request that reads it",
}

_LATE = {
    "agents-turn",
    "batches-completed",
    "evals-run",
    "fine-tuning-job-succeeded",
    "responses-background-done",
    "responses-background-resume",
    "threads-runs-completed",
    "threads-runs-failed",
    "videos-completed",
}
_REPEATED = {"chat-completions-retrieve-stored", "threads-runs-step"}
_ESTIMATED = {
    "audio-transcriptions-whisper-text",
    "chat-completions-stream-interrupted",
    "chat-completions-stream-no-usage",
    "responses-background-stream",
    "responses-stream-interrupted",
}
_UNCOUNTED = (
    "admin-",
    "audio-translations-json",
    "batches-",
    "conversations-",
    "errors-",
    "files-",
    "fine-tuning-",
    "models-",
    "moderations-",
    "realtime-client-secret",
    "responses-background-",
    "responses-delete",
    "responses-failed",
    "responses-input-tokens",
    "responses-stream-error-",
    "responses-stream-failed",
    "threads-runs-create",
    "chat-completions-stream-error",
    "uploads-",
    "vector-stores-",
    "videos-",
)
"""The beginnings of the names of samples in which nothing was used, or is not yet known to have been."""

_FIELDS = (
    "conversation_id",
    "file_id",
    "is_batch",
    "answer_status",
    "image_count",
    "video_seconds",
    "media_size",
    "media_quality",
    "tool_calls",
    "containers",
    "container_memory",
    "tool_model",
    "tool_usage",
    "stored_bytes",
    "stored_until",
)
_UNITS: dict[str, dict[str, Any]] = {
    "agents-turn": {"conversation_id": "sess_S1", "answer_status": "completed"},
    "batches-completed": {"file_id": "file-S2", "is_batch": True, "answer_status": "completed"},
    "batches-create": {"is_batch": True, "answer_status": "validating"},
    "batches-failed": {"is_batch": True, "answer_status": "failed"},
    "chat-completions-web-search": {"tool_calls": {"web_search": 1}},
    "containers-create": {"containers": ["cntr_S1"], "container_memory": "4g"},
    "conversations-create": {"conversation_id": "conv_S1"},
    "evals-run": {"answer_status": "completed"},
    "files-create": {"file_id": "file-S1"},
    "files-delete": {"file_id": "file-S1"},
    "fine-tuning-job-create": {"answer_status": "validating_files"},
    "fine-tuning-job-failed": {"answer_status": "failed"},
    "fine-tuning-job-succeeded": {"answer_status": "succeeded"},
    "images-edits-gpt-image": {"image_count": 1, "media_size": "1024x1024", "media_quality": "medium"},
    "images-edits-stream": {"image_count": 1, "media_size": "1024x1024", "media_quality": "high"},
    "images-generations-dall-e-2-default": {
        "image_count": 2,
        "media_size": "1024x1024",
        "media_quality": "standard",
    },
    "images-generations-dall-e-3": {"image_count": 1, "media_size": "1024x1792", "media_quality": "hd"},
    "images-generations-gpt-image": {"image_count": 1, "media_size": "1024x1024", "media_quality": "high"},
    "images-generations-stream": {"image_count": 1, "media_size": "1024x1024", "media_quality": "high"},
    "images-variations-dall-e-2": {"image_count": 2, "media_size": "512x512", "media_quality": "standard"},
    "realtime-client-secret": {"conversation_id": "sess_S1"},
    "responses-background-cancel": {"answer_status": "cancelled"},
    "responses-background-create": {"answer_status": "queued"},
    "responses-background-poll": {"answer_status": "in_progress"},
    "responses-background-stream": {"answer_status": "queued"},
    "responses-code-interpreter": {
        "answer_status": "completed",
        "tool_calls": {"code_interpreter": 2},
        "containers": ["cntr_S1"],
        "container_memory": "4g",
    },
    "responses-compact": {},
    "responses-computer-use": {"answer_status": "completed", "tool_calls": {"computer": 1}},
    "responses-conversation": {"answer_status": "completed", "conversation_id": "conv_S1"},
    "responses-delete": {},
    "responses-failed": {"answer_status": "failed"},
    "responses-file-search": {"answer_status": "completed", "tool_calls": {"file_search": 1}},
    "responses-image-generation": {
        "answer_status": "completed",
        "tool_calls": {"image_generation": 1},
        "tool_model": "gpt-image-1.5",
        "tool_usage": {
            "input_tokens": 60,
            "input_image_tokens": 0,
            "output_tokens": 4160,
            "output_image_tokens": 4160,
        },
    },
    "responses-incomplete": {"answer_status": "incomplete"},
    "responses-input-tokens": {},
    "responses-stream-error-event": {},
    "responses-stream-error-nested": {},
    "responses-stream-failed": {"answer_status": "failed"},
    "responses-stream-incomplete": {"answer_status": "incomplete"},
    "responses-stream-interrupted": {},
    "responses-stream-web-search": {"answer_status": "completed", "tool_calls": {"web_search": 1}},
    "responses-web-search": {"answer_status": "completed", "tool_calls": {"web_search": 2}},
    "responses-web-search-no-tool-usage": {"answer_status": "completed", "tool_calls": {"web_search": 2}},
    "threads-runs-completed": {"answer_status": "completed", "conversation_id": "thread_S1"},
    "threads-runs-create": {"answer_status": "queued", "conversation_id": "thread_S1"},
    "threads-runs-failed": {"answer_status": "failed", "conversation_id": "thread_S1"},
    "threads-runs-stream": {"answer_status": "completed", "conversation_id": "thread_S1"},
    "uploads-complete": {"file_id": "file-S3"},
    "vector-stores-retrieve": {"stored_bytes": {"vs_S1": 2_147_483_648}, "stored_until": {"vs_S1": 1_795_773_600}},
    "videos-completed": {"answer_status": "completed", "video_seconds": 8.0, "media_size": "720x1280"},
    "videos-create": {"answer_status": "queued", "video_seconds": 8.0, "media_size": "720x1280"},
    "videos-failed": {"answer_status": "failed", "media_size": "720x1280"},
}
"""What a record says beside model and tokens; another response is completed, and says nothing more."""


def test_every_sample_looks_the_same_and_is_recorded(world: World) -> None:
    """All samples that are one request: the caller gets the same, and the record agrees with the sample."""
    rows = read_samples()
    with LoopbackServer(Library(rows).answer) as server:
        watched = replay(rows, server.address, wrapped(world.settings))
        plain = replay(rows, server.address, unwatched)
    ends = _ends(world)

    assert {row.source for row in rows if watched[row.id] != plain[row.id]} == set()
    assert {row.source for row in rows if row.id not in ends} == set()
    assert [fault for row in rows if row.source not in _EXPLAINED for fault in _faults(row, ends[row.id])] == []
    assert {row.source for row in rows if _faults(row, ends[row.id])} == set(_EXPLAINED)


def test_every_sample_is_recorded_with_its_units(world: World) -> None:
    """What a body states beside model and tokens stands in the record, and nothing that it does not state."""
    rows = read_samples()
    with LoopbackServer(Library(rows).answer) as server:
        replay(rows, server.address, wrapped(world.settings))
    ends = _ends(world)

    told = {row.source: {name: ends[row.id][name] for name in _FIELDS if name in ends[row.id]} for row in rows}
    assert {case: units for case, units in told.items() if units != _expected_units(case)} == {}
    sources = {row.source: ends[row.id].get("usage_source", "none") for row in rows}
    assert {case: source for case, source in sources.items() if source != _expected_source(case)} == {}


def _ends(world: World) -> dict[str, dict[str, Any]]:
    """The records of the requests; those of the lines of a batch have names."""
    return {end["tags"]["cassette"]: end for end in world.ends() if "custom_id" not in end}


def _expected_units(case: str) -> dict[str, Any]:
    is_response = case.startswith(("responses-", "azure-responses"))
    return _UNITS.get(case, {"answer_status": "completed"} if is_response else {})


def _expected_source(case: str) -> str:
    for source, cases in (("late", _LATE), ("repeated", _REPEATED), ("estimated", _ESTIMATED)):
        if case in cases:
            return source
    return "none" if case.startswith(_UNCOUNTED) else "response"


def _faults(row: Row, end: dict[str, Any]) -> list[str]:
    expected = row.expected
    stated = {ours: expected[theirs] for theirs, ours in _COMPARED.items() if theirs in expected}
    if "seconds" in expected:
        stated["video_seconds" if row.source.startswith("videos") else "audio_seconds"] = expected["seconds"]
    searches = expected.get("web_searches", expected.get("web_searches_assumed"))
    if searches is not None:
        stated["tool_calls"] = {"web_search": searches}
    if "seconds_from_last_timestamp" in expected:
        stated["audio_seconds"] = expected["seconds_from_last_timestamp"]
    faults = [
        f"{row.source} {name}: {value!r}, not {end.get(name)!r}"
        for name, value in stated.items()
        if end.get(name) != value
    ]
    model = end.get("response_model") or end.get("request_model")
    if "model" in expected and model != expected["model"]:
        faults.append(f"{row.source} model: {expected['model']!r}, not {model!r}")
    return faults
