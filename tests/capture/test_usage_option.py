"""The usage of a streamed chat call is asked for in the caller's place, and he never sees it."""

import json
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AzureOpenAI, OpenAI
from pydantic import BaseModel

from monitor.capture.bodies import read_request
from monitor.capture.usage_option import with_usage_option
from monitor.settings import Settings
from tests.capture.callers import Hands, see
from tests.capture.world import (
    CHAT,
    EVENTS,
    KEY,
    KINDS,
    MESSAGES,
    TEXTS,
    USAGE,
    World,
    always,
    chunks,
    events,
    json_answer,
    like_openai,
    new_client,
    opened,
    options_of,
)
from tests.cassettes.replay import plain
from tests.cassettes.server import Answer, Asked, LoopbackServer


def test_the_usage_is_recorded_though_nobody_asked(world: World) -> None:
    """The counts and the tier are those of the hidden chunk, and no text is lost."""
    with opened(like_openai, world) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        texts = [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content]
        options = options_of(client.server.asked[0])

    end = world.end()
    assert options == {"include_usage": True}
    assert tuple(texts) == TEXTS
    assert (end["input_tokens"], end["output_tokens"], end["service_tier"]) == (14, 4, "default")
    assert end["finish_reasons"] == ["stop"]


def test_who_asks_for_the_usage_sees_it(world: World) -> None:
    """With `include_usage` the chunk with the totals arrives, and so does `usage: null` on the others."""
    with opened(like_openai, world) as client:
        stream = client.chat.completions.create(
            model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        found = [chunk.to_dict() for chunk in stream]

    assert found[-1]["usage"] == USAGE
    assert all(chunk["usage"] is None for chunk in found[:-1])


def test_who_declines_the_usage_does_not_see_it(world: World) -> None:
    """`include_usage=False` is honoured: it is asked for all the same, and hidden; other options stay."""
    with opened(like_openai, world) as client:
        stream = client.chat.completions.create(
            model="gpt-4o",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": False, "include_obfuscation": False},
        )
        found = [chunk.to_dict() for chunk in stream]
        options = options_of(client.server.asked[0])

    assert options == {"include_usage": True, "include_obfuscation": False}
    assert not any("usage" in chunk for chunk in found)
    assert world.end()["input_tokens"] == 14


def test_it_can_be_switched_off(world: World) -> None:
    """With the setting off the request goes out as it is; the usage is then estimated."""
    settings = Settings(home=world.directory, include_usage=False)
    with opened(like_openai) as client:
        world.wrap(client, settings=settings)
        for _ in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
            pass
        options = options_of(client.server.asked[0])

    assert options is None
    assert world.end()["usage_source"] == "estimated"
    assert world.end().get("outcome", "completed") == "completed"


def test_who_asks_as_openrouter_has_it_sees_the_usage(world: World) -> None:
    """`usage.include` asks for the last chunk, so it is not ours to hide."""
    usage_last = Answer(headers=EVENTS, pieces=events(chunks(has_usage=True)), is_chunked=True)
    with opened(always(usage_last), world) as client:
        stream = client.chat.completions.create(
            model="gpt-4o", messages=MESSAGES, stream=True, extra_body={"usage": {"include": True}}
        )
        last = list(stream)[-1]
        options = options_of(client.server.asked[0])

    assert options is None
    assert last.usage.prompt_tokens == 14
    assert world.end()["usage_source"] == "response"


def test_usage_that_a_provider_always_tells_is_the_callers(world: World) -> None:
    """A stream of OpenRouter is the same to the last chunk, watched or not, and its usage is read from it."""
    seen = []
    for watch in (None, world):
        with opened(always(Answer(headers=EVENTS, pieces=events(chunks(has_usage=True)), is_chunked=True))) as client:
            if watch is not None:
                watch.wrap(client, provider="openrouter")
            stream = client.chat.completions.create(model="openai/gpt-4o", messages=MESSAGES, stream=True)
            seen.append([chunk.to_dict() for chunk in stream])
            options = options_of(client.server.asked[0])

    assert seen[0] == seen[1]
    assert seen[1][-1]["usage"]
    assert options is None
    assert (world.end()["input_tokens"], world.end()["usage_source"]) == (14, "response")


@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_null_within_something_else_is_not_ours(where: str, world: World) -> None:
    """Groq has a `usage` of its own in each chunk."""

    def answer(asked: Asked) -> Answer:
        found = []
        for chunk in chunks(has_usage=options_of(asked) is not None):
            own = {"x_groq": {"id": "req_1", "usage": None}}
            found.append({**own, **chunk} if where == "before" else {**chunk, **own})
        return Answer(headers=EVENTS, pieces=events(found), is_chunked=True)

    seen = []
    for watch in (None, world):
        with opened(answer, watch) as client:
            stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
            seen.append([chunk.to_dict() for chunk in stream])

    assert seen[1] == seen[0]
    assert seen[1][0]["x_groq"] == {"id": "req_1", "usage": None}


def test_a_signed_request_is_not_changed(world: World) -> None:
    """AWS signs the body; a request with such a signature goes out as it was signed."""
    with opened(like_openai, world) as client:
        list(
            client.chat.completions.create(
                model="gpt-4o",
                messages=MESSAGES,
                stream=True,
                extra_headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x, Signature=y"},
            )
        )
        options = options_of(client.server.asked[0])

    assert options is None


def test_azures_first_chunk_is_not_taken_for_the_usage(world: World) -> None:
    """Azure begins with a chunk without choices that holds the filter results: the caller gets it."""
    first = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{"x": 1}]}

    def answer(asked: Asked) -> Answer:
        has_usage = options_of(asked) is not None
        return Answer(headers=EVENTS, pieces=events([first, *chunks(has_usage=has_usage)]), is_chunked=True)

    with LoopbackServer(answer) as server:
        found = []
        for is_watched in (False, True):
            with AzureOpenAI(
                api_key=KEY, azure_endpoint=server.address, azure_deployment="mine", api_version="2024-10-21"
            ) as client:
                used = world.wrap(client, provider="azure.ai.openai") if is_watched else client
                stream = used.chat.completions.create(model="mine", messages=MESSAGES, stream=True)
                found.append([plain(chunk) for chunk in stream])

    assert found[1] == found[0]
    end = world.end()
    assert (end["provider_name"], end["response_model"], end["input_tokens"]) == (
        "azure.ai.openai",
        "gpt-4o-2024-08-06",
        14,
    )


