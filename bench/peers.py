"""What other tools add to a call, beside ours, in the same run on the same machine.

    pip install opentelemetry-instrumentation-openai openinference-instrumentation-openai logfire
    python -m bench.peers [--rounds N] [--json FILE]

Those that are not installed are left out. Each is measured in a process of its own, for they change the SDK itself, in
turns with raw calls, with ours, and with a span that is written by hand. Spans go to an exporter that drops them, in a
thread of its own: nothing is sent, and nothing of them is kept. Ours are on disk when the call returns.
"""

import argparse
import gc
import importlib
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import openai
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import monitor
from bench.overhead import CHUNKS, Nowhere, call, spanned, stream
from monitor.settings import Settings

_SERVER: Final = Path(__file__).with_name("instant_server.py")
CALLS: Final = 25
STREAMS: Final = 2
MODULES: Final = {
    "OpenLLMetry": "opentelemetry.instrumentation.openai",
    "OpenInference": "openinference.instrumentation.openai",
    "logfire": "logfire",
}


class Peer(Protocol):
    """A tool that can be switched on and off."""

    def on(self) -> None:
        """Record what the client asks from here on."""

    def off(self) -> None:
        """Record nothing."""


def main() -> None:
    """Measure and print; with `--only`, one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help=f"of {CALLS} calls and {STREAMS} streams each")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=MODULES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(_measured(arguments.only, arguments.rounds)))
        return
    found = {name: _asked(name, arguments.rounds) for name, module in MODULES.items() if is_there(module)}
    report = json.dumps(found, indent=2)
    print(report)
    if arguments.json:
        arguments.json.write_text(report + "\n", encoding="utf-8")


def is_there(module: str) -> bool:
    """Whether it is installed."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _asked(name: str, rounds: int) -> Any:
    program = (sys.executable, "-m", "bench.peers", "--only", name, "--rounds", str(rounds))
    run = subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def _measured(name: str, rounds: int) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory() as directory,
        subprocess.Popen([sys.executable, str(_SERVER)], stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            raw, ours = (openai.OpenAI(api_key="sk-bench-0123456789", base_url=address) for _ in range(2))
            monitor.wrap(ours, settings=Settings(home=Path(directory) / "home", service="bench"))
            return figures_of(times_of(_peer(name, raw), raw, ours, rounds))
        finally:
            server.kill()


def times_of(peer: Peer, raw: openai.OpenAI, ours: openai.OpenAI, rounds: int) -> Mapping[str, Sequence[float]]:
    """Seconds of each call and each stream, in turns; one round more than asked for, which comes first."""
    by_hand = spanned(raw)
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds + 1):
        for who, client in (("raw", raw), ("ours", ours)):
            took[f"{who} call"] += _timed(partial(call, client), CALLS)
            took[f"{who} stream"] += _timed(partial(stream, client, asked=True), STREAMS)
        took["span call"] += _timed(by_hand, CALLS)
        peer.on()
        took["peer call"] += _timed(partial(call, raw), CALLS)
        took["peer stream"] += _timed(partial(stream, raw, asked=True), STREAMS)
        peer.off()
    return took


def figures_of(took: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Microseconds that each adds to a call, and to a chunk of a stream whose caller asks for its usage."""
    # The first round is for the caches.
    middle = {
        what: statistics.median(times[CALLS if what.endswith("call") else STREAMS :]) * 1e6
        for what, times in took.items()
    }
    calls = {f"{who}_us_a_call": middle[f"{who} call"] - middle["raw call"] for who in ("span", "ours", "peer")}
    chunks = {
        f"{who}_us_a_chunk": (middle[f"{who} stream"] - middle["raw stream"]) / CHUNKS for who in ("ours", "peer")
    }
    return {name: round(value, 1) for name, value in {"raw_us_a_call": middle["raw call"], **calls, **chunks}.items()}


def _timed(run: Callable[[], None], times: int) -> list[float]:
    """Seconds of each; what was switched on or off just before is not in it."""
    run()
    gc.collect()
    gc.disable()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    gc.enable()
    return found


def _peer(name: str, client: openai.OpenAI) -> Peer:
    module = importlib.import_module(MODULES[name])
    if name == "logfire":
        return _Logfire(module, client)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    return _Instrumentor(module.OpenAIInstrumentor(), provider)


class _Instrumentor:
    """One that changes the SDK for all clients."""

    def __init__(self, instrumentor: Any, provider: TracerProvider) -> None:
        self._instrumentor = instrumentor
        self._provider = provider

    def on(self) -> None:
        self._instrumentor.instrument(tracer_provider=self._provider)

    def off(self) -> None:
        self._instrumentor.uninstrument()


class _Logfire:
    """One that changes a client, as long as a block lasts."""

    def __init__(self, module: Any, client: openai.OpenAI) -> None:
        module.configure(
            send_to_logfire=False, console=False, additional_span_processors=[BatchSpanProcessor(Nowhere())]
        )
        self._module, self._client = module, client
        self._block: Any = None

    def on(self) -> None:
        self._block = self._module.instrument_openai(self._client)
        self._block.__enter__()

    def off(self) -> None:
        self._block.__exit__(None, None, None)


if __name__ == "__main__":
    main()
