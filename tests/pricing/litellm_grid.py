"""What the two price lists are compared with: usages and tiers. Plain values, also read where only litellm is."""

USAGES: dict[str, dict[str, int | float]] = {
    "input": {"input_tokens": 100_000, "output_tokens": 0},
    "cached": {"input_tokens": 100_000, "output_tokens": 0, "cache_read_input_tokens": 100_000},
    "written": {"input_tokens": 100_000, "output_tokens": 0, "cache_creation_input_tokens": 100_000},
    "kept": {
        "input_tokens": 100_000,
        "output_tokens": 0,
        "cache_creation_input_tokens": 100_000,
        "cache_creation_long_tokens": 100_000,
    },
    "output": {"input_tokens": 0, "output_tokens": 100_000},
    "reasoned": {"input_tokens": 0, "output_tokens": 100_000, "reasoning_output_tokens": 90_000},
    "long": {"input_tokens": 300_000, "output_tokens": 10_000},
    "heard": {"input_tokens": 100_000, "output_tokens": 0, "input_audio_tokens": 100_000},
    "said": {"input_tokens": 0, "output_tokens": 100_000, "output_audio_tokens": 100_000},
    "seen": {"input_tokens": 100_000, "output_tokens": 0, "input_image_tokens": 100_000},
    "drawn": {"input_tokens": 0, "output_tokens": 100_000, "output_image_tokens": 100_000},
    "minute": {"audio_seconds": 60.0},
    "spoken": {"input_characters": 1_000},
    "searched": {"web_search": 1},
}
"""By a word for it: tokens, seconds, characters, or one search."""

TIERS = ("default", "flex", "priority", "ultrafast", "batch", "region")
"""`region` is the standard tier, processed in the EU."""

_TEXT = ("input", "cached", "written", "kept", "output", "reasoned", "long")
_IN_EVERY_TIER = ("input", "cached", "written", "output", "long")
_ONLY_INPUT = ("input",)
_WITH_TIERS = ("chat", "responses", "completion", "embedding")
KINDS: dict[str, tuple[str, ...]] = {
    "chat": (*_TEXT, "searched"),
    "responses": (*_TEXT, "searched"),
    "completion": ("input", "output"),
    "embedding": ("input",),
    "audio_transcription": ("input", "heard", "output", "minute"),
    "audio_speech": ("input", "said", "spoken"),
    "realtime": ("input", "cached", "output", "heard", "said", "seen"),
    "image_generation": ("input", "cached", "seen", "drawn"),
}
"""By what litellm says that a model is for: the usages that it can have."""

WORDS: dict[str, tuple[str, ...]] = {"audio": ("heard", "said")}
"""Usages of models that have such a word in their name."""


def cells_of(model: str, kind: str) -> list[tuple[str, str]]:
    """The tiers and usages in which a model is compared."""
    named = [*KINDS.get(kind, ()), *(usage for word, found in WORDS.items() if word in model for usage in found)]
    return [
        (tier, usage)
        for usage in dict.fromkeys(named)
        for tier in TIERS
        if tier == "default"
        or (kind in _WITH_TIERS and usage in (_ONLY_INPUT if tier == "ultrafast" else _IN_EVERY_TIER))
    ]
