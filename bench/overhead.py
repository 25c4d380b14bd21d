"""What recording adds to a call: wrapped against raw, interleaved in one process, against a loopback server.

    python -m bench.overhead [--calls N] [--json FILE]

The server runs in a process of its own and answers at once. Raw and wrapped calls alternate, so that a drift of the
machine's speed meets both. Figures are medians of the differences of neighbours, and ratios.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import openai
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import monitor
from monitor.settings import Settings

CHUNKS = 200
_TASKS = 50
_Times = tuple[float, float]
_SERVER = Path(__file__).with_name("instant_server.py")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with subprocess.Popen([sys.executable, str(_SERVER)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            base_url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            with tempfile.TemporaryDirectory() as directory:
                settings = Settings(home=Path(directory) / "home", service="bench")
                found = measure(base_url, settings, arguments.calls)
        finally:
            server.kill()
    report = json.dumps(found, indent=2)
    print(report)
    if arguments.json:
        arguments.json.write_text(report + "\n", encoding="utf-8")


def measure(base_url: str, settings: Settings, calls: int) -> dict[str, object]:
    """All figures, in microseconds and ratios."""
    raw = openai.OpenAI(api_key="sk-bench-0123456789", base_url=base_url)
    wrapped = monitor.wrap(openai.OpenAI(api_key="sk-bench-0123456789", base_url=base_url), settings=settings)
    found: dict[str, object] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "openai": openai.__version__,
        "call": _pair(lambda: call(raw), lambda: call(wrapped), calls),
        "call_in_a_span_by_hand": _pair(lambda: call(raw), spanned(raw), calls),
    }
    streams = max(calls // 10, 20)
    hidden = _pair(lambda: stream(raw), lambda: stream(wrapped), streams)
    hidden["added_us_per_chunk"] = round(hidden["added_us_median"] / CHUNKS, 3)
    found["stream_of_200_chunks"] = hidden
    asked = _pair(lambda: stream(raw, asked=True), lambda: stream(wrapped, asked=True), streams)
    asked["added_us_per_chunk"] = round(asked["added_us_median"] / CHUNKS, 3)
    found["stream_of_200_chunks_caller_asked_for_usage"] = asked
    found["tasks_50"] = asyncio.run(_tasks(base_url, settings, max(calls // 100, 10)))
    found["import"] = _import()
    found["memory"] = _memory(base_url, settings, calls)
    return found


_IMPORT = """
import time
import openai
began = time.perf_counter()
import monitor
print(time.perf_counter() - began)
"""
_MEMORY = """
import os, sys
from pathlib import Path
import openai

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

client = openai.OpenAI(api_key="sk-bench-0123456789", base_url=sys.argv[1])
if sys.argv[2]:
    import monitor
    from monitor.settings import Settings
    monitor.wrap(client, settings=Settings(home=Path(sys.argv[2])))
for _ in range(int(sys.argv[3])):
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}])
print(resident())
"""


def _import(times: int = 12) -> dict[str, float]:
    """Milliseconds that `import monitor` takes where openai is loaded already."""
    took = [float(_output(_IMPORT)) * 1e3 for _ in range(times)]
    return {"best_ms": round(min(took), 1), "median_ms": round(statistics.median(took), 1)}


def _memory(base_url: str, settings: Settings, calls: int, times: int = 3) -> dict[str, float]:
    """Resident memory after some calls, in MB: a process of each kind in turn, and the difference of the medians."""
    raw, wrapped = (
        statistics.median(int(_output(_MEMORY, base_url, home, str(calls // 4))) / 2**20 for _ in range(times))
        for home in ("", str(settings.home))
    )
    return {"raw_mb": round(raw, 1), "wrapped_mb": round(wrapped, 1), "added_mb": round(wrapped - raw, 1)}


def _output(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True
    ).stdout


def call(client: openai.OpenAI) -> None:
    """One call, not streamed."""
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}])


def spanned(client: openai.OpenAI) -> Callable[[], None]:
    """A call inside a span of OpenTelemetry with six attributes, written by hand: a measure to compare with."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer = provider.get_tracer("bench")

    def run() -> None:
        with tracer.start_as_current_span("chat gpt-4o-mini") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.request.model", "gpt-4o-mini")
            answer = client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}]
            )
            span.set_attribute("gen_ai.response.model", answer.model)
            span.set_attribute("gen_ai.response.id", answer.id)
            if answer.usage:
                span.set_attribute("gen_ai.usage.input_tokens", answer.usage.prompt_tokens)
                span.set_attribute("gen_ai.usage.output_tokens", answer.usage.completion_tokens)

    return run


