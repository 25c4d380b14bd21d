"""Draws what one request of a feature would look like, as the pretended API would answer it."""

from random import Random
from typing import NamedTuple

from monitor.demo.answers import (
    CACHE_BLOCK,
    CACHE_MINIMUM,
    Answer,
    Timing,
    draw_answer,
    draw_timing,
    written_tokens,
)
from monitor.demo.company import C, Feature
from monitor.demo.models import MODELS, Model

_NOTHING = Answer(0, 0, is_cut=False)
_LONG_PROMPT = (60_000, 180_000)


class Draw(NamedTuple):
    """One request: what is asked of which model, and the answer. `model` is None where there is no such model."""

    model_name: str
    model: Model | None
    input_tokens: int
    cached_tokens: int
    written_tokens: int
    answer: Answer
    timing: Timing


def draw_request(random: Random, feature: Feature[C], *, is_long: bool = False) -> Draw:
    """Draw a request of this feature; `is_long` makes its prompt many times as long as usual."""
    name = feature.draw_model(random)
    model = MODELS.get(name)
    varying = random.randint(*_LONG_PROMPT) if is_long else feature.draw_input(random)
    input_tokens = feature.system_tokens + varying
    if model is None:
        return Draw(name, None, input_tokens, 0, 0, _NOTHING, Timing(0.1, 0.1))
    cached = 0
    if feature.system_tokens >= CACHE_MINIMUM and random.random() < feature.cache_hit_share:
        cached = feature.system_tokens // CACHE_BLOCK * CACHE_BLOCK
    answer = _NOTHING
    if not model.is_embedding:
        answer = draw_answer(random, model, limit=feature.output_limit, effort=feature.effort)
    return Draw(
        model_name=name,
        model=model,
        input_tokens=input_tokens,
        cached_tokens=cached,
        written_tokens=written_tokens(model, input_tokens=input_tokens, cached_tokens=cached),
        answer=answer,
        timing=draw_timing(random, model, output_tokens=answer.output_tokens, tier=feature.service_tier),
    )
