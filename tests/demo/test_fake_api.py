import asyncio
import base64
import json
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from monitor.demo.fake_api import FakeOpenAI
from monitor.demo.faults import NO_ERRORS, ErrorRates

KEY = "sk-demo-test"


@pytest.fixture
def api() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(seed=1, errors=NO_ERRORS, speed=0) as running:
        yield running


@pytest.fixture
def client(api: FakeOpenAI) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=api.base_url, max_retries=0) as opened:
        yield opened


def ask(client: OpenAI, model: str = "gpt-5.4-mini", text: str = "How are you?") -> Any:
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}])


def test_chat_answers_with_usage_and_dated_model(client: OpenAI) -> None:
    """A chat answer names the dated model, counts four characters as a token and adds its totals up."""
    completion = ask(client, text="x" * 400)

    assert completion.model == "gpt-5.4-mini-2026-03-17"
    assert completion.usage.prompt_tokens == 100
    assert completion.usage.total_tokens == 100 + completion.usage.completion_tokens
    assert completion.choices[0].message.content


def test_output_stays_below_the_asked_limit(client: OpenAI) -> None:
    """No answer is longer than `max_completion_tokens`; one that would be says so."""
    reasons = set()
    for _ in range(60):
        completion = client.chat.completions.create(
            model="gpt-5.4-nano", messages=[{"role": "user", "content": "hi"}], max_completion_tokens=20
        )
        assert completion.usage is not None
        assert completion.usage.completion_tokens <= 20
        reasons.add((completion.choices[0].finish_reason, completion.usage.completion_tokens == 20))
    assert ("stop", False) in reasons


def stream_events(client: OpenAI, **more: Any) -> list[Any]:
    with client.chat.completions.with_streaming_response.create(
        model="gpt-6.1-sol", messages=[{"role": "user", "content": "hi"}], stream=True, **more
    ) as response:
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_stream_gives_usage_only_when_asked(client: OpenAI) -> None:
    """Without `include_usage` no chunk has a usage, and every chunk has a choice."""
    chunks = stream_events(client)

    assert all("usage" not in chunk and len(chunk["choices"]) == 1 for chunk in chunks)


def test_stream_ends_with_a_usage_chunk_when_asked(client: OpenAI) -> None:
    """With `include_usage` one more chunk comes last, without choices; the usage of all others is null."""
    *chunks, last = stream_events(client, stream_options={"include_usage": True})

    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == 1


def test_response_answers(client: OpenAI) -> None:
    """A response has its text, its model and its usage with the details."""
    response = client.responses.create(model="gpt-5.6-terra", input="hi", reasoning={"effort": "high"})

    assert response.status in {"completed", "incomplete"}
    assert response.output_text
    assert response.usage is not None
    assert 0 < response.usage.output_tokens_details.reasoning_tokens < response.usage.output_tokens


def test_response_stream_ends_with_the_whole_response(client: OpenAI) -> None:
    """The events are numbered without a gap, the last one carries the response, and its text is that of the deltas."""
    events = list(client.responses.create(model="gpt-6-luna", input="hi", stream=True))

    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    last = events[-1]
    assert last.type in {"response.completed", "response.incomplete"}
    assert last.response.output_text == deltas
    assert last.response.usage is not None


def test_embeddings_come_as_the_client_asks(client: OpenAI) -> None:
    """The SDK asks for base64 and gets the same numbers as one that asks for floats would."""
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=8)

    assert [len(item.embedding) for item in answer.data] == [8, 8]
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > 0

    raw = client.embeddings.with_raw_response.create(
        model="text-embedding-3-small", input="x", encoding_format="base64"
    )
    assert len(base64.b64decode(json.loads(raw.content)["data"][0]["embedding"])) == 1536 * 4


def test_models_are_listed(client: OpenAI) -> None:
    """The list names what can be asked; a single model can be looked up."""
    assert "gpt-6.1-sol" in {model.id for model in client.models.list()}
    assert client.models.retrieve("acme-intent-v3").id == "acme-intent-v3"


