"""How fast the drain is: from spool lines to priced, rolled-up and committed rows, and how fresh the ledger is.

    python -m bench.drain [--requests N] [--traces PATH] [--seconds S] [--memory MIB] [--json FILE]

The lines are those of `bench.loads`: real arrivals and sizes, a begin and an end line for each request. The baseline,
in the same run on the same lines, is DuckDB's own JSON reader filling a plain table: no checksums, no prices, no
rollup, no positions. Each is measured in a process of its own. Freshness: lines are written at 1,000 requests a second
while the server's own loop drains; the delay is from the end of a write to the row's being there for a question.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from bench.loads import feed, fill_spool
from bench.windows import TRACES
from monitor.clock import system_clock
from monitor.health import Health
from monitor.home import Home
from monitor.jobs.drain_loop import DrainLoop
from monitor.jobs.runner import JobRunner
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.installed import installed_price_book
from monitor.spool.writer import SpoolWriter

_RATE: Final = 1_000.0
_INTERVAL: Final = 0.5
_LOOK_EVERY: Final = 0.02
_SEGMENT: Final = 64 * 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500_000)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--seconds", type=float, default=30.0, help="of the measurement of freshness; 0 for none")
    parser.add_argument("--memory", type=int, help="MiB that DuckDB may use, as MONITOR_LEDGER_MEMORY has it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=_PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(_PARTS[arguments.only](Home(arguments.home), arguments)))
        return
    report = json.dumps(_measured(arguments), indent=2)
    print(report)
    if arguments.json:
        arguments.json.write_text(report + "\n", encoding="utf-8")


def _measured(arguments: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as directory:
        home = Home(Path(directory) / "home")
        home.create()
        filled = fill_spool(home.spool, arguments.requests, seed=1, traces=arguments.traces)
        found: dict[str, object] = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
            "duckdb": duckdb.__version__,
            "requests": filled.requests,
            "lines": filled.lines,
            "spool_bytes_per_request": round(filled.bytes / filled.requests),
        }
        baseline = _apart("baseline", home, arguments)
        found |= _apart("drain", home, arguments)
        found["baseline_requests_per_second"] = round(filled.requests / baseline["seconds"])
        found["ratio_to_baseline"] = round(baseline["seconds"] / float(str(found["seconds"])), 3)
    if arguments.seconds:
        with tempfile.TemporaryDirectory() as directory:
            home = Home(Path(directory) / "home")
            home.create()
            found["freshness"] = _apart("freshness", home, arguments)
    return found


def _apart(part: str, home: Home, arguments: argparse.Namespace) -> dict[str, float]:
    """Measure in a process of its own, so that memory and time are of this part only."""
    command = [sys.executable, "-m", "bench.drain", "--only", part, "--home", str(home.path)]
    command += ["--requests", str(arguments.requests), "--traces", str(arguments.traces)]
    command += ["--seconds", str(arguments.seconds)]
    command += ["--memory", str(arguments.memory)] if arguments.memory else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _baseline(home: Home, _: argparse.Namespace) -> Mapping[str, float]:
    began = time.perf_counter()
    with duckdb.connect(str(home.path / "baseline.duckdb")) as connection:
        connection.execute("create table plain as select * from read_json_auto(?)", [f"{home.spool}/*.ndjson"])
    return {"seconds": time.perf_counter() - began}


def _drained(home: Home, arguments: argparse.Namespace) -> Mapping[str, float]:
    memory = arguments.memory * 2**20 if arguments.memory else None
    with Ledger.open(home.ledger, memory=memory) as ledger:
        drain = Drain(ledger, home.spool, installed_price_book(), Health())
        began, used = time.perf_counter(), time.process_time()
        records = drain.run()
        took, used = time.perf_counter() - began, time.process_time() - used
        assert records == arguments.requests, f"{records} of {arguments.requests} records were drained"
        ledger.checkpoint()
    return {
        "seconds": round(took, 2),
        "requests_per_second": round(records / took),
        "processor_us_per_request": round(used / records * 1e6, 1),
        "ledger_bytes_per_request": round(home.ledger.stat().st_size / records),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _fresh(home: Home, arguments: argparse.Namespace) -> Mapping[str, float]:
    """Seconds from a line to its row, at a thousand requests a second."""
    writer = SpoolWriter(home.spool, segment_size=_SEGMENT, health=Health())
    written: list[float] = []
    with Ledger.open(home.ledger) as ledger:
        drain = Drain(ledger, home.spool, installed_price_book(), Health())
        loop = DrainLoop(drain, JobRunner(system_clock, Health()), interval=_INTERVAL)
        stopping = threading.Event()
        seen: list[tuple[float, int]] = []
        looking = threading.Thread(target=_look_on, args=(ledger, seen, stopping))
        loop.start()
        looking.start()
        written.extend(
            at for _, at in feed(writer, rate=_RATE, seconds=arguments.seconds, seed=1, traces=arguments.traces)
        )
        deadline = time.monotonic() + 60
        while (not seen or seen[-1][1] < len(written)) and time.monotonic() < deadline:
            stopping.wait(_LOOK_EVERY)
        stopping.set()
        looking.join()
        loop.stop()
    return _delays(written, seen)


def _look_on(ledger: Ledger, seen: list[tuple[float, int]], stopping: threading.Event) -> None:
    """How many rows a question found, and when."""
    while not stopping.is_set():
        with ledger.cursor() as cursor:
            (count,) = cursor.execute("select count(*) from requests").fetchone() or (0,)
        seen.append((time.time(), count))
        stopping.wait(_LOOK_EVERY)


def _delays(written: list[float], seen: list[tuple[float, int]]) -> Mapping[str, float]:
    """Lines become rows in their order, so the n-th row is that of the n-th line."""
    delays, place = [], 0
    for moment, count in seen:
        while place < min(count, len(written)):
            delays.append(moment - written[place])
            place += 1
    assert place == len(written), f"{place} of {len(written)} rows were seen"
    cuts = statistics.quantiles(delays, n=100)
    return {"requests": len(delays), "p50_s": round(cuts[49], 3), "p99_s": round(cuts[98], 3)}


_PARTS: Final = {"baseline": _baseline, "drain": _drained, "freshness": _fresh}


if __name__ == "__main__":
    main()
