"""The benchmarks' load: as many requests as the trace says, as bursty and as long, on a spool that drains."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.arrivals import Requests, counts_of, expand
from bench.loads import feed, fill_spool
from bench.windows import FILE, TRACES, WINDOW, Windows, read_windows, weibull_shape
from tests.world import World

_CLIENT: Final[dict[str, Any]] = {
    "workload": "language/m-large",
    "client_id": 0,
    "window_start_s": 0,
    "request_rate_per_s": 5.0,
    "interarrival_cv": 2.0,
    "arrival_pattern": "Gamma",
    "input_tokens_mean": 1_306.0,
    "input_tokens_p50": 1_000.0,
    "input_tokens_p99": 5_486.0,
    "output_tokens_mean": 101.0,
    "output_tokens_p50": 90.0,
    "output_tokens_p99": 300.0,
    "reason_ratio_mean": None,
    "image_tokens_mean": None,
}
_NO_TOKENS: Final = {name: None for name in _CLIENT if "_tokens_" in name}
_BUSY: Final = (
    _CLIENT,
    _CLIENT | {"window_start_s": 600, "request_rate_per_s": 20.0},
    _CLIENT | {"client_id": 1, "arrival_pattern": "Weibull", "interarrival_cv": 1.5},
    _CLIENT | {"client_id": 2, "arrival_pattern": "Exponential", "interarrival_cv": 1.0},
)
_IDLE: Final = {"request_rate_per_s": 0.0, "interarrival_cv": 0.0, "arrival_pattern": None}


def _trace(directory: Path, *rows: dict[str, Any]) -> Path:
    columns = {name: [row[name] for row in rows] for name in _CLIENT}
    pq.write_table(pa.table(columns), directory / FILE)
    return directory


def _all(windows: Windows, requests: int, seed: int = 1) -> Requests:
    (found,) = expand(windows, requests, seed=seed)
    return found


def test_each_window_gets_its_share_and_all_together_what_was_asked_for(tmp_path: Path) -> None:
    """A share that is no whole number is rounded up or down."""
    windows = read_windows(_trace(tmp_path, *_BUSY))

    counts = counts_of(windows, 1_001, seed=1)

    assert counts.sum() == 1_001
    share = windows.expected / windows.expected.sum() * 1_001
    assert np.all(np.abs(counts - share) < 1)


def test_rounding_favours_nobody(tmp_path: Path) -> None:
    """Over many seeds a window has on average exactly its share."""
    windows = read_windows(_trace(tmp_path, *_BUSY))

    mean = np.mean([counts_of(windows, 10, seed=seed) for seed in range(4_000)], axis=0)

    assert mean == pytest.approx(windows.expected / windows.expected.sum() * 10, abs=0.05)


def test_requests_lie_in_their_windows_in_order_of_time(tmp_path: Path) -> None:
    """At the whole rate a window of 600 s at 5 a second has 3,000 requests, all within it."""
    windows = read_windows(_trace(tmp_path, _CLIENT, _CLIENT | {"window_start_s": 1_200}))

    found = _all(windows, 6_000)

    assert np.all(np.diff(found.seconds) >= 0)
    assert np.count_nonzero(found.seconds < WINDOW) == 3_000
    assert np.count_nonzero((found.seconds >= 2 * WINDOW) & (found.seconds < 3 * WINDOW)) == 3_000


@pytest.mark.parametrize(
    ("pattern", "cv"), [("Gamma", 0.3), ("Gamma", 2.0), ("Weibull", 0.7), ("Weibull", 1.5), ("Exponential", 1.0)]
)
def test_arrivals_are_as_bursty_as_the_window_says(tmp_path: Path, pattern: str, cv: float) -> None:
    """The coefficient of variation of the gaps is that of the trace."""
    row = _CLIENT | {"arrival_pattern": pattern, "interarrival_cv": cv, "request_rate_per_s": 80.0}
    windows = read_windows(_trace(tmp_path, row))

    gaps = np.diff(_all(windows, 48_000).seconds)

    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.06)


def test_bursts_of_many_clients_do_not_meet_at_the_start_of_a_window(tmp_path: Path) -> None:
    """Each client's window begins anywhere between two of its arrivals."""
    rows = [_CLIENT | {"client_id": client, "interarrival_cv": 5.0} for client in range(400)]
    windows = read_windows(_trace(tmp_path, *rows))

    seconds = _all(windows, 20_000).seconds

    assert np.count_nonzero(seconds < WINDOW / 10) == pytest.approx(2_000, rel=0.15)


def test_token_counts_have_the_median_the_tail_and_the_mean_of_the_trace(tmp_path: Path) -> None:
    """Median and p99 are given; this mean agrees with them."""
    found = _all(read_windows(_trace(tmp_path, _CLIENT)), 60_000)

    assert np.median(found.input_tokens) == pytest.approx(1_000, rel=0.02)
    assert np.quantile(found.input_tokens, 0.99) == pytest.approx(5_486, rel=0.05)
    assert found.input_tokens.mean() == pytest.approx(1_306, rel=0.02)
    assert np.median(found.output_tokens) == pytest.approx(90, rel=0.02)


