"""API keys as something that can be told apart but not used: a salted fingerprint and the last four characters."""

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable
from typing import Final

from monitor.errors import HomeError
from monitor.spool.trouble import reason_of

log = logging.getLogger(__name__)

_FINGERPRINT_LENGTH: Final = 16
_HINT_LENGTH: Final = 4
_SHORTEST_WITH_HINT: Final = 16
_MAX_KNOWN: Final = 1024
_WAIT: Final = 5.0
_TOLD_BY_THE_SPOOL: Final = frozenset({"disk_full", "disk_fault", "read_only", "no_directory", "too_many_files"})
"""What keeps a secret from being made keeps lines from being written, too."""

_JWT: Final = "eyJ"
_ACCESS_KEY: Final = re.compile(r"Credential=([^/,\s]+)")


class KeyNames:
    """Names keys. The salt is the install secret, so that fingerprints of two installations cannot be joined."""

    def __init__(
        self,
        secret: bytes | Callable[[], bytes],
        *,
        is_quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Get the salt, if it can be had.

        Args:
            secret: the install secret, or what gives it or raises `HomeError`.
            is_quiet: whether the log has been told already why the secret cannot be had.
            clock: seconds that never go back.
        """
        self._secret = secret if isinstance(secret, bytes) else None
        self._get = None if isinstance(secret, bytes) else secret
        self._is_quiet = is_quiet
        self._clock = clock
        self._next_try = 0.0
        self._known: dict[str, tuple[str | None, str | None]] = {}
        self._try()

    @property
    def salt(self) -> bytes | None:
        """What names are salted with; None while there is no secret, for which it looks every five seconds."""
        if self._secret is None and self._clock() >= self._next_try:
            self._try()
        return self._secret

    def _try(self) -> None:
        if self._get is None:
            return
        try:
            self._secret = self._get()
        except HomeError as error:
            self._next_try = self._clock() + _WAIT
            if not self._is_quiet and reason_of(error) not in _TOLD_BY_THE_SPOOL:
                self._is_quiet = True
                log.warning("%s Until it can, requests are recorded without the fingerprint of their key.", error)

    def name(self, authorization: str | None, api_key: str | None) -> tuple[str | None, str | None]:
        """Fingerprint (16 hex digits) and last four characters of the key in these headers; None where there is none.

        While there is no salt there is no fingerprint.

        Args:
            authorization: the header of that name, `Bearer …`.
            api_key: Azure's header `api-key`.
        """
        raw = api_key or authorization
        if not raw:
            return None, None
        named = self._known.get(raw)
        if named is None:
            salt = self.salt
            named = self._name(raw, salt)
            if salt is not None and len(self._known) < _MAX_KNOWN:
                self._known[raw] = named
        return named

    def _name(self, raw: str, salt: bytes | None) -> tuple[str | None, str | None]:
        key, has_hint = _key_in(raw)
        hint = key[-_HINT_LENGTH:] if has_hint and len(key) >= _SHORTEST_WITH_HINT else None
        if salt is None:
            return None, hint
        digest = hmac.new(salt, key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        return digest[:_FINGERPRINT_LENGTH], hint


def _key_in(raw: str) -> tuple[str, bool]:
    """The key in a header, and whether its last characters may be shown.

    Of a signature of AWS it is the id of the access key. A token that is not a key (a JWT of Entra) or a password shows
    too much with four characters.
    """
    scheme, _, rest = raw.strip().partition(" ")
    if not rest:
        return scheme, not scheme.startswith(_JWT)
    if scheme.startswith("AWS4-") and (found := _ACCESS_KEY.search(rest)):
        return found[1], True
    if scheme.lower() == "bearer":
        key = rest.strip()
        return key, not key.startswith(_JWT)
    return raw, False
