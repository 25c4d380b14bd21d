"""What recording adds to a call, counted and not timed: instructions and cache misses, by valgrind.

    python -m bench.footprint [--calls N] [--json FILE]

Counts hardly depend on what else the machine does: a change of a few microseconds shows where every clock is too
noisy for it. The second-level cache that is pretended has 512 kB, as those of servers do per core. Needs `valgrind`.
"""

import argparse
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import openai

import monitor
from monitor.settings import Settings

_SERVER = Path(__file__).with_name("instant_server.py")
_CACHES = ("--I1=32768,8,64", "--D1=32768,8,64", "--LL=524288,8,64")
_WARM_UP = 20


def main() -> None:
    """Count and print; with `--port`, be the program that is counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--is-wrapped", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.port:
        _call(arguments.port, arguments.calls, is_wrapped=arguments.is_wrapped)
        return
    if shutil.which("valgrind") is None:
        sys.exit("This needs valgrind: apt install valgrind")
    with subprocess.Popen([sys.executable, str(_SERVER)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            raw, wrapped = (_counted(port, arguments.calls, more) for more in ((), ("--is-wrapped",)))
        finally:
            server.kill()
    report = json.dumps({"raw": raw, "added": {name: wrapped[name] - raw[name] for name in raw}}, indent=2)
    print(report)
    if arguments.json:
        arguments.json.write_text(report + "\n", encoding="utf-8")


def _call(port: int, calls: int, *, is_wrapped: bool) -> None:
    """Make the calls, and have them counted once everything is warm."""
    client = openai.OpenAI(api_key="sk-bench-0123456789", base_url=f"http://127.0.0.1:{port}/v1")
    with tempfile.TemporaryDirectory() as directory:
        if is_wrapped:
            client = monitor.wrap(client, settings=Settings(home=Path(directory) / "home", service="bench"))
        for number in range(_WARM_UP + calls):
            if number == _WARM_UP:
                gc.collect()
                gc.disable()
                _control("--instr=on")
            client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}])
        _control("--dump")


def _control(order: str) -> None:
    subprocess.run(["callgrind_control", order, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


def _counted(port: str, calls: int, more: tuple[str, ...]) -> dict[str, int]:
    """Instructions, and misses of the first and the second cache, a call."""
    with tempfile.TemporaryDirectory() as directory:
        counts = Path(directory) / "counts"
        valgrind = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--cache-sim=yes", *_CACHES)
        program = (sys.executable, "-m", "bench.footprint", "--port", port, "--calls", str(calls), *more)
        subprocess.run(
            [*valgrind, f"--callgrind-out-file={counts}", *program],
            check=True,
            stderr=subprocess.DEVNULL,
            # The order of sets and dicts by hash is part of what is counted.
            env={**os.environ, "PYTHONHASHSEED": "1"},
        )
        return counts_of(Path(f"{counts}.1").read_text(encoding="utf-8").splitlines(), calls)


def counts_of(lines: Sequence[str], calls: int) -> dict[str, int]:
    """What a file of callgrind's counted, a call."""
    names, totals = (next(line for line in lines if line.startswith(start)) for start in ("events:", "totals:"))
    found = dict(zip(names.split()[1:], map(int, totals.split()[1:]), strict=False))
    return {
        "instructions": found["Ir"] // calls,
        "first_cache_misses": (found["I1mr"] + found["D1mr"] + found["D1mw"]) // calls,
        "second_cache_misses": (found["ILmr"] + found["DLmr"] + found["DLmw"]) // calls,
    }


if __name__ == "__main__":
    main()
