"""A record is on the disk when the call returns, whatever happens one instruction later."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import openai
import pytest
from genai_prices.data_snapshot import get_snapshot

from monitor.health import Health
from monitor.home import Home
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.book import PriceBook
from monitor.spool.format import is_intact
from tests.capture.world import (
    EVENTS,
    MESSAGES,
    World,
    always,
    chunks,
    error_answer,
    events,
    in_turn,
    json_answer,
    like_openai,
    opened,
)
from tests.cassettes.server import Answer, Asked, LoopbackServer

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import sys
import monitor
from monitor.settings import Settings
from pathlib import Path
from openai import OpenAI

client = OpenAI(api_key="sk-test", base_url=sys.argv[1], max_retries=0)
monitor.wrap(client, settings=Settings(home=Path(sys.argv[2])))
with monitor.tag(team="search"):
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}])
"""


def test_begin_and_end_are_in_the_file_when_the_call_returns(world: World) -> None:
    """Right after the call the spool holds both lines, intact; nothing has to be flushed."""
    with opened(like_openai, world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

        assert [line["kind"] for line in world.lines()] == ["header", "begin", "end"]
        content = world.content()
    assert all(is_intact(line) for line in content.splitlines() if line.startswith(b'{"seq"'))


def test_the_begin_line_is_there_before_the_request_leaves(world: World) -> None:
    """When the server sees the request, its begin line is in the file already."""
    seen: list[list[str]] = []

    def answer(asked: Asked) -> Answer:
        seen.append([line["kind"] for line in world.lines()])
        return like_openai(asked)

    with opened(answer, world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert seen == [["header", "begin"]]


def test_the_record_of_a_stream_is_there_with_its_last_chunk(world: World) -> None:
    """When the loop over a stream ends, the record is in the file; before its last chunk it is not."""
    with opened(like_openai, world) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        next(stream)
        before = len(world.ends())
        for _ in stream:
            pass

        assert (before, len(world.ends())) == (0, 1)


def test_begin_and_end_say_the_same(world: World) -> None:
    """The two lines of a request agree in all that both state."""
    with opened(like_openai, world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    (begin,), (end,) = world.begins(), world.ends()
    assert {name: end[name] for name in begin if name not in ("seq", "kind", "crc")} == {
        name: value for name, value in begin.items() if name not in ("seq", "kind", "crc")
    }


def test_a_killed_call_is_settled_as_unknown(world: World) -> None:
    """A process killed while its request is out leaves a begin line; the drain makes it a row of outcome unknown."""
    arrived = threading.Event()

    def answer(asked: Asked) -> Answer:
        arrived.set()
        return Answer(is_silent=True)

    with LoopbackServer(answer) as server:
        arguments = [sys.executable, "-c", _PROGRAM, f"{server.address}/v1", str(world.directory)]
        with subprocess.Popen(arguments, cwd=ROOT) as program:
            assert arrived.wait(30)
            program.kill()
            assert program.wait(30) == -signal.SIGKILL

    assert [line["kind"] for line in world.lines()] == ["header", "begin"]
    home = Home(world.directory)
    with Ledger.open(home.ledger) as ledger:
        Drain(ledger, home.spool, PriceBook(get_snapshot().providers, "test"), Health()).run()
        with ledger.cursor() as cursor:
            rows = cursor.execute(
                "select outcome, team, request_model, list_cost, pricing_state from requests"
            ).fetchall()
    assert rows == [("unknown", "search", "gpt-4o", None, "no_usage")]


def test_a_finished_call_survives_the_kill(world: World) -> None:
    """SIGKILL right after the return loses nothing."""
    program = _PROGRAM + "\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    with LoopbackServer(like_openai) as server:
        arguments = [sys.executable, "-c", program, f"{server.address}/v1", str(world.directory)]
        run = subprocess.run(arguments, cwd=ROOT, check=False, timeout=60)

    assert run.returncode == -signal.SIGKILL
    assert world.end()["input_tokens"] == 14


def test_the_attempts_of_a_call_belong_together(world: World) -> None:
    """Retries share the call id and count 0, 1, 2; the next call has an id of its own."""
    answers = [
        error_answer(429, retry_after_ms="1"),
        error_answer(500, retry_after_ms="1"),
        json_answer(),
        json_answer(),
    ]
    with opened(in_turn(*answers), world, max_retries=2) as client:
        for _ in range(2):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    ends = world.ends()
    assert [end["attempt"] for end in ends] == [0, 1, 2, 0]
    assert [end["status"] for end in ends] == [429, 500, 200, 200]
    assert ends[0]["call_id"] == ends[1]["call_id"] == ends[2]["call_id"] != ends[3]["call_id"]
    assert [end["outcome"] for end in ends[:2]] == ["failed", "failed"]
    assert len({end["record_id"] for end in ends}) == 4
    assert [line["attempt"] for line in world.begins()] == [0, 1, 2, 0]


def test_calls_of_many_threads_are_kept_apart(world: World) -> None:
    """Threads that retry at the same time do not mix up their attempts."""
    lock = threading.Lock()
    tried: set[str] = set()

    def answer(asked: Asked) -> Answer:
        name = json.loads(asked.body)["model"]
        with lock:
            is_first = name not in tried
            tried.add(name)
        return error_answer(500, retry_after_ms="1") if is_first else json_answer()

    with opened(answer, world, max_retries=1) as client:

        def call(number: int) -> None:
            client.chat.completions.create(model=f"m{number}", messages=MESSAGES)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    calls: dict[str, set[tuple[str, int]]] = {}
    for end in world.ends():
        calls.setdefault(end["call_id"], set()).add((end["request_model"], end["attempt"]))
    assert sorted(map(sorted, calls.values())) == [[(f"m{number}", 0), (f"m{number}", 1)] for number in range(8)]


def test_durations_are_in_seconds(world: World) -> None:
    """Duration and time to the first chunk are measured, the start is UTC, the server's own time is read."""
    headers = (*EVENTS, ("openai-processing-ms", "412"))
    pieces = events(chunks(has_usage=True))
    with opened(always(Answer(headers=headers, pieces=pieces, is_chunked=True)), world) as client:
        before = datetime.now(UTC)
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        after = datetime.now(UTC)

    end = world.end()
    assert before <= datetime.fromisoformat(end["started_at"]) <= after
    assert 0 < end["time_to_first_chunk"] <= end["duration"] <= (after - before).total_seconds()
    assert end["server_duration"] == 0.412


def test_an_error_in_a_stream_is_a_failure(world: World) -> None:
    """The SDK leaves a stream at its first error; the record says failed and names the error."""
    error = {"error": {"message": "no", "type": "insufficient_quota", "code": "insufficient_quota"}}
    pieces = events([*chunks(has_usage=False)[:2], error, *chunks(has_usage=False)[2:]])
    answer = Answer(headers=EVENTS, pieces=pieces, is_chunked=True)
    with opened(always(answer), world) as client, pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))

    end = world.end()
    assert (end["outcome"], end["error_class"], end["error_code"]) == ("failed", "quota", "insufficient_quota")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_writes_a_segment_of_its_own(world: World) -> None:
    """Parent and child of a fork both go on recording, each in its own file, and every line is intact."""
    with opened(like_openai, world) as client:
        client.chat.completions.create(model="parent-1", messages=MESSAGES)
        child = os.fork()
        if child == 0:
            _call_and_leave(client.server.address, world)
        assert os.waitpid(child, 0)[1] == 0
        client.chat.completions.create(model="parent-2", messages=MESSAGES)

    by_file = {}
    for path in (world.directory / "spool").glob("*.ndjson"):
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        assert [line["seq"] for line in lines] == list(range(len(lines)))
        by_file[lines[0]["pid"]] = [line["request_model"] for line in lines if line["kind"] == "end"]
    assert by_file == {os.getpid(): ["parent-1", "parent-2"], child: ["child"]}


def _call_and_leave(address: str, world: World) -> None:
    """Runs in the child of a fork; never returns into the test."""
    status = 1
    try:
        client = openai.OpenAI(api_key="sk-child", base_url=f"{address}/v1", max_retries=0)
        world.wrap(client).chat.completions.create(model="child", messages=MESSAGES)
        status = 0
    finally:
        os._exit(status)