def test_a_share_of_the_output_is_reasoning(tmp_path: Path) -> None:
    """As much as the trace says, rounded down."""
    row = _CLIENT | {"workload": "reason/deepseek-r1", "reason_ratio_mean": 0.75}

    found = _all(read_windows(_trace(tmp_path, row)), 1_000)

    assert np.array_equal(found.reasoning_output_tokens, found.output_tokens * 3 // 4)


def test_a_window_without_tokens_takes_those_that_the_client_had_before(tmp_path: Path) -> None:
    """The distribution in force is stated every few hours, and not for idle windows."""
    later = _CLIENT | _NO_TOKENS | {"window_start_s": 600}
    windows = read_windows(_trace(tmp_path, _CLIENT | _IDLE, later))

    assert np.exp(windows.input_mu) == pytest.approx([1_000])


def test_a_client_without_any_tokens_takes_those_of_the_next_one_of_its_workload(tmp_path: Path) -> None:
    """And the last one those of the first."""
    other = _CLIENT | {"workload": "reason/deepseek-r1", "input_tokens_p50": 7.0}
    rows = (_CLIENT | {"client_id": 1}, _CLIENT | _NO_TOKENS, _CLIENT | _NO_TOKENS | {"client_id": 2}, other)
    windows = read_windows(_trace(tmp_path, *rows))

    assert np.exp(windows.input_mu) == pytest.approx([1_000, 1_000, 1_000, 7])


def test_the_shape_of_a_weibull_distribution_follows_from_its_variation() -> None:
    """That with shape 1 is the exponential one; that with shape 0.5 has a cv of the root of 5."""
    assert weibull_shape(np.array([1.0, 5**0.5])) == pytest.approx([1.0, 0.5], rel=1e-3)


def test_a_seed_gives_the_same_load_and_another_one_another(tmp_path: Path) -> None:
    """The sums are what a benchmark is checked against."""
    traces = _trace(tmp_path, *_BUSY)

    first, again, other = (fill_spool(tmp_path / str(n), 500, seed=n // 2, traces=traces) for n in (0, 1, 2))

    assert first.sums == again.sums
    assert other.sums != first.sums


def test_the_load_drains_to_its_own_sums(tmp_path: Path) -> None:
    """Every line is intact, every request priced, and the ledger has exactly what the load says it put there."""
    traces = _trace(tmp_path, *_BUSY, _CLIENT | {"workload": "reason/deepseek-r1", "reason_ratio_mean": 0.5})
    with World(tmp_path) as world:
        filled = fill_spool(world.home.spool, 3_000, seed=1, traces=traces)

        assert world.drain.run() == filled.requests == 3_000

        sums = "sum(input_tokens), sum(output_tokens), sum(cache_read_input_tokens), sum(reasoning_output_tokens)"
        stored = world.rows(f"select model, count(*), {sums} from requests where pricing_state = 'priced' group by all")
        assert {model: tuple(found) for model, *found in stored} == {
            model: (
                found.requests,
                found.input_tokens,
                found.output_tokens,
                found.cache_read_input_tokens,
                found.reasoning_output_tokens,
            )
            for model, found in filled.sums.items()
        }
        assert world.value("select sum(lines) from checkpoints") == filled.lines
        assert world.value("select sum(to_offset) from checkpoints") == filled.bytes
        assert world.value("select count(*) from begins") == 0
        assert world.value("select count(*) from quarantine") == 0


def test_no_two_requests_of_a_load_have_the_same_id(tmp_path: Path) -> None:
    """Neither record id nor the ids that the provider gives."""
    with World(tmp_path) as world:
        fill_spool(world.home.spool, 2_000, seed=1, traces=_trace(tmp_path, *_BUSY))
        world.drain.run()

        ids = "count(distinct record_id), count(distinct response_id), count(distinct request_id)"
        assert world.rows(f"select {ids} from requests") == [(2_000, 2_000, 2_000)]


def test_a_steady_load_says_when_each_request_was_over(tmp_path: Path) -> None:
    """The end line's own moment is the one at which it was written, to within what writing takes."""
    traces = _trace(tmp_path, *_BUSY)
    with World(tmp_path) as world:
        told = dict(feed(world.writer, rate=2_000, seconds=0.1, seed=1, traces=traces))
        world.drain.run()

        over = "epoch(started_at) + duration"
        stored = {record.hex: moment for record, moment in world.rows(f"select record_id, {over} from requests")}
        assert stored.keys() == told.keys()
        assert len(told) == 200
        assert all(stored[record] <= moment + 0.002 for record, moment in told.items())


def test_a_missing_trace_is_named(tmp_path: Path) -> None:
    """The message says what is missing and how to say where it is."""
    with pytest.raises(SystemExit, match=f"{FILE} is not in .*--traces"):
        fill_spool(tmp_path / "spool", 1, seed=1, traces=tmp_path)


@pytest.mark.skipif(not (TRACES / FILE).is_file(), reason=f"the trace {FILE} is not beside the checkout")
def test_the_real_trace_has_far_more_than_ten_million_requests() -> None:
    """235 clients, 14 days; a load of them has every client whose share is a request."""
    windows = read_windows()

    assert len(windows.tenants) == 235
    assert windows.expected.sum() == pytest.approx(238_276_485, rel=1e-6)
    counts = counts_of(windows, 10_000_000, seed=1)
    assert counts.sum() == 10_000_000
    assert len(np.unique(windows.tenant[counts > 0])) == 235