@pytest.mark.parametrize(("asked", "answered"), [(None, "default"), ("flex", "flex"), ("priority", "priority")])
def test_service_tier_is_told(client: OpenAI, asked: Any, answered: str) -> None:
    """The tier that answered stands in the body."""
    more = {"service_tier": asked} if asked else {}

    assert client.responses.create(model="gpt-6.1-sol", input="hi", **more).service_tier == answered


def test_like_beginnings_are_read_from_the_cache(client: OpenAI) -> None:
    """The second prompt with the same long beginning is partly cached, in blocks of 128 tokens."""
    beginning = "a" * 1_200 * 4
    first = ask(client, model="gpt-6.1-sol", text=beginning + "one")
    second = ask(client, model="gpt-6.1-sol", text=beginning + "two" * 600)

    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert first.usage.prompt_tokens_details.cache_write_tokens == 1_152
    assert second.usage.prompt_tokens_details.cached_tokens == 1_152


def test_short_prompts_are_never_cached(client: OpenAI) -> None:
    """Below 1024 tokens nothing is kept."""
    for _ in range(2):
        assert ask(client, text="b" * 4_000).usage.prompt_tokens_details.cached_tokens == 0


def test_rate_limits_count_down(client: OpenAI) -> None:
    """Each request takes one from its model's requests and its tokens from the tokens."""
    asking = client.embeddings.with_raw_response
    headers = [asking.create(model="text-embedding-3-small", input="x" * 400).headers for _ in range(3)]

    assert [header["x-ratelimit-remaining-requests"] for header in headers] == ["9999", "9998", "9997"]
    assert [header["x-ratelimit-remaining-tokens"] for header in headers] == ["4999900", "4999800", "4999700"]
    assert headers[0]["x-request-id"] != headers[1]["x-request-id"]
    assert headers[0]["openai-project"].startswith("proj_")
    assert headers[0]["openai-organization"].startswith("org-demo")


@pytest.mark.parametrize(
    ("errors", "expected", "code"),
    [
        (ErrorRates(rate_limit_burst=1), openai.RateLimitError, "rate_limit_exceeded"),
        (ErrorRates(rate_limit_burst=0, quota=1), openai.RateLimitError, "insufficient_quota"),
        (ErrorRates(rate_limit_burst=0, quota=0, server=1), openai.InternalServerError, None),
        (
            ErrorRates(rate_limit_burst=0, quota=0, server=0, overloaded=1),
            openai.InternalServerError,
            "server_is_overloaded",
        ),
        (
            ErrorRates(rate_limit_burst=0, quota=0, server=0, overloaded=0, context_length=1),
            openai.BadRequestError,
            "context_length_exceeded",
        ),
    ],
)
def test_errors_raise_what_the_sdk_raises(errors: ErrorRates, expected: type[openai.APIStatusError], code: str) -> None:
    """Each trouble arrives as the exception the real API would cause, with its code."""
    with (
        FakeOpenAI(seed=1, errors=errors, speed=0) as api,
        OpenAI(api_key=KEY, base_url=api.base_url, max_retries=0) as client,
    ):
        with pytest.raises(expected) as caught:
            ask(client)

        assert caught.value.code == code
        assert caught.value.request_id


def test_rate_limit_says_how_long_to_wait() -> None:
    """A refused request is told when to come back, and that nothing is left."""
    with (
        FakeOpenAI(seed=1, errors=ErrorRates(rate_limit_burst=1), speed=0) as api,
        OpenAI(api_key=KEY, base_url=api.base_url, max_retries=0) as client,
        pytest.raises(openai.RateLimitError) as caught,
    ):
        ask(client)

    headers = caught.value.response.headers
    assert headers["retry-after"] == "1"
    assert headers["retry-after-ms"] == "700"
    assert headers["x-ratelimit-remaining-tokens"] == "0"


