"""Draws what an answer would be: its tokens and its times. Used by the pretended API and by the made-up history."""

import math
from random import Random
from typing import Final, NamedTuple

from monitor.demo.models import Model

CACHE_BLOCK: Final = 128
CACHE_MINIMUM: Final = 1_024
DEFAULT_OUTPUT_LIMIT: Final = 700

_LONGEST = 3.5
_TIER_PACE = {"priority": 0.6, "flex": 1.5}
_EFFORT_SHARE = {"none": 0.0, "minimal": 0.3, "low": 0.6, "medium": 1.0, "high": 1.4, "xhigh": 1.6}


class Answer(NamedTuple):
    """How much a model said; reasoning is part of `output_tokens`."""

    output_tokens: int
    reasoning_tokens: int
    is_cut: bool


class Timing(NamedTuple):
    """Seconds until the first part of an answer, and until its end."""

    first_chunk: float
    duration: float


def spread(random: Random, sigma: float) -> float:
    """A log-normal factor around 1; twice as quick as `lognormvariate`."""
    return math.exp(random.gauss(0.0, sigma))


def draw_answer(random: Random, model: Model, *, limit: int | None, effort: str | None = None) -> Answer:
    """Draw an output size around two fifths of `limit`, never above it."""
    most = limit or DEFAULT_OUTPUT_LIMIT
    wanted = max(1, round(0.4 * most * spread(random, 0.45)))
    output = min(wanted, most)
    share = model.reasoning_share * _EFFORT_SHARE.get(effort or "medium", 1.0)
    reasoning = int(output * min(0.9, share * (0.6 + 0.8 * random.random())))
    return Answer(output, reasoning, wanted > most)


def draw_timing(random: Random, model: Model, *, output_tokens: int, tier: str | None) -> Timing:
    """Draw the times of an answer of this size; log-normal around the model's own speed."""
    pace = _TIER_PACE.get(tier or "default", 1.0)
    first = model.first_chunk * pace * spread(random, 0.3)
    rest = output_tokens * model.token_time * pace * spread(random, 0.25)
    return Timing(min(first, _LONGEST / 2), min(first + rest, _LONGEST))


def written_tokens(model: Model, *, input_tokens: int, cached_tokens: int) -> int:
    """How many input tokens this request put into the prompt cache."""
    if not model.writes_cache or input_tokens < CACHE_MINIMUM:
        return 0
    return input_tokens // CACHE_BLOCK * CACHE_BLOCK - cached_tokens