class Nowhere(SpanExporter):
    """Takes the spans and does nothing with them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - as its base
        return SpanExportResult.SUCCESS


def stream(client: openai.OpenAI, *, asked: bool = False) -> None:
    """One call that is streamed; `asked` for its usage by the caller, or not."""
    options = {"stream_options": {"include_usage": True}} if asked else {}
    for _ in client.chat.completions.create(  # type: ignore[call-overload]  # the options are the overload's
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}], stream=True, **options
    ):
        pass


def _pair(raw: Callable[[], None], wrapped: Callable[[], None], times: int) -> dict[str, float]:
    for _ in range(max(times // 20, 5)):
        raw()
        wrapped()
    gc.collect()
    gc.disable()
    try:
        pairs = [_in_turn(raw, wrapped, i) for i in range(times)]
    finally:
        gc.enable()
    figures = _figures([a for (a, _), _ in pairs], [b for _, (b, _) in pairs])
    cpu = [b - a for (_, a), (_, b) in pairs]
    return {**figures, "added_cpu_us_median": round(statistics.median(cpu) * 1e6, 1)}


def _in_turn(raw: Callable[[], None], wrapped: Callable[[], None], number: int) -> tuple[_Times, _Times]:
    """Which goes first changes each time: the first of two may find colder caches."""
    if number % 2:
        b, a = _timed(wrapped), _timed(raw)
    else:
        a, b = _timed(raw), _timed(wrapped)
    return a, b


def _timed(run: Callable[[], None]) -> _Times:
    """Seconds on the clock, and of processor time in all threads."""
    began, began_cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - began, time.process_time() - began_cpu


def _figures(raw: list[float], wrapped: list[float]) -> dict[str, float]:
    added = [b - a for a, b in zip(raw, wrapped, strict=True)]
    return {
        "raw_us_median": round(statistics.median(raw) * 1e6, 1),
        "wrapped_us_median": round(statistics.median(wrapped) * 1e6, 1),
        "added_us_median": round(statistics.median(added) * 1e6, 1),
        "throughput_ratio": round(statistics.median(raw) / statistics.median(wrapped), 4),
        "pairs": len(raw),
    }


async def _tasks(base_url: str, settings: Settings, rounds: int) -> dict[str, float]:
    raw = openai.AsyncOpenAI(api_key="sk-bench-0123456789", base_url=base_url)
    wrapped = monitor.wrap(openai.AsyncOpenAI(api_key="sk-bench-0123456789", base_url=base_url), settings=settings)

    async def one(client: openai.AsyncOpenAI) -> None:
        await client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}])

    async def burst(client: openai.AsyncOpenAI) -> float:
        began = time.perf_counter()
        waiting: list[Awaitable[None]] = [one(client) for _ in range(_TASKS)]
        await asyncio.gather(*waiting)
        return (time.perf_counter() - began) / _TASKS

    await burst(raw)
    await burst(wrapped)
    pairs = [
        (await burst(raw), await burst(wrapped)) if i % 2 else (await burst(wrapped), await burst(raw))[::-1]
        for i in range(rounds)
    ]
    await raw.close()
    await wrapped.close()
    return _figures([a for a, _ in pairs], [b for _, b in pairs])


if __name__ == "__main__":
    main()