def test_a_usage_chunk_that_tells_something_else_loses_only_its_usage(world: World) -> None:
    """A moderated chat may bring its verdict with the usage: the caller gets the verdict."""
    *most, last = chunks(has_usage=True)
    verdict = {"input": None, "output": None}
    answer = Answer(headers=EVENTS, pieces=events([*most, {**last, "moderation": verdict}]), is_chunked=True)
    with opened(always(answer), world) as client:
        seen = list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))

    assert seen[-1].model_dump(exclude_unset=True)["moderation"] == verdict
    assert "usage" not in seen[-1].model_fields_set
    assert world.end()["input_tokens"] == USAGE["prompt_tokens"]


def test_a_transport_of_the_users_tests_is_treated_alike(world: World) -> None:
    """A `MockTransport` that gives a whole stream at once: the usage is recorded and hidden as on the wire."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        has_usage = "stream_options" in json.loads(request.content)
        return httpx2.Response(200, headers=EVENTS, content=b"".join(events(chunks(has_usage=has_usage))))

    with OpenAI(api_key=KEY, http_client=httpx2.Client(transport=httpx2.MockTransport(handle))) as client:
        world.wrap(client)
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        found = [chunk.to_dict() for chunk in stream]

    assert len(found) == len(chunks(has_usage=False))
    assert not any("usage" in chunk for chunk in found)
    assert world.end()["input_tokens"] == 14


class Weather(BaseModel):
    city: str


def _calls_a_tool(asked: Asked) -> Answer:
    """A stream that calls the tool `Weather`, its arguments in pieces."""
    has_usage = bool((options_of(asked) or {}).get("include_usage"))
    head, *_, last = [chunk for chunk in chunks(has_usage=has_usage) if chunk["choices"]]
    parts: list[dict[str, Any]] = [
        {"id": "call_1", "type": "function", "function": {"name": "Weather", "arguments": ""}}
    ]
    parts += [{"function": {"arguments": text}} for text in ('{"ci', 'ty":"Par', 'is"}')]
    calls = [
        {**head, "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **part}]}, "finish_reason": None}]}
        for part in parts
    ]
    end = {**last, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    totals = chunks(has_usage=True)[-1:] if has_usage else []
    return Answer(headers=EVENTS, pieces=events([head, *calls, end, *totals]), is_chunked=True)


async def _stream_of_a_tool(client: Any, hands: Hands) -> list[object]:
    manager = client.chat.completions.stream(
        model="gpt-4o", messages=MESSAGES, tools=[openai.pydantic_function_tool(Weather)]
    )
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            found = await hands.items(stream)
            final = await stream.get_final_completion()
    else:
        with manager as stream:
            found = await hands.items(stream)
            final = stream.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    return [[event.type for event in found], call.function.parsed_arguments, call.id, final.usage]


@KINDS
def test_a_parsed_stream_of_a_tool_call_is_the_same(kind: Any, world: World) -> None:
    """The SDK's helper puts the same tool call together, parsed; usage and reason are recorded."""
    with LoopbackServer(_calls_a_tool) as server:
        plain_seen = see(_stream_of_a_tool, new_client(kind, server))
        watched = see(_stream_of_a_tool, world.wrap(new_client(kind, server)))

    assert watched == plain_seen
    assert plain_seen[1] == Weather(city="Paris")
    assert (world.end()["finish_reasons"], world.end()["input_tokens"]) == (["tool_calls"], 14)


