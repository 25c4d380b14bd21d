"""Names request bodies: equal requests have equal names, and nobody learns from a name what was asked."""

from hashlib import blake2b
from typing import Final

from monitor.capture.keys import KeyNames

_LENGTH: Final = 8
_LONGEST_KEY: Final = 64


class Fingerprints:
    """Fingerprints salted with the install secret, so that those of two installations cannot be joined."""

    def __init__(self, keys: KeyNames) -> None:
        """Use the salt that the names of keys use."""
        self._keys = keys
        self._salted: blake2b | None = None

    def of(self, content: bytes) -> str | None:
        """16 hex digits for a body, byte by byte; None while there is no salt."""
        if self._salted is None:
            salt = self._keys.salt
            if salt is None:
                return None
            self._salted = blake2b(digest_size=_LENGTH, key=salt[:_LONGEST_KEY])
        digest = self._salted.copy()
        digest.update(content)
        return digest.hexdigest()
