"""Load for the benchmarks: ServeGen's windows expanded to requests, as segments of a spool or at a steady rate.

    python -m bench.loads --requests 10000000 --out DIR [--seed N] [--traces PATH]
    python -m bench.loads --rate 1000 --seconds 60 --out DIR

DIR becomes a directory of segments, such as `$MONITOR_HOME/spool`. The whole trace is 238 million requests of 14 days;
fewer are the same clients over the same days, each asking as much less.
"""

import argparse
import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from bench.arrivals import Requests, expand
from bench.load_lines import LineMaker, Lines
from bench.windows import TRACES, Windows, read_windows
from monitor.health import Health
from monitor.spool.format import BEGIN, END, FOOTER, FORMAT_VERSION, HEADER, SUFFIX, Header, encode_line, line_of
from monitor.spool.writer import SpoolWriter

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
_SEGMENT: Final = 16_384
"""Requests of one segment: about 32 MB, as many as capture puts into one."""

_SHORTEST_PAUSE: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the requests to one model come to."""

    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int
    reasoning_output_tokens: int

    def __add__(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What was put on a spool. `lines` and `bytes` are of whole files, headers and footers too; `sums` by model."""

    requests: int
    lines: int
    bytes: int
    sums: dict[str, Sums]

    @property
    def total(self) -> Sums:
        """The sums over all models."""
        return sum(self.sums.values(), Sums(**dict.fromkeys(Sums.__slots__, 0)))


def fill_spool(directory: Path, requests: int, *, seed: int, start: datetime = START, traces: Path = TRACES) -> Filled:
    """Put the begin and end lines of so many requests on a spool, as one program after another would have.

    Args:
        directory: where the segments go; made if it is not there.
        requests: how many; exactly as many come.
        seed: the same one gives the same requests.
        start: when the trace begins; it lasts 14 days.
        traces: where the trace lies.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    windows = read_windows(traces)
    maker = LineMaker(windows.tenants, seed=seed)
    lines = size = count = 0
    sums: dict[str, Sums] = {}
    for part in _parts(windows, requests, seed):
        made = maker.lines(part, start=start)
        size += _write_segment(directory, made)
        count += len(part)
        lines += 2 * len(part) + 2
        for model, found in _sums(part, made, maker).items():
            sums[model] = sums[model] + found if model in sums else found
    return Filled(requests=count, lines=lines, bytes=size, sums=sums)


def feed(
    writer: SpoolWriter, *, rate: float, seconds: float, seed: int, traces: Path = TRACES
) -> Iterator[tuple[str, float]]:
    """Append requests at a steady rate and tell of each its record id and when its end line was written (`time.time`).

    The end line says that the request was over just then.
    """
    windows = read_windows(traces)
    maker = LineMaker(windows.tenants, seed=seed)
    began, place = time.time(), 0
    for part in _parts(windows, round(rate * seconds), seed):
        for at in range(0, len(part), max(round(rate), 1)):
            some = part.part(at, at + max(round(rate), 1))
            due = began + (place + np.arange(len(some))) / rate
            made = maker.lines(some, np.rint(due * 1e6).astype(np.int64), start=START)
            for number, moment in enumerate(due.tolist()):
                pause = moment - time.time()
                if pause > _SHORTEST_PAUSE:
                    time.sleep(pause)
                writer.put(BEGIN, made.begins[number])
                writer.put(END, made.ends[number])
                yield made.record_ids[number], time.time()
            place += len(some)


def _parts(windows: Windows, requests: int, seed: int) -> Iterator[Requests]:
    for found in expand(windows, requests, seed=seed):
        for at in range(0, len(found), _SEGMENT):
            yield found.part(at, at + _SEGMENT)


def _write_segment(directory: Path, made: Lines) -> int:
    segment = secrets.token_hex(16)
    header = Header(
        segment=segment,
        format=FORMAT_VERSION,
        host="node-00",
        pid=os.getpid(),
        process_started_at=None,
        started_at=datetime.now(UTC).isoformat(),
    )
    insides = [*((BEGIN, inside) for inside in made.begins), *((END, inside) for inside in made.ends)]
    # As one program with many requests at once: each line where its moment is.
    order = np.argsort(np.concatenate((made.started, made.ended)), kind="stable").tolist()
    lines = [line_of(seq, *insides[place]) for seq, place in enumerate(order, start=1)]
    content = b"".join((encode_line(0, HEADER, header), *lines, encode_line(len(lines) + 1, FOOTER, None)))
    path = directory / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{segment}{SUFFIX}"
    # A drain at work must not see half a segment without its writer.
    draft = path.with_suffix(".part")
    draft.write_bytes(content)
    draft.chmod(0o600)
    draft.rename(path)
    return len(content)


def _sums(part: Requests, made: Lines, maker: LineMaker) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    columns = (part.input_tokens, part.output_tokens, made.cache_read_input_tokens, part.reasoning_output_tokens)
    tenants = len(maker.models)
    counts = np.bincount(part.tenant, minlength=tenants)
    # In doubles whole numbers are exact up to 2**53; one segment has far fewer tokens.
    totals = [np.bincount(part.tenant, weights=column, minlength=tenants).astype(np.int64) for column in columns]
    for tenant in np.flatnonzero(counts).tolist():
        model = maker.models[tenant]
        mine = Sums(
            requests=int(counts[tenant]),
            input_tokens=int(totals[0][tenant]),
            output_tokens=int(totals[1][tenant]),
            cache_read_input_tokens=int(totals[2][tenant]),
            reasoning_output_tokens=int(totals[3][tenant]),
        )
        found[model] = found[model] + mine if model in found else mine
    return found


def main() -> None:
    """Fill a spool, or feed it for a while, and say what was put there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--rate", type=float, help="Requests a second, written as time goes by.")
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    began = time.perf_counter()
    if given.rate:
        told = _fed(given.out, rate=given.rate, seconds=given.seconds, seed=given.seed, traces=given.traces)
    else:
        filled = fill_spool(given.out, given.requests, seed=given.seed, traces=given.traces)
        told = {**asdict(filled), "total": asdict(filled.total)}
        told["us_per_line"] = round((time.perf_counter() - began) / filled.lines * 1e6, 2)
    print(json.dumps({**told, "seconds": round(time.perf_counter() - began, 1)}, indent=2))


def _fed(directory: Path, *, rate: float, seconds: float, seed: int, traces: Path) -> dict[str, object]:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = SpoolWriter(directory, segment_size=32 * 2**20, health=Health())
    requests = sum(1 for _ in feed(writer, rate=rate, seconds=seconds, seed=seed, traces=traces))
    writer.close()
    return {"requests": requests}


if __name__ == "__main__":
    main()
