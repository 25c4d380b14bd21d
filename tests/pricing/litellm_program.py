"""Runs where litellm is installed: what its cost function says of every model of OpenAI that its table has, as JSON."""

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from tests.pricing.litellm_grid import USAGES, cells_of

# Without this it fetches its table when it is loaded. It stands in an environment of its own: types are not checked.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
_LITELLM: Any = importlib.import_module("litellm")
_COSTS: Any = importlib.import_module("litellm.cost_calculator")
_TYPES: Any = importlib.import_module("litellm.types.utils")
_PROVIDER = "openai"


def main() -> None:
    """Write all costs; null where the table has none."""
    # What it says of itself must not stand in the answer.
    with contextlib.redirect_stdout(sys.stderr):
        costs = [
            [model, tier, usage, _cost(model, facts, tier, usage)]
            for model, facts in sorted(_LITELLM.model_cost.items())
            if facts.get("litellm_provider") == _PROVIDER and "/" not in model
            for tier, usage in cells_of(model, str(facts.get("mode")))
        ]
    sys.stdout.write(json.dumps({"version": version("litellm"), "costs": costs}))


def _cost(model: str, facts: dict[str, Any], tier: str, usage: str) -> str | None:
    used = USAGES[usage]
    if usage == "searched":
        found = (facts.get("search_context_cost_per_query") or {}).get("search_context_size_medium")
        return None if found is None else str(found)
    return str(sum(_batch(model, used) if tier == "batch" else _single(model, used, tier)))


def _batch(model: str, used: dict[str, int | float]) -> Sequence[float]:
    found: Sequence[float] = _COSTS.batch_cost_calculator(_usage(used), model, _PROVIDER)
    return found


def _single(model: str, used: dict[str, int | float], tier: str) -> Sequence[float]:
    found: Sequence[float] = _COSTS.cost_per_token(
        model=model, custom_llm_provider=_PROVIDER, **_asked(used), **({} if tier == "default" else _tier(tier))
    )
    return found


def _tier(tier: str) -> dict[str, str]:
    return {"data_residency": "eu"} if tier == "region" else {"service_tier": tier}


def _asked(used: dict[str, int | float]) -> dict[str, Any]:
    if "audio_seconds" in used:
        return {"call_type": "transcription", "audio_transcription_file_duration": float(used["audio_seconds"])}
    if "input_characters" in used:
        return {"call_type": "speech", "prompt_characters": int(used["input_characters"])}
    return {
        "prompt_tokens": int(used["input_tokens"]),
        "completion_tokens": int(used["output_tokens"]),
        "usage_object": _usage(used),
    }


def _usage(used: dict[str, int | float]) -> Any:
    long = int(used.get("cache_creation_long_tokens", 0))
    written = int(used.get("cache_creation_input_tokens", 0))
    cached = int(used.get("cache_read_input_tokens", 0))
    sound_in, picture_in = int(used.get("input_audio_tokens", 0)), int(used.get("input_image_tokens", 0))
    sound_out, picture_out = int(used.get("output_audio_tokens", 0)), int(used.get("output_image_tokens", 0))
    tokens_in, tokens_out = int(used["input_tokens"]), int(used["output_tokens"])
    prompt: dict[str, Any] = {
        "cached_tokens": cached,
        "cache_write_tokens": written,
        "audio_tokens": sound_in,
        "image_tokens": picture_in,
        "text_tokens": tokens_in - sound_in - picture_in,
    }
    if long:
        prompt["cache_creation_token_details"] = _TYPES.CacheCreationTokenDetails(
            ephemeral_30m_input_tokens=written - long, ephemeral_12h_input_tokens=long
        )
    return _TYPES.Usage(
        prompt_tokens=tokens_in,
        completion_tokens=tokens_out,
        total_tokens=tokens_in + tokens_out,
        prompt_tokens_details=prompt,
        completion_tokens_details={
            "reasoning_tokens": int(used.get("reasoning_output_tokens", 0)),
            "audio_tokens": sound_out,
            "image_tokens": picture_out,
            "text_tokens": tokens_out - sound_out - picture_out,
        },
    )


if __name__ == "__main__":
    main()