def test_too_long_a_prompt_is_refused(client: OpenAI) -> None:
    """A prompt above the window of its model gets a 400, whatever the error rates."""
    with pytest.raises(openai.BadRequestError, match="8192 tokens"):
        ask(client, model="acme-intent-v3", text="x" * 40_000)


def test_unknown_models_and_addresses_are_not_found(client: OpenAI) -> None:
    """Both are a 404 with a JSON error."""
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        ask(client, model="gpt-4.1-nano")
    with pytest.raises(openai.NotFoundError, match="Invalid URL") as caught:
        client.images.generate(prompt="a cat", model="gpt-image-2")
    assert caught.value.code == "unknown_url"


def test_a_request_without_a_key_is_refused(api: FakeOpenAI) -> None:
    """No key is a 401."""
    request = urllib.request.Request(f"{api.base_url}/responses", data=b"{}", method="POST")

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as error:
        assert error.status == 401


def test_a_stream_can_break_off() -> None:
    """A stream that breaks off gives some chunks, then the error of a lost connection."""
    errors = ErrorRates(rate_limit_burst=0, quota=0, server=0, overloaded=0, context_length=0, broken_stream=1)
    with (
        FakeOpenAI(seed=1, errors=errors, speed=0) as api,
        OpenAI(api_key=KEY, base_url=api.base_url, max_retries=0) as client,
    ):
        stream = client.responses.create(model="gpt-6.1-sol", input="hi", stream=True)
        kinds = [next(stream).type for _ in range(4)]
        with pytest.raises(openai.APIConnectionError):
            list(stream)

    assert kinds[0] == "response.created"


def test_the_same_seed_gives_the_same_answers() -> None:
    """Requests in the same order get the same usage and the same ids."""

    def run() -> tuple[str, int]:
        with (
            FakeOpenAI(seed=9, errors=NO_ERRORS, speed=0) as api,
            OpenAI(api_key=KEY, base_url=api.base_url) as client,
        ):
            completion = ask(client)
            return completion.id, completion.usage.completion_tokens

    assert run() == run()


def test_async_clients_are_served(api: FakeOpenAI) -> None:
    """Many calls of an asynchronous client are answered side by side."""

    async def run() -> list[int]:
        async with AsyncOpenAI(api_key=KEY, base_url=api.base_url) as client:
            asked = [client.responses.create(model="gpt-6-luna", input="hi") for _ in range(20)]
            return [response.usage.output_tokens for response in await asyncio.gather(*asked) if response.usage]

    assert len(asyncio.run(run())) == 20


def test_stop_does_not_wait_for_slow_answers() -> None:
    """What is being answered when the API stops is finished at once, and its thread is gone."""
    with OpenAI(api_key=KEY, base_url="http://127.0.0.1:1/v1", max_retries=0) as nowhere:
        api = FakeOpenAI(seed=1, errors=NO_ERRORS, speed=0.001)
        api.start()
        client = nowhere.with_options(base_url=api.base_url)
        answers: list[Any] = []
        caller = threading.Thread(target=lambda: answers.append(ask(client)))
        caller.start()
        while not api_is_asked(api):
            caller.join(0.01)
        api.stop()
        caller.join(5)

    assert len(answers) == 1
    assert not any(thread.name == "fake-openai" for thread in threading.enumerate())


def api_is_asked(api: FakeOpenAI) -> bool:
    return api.requests > 0


def test_an_api_can_be_stopped_twice_and_started_again() -> None:
    """Stopping is idempotent; a second start serves again, a start while serving is an error."""
    api = FakeOpenAI(seed=1, errors=NO_ERRORS, speed=0)
    api.stop()
    for _ in range(2):
        api.start()
        with pytest.raises(RuntimeError):
            api.start()
        with OpenAI(api_key=KEY, base_url=api.base_url) as client:
            assert client.models.list().data
        api.stop()
        api.stop()
