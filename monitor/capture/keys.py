"""API keys as something that can be told apart but not used: a salted fingerprint and the last four characters."""

import hashlib
import hmac
from typing import Final

_FINGERPRINT_LENGTH: Final = 16
_HINT_LENGTH: Final = 4
_SHORTEST_WITH_HINT: Final = 16
_MAX_KNOWN: Final = 1024


class KeyNames:
    """Names keys. The salt is the install secret, so that fingerprints of two installations cannot be joined."""

    def __init__(self, secret: bytes) -> None:
        """Keep the salt."""
        self._secret = secret
        self._known: dict[str, tuple[str, str | None]] = {}

    @property
    def salt(self) -> bytes | None:
        """What names are salted with; None while there is no secret."""
        return self._secret

    def name(self, authorization: str | None, api_key: str | None) -> tuple[str | None, str | None]:
        """Fingerprint (16 hex digits) and last four characters of the key in these headers; None where there is none.

        Args:
            authorization: the header of that name, `Bearer …`.
            api_key: Azure's header `api-key`.
        """
        raw = api_key or authorization
        if not raw:
            return None, None
        named = self._known.get(raw)
        if named is None:
            named = self._name(raw)
            if len(self._known) < _MAX_KNOWN:
                self._known[raw] = named
        return named

    def _name(self, raw: str) -> tuple[str, str | None]:
        key = raw.removeprefix("Bearer ").strip()
        digest = hmac.new(self._secret, key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        # A token that is not a key (a JWT of Entra) or a short one shows too much with four characters.
        has_hint = len(key) >= _SHORTEST_WITH_HINT and not key.startswith("eyJ")
        return digest[:_FINGERPRINT_LENGTH], key[-_HINT_LENGTH:] if has_hint else None
