"""Reads a usage object of any endpoint into the fields of a record.

Usage can be anything. `UsageBody` is what a well-formed one decodes to, and quick to read; every other one stays a
mapping, and is read part by part: what is not as the API has it is unknown.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

Fields = dict[str, object]

LARGEST: Final = 10**12
"""A count above it is no count: it would only spoil every sum it gets into."""

SEARCHING: Final = "-search"
"""Part of the names of models that search with every request."""

_Count = Annotated[int, msgspec.Meta(ge=0, lt=LARGEST)] | None
_LONGEST_NUMBER: Final = 32


class InputDetails(msgspec.Struct, gc=False):
    """The parts of the input."""

    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    audio_tokens: _Count = None
    image_tokens: _Count = None
    cached_tokens_details: Any = None
    cache_write_tokens_details: Any = None


class OutputDetails(msgspec.Struct, gc=False):
    """The parts of the output."""

    reasoning_tokens: _Count = None
    audio_tokens: _Count = None
    image_tokens: _Count = None
    accepted_prediction_tokens: _Count = None
    rejected_prediction_tokens: _Count = None


class UsageBody(msgspec.Struct, gc=False):
    """A usage object in which every count is one."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    input_tokens: _Count = None
    output_tokens: _Count = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    input_token_details: InputDetails | None = None
    output_token_details: OutputDetails | None = None
    prompt_token_details: InputDetails | None = None
    completion_token_details: OutputDetails | None = None
    cached_tokens: _Count = None
    prompt_cache_hit_tokens: _Count = None
    type: Any = None
    seconds: Any = None


_TOTALS: Final = {
    "input_tokens": "input_tokens",
    "prompt_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_input_tokens",
    "prompt_cache_hit_tokens": "cache_read_input_tokens",
    "reasoning_tokens": "reasoning_output_tokens",
}
_CACHED: Final = {
    "audio_tokens": "cache_read_audio_tokens",
    "image_tokens": "cache_read_image_tokens",
    "cached_audio_tokens": "cache_read_audio_tokens",
    "cached_image_tokens": "cache_read_image_tokens",
}
_WRITTEN: Final = {"ttl_12h_tokens": "cache_creation_long_tokens"}
_INPUT_PARTS: Final = {
    "cached_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
    "cached_tokens_details": _CACHED,
    "cache_write_tokens_details": _WRITTEN,
}
_NESTED: Final = ("cached_tokens_details", "cache_write_tokens_details")
_OUTPUT_PARTS: Final = {
    "reasoning_tokens": "reasoning_output_tokens",
    "audio_tokens": "output_audio_tokens",
    "image_tokens": "output_image_tokens",
    "accepted_prediction_tokens": "accepted_prediction_tokens",
    "rejected_prediction_tokens": "rejected_prediction_tokens",
}
_NAMES: Final = {
    "input_tokens_details": _INPUT_PARTS,
    "prompt_tokens_details": _INPUT_PARTS,
    "input_token_details": _INPUT_PARTS,
    "prompt_token_details": _INPUT_PARTS,
    "output_tokens_details": _OUTPUT_PARTS,
    "completion_tokens_details": _OUTPUT_PARTS,
    "output_token_details": _OUTPUT_PARTS,
    "completion_token_details": _OUTPUT_PARTS,
    **_TOTALS,
    "cached_tokens_details": _CACHED,
}
"""Their names and ours; for an object, those within it. The newer and more exact ones come first."""


