"""ServeGen's windows: how much each client of a production service asked for, in spans of ten minutes.

The trace is alibaba/ServeGen's (Apache-2.0), with rates, burstiness and token distributions of 235 clients, no texts.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

WINDOW: Final = 600.0
"""Seconds of one window."""

FILE: Final = "servegen_clients_dev.parquet"
TRACES: Final = Path(__file__).parents[2] / "shared" / "data" / "traces"
"""Where the traces are looked for: beside the checkout."""

_Z99: Final = 2.3263478740408408
_PARAMETERS: Final = ("input_tokens_p50", "input_tokens_p99", "output_tokens_p50", "output_tokens_p99")
_FILLED: Final = ",\n".join(
    f"""coalesce(
        last_value({name} ignore nulls) over (mine rows between unbounded preceding and current row),
        first_value({name} ignore nulls) over (mine rows between current row and unbounded following)
    ) as {name}"""
    for name in (*_PARAMETERS, "reason_ratio_mean")
)
# A window without token columns takes those of the client's nearest earlier one, else of its nearest later one. A
# client that has none at all takes those of the next client of its workload at the same time.
_WINDOWS: Final = f"""
    with filled as (
        select workload, client_id, window_start_s, request_rate_per_s, interarrival_cv, arrival_pattern, {_FILLED}
        from read_parquet(?) window mine as (partition by workload, client_id order by window_start_s)
    ),
    clients as (
        select *, row_number() over (order by workload, client_id) - 1 as tenant
        from (select workload, client_id, bool_or(input_tokens_p50 is not null) as has_tokens from filled group by all)
    ),
    donors as (
        select c.workload, c.client_id, c.tenant, coalesce(
            min(d.client_id) filter (d.client_id >= c.client_id), min(d.client_id)
        ) as donor
        from clients c join clients d on d.workload = c.workload and d.has_tokens
        group by c.workload, c.client_id, c.tenant
    )
    select f.workload, f.client_id, tenant, f.window_start_s as start, f.request_rate_per_s * {WINDOW} as expected,
        f.interarrival_cv as cv, f.arrival_pattern as pattern, {", ".join(f"d.{name}" for name in _PARAMETERS)},
        coalesce(f.reason_ratio_mean, 0) as reason_ratio
    from filled f
        join donors using (workload, client_id)
        join filled d on d.workload = f.workload and d.client_id = donor and d.window_start_s = f.window_start_s
    where f.request_rate_per_s > 0
    order by f.window_start_s, tenant
"""

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class Tenant(NamedTuple):
    """One client of the trace."""

    workload: str
    client_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The windows with requests, ordered by time; each field has a number a window.

    `shape` is that of the gaps between arrivals, of a Gamma or a Weibull distribution; token counts are lognormal.
    """

    tenants: tuple[Tenant, ...]
    tenant: Counts
    start: Numbers
    expected: Numbers
    shape: Numbers
    is_weibull: npt.NDArray[np.bool_]
    input_mu: Numbers
    input_sigma: Numbers
    output_mu: Numbers
    output_sigma: Numbers
    reason_ratio: Numbers


def read_windows(traces: Path = TRACES) -> Windows:
    """The windows of the trace.

    Raises:
        SystemExit: the file is not there; the text says where it was looked for.
    """
    path = traces / FILE
    if not path.is_file():
        raise SystemExit(f"The trace {FILE} is not in {traces}; say where it is: --traces PATH.")
    with duckdb.connect() as connection:
        found = connection.execute(_WINDOWS, [str(path)]).fetchnumpy()
    named = zip(found["tenant"].tolist(), _texts(found["workload"]), found["client_id"].tolist(), strict=True)
    tenants = {number: Tenant(workload, client) for number, workload, client in named}
    is_weibull = np.asarray(_texts(found["pattern"])) == "Weibull"
    cv = _numbers(found["cv"])
    input_mu, input_sigma = _lognormal(found, "input")
    output_mu, output_sigma = _lognormal(found, "output")
    return Windows(
        tenants=tuple(tenants.get(number, Tenant("idle", number)) for number in range(max(tenants) + 1)),
        tenant=found["tenant"].astype(np.int64),
        start=_numbers(found["start"]),
        expected=_numbers(found["expected"]),
        # An exponential gap is a Gamma one whose cv is 1.
        shape=np.where(is_weibull, weibull_shape(cv), 1 / np.maximum(cv, 1e-3) ** 2),
        is_weibull=is_weibull,
        input_mu=input_mu,
        input_sigma=input_sigma,
        output_mu=output_mu,
        output_sigma=output_sigma,
        reason_ratio=_numbers(found["reason_ratio"]),
    )


def weibull_shape(cv: Numbers) -> Numbers:
    """The shape whose coefficient of variation this is."""
    shapes = np.geomspace(20, 0.1, 2_000)
    logs = np.array([math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape) for shape in shapes])
    found: Numbers = np.exp(np.interp(np.log(cv), np.log(np.expm1(logs)) / 2, np.log(shapes)))
    return found


def _lognormal(found: dict[str, Any], kind: str) -> tuple[Numbers, Numbers]:
    """From median and p99. Over all requests the mean comes out 2.3 % low for input and 1.6 % for output."""
    median = np.maximum(_numbers(found[f"{kind}_tokens_p50"]), 1)
    p99 = np.maximum(_numbers(found[f"{kind}_tokens_p99"]), median)
    return np.log(median), np.log(p99 / median) / _Z99


def _numbers(values: Any) -> Numbers:
    found: Numbers = np.asarray(np.ma.getdata(values), dtype=np.float64)
    return found


def _texts(values: Any) -> list[str]:
    return [str(value) for value in np.asarray(values)]
