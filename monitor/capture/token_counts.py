"""How many tokens a text is: counted where the program itself has a tokenizer in memory, else estimated."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

TokenCount = Callable[[str], int]
Encode = Callable[[str], Sequence[int]]

_MOST: Final = 128 * 1024
"""So many characters are counted; the rest of a longer text is taken to be like them."""

_SLICE: Final = 8 * 1024
"""Some versions of the tokenizer need quadratic time for a long run of one character."""

_NEW_NAMES: Final = ("o200k_base", "o200k_harmony")
_OLD_NAMES: Final = ("cl100k_base",)
_OLD_MODELS: Final = ("gpt-4", "gpt-3", "text-", "davinci", "babbage", "curie", "ada", "code-")
_NOT_OLD: Final = ("gpt-4o", "gpt-4.1", "gpt-4.5")

# What is one token, roughly: a word up to ten letters, some capitals, up to three digits, and so on. The lengths are
# fitted to recorded answers (docs/benchmarks.md); those of other scripts to what is known of the two tokenizers.
_PATTERN: Final = (
    r"(?:[A-Z]?[a-z\u00df-\u024f]{1,10}|[A-Z]{1,3})%s|[0-9]{1,3}|['\u2019][a-z]{1,2}\b"
    r"|[\u0250-\u058f\u10a0-\u10ff\u1c80-\u1fff]{1,%d}"
    r"|[\u0590-\u109f\u1100-\u1c7f]{1,%d}"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,%d}"
    r"|[!-/:-@\[-`{-~]{1,3}\n*|[ \t]{0,64}[\r\n]+| {3,}|\t+|[^\x00-\x7f]"
)
_NEW_PATTERN: Final = _PATTERN % (r"(?:['\u2019][a-z]{1,2}\b)?", 4, 3, 2)
_OLD_PATTERN: Final = _PATTERN % ("", 2, 1, 1)


def token_count_of(model: str | None, modules: Mapping[str, Any] = sys.modules) -> TokenCount:
    """What counts the tokens of a text for a model; an unknown model is taken for a new one.

    tiktoken is used if the program has loaded the model's encoding; it is never imported here, and nothing is
    downloaded.
    """
    is_old = _is_old(model or "")
    encode = _loaded_encoder(_OLD_NAMES if is_old else _NEW_NAMES, modules)
    pattern = _OLD_PATTERN if is_old else _NEW_PATTERN

    def count(text: str) -> int:
        head = text[:_MOST]
        found = _encoded(encode, head) if encode is not None else None
        if found is None:
            found = len(re.findall(pattern, head))
        return found if len(text) <= _MOST else round(found * len(text) / _MOST)

    return count


def _is_old(model: str) -> bool:
    name = model.rpartition("/")[2].removeprefix("ft:")
    return name.startswith(_OLD_MODELS) and not name.startswith(_NOT_OLD)


def _loaded_encoder(names: tuple[str, ...], modules: Mapping[str, Any]) -> Encode | None:
    encodings = getattr(modules.get("tiktoken.registry"), "ENCODINGS", None)
    if not isinstance(encodings, Mapping):
        return None
    for name in names:
        encode = getattr(encodings.get(name), "encode_ordinary", None)
        if callable(encode):
            return cast("Encode", encode)
    return None


def _encoded(encode: Encode, text: str) -> int | None:
    try:
        return sum(len(encode(text[start : start + _SLICE])) for start in range(0, len(text), _SLICE))
    except (ValueError, TypeError, RuntimeError):
        return None