def usage_fields(usage: Any) -> Fields:
    """The usage fields of a record from a usage object of any endpoint; empty when it states nothing."""
    if not isinstance(usage, UsageBody):
        return _of_mapping(usage) if isinstance(usage, Mapping) else {}
    if (usage.input_tokens is not None and usage.prompt_tokens is not None) or (
        usage.input_tokens_details is not None and usage.prompt_tokens_details is not None
    ):
        # Some servers state both forms, and zeros in the one that they do not use.
        return _of_mapping(msgspec.to_builtins(usage))
    # Written out: this is read with every answer, and a table would take four times as long.
    fields: Fields = {}
    count = usage.prompt_tokens if usage.input_tokens is None else usage.input_tokens
    if count is not None:
        fields["input_tokens"] = count
    count = usage.completion_tokens if usage.output_tokens is None else usage.output_tokens
    if count is not None:
        fields["output_tokens"] = count
    details = usage.input_tokens_details or usage.prompt_tokens_details or _singular_input(usage)
    if details is not None:
        _put_input(fields, details)
    # Moonshot's name, and DeepSeek's.
    count = usage.prompt_cache_hit_tokens if usage.cached_tokens is None else usage.cached_tokens
    if count is not None and not fields.get("cache_read_input_tokens"):
        fields["cache_read_input_tokens"] = count
    parts = usage.output_tokens_details or usage.completion_tokens_details or _singular_output(usage)
    if parts is not None:
        _put_output(fields, parts)
    if usage.seconds is not None and usage.type == "duration":
        fields["audio_seconds"] = amount_of(usage.seconds)
    return fields


def amount_of(value: Any) -> float | None:
    """A number of any kind of unit, also one that is written as text; None where it is none."""
    if isinstance(value, str) and len(value) < _LONGEST_NUMBER and value.isascii():
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < LARGEST:
        return None
    return float(value)


def count_of(value: Any) -> int | None:
    """A whole number of reasonable size, also one that is written as text; None where it is none."""
    if isinstance(value, str):
        value = int(value) if len(value) < _LONGEST_NUMBER and _is_whole(value.removeprefix("-")) else None
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST
    return value if is_count else None


def _is_whole(digits: str) -> bool:
    return digits.isascii() and digits.isdecimal()


def _of_mapping(usage: Mapping[Any, Any]) -> Fields:
    fields: Fields = {}
    _put_parts(fields, usage, _NAMES)
    if usage.get("type") == "duration" and usage.get("seconds") is not None:
        fields["audio_seconds"] = amount_of(usage["seconds"])
    return fields


def _singular_input(usage: UsageBody) -> InputDetails | None:
    return usage.input_token_details or usage.prompt_token_details


def _singular_output(usage: UsageBody) -> OutputDetails | None:
    return usage.output_token_details or usage.completion_token_details


def _put_input(fields: Fields, details: InputDetails) -> None:
    if details.cached_tokens is not None:
        fields["cache_read_input_tokens"] = details.cached_tokens
    if details.cache_write_tokens is not None:
        fields["cache_creation_input_tokens"] = details.cache_write_tokens
    if details.audio_tokens is not None:
        fields["input_audio_tokens"] = details.audio_tokens
    if details.image_tokens is not None:
        fields["input_image_tokens"] = details.image_tokens
    if details.cached_tokens_details is not None or details.cache_write_tokens_details is not None:
        _put_parts(fields, {name: getattr(details, name) for name in _NESTED}, _INPUT_PARTS)


def _put_output(fields: Fields, details: OutputDetails) -> None:
    if details.reasoning_tokens is not None:
        fields["reasoning_output_tokens"] = details.reasoning_tokens
    if details.audio_tokens is not None:
        fields["output_audio_tokens"] = details.audio_tokens
    if details.image_tokens is not None:
        fields["output_image_tokens"] = details.image_tokens
    if details.accepted_prediction_tokens is not None:
        fields["accepted_prediction_tokens"] = details.accepted_prediction_tokens
    if details.rejected_prediction_tokens is not None:
        fields["rejected_prediction_tokens"] = details.rejected_prediction_tokens


def _put_parts(fields: Fields, parts: Mapping[Any, Any], names: Mapping[str, Any]) -> None:
    for key, name in names.items():
        value = parts.get(key)
        if isinstance(name, str):
            # A zero gives way to what is stated elsewhere.
            if not fields.get(name) and (count := count_of(value)) is not None:
                fields[name] = count
        elif isinstance(value, Mapping):
            _put_parts(fields, value, name)


def searches_of(model: str) -> dict[str, int] | None:
    """The calls of tools that a chat with this model makes.

    The models that search do so with every request, and no answer says how often: one search is what is charged.
    """
    return {"web_search": 1} if SEARCHING in model else None
