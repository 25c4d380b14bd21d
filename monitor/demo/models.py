"""The models the pretended API serves: what they are called, how fast they are, how much they take."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model; the speeds are those of the real ones, shortened so that a demo stays lively."""

    name: str
    answers_as: str
    first_chunk: float
    token_time: float
    context_window: int = 400_000
    requests_limit: int = 5_000
    tokens_limit: int = 2_000_000
    reasoning_share: float = 0.0
    writes_cache: bool = False
    is_embedding: bool = False


_ALL: Final = (
    Model(
        name="gpt-6.1-sol",
        answers_as="gpt-6.1-sol",
        first_chunk=0.45,
        token_time=0.0022,
        context_window=1_050_000,
        requests_limit=500,
        tokens_limit=800_000,
        reasoning_share=0.25,
        writes_cache=True,
    ),
    Model(
        name="gpt-6-luna",
        answers_as="gpt-6-luna",
        first_chunk=0.30,
        token_time=0.0014,
        context_window=1_050_000,
        reasoning_share=0.10,
        writes_cache=True,
    ),
    Model(
        name="gpt-5.6-terra",
        answers_as="gpt-5.6-terra",
        first_chunk=0.55,
        token_time=0.0016,
        context_window=1_050_000,
        requests_limit=500,
        tokens_limit=1_000_000,
        reasoning_share=0.45,
        writes_cache=True,
    ),
    Model(
        name="gpt-5.4-mini",
        answers_as="gpt-5.4-mini-2026-03-17",
        first_chunk=0.30,
        token_time=0.0018,
        reasoning_share=0.15,
    ),
    Model(
        name="gpt-5.4-nano",
        answers_as="gpt-5.4-nano-2026-03-17",
        first_chunk=0.26,
        token_time=0.0014,
        requests_limit=10_000,
        tokens_limit=10_000_000,
    ),
    Model(
        name="acme-intent-v3",
        answers_as="acme-intent-v3",
        first_chunk=0.22,
        token_time=0.0012,
        context_window=8_192,
        requests_limit=1_000,
        tokens_limit=500_000,
    ),
    Model(
        name="text-embedding-3-small",
        answers_as="text-embedding-3-small",
        first_chunk=0.09,
        token_time=0.0,
        context_window=8_192,
        requests_limit=10_000,
        tokens_limit=5_000_000,
        is_embedding=True,
    ),
)

MODELS: Final = {model.name: model for model in _ALL}
"""By the name a program asks for."""
