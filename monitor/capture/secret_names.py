"""Which members of a JSON object hold a secret, by their names, and such members in texts that only look like JSON."""

import re
from functools import lru_cache
from typing import Final

REDACTED: Final = "[redacted]"

SECRET: Final = "secret"  # noqa: S105 - the name of a kind
"""All texts in it are taken out."""

HEADERS: Final = "headers"
"""An object of headers: all texts in it are taken out, whatever their names."""

LOGPROBS: Final = "logprobs"
"""The tokens of a text, each with its likelihood: they spell what was taken out of the text."""

PROPERTIES: Final = "properties"
"""Those of a JSON schema: what has the name of a secret there only says that there is one."""

_SECRETS: Final = frozenset(
    """
    access_key access_token account_key api_key api_secret api_token auth_token authorization bearer_token client_secret
    cookie credential credentials id_token passphrase passwd password private_key pwd refresh_token sas_token secret
    secret_access_key secret_key secrets security_token session_token set_cookie signing_key signing_secret
    subscription_key token webhook_secret
    """.replace("_", "").split()
)
_ENDINGS: Final = tuple(
    """
    access_key access_token api_key api_secret api_token auth_token authorization bearer_token client_secret passwd
    password private_key refresh_token secret_key security_token session_token signing_secret subscription_key
    webhook_secret
    """.replace("_", "").split()
)
"""Names often tell whose it is: `OPENAI_API_KEY`, `x-goog-api-key`, `proxy-authorization`, `db_password`."""

STEMS: Final = ("key", "token", "secret", "pass", "pwd", "authorization", "credential", "cookie")
"""Each name of a secret has one of these in it."""

_KINDS: Final = {"headers": HEADERS, "cookies": HEADERS, "properties": PROPERTIES}
LONGEST_NAME: Final = 64

_NAMED: Final = re.compile(
    r"""(\\{0,16}["']|(?<![\w-]))([A-Za-z][\w-]{1,63})\1\s{0,16}[:=]\s{0,16}(\\{0,16}["']|[{\[])"""
)
_BRACKET: Final = re.compile(r"[{}\[\]]")


def kind_of(name: str) -> str | None:
    """What a member of this name holds that is not kept; None for all others."""
    return None if len(name) > LONGEST_NAME else _kind_of(name)


@lru_cache(maxsize=1024)
def _kind_of(name: str) -> str | None:
    plain = name.lower().replace("-", "").replace("_", "")
    if plain in _SECRETS or plain.endswith(_ENDINGS):
        return SECRET
    return LOGPROBS if plain.endswith("logprobs") else _KINDS.get(plain)


def without_named(text: str) -> str:
    """A text without the values of members with the name of a secret, as in code, or JSON within other words."""
    kept: list[str] = []
    end = 0
    for found in _NAMED.finditer(text):
        if found.start() >= end and kind_of(found[2]) is SECRET:
            is_group = found[3] in "{["
            start = found.start(3) if is_group else found.end()
            kept += text[end:start], REDACTED
            end = _end_of_group(text, start) if is_group else _end_of_quoted(text, start, found[3])
            if end == start:
                kept.pop()
    return "".join((*kept, text[end:])) if kept else text


def _end_of_quoted(text: str, start: int, quote: str) -> int:
    """Where a text in quotes ends: at the same quote, or where its line ends."""
    line = text.find("\n", start)
    limit = len(text) if line < 0 else line
    end = text.find(quote, start, limit)
    while end > start and text[end - 1] == "\\":
        end = text.find(quote, end + 1, limit)
    return limit if end < 0 else end


def _end_of_group(text: str, start: int) -> int:
    """Behind the bracket that closes the one that stands here; the end of the text where none does."""
    depth = 0
    for found in _BRACKET.finditer(text, start):
        depth += 1 if found[0] in "{[" else -1
        if depth == 0:
            return found.end()
    return len(text)
