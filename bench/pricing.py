"""What pricing adds to the drain's time: the drain as it is, against the same one that computes no costs.

    python -m bench.pricing [--requests N] [--rounds N] [--traces PATH] [--json FILE]

Both drain the same spool of `bench.loads` into a new ledger, in turns, each in a process of its own. The one without
costs asks for no prices and stores nulls; all else is the same. What is added is told as a part of the time without, by
the medians, on the clock and of the processor.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import duckdb

from bench.loads import fill_spool
from bench.windows import TRACES
from monitor.health import Health
from monitor.home import Home
from monitor.ledger import drain as drain_module
from monitor.ledger.columns import MONEY
from monitor.ledger.costs import cost_columns
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.installed import installed_price_book

_GOAL: Final = 0.20
_MEASURES: Final = ("seconds", "processor_seconds")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=("priced", "unpriced"), help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(_drained(Home(arguments.home), is_priced=arguments.only == "priced")))
        return
    report = json.dumps(_measured(arguments), indent=2)
    print(report)
    if arguments.json:
        arguments.json.write_text(report + "\n", encoding="utf-8")


def _measured(arguments: argparse.Namespace) -> Mapping[str, object]:
    found: dict[str, list[Mapping[str, float]]] = {"priced": [], "unpriced": []}
    with tempfile.TemporaryDirectory() as directory:
        home = Home(Path(directory) / "home")
        home.create()
        fill_spool(home.spool, arguments.requests, seed=1, traces=arguments.traces)
        for _ in range(arguments.rounds):
            for part, rounds in found.items():
                rounds.append(_apart(part, home))
    medians = {
        part: {name: statistics.median(each[name] for each in rounds) for name in _MEASURES}
        for part, rounds in found.items()
    }
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "duckdb": duckdb.__version__,
        "requests": arguments.requests,
        "rounds": arguments.rounds,
        **{part: {name: round(value, 3) for name, value in each.items()} for part, each in medians.items()},
        "pricing_adds": {name: round(medians["priced"][name] / medians["unpriced"][name] - 1, 3) for name in _MEASURES},
        "goal": _GOAL,
    }


def _apart(part: str, home: Home) -> Mapping[str, float]:
    command = [sys.executable, "-m", "bench.pricing", "--only", part, "--home", str(home.path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _drained(home: Home, *, is_priced: bool) -> Mapping[str, float]:
    if not is_priced:
        # The drain has no switch for this, and needs none.
        vars(drain_module).update(priced_select=_nulls, match_new_models=_asks_nothing)
    with tempfile.TemporaryDirectory(dir=home.path) as directory, Ledger.open(Path(directory) / "ledger") as ledger:
        drain = Drain(ledger, home.spool, installed_price_book(), Health())
        began, used = time.perf_counter(), time.process_time()
        drain.run()
        took, used = time.perf_counter() - began, time.process_time() - used
        with ledger.cursor() as cursor:
            (costs,) = cursor.execute("select count(list_cost) > 0 from requests").fetchone() or (None,)
    assert costs is is_priced, "the comparison is not what it says"
    return {"seconds": took, "processor_seconds": used}


def _asks_nothing(*_: object, **__: object) -> None:
    """Stands for the asking for prices."""


def _nulls(columns: tuple[str, ...], names: frozenset[str], *, has_discounts: bool, **_: Any) -> str:
    """Stands for `priced_select`: the same columns, and nothing computed."""
    computed = cost_columns(names, has_discounts=has_discounts)
    shown = [f"cast(null as {MONEY if name.endswith('_cost') else 'varchar'}) as {name}" for name in computed]
    shown[computed.index("pricing_state")] = "'free' as pricing_state"
    return f"select {', '.join((*columns, *shown))} from stage where kind in ('end', 'corrected')"


if __name__ == "__main__":
    main()
