"""Expands windows to requests: when each arrives, who sends it, how many tokens it has. Columns, in order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.windows import WINDOW, Counts, Numbers, Windows

_GROUP: Final = 65_536
_MOST_TOKENS: Final = 1_048_576
_LEAST_GAP: Final = 1e-300
_LAST: Final = 1 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Some requests in order of time; `seconds` are from the start of the trace."""

    seconds: Numbers
    tenant: Counts
    input_tokens: Counts
    output_tokens: Counts
    reasoning_output_tokens: Counts

    def __len__(self) -> int:
        """How many they are."""
        return len(self.seconds)

    def part(self, start: int, end: int) -> "Requests":
        """Some of them."""
        return Requests(**{name: getattr(self, name)[start:end] for name in self.__slots__})


def counts_of(windows: Windows, requests: int, *, seed: int) -> Counts:
    """How many of the requests fall into each window: its share, rounded up or down by chance; the sum is exact."""
    share = np.cumsum(windows.expected)
    edges = np.floor(share / share[-1] * requests + np.random.default_rng((seed, 1)).random())
    found: Counts = np.diff(edges.astype(np.int64), prepend=0)
    return found


def expand(windows: Windows, requests: int, *, seed: int) -> Iterator[Requests]:
    """All requests, some 65,536 at once and never less than a window; the same seed gives the same ones."""
    counts = counts_of(windows, requests, seed=seed)
    dice = np.random.default_rng((seed, 2))
    done = np.cumsum(counts)
    first = 0
    while first < len(counts):
        before = done[first - 1] if first else 0
        last = min(int(np.searchsorted(done, before + _GROUP)), len(counts) - 1)
        end = int(np.searchsorted(windows.start, windows.start[last], side="right"))
        found = _expanded(windows, first, counts[first:end], dice)
        if len(found):
            yield found
        first = end


def _expanded(windows: Windows, first: int, counts: Counts, dice: np.random.Generator) -> Requests:
    cells = first + np.flatnonzero(counts)
    counts = counts[counts > 0]
    cell = np.repeat(cells, counts)
    seconds = _arrivals(windows, cells, counts, dice)
    order = np.argsort(seconds, kind="stable")
    cell = cell[order]
    output = _tokens(windows.output_mu[cell], windows.output_sigma[cell], dice)
    return Requests(
        seconds=seconds[order],
        tenant=windows.tenant[cell],
        input_tokens=_tokens(windows.input_mu[cell], windows.input_sigma[cell], dice),
        output_tokens=output,
        reasoning_output_tokens=np.floor(output * windows.reason_ratio[cell]).astype(np.int64),
    )


def _arrivals(windows: Windows, cells: Counts, counts: Counts, dice: np.random.Generator) -> Numbers:
    """Gaps as the pattern says, stretched to a window; it begins anywhere between two of them.

    Would all begin with an arrival, the bursts of all clients would meet at the start of each window.
    """
    if not len(cells):
        return np.empty(0)
    cell = np.repeat(cells, counts)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    gaps = _gaps(windows.shape[cell], windows.is_weibull[cell], dice)
    # Each cell's gaps have the sum 1 before they are added up: else small ones would drown in large ones.
    gaps /= np.repeat(np.add.reduceat(gaps, starts), counts)
    within = np.cumsum(gaps) - np.repeat(np.arange(len(cells)) - dice.random(len(cells)), counts)
    found: Numbers = windows.start[cell] + WINDOW * np.minimum(within % 1, _LAST)
    return found


def _gaps(
    shape: Numbers, is_weibull: "np.ndarray[tuple[int], np.dtype[np.bool_]]", dice: np.random.Generator
) -> Numbers:
    gaps = np.empty(len(shape))
    gaps[is_weibull] = dice.standard_exponential(int(is_weibull.sum())) ** (1 / shape[is_weibull])
    gaps[~is_weibull] = dice.standard_gamma(shape[~is_weibull])
    found: Numbers = np.maximum(gaps, _LEAST_GAP)
    return found


def _tokens(mu: Numbers, sigma: Numbers, dice: np.random.Generator) -> Counts:
    drawn = np.exp(mu + sigma * dice.standard_normal(len(mu)))
    found: Counts = np.clip(np.rint(drawn), 1, _MOST_TOKENS).astype(np.int64)
    return found
