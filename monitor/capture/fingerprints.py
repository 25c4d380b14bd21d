"""Names request bodies: equal requests have equal names, and nobody learns from a name what was asked."""

from hashlib import blake2b
from typing import Final

import msgspec

from monitor.capture.keys import KeyNames

_LENGTH: Final = 8
_LONGEST_KEY: Final = 64
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Fingerprints:
    """Fingerprints salted with the install secret, so that those of two installations cannot be joined."""

    def __init__(self, keys: KeyNames) -> None:
        """Use the salt that the names of keys use."""
        self._keys = keys

    def of(self, content: bytes) -> str | None:
        """16 hex digits for a JSON object, None for anything else, and while there is no salt.

        The fields are taken in the order of their names: the versions of the SDK do not agree on one.
        """
        salt = self._keys.salt
        if salt is None:
            return None
        try:
            fields = _decode(content)
        except _UNREADABLE:
            return None
        parts: list[bytes | msgspec.Raw] = []
        for name in sorted(fields):
            parts += name.encode("utf-8", "surrogatepass"), fields[name]
        return blake2b(b"\0".join(parts), digest_size=_LENGTH, key=salt[:_LONGEST_KEY]).hexdigest()
