"""A prompt cache as the API has one: prompts that begin alike are read from it in blocks of 128 tokens."""

from collections import OrderedDict
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from monitor.demo.answers import CACHE_BLOCK, CACHE_MINIMUM

TOKEN_LENGTH: Final = 4
"""Characters a token has, on average."""

_LIFETIME = 300.0
_CAPACITY = 50_000


class PromptCache:
    """Remembers the beginnings of prompts for five minutes after their last use."""

    def __init__(self) -> None:
        """Start empty."""
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def read(self, owner: str, text: str, *, at: float) -> int:
        """How many tokens of this prompt were there; the whole prompt is kept for the next one.

        Args:
            owner: prompts of different owners are never shared; a project and a model.
            text: the whole input.
            at: the present second of a steady clock.
        """
        if len(text) < CACHE_MINIMUM * TOKEN_LENGTH:
            return 0
        found = 0
        is_known = True
        for key in _beginnings(owner, text):
            used_at = self._seen.get(key)
            is_known = is_known and used_at is not None and at - used_at < _LIFETIME
            found += is_known
            self._seen[key] = at
            self._seen.move_to_end(key)
        while len(self._seen) > _CAPACITY:
            self._seen.popitem(last=False)
        tokens = found * CACHE_BLOCK
        return tokens if tokens >= CACHE_MINIMUM else 0


def _beginnings(owner: str, text: str) -> Iterator[bytes]:
    length = CACHE_BLOCK * TOKEN_LENGTH
    digest = blake2b(owner.encode(), digest_size=16)
    for start in range(0, len(text) - length + 1, length):
        digest.update(text[start : start + length].encode())
        yield digest.digest()
