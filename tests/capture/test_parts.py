"""Units through a wrapped client: works that get records of their own, forms, and answers that are refused."""

import json
from typing import Any

import openai
import pytest

from monitor.capture.parts import records_of
from tests.capture.world import EVENTS, JSON, World, always, error_answer, json_answer, opened
from tests.cassettes.server import Answer

_RUN = {
    "id": "evalrun_1",
    "object": "eval.run",
    "status": "completed",
    "model": "gpt-4.1",
    "per_model_usage": [
        {"model_name": "gpt-4.1-2025-04-14", "prompt_tokens": 200, "completion_tokens": 20, "cached_tokens": 50},
        {"model_name": "o3-2025-04-16", "prompt_tokens": 90, "completion_tokens": 9},
    ],
}


def _turn(number: int) -> dict[str, Any]:
    usage = {"input_tokens": 100 * number, "output_tokens": number}
    turn = {"id": f"turn_{number}", "status": "completed", "usage": usage}
    kind = "agent.session.turn.completed"
    return {"type": kind, "session_id": "sess_1", "turn_id": turn["id"], "turn": turn, "usage": usage}


def _get(client: Any, path: str, **named: Any) -> Any:
    return client.get(path, cast_to=object, **named)


def test_each_model_of_an_eval_run_has_its_record(world: World) -> None:
    """The run's own model stands in the record of the request, the grader in one beside it."""
    with opened(always(json_answer(_RUN)), world) as client:
        _get(client, "/evals/eval_1/runs/evalrun_1")

    run, grader = world.ends()
    assert (run["response_id"], run["response_model"], run["input_tokens"]) == (
        "evalrun_1",
        "gpt-4.1-2025-04-14",
        200,
    )
    assert (grader["response_id"], grader["response_model"], grader["input_tokens"]) == (
        "evalrun_1/o3-2025-04-16",
        "o3-2025-04-16",
        90,
    )
    assert run["usage_source"] == grader["usage_source"] == "late"
    assert "cache_read_input_tokens" not in grader
    assert grader["call_id"] == run["call_id"]
    assert grader["record_id"] != run["record_id"]


def test_each_turn_of_a_stream_has_its_record(world: World) -> None:
    """A stream of a session tells of several turns; the record of the stream itself has no usage."""
    bodies = [{"type": "agent.session.created", "session_id": "sess_1"}, _turn(1), _turn(2)]
    pieces = tuple(f"data: {json.dumps(body)}\n\n".encode() for body in bodies)
    with opened(always(Answer(headers=EVENTS, pieces=pieces, is_chunked=True)), world) as client:
        events = _get(client, "/agents/sessions/sess_1/events", stream=True, stream_cls=openai.Stream[object])
        assert len(list(events)) == 3

    stream, first, second = world.ends()
    assert "usage_source" not in stream
    assert "input_tokens" not in stream
    assert stream["conversation_id"] == "sess_1"
    told = [(end["response_id"], end["input_tokens"], end["output_tokens"]) for end in (first, second)]
    assert told == [("turn_1", 100, 1), ("turn_2", 200, 2)]


def test_a_part_has_nothing_of_the_others() -> None:
    """Only what holds for the whole request is shared."""
    base = {"record_id": "r", "call_id": "c", "input_tokens": 5, "usage_source": "late", "team": "search"}

    (record,) = records_of(base, [{"response_id": "x", "output_tokens": 2}], 1_790_000_000_000_000_000)

    assert record.pop("record_id") != "r"
    assert record == {"call_id": "c", "team": "search", "response_id": "x", "output_tokens": 2}


def test_the_fields_of_a_form_are_read(world: World) -> None:
    """A form that the SDK builds of files and fields tells what its price goes by."""
    body = {"created": 1, "data": [{"b64_json": "iVBO"}]}
    with opened(always(json_answer(body)), world) as client:
        client.images.edit(image=b"\x89PNG" * 100, prompt="hat", model="dall-e-2", size="512x512")

    end = world.end()
    assert (end["request_model"], end["media_size"], end["media_quality"]) == ("dall-e-2", "512x512", "standard")
    assert (end["image_count"], end["usage_source"]) == (1, "response")


def test_speech_is_counted_by_its_characters(world: World) -> None:
    """The body is sound, and is not kept."""
    sound = Answer(headers=(("content-type", "audio/mpeg"),), pieces=(b"ID3\x00" * 100,))
    with opened(always(sound), world) as client:
        assert len(client.audio.speech.create(model="tts-1", voice="alloy", input="Grüße!").content) == 400

    end = world.end()
    assert (end["input_characters"], end["usage_source"]) == (6, "response")


def test_what_is_refused_counts_nowhere(world: World) -> None:
    """The characters were asked for, and nothing was spoken."""
    with opened(always(error_answer(400)), world) as client, pytest.raises(openai.BadRequestError):
        client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.")

    end = world.end()
    assert end["outcome"] == "failed"
    assert "usage_source" not in end


@pytest.mark.parametrize("status", [[], {}, None, 5, True])
def test_a_state_that_is_none_leaves_the_rest(status: object, world: World) -> None:
    """The usage of a response is read whatever stands where its state should."""
    body = {"id": "resp_1", "status": status, "model": "gpt-4.1", "usage": {"input_tokens": 3, "output_tokens": 1}}
    with opened(always(json_answer(body)), world) as client:
        client.post("/responses", body={"model": "gpt-4.1", "input": "hi"}, cast_to=object)

    end = world.end()
    assert (end["response_id"], end["input_tokens"], end["usage_source"]) == ("resp_1", 3, "response")


def test_every_name_stands_once_in_a_line(world: World) -> None:
    """What request and answer both state is written once, as the answer has it."""
    body = {"created": 1, "data": [{"url": "x"}], "size": "1536x1024", "quality": "low", "usage": {"input_tokens": 3}}
    with opened(always(Answer(headers=JSON, pieces=(json.dumps(body).encode(),))), world) as client:
        client.images.generate(prompt="cat", model="gpt-image-1", size="auto", quality="auto")

    (line,) = [line for line in world.content().splitlines() if b'"kind":"end"' in line]
    names = [name for name, _ in json.loads(line, object_pairs_hook=list)]
    assert sorted(names) == sorted(set(names))
    assert (world.end()["media_size"], world.end()["media_quality"]) == ("1536x1024", "low")