@KINDS
def test_a_parsed_answer_is_the_same(kind: Any, world: World) -> None:
    """`parse` gives the same object of the program's own class."""
    message = {"role": "assistant", "content": '{"city":"Paris"}'}
    answer = json_answer({**CHAT, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    async def parsed(client: Any, hands: Hands) -> list[object]:
        asked = client.chat.completions.parse(model="gpt-4o", messages=MESSAGES, response_format=Weather)
        return [(await hands.got(asked)).choices[0].message.parsed]

    with LoopbackServer(always(answer)) as server:
        plain_seen = see(parsed, new_client(kind, server))
        watched = see(parsed, world.wrap(new_client(kind, server)))

    assert watched == plain_seen == [Weather(city="Paris")]


def test_every_choice_has_its_reason(world: World) -> None:
    """With several choices the reason of each is kept, in the order of the choices."""
    bodies = chunks(has_usage=False)[:1]
    for index, reason in ((1, "length"), (0, "stop")):
        bodies.append({**bodies[0], "choices": [{"index": index, "delta": {}, "finish_reason": reason}]})
    with opened(always(Answer(headers=EVENTS, pieces=events(bodies), is_chunked=True)), world) as client:
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, n=2))

    assert world.end()["finish_reasons"] == ["stop", "length"]


def test_a_stream_that_ends_without_reason_or_marker_is_interrupted(world: World) -> None:
    """A body that just ends in the middle of an answer is no whole answer, though nothing broke."""
    pieces = events(chunks(has_usage=False)[:3], has_done=False)
    with opened(always(Answer(headers=EVENTS, pieces=pieces, is_chunked=True)), world) as client:
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))

    assert world.end()["outcome"] == "interrupted"


def test_a_stream_without_a_marker_that_gave_its_reason_is_complete(world: World) -> None:
    """Some servers end without `[DONE]`; the finish reason says that nothing is missing."""
    pieces = events(chunks(has_usage=False), has_done=False)
    with opened(always(Answer(headers=EVENTS, pieces=pieces, is_chunked=True)), world) as client:
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))

    assert world.end().get("outcome", "completed") == "completed"


_NAMES = st.text(max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _NAMES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(_NAMES, part, max_size=3),
    max_leaves=4,
)


@settings(deadline=None)
@given(
    body=st.dictionaries(_NAMES, _JSON, max_size=4),
    options=st.none() | st.fixed_dictionaries({}, optional={"include_usage": st.booleans() | st.none(), "x": _JSON}),
    is_given=st.booleans(),
    is_ascii=st.booleans(),
)
def test_only_the_option_changes(
    body: dict[str, Any], options: dict[str, Any] | None, is_given: bool, is_ascii: bool
) -> None:
    """Whatever else stands in a request, asking for the usage adds that one option and nothing more."""
    body = {**body, "stream": True, **({"stream_options": options} if is_given else {})}
    options = (options or {}) if is_given else {}
    content = json.dumps(body, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    request = read_request(content)
    assert request is not None

    changed = with_usage_option(content, request)

    if options.get("include_usage") is True:
        assert changed is None
    else:
        assert changed is not None
        assert json.loads(changed) == {**body, "stream_options": {**options, "include_usage": True}}


@pytest.mark.parametrize(
    "content",
    [
        b'{"model":"m"}',
        b'{"model":"m","stream":false}',
        b'{"model":"m","stream":"true"}',
        b'{"stream":true,"stream_options":"x"}',
        b'{"stream":true,"stream_options":[1]}',
    ],
)
def test_what_is_no_stream_is_left_alone(content: bytes) -> None:
    """A request that is not streamed, or whose options make no sense, goes out byte for byte."""
    request = read_request(content)
    assert request is not None

    assert with_usage_option(content, request) is None
