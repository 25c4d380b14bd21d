"""Names request bodies: equal requests have equal names, and nobody learns from a name what was asked."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from monitor.capture.keys import KeyNames

_LENGTH: Final = 8
_LONGEST_KEY: Final = 64


class Fingerprints:
    """Fingerprints salted with the install secret, so that those of two installations cannot be joined."""

    def __init__(self, keys: KeyNames) -> None:
        """Use the salt that the names of keys use."""
        self._keys = keys
        self._salted: blake2b | None = None

    def of(self, fields: Mapping[str, msgspec.Raw]) -> str | None:
        """16 hex digits for the fields of a JSON object, None while there is no salt.

        They are taken in the order of their names: the versions of the SDK do not agree on one.
        """
        if self._salted is None:
            salt = self._keys.salt
            if salt is None:
                return None
            self._salted = blake2b(digest_size=_LENGTH, key=salt[:_LONGEST_KEY])
        parts: list[bytes | msgspec.Raw] = []
        for name in sorted(fields):
            parts += name.encode(), fields[name]
        digest = self._salted.copy()
        digest.update(b"\0".join(parts))
        return digest.hexdigest()
