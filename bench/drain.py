"""How fast the drain is: from spool lines to priced, rolled-up and committed rows.

    python -m bench.drain [--records N] [--json FILE]

The baseline, in the same run on the same lines, is DuckDB's own JSON reader filling a plain table: no checksums, no
prices, no rollup, no positions.
"""

import argparse
import json
import os
import platform
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from monitor.capture.ids import new_id
from monitor.health import Health
from monitor.home import Home
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.installed import installed_price_book
from monitor.records import Record
from monitor.spool.writer import SpoolWriter

_MODELS = ("gpt-6.1-sol", "gpt-5.4-mini", "gpt-5.4-nano", "gpt-6-luna", "text-embedding-3-small", "acme-intent-v3")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Home(Path(directory) / "home")
        home.create()
        written = write(home, arguments.records)
        found = measure(home, arguments.records) | written
    report = json.dumps(found, indent=2)
    print(report)
    if arguments.json:
        arguments.json.write_text(report + "\n", encoding="utf-8")


def write(home: Home, records: int) -> dict[str, float]:
    """Fill the spool with records of many dimensions."""
    dice = random.Random(1)
    now = datetime.now(UTC)
    made = [_record(dice, now) for _ in range(records)]
    writer = SpoolWriter(home.spool, segment_size=64 * 2**20, health=Health())
    began = time.perf_counter()
    for record in made:
        writer.end(record)
    took = time.perf_counter() - began
    writer.close()
    size = sum(path.stat().st_size for path in home.spool.iterdir())
    return {
        "append_us": round(took / records * 1e6, 2),
        "spool_bytes_per_record": round(size / records),
    }


def measure(home: Home, records: int) -> dict[str, object]:
    """Drain it, and load the same lines with DuckDB alone."""
    began = time.perf_counter()
    with duckdb.connect(str(home.path / "baseline.duckdb")) as baseline:
        baseline.execute("create table plain as select * from read_json_auto(?)", [f"{home.spool}/*.ndjson"])
    plain = time.perf_counter() - began
    with Ledger.open(home.ledger) as ledger:
        drain = Drain(ledger, home.spool, installed_price_book(), Health())
        began = time.perf_counter()
        drained = drain.run()
        took = time.perf_counter() - began
        assert drained == records, f"{drained} of {records} records were drained"
        ledger.checkpoint()
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "duckdb": duckdb.__version__,
        "records": records,
        "records_per_second": round(records / took),
        "baseline_records_per_second": round(records / plain),
        "ratio_to_baseline": round(plain / took, 3),
        "ledger_bytes_per_record": round(home.ledger.stat().st_size / records),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _record(dice: random.Random, now: datetime) -> Record:
    record_id = new_id(time.time_ns())
    model = dice.choice(_MODELS)
    tokens = int(dice.lognormvariate(6.5, 1))
    return Record(
        record_id=record_id,
        call_id=record_id,
        attempt=0,
        request_id=f"req_{dice.getrandbits(128):032x}",
        response_id=f"chatcmpl-{dice.getrandbits(100):025x}",
        started_at=now - timedelta(seconds=dice.random() * 30 * 86_400),
        duration=round(dice.lognormvariate(0, 1), 6),
        provider_name="openai",
        operation_name="chat",
        endpoint="/chat/completions",
        request_model=model,
        response_model=model,
        is_billable=True,
        status=200,
        usage_source="response",
        input_tokens=tokens,
        output_tokens=int(dice.lognormvariate(5, 1)),
        cache_read_input_tokens=tokens // 3,
        finish_reasons=["stop"],
        service=f"service-{dice.randrange(12)}",
        environment="production",
        host="host-1",
        process_id=4711,
        team=f"team-{dice.randrange(8)}",
        feature=f"feature-{dice.randrange(40)}",
        user=f"user-{dice.randrange(5_000)}",
        call_site=f"shop/module_{dice.randrange(200)}.py:88",
        key_fingerprint="0123456789abcdef",
        key_hint="abcd",
        requests_limit=10_000,
        requests_remaining=9_999,
        requests_reset=0.006,
        tokens_limit=2_000_000,
        tokens_remaining=1_999_000,
        tokens_reset=0.03,
    )


if __name__ == "__main__":
    main()
