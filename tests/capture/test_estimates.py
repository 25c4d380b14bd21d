"""Usage that nobody states is estimated from what went in and what came out."""

import json
import re
import statistics
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bench.estimates import Found, comparisons
from monitor.capture.endpoints import endpoint_of
from monitor.capture.estimates import estimate
from monitor.capture.token_counts import token_count_of
from tests.capture.world import EVENTS, MESSAGES, World, always, opened
from tests.capture.world import chunks as chunks_of_world
from tests.capture.world import events as events_of_world
from tests.cassettes.material import FOLDER, Row, read_rows
from tests.cassettes.server import Answer

CHAT = endpoint_of("POST", "/v1/chat/completions")
RESPONSES = endpoint_of("POST", "/v1/responses")
COMPLETIONS = endpoint_of("POST", "/v1/completions")

needs_recordings = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the recorded interactions are not in ../shared/data/cassettes"
)


def asked(**body: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", "stream": True} | body).encode()


def chunks(*deltas: object) -> list[bytes]:
    return [b"data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() for delta in deltas]


def events(*bodies: object) -> list[bytes]:
    return [b"event: x\ndata: %s\n\n" % json.dumps(body).encode() for body in bodies]


def test_what_was_said_and_asked_is_counted() -> None:
    """Both sides of a chat that broke off have a figure."""
    content = asked(messages=[{"role": "user", "content": "Say hello to the world."}])

    found = estimate(
        content, chunks({"role": "assistant"}, {"content": "Hello"}, {"content": " world"}), CHAT, "gpt-4o"
    )

    assert found == {"input_tokens": 13, "output_tokens": 2}


def test_nothing_comes_of_nothing() -> None:
    """A stream that brought no text has an unknown output, not one of zero."""
    assert estimate(None, [], CHAT, "gpt-4o") == {}
    assert estimate(b"", chunks({"role": "assistant"}), CHAT, None) == {}
    assert estimate(asked(messages=[{"role": "user", "content": "Hi"}]), [], CHAT, None).keys() == {"input_tokens"}


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/audio/speech", "/v1/images/generations", "/v1/threads/runs"])
def test_other_endpoints_are_not_estimated(path: str) -> None:
    """They have no text to go by."""
    content = asked(messages=[{"content": "Hi"}], input="Hi")

    assert estimate(content, chunks({"content": "x"}), endpoint_of("POST", path), None) == {}
    assert estimate(content, chunks({"content": "x"}), endpoint_of("GET", "/v1/chat/completions"), None) == {}


def test_every_way_of_writing_counts() -> None:
    """Refusals, reasoning that is shown, and arguments of tools are output too."""
    said = {"content": "Yes."}
    call = {"tool_calls": [{"index": 0, "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}]}
    plain = _output(chunks(said))

    for more in (
        {"refusal": "I cannot help with that."},
        {"reasoning_content": "Let me think about it."},
        call,
        {"function_call": call["tool_calls"][0]["function"]},
        {"tool_calls": [{"index": 0, "custom": {"name": "run", "input": "make test"}}]},
    ):
        assert _output(chunks(said, more)) > plain + 3, more


def _output(pieces: list[bytes], endpoint: Any = CHAT) -> int:
    tokens = estimate(None, pieces, endpoint, "gpt-4o").get("output_tokens", 0)
    assert isinstance(tokens, int)
    return tokens


def test_responses_are_counted_by_their_deltas() -> None:
    """What is said again at the end of a part counts once; sound, and what a tool gave back, count nothing."""
    pieces = events(
        {"type": "response.created", "response": {"id": "resp_1", "output": []}},
        {"type": "response.output_item.added", "item": {"type": "function_call", "name": "get_weather"}},
        {"type": "response.function_call_arguments.delta", "delta": '{"city":"Paris"}'},
        {"type": "response.output_text.delta", "delta": "The weather is fine."},
    )
    others = events(
        {"type": "response.output_text.done", "text": "The weather is fine."},
        {"type": "response.content_part.added", "part": {"type": "output_text", "text": "The weather is fine."}},
        {"type": "response.audio.delta", "delta": "UklGRiQAAABXQVZF" * 10},
        {"type": "response.shell_call_output_content.delta", "delta": "total 48"},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": "AAAA"},
    )

    assert _output(pieces, RESPONSES) == _output(pieces + others, RESPONSES) == 5 + 6 + 2 + 6


def test_pictures_and_files_are_not_taken_for_text() -> None:
    """Their bytes stand in the request as long text, and say nothing about tokens."""
    text = {"type": "text", "text": "What is this?"}
    data = "data:image/png;base64," + "iVBORw0KGgo" * 1_000
    parts = [
        text,
        {"type": "image_url", "image_url": {"url": data}},
        {"type": "input_image", "image_url": data},
        {"type": "file", "file": {"file_data": data, "filename": "a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA" * 1_000, "format": "wav"}},
        {"type": "output_text", "text": data},
    ]
    plain = estimate(asked(messages=[{"role": "user", "content": [text]}]), [], CHAT, "gpt-4o")

    assert estimate(asked(messages=[{"role": "user", "content": parts}]), [], CHAT, "gpt-4o") == plain


@pytest.mark.parametrize(
    "more",
    [
        {"instructions": "Answer in French."},
        {"tools": [{"type": "function", "name": "f", "description": "Gets it.", "parameters": {"type": "object"}}]},
        {
            "text": {
                "format": {"type": "json_schema", "name": "x", "schema": {"properties": {"age": {"type": "number"}}}}
            }
        },
    ],
)
def test_all_that_is_sent_counts(more: dict[str, object]) -> None:
    """Instructions, own tools and the schema of the answer are input."""
    plain = estimate(asked(input="Hi there"), [], RESPONSES, "gpt-4o")["input_tokens"]
    found = estimate(asked(input="Hi there", **more), [], RESPONSES, "gpt-4o")["input_tokens"]

    assert isinstance(plain, int)
    assert isinstance(found, int)
    assert found >= plain + 5


def test_a_prompt_in_tokens_is_counted_exactly() -> None:
    """Old completions take the numbers of the tokens themselves."""
    assert estimate(asked(prompt=[[1, 2, 3], [4, 5]]), [], COMPLETIONS, "davinci-002") == {"input_tokens": 5}


def test_what_was_not_kept_is_like_what_was() -> None:
    """Of a very long stream only the beginning is kept."""
    pieces = chunks(*[{"content": " word"}] * 100)
    size = sum(map(len, pieces))

    assert estimate(None, pieces, CHAT, "gpt-4o", total_bytes=size * 3) == {"output_tokens": 300}


def test_a_very_long_text_is_counted_in_part() -> None:
    """The time it takes has a bound, the count has none."""
    count = token_count_of("gpt-4o")

    assert count("word " * 10**6) == pytest.approx(10**6, rel=0.01)


class Tokenizer:
    """Takes each letter for a token."""

    def __init__(self) -> None:
        self.longest = 0

    def encode_ordinary(self, text: str) -> list[int]:
        self.longest = max(self.longest, len(text))
        return [0] * len(text)


class BrokenTokenizer:
    def encode_ordinary(self, text: str) -> list[int]:
        raise ValueError(text)


def loaded(**encodings: object) -> Mapping[str, Any]:
    return {"tiktoken.registry": SimpleNamespace(ENCODINGS=encodings)}


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-2024-08-06", "o200k_base"),
        ("gpt-5.4-nano", "o200k_base"),
        ("ft:gpt-4o-mini:acme", "o200k_base"),
        ("some-deployment", "o200k_base"),
        (None, "o200k_base"),
        ("gpt-oss-120b", "o200k_harmony"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("ft:gpt-3.5-turbo:acme", "cl100k_base"),
        ("openai/gpt-4", "cl100k_base"),
    ],
)
def test_a_tokenizer_in_memory_is_used(model: str | None, encoding: str) -> None:
    """Where the program has loaded the model's encoding the text is counted, not estimated."""
    assert token_count_of(model, loaded(**{encoding: Tokenizer()}))("Hello world") == 11


def test_no_tokenizer_is_loaded_for_it() -> None:
    """One of another encoding is of no use, and nothing is imported."""
    assert token_count_of("gpt-4", loaded(o200k_base=Tokenizer()))("Hello world") == 2
    assert token_count_of("gpt-4", {"tiktoken.registry": SimpleNamespace()})("Hello world") == 2
    assert token_count_of("gpt-4o")("Hello world") == 2
    assert "tiktoken" not in sys.modules


def test_a_tokenizer_gets_no_text_that_it_could_choke_on() -> None:
    """It is given pieces, and one that fails is done without."""
    tokenizer = Tokenizer()

    assert token_count_of("gpt-4o", loaded(o200k_base=tokenizer))("^" * 300_000) == 300_000
    assert tokenizer.longest <= 8_192
    assert token_count_of("gpt-4o", loaded(o200k_base=BrokenTokenizer()))("Hello world") == 2


@pytest.mark.parametrize(
    ("text", "new", "old"),
    [
        ("Hello, my name is GPT-4o. I'm a new type of language model, nice to meet you!", 24, 27),
        ("Привет, меня зовут GPT-4o. Я — новая языковая модель, приятно познакомиться!", 23, 39),
        ("你好,我的名字是GPT-4o。我是一种新型的语言模型,很高兴见到你!", 24, 34),
        ("안녕하세요, 제 이름은 GPT-4o입니다. 저는 새로운 유형의 언어 모델입니다, 만나서 반갑습니다!", 27, 45),
        ("नमस्ते, मेरा नाम जीपीटी-4o है। मैं एक नए प्रकार का भाषा मॉडल हूँ। आपसे मिलकर अच्छा लगा!", 31, 90),
        ("مرحبًا، اسمي جي بي تي-4o. أنا نوع جديد من نموذج اللغة، سررت بلقائك!", 26, 53),
    ],
)
def test_other_scripts_are_estimated_by_their_own_measure(text: str, new: int, old: int) -> None:
    """About as many as the provider has published for such sentences in its two encodings."""
    assert token_count_of("gpt-4o")(text) == pytest.approx(new, rel=0.35)
    assert token_count_of("gpt-4")(text) == pytest.approx(old, rel=0.35)


@pytest.mark.parametrize(
    "content",
    [
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"messages":{"role":"user"},"tools":"x","functions":[1,null],"response_format":[]}',
        b'{"messages":[null,1,"x",[],{"content":{"text":[1,{"text":null}]},"tool_calls":"x"}],"tools":[{"type":[]}]}',
        b'{"input":5,"instructions":{"a":1},"prompt":[[[1,"a",null,1.5]]],"text":{"format":{"type":"json_schema"}}}',
    ],
)
def test_odd_requests_are_no_harm(content: bytes) -> None:
    """They give a figure or none."""
    for endpoint in (CHAT, RESPONSES, COMPLETIONS):
        assert all(isinstance(tokens, int) for tokens in estimate(content, [], endpoint, "gpt-4o").values())


@pytest.mark.parametrize(
    "piece",
    [
        b"\xff",
        b"data: {",
        b"data: null\n\n",
        b"data: [1]\n\n",
        b'data: {"choices":null}\n\n',
        b'data: {"choices":[null,{"delta":null},{"delta":{"content":5,"tool_calls":[null,{"function":null}]}}]}\n\n',
        b'data: {"choices":"x","type":5,"delta":{"content":"x"}}\n\n',
        b'data: {"type":"response.output_text.delta","delta":7}\n\n',
        b'data: {"type":"response.output_item.added","item":{"name":[1]}}\n\n',
        b'data: {"choices":' + b"[" * 100_000 + b"\n\n",
    ],
)
def test_odd_events_are_passed_over(piece: bytes) -> None:
    """The others are still counted, and nothing is counted for the odd one."""
    assert _output([*chunks({"content": "Hello"}), piece, b"\n\n", *chunks({"content": " world"})]) == 2


def test_no_text_takes_long() -> None:
    """Blanks that might have been before a line end are looked at once, not once for each of them."""
    assert token_count_of("gpt-4o")("   \t" * 40_000) > 1_000


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_stream_that_was_left_has_an_estimate(world: World, is_closed: bool) -> None:
    """It keeps id and model of the answer, by which better figures find it."""
    pieces = events_of_world(chunks_of_world(has_usage=False), has_done=False)[:4]
    answer = Answer(headers=EVENTS, pieces=pieces, is_chunked=True, stalls=is_closed)

    with opened(always(answer), world) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        seen = [next(stream) for _ in range(4)]
        if is_closed:
            stream.close()
        else:
            assert list(stream) == []

    end = world.end()
    assert (end["outcome"], end["usage_source"]) == ("interrupted", "estimated")
    assert (end["response_id"], end["response_model"]) == (seen[0].id, seen[0].model)
    assert (end["input_tokens"], end["output_tokens"]) == (14, 10)


@pytest.fixture(scope="module")
def found() -> list[Found]:
    return list(comparisons())


@needs_recordings
@pytest.mark.parametrize(("part", "bound"), [("input", 0.04), ("output", 0.06)])
def test_estimates_of_recorded_traffic_are_near(found: list[Found], part: str, bound: float) -> None:
    """Half of the estimates are nearer than a few percent, and in sum they are right."""
    wanted = [one for one in found if one.part == part and one.is_text and not one.has_reasoned]

    assert statistics.median(abs(one.error) for one in wanted) < bound
    assert sum(one.estimated for one in wanted) == pytest.approx(sum(one.stated for one in wanted), rel=0.1)
    assert len(wanted) > 500


@needs_recordings
def test_half_a_stream_used_half() -> None:
    """Streams of a token a chunk, cut in the middle: the estimate is the number of chunks that came."""
    rows = [row for row in read_rows() if _is_token_by_token(row)]

    errors = []
    for row in rows:
        half = row.response_body[: len(row.response_body) // 2]
        wanted = _texts(half)
        estimated = estimate(row.request_body, [half[:100], half[100:]], CHAT, "gpt-4o")["output_tokens"]
        assert isinstance(estimated, int)
        errors.append(abs(estimated - wanted) / wanted)

    assert statistics.median(errors) < 0.05
    assert max(errors) < 0.3
    assert len(rows) > 10


def _is_token_by_token(row: Row) -> bool:
    tokens = row.expected["output_tokens"]
    is_chat = row.kind == "chat" and row.is_event_stream and b"tool_calls" not in row.response_body
    return bool(is_chat and tokens and tokens >= 10 and _texts(row.response_body) in (tokens - 1, tokens))


def _texts(stream: bytes) -> int:
    return len(re.findall(rb'"content":\s*"[^"].*?\n\n', stream))
