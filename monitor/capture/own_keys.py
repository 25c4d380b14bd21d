"""What a request says to prove who asks: none of it may stand in what is kept of it, whatever it looks like."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote, unquote_plus

from monitor.capture.secret_names import REDACTED, SECRET, kind_of

_SHORTEST: Final = 8
"""Shorter ones are `EMPTY`, `ollama` and the like, which local servers are given, and words of many texts."""

_BEARER: Final = b"bearer "
_SIGNED: Final = "AWS4-"
"""A signature is another one each time, and no key."""

_OF_QUERIES: Final = frozenset({"key", "sig", "signature", "code"})


def own_keys(headers: Iterable[tuple[bytes, bytes]], path: bytes) -> tuple[str, ...]:
    """Keys, passwords and cookies in the headers and the query of a request, sorted.

    Args:
        headers: names, in any case, and values.
        path: with the query, as it is sent.
    """
    found: set[str] = set()
    for name, value in headers:
        plain = name.decode("latin-1")
        if kind_of(plain) is SECRET or value[:7].lower() == _BEARER:
            found.update(_of_header(plain, value.decode("utf-8", "replace").strip()))
    if b"?" in path:
        found.update(_of_query(path.partition(b"?")[2].decode("latin-1")))
    return tuple(sorted(key for key in found if len(key) >= _SHORTEST))


def without_own_keys(keys: Iterable[str]) -> Callable[[str], str]:
    """What takes these out of a text, as they are or as JSON and URLs write them."""
    forms = {form for key in keys for form in _forms(key)}
    expression = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
    first = tuple(forms)

    def out_of(text: str) -> str:
        return expression.sub(REDACTED, text) if any(map(text.__contains__, first)) else text

    return out_of


def _of_header(name: str, value: str) -> Iterable[str]:
    if name.lower().endswith("cookie"):
        return [part.partition("=")[2].strip() for part in value.split(";")]
    scheme, _, rest = value.partition(" ")
    if not rest:
        return (scheme,)
    if scheme.startswith(_SIGNED):
        return ()
    rest = rest.strip()
    return (rest, _password_in(rest)) if scheme.lower() == "basic" else (rest,)


def _password_in(login: str) -> str:
    try:
        return base64.b64decode(login).decode("utf-8", "replace").partition(":")[2]
    except binascii.Error:
        return ""


def _of_query(query: str) -> Iterable[str]:
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if kind_of(name) is SECRET or name.lower() in _OF_QUERIES or name.lower().endswith("signature"):
            yield value
            yield unquote_plus(value)


def _forms(key: str) -> Iterable[str]:
    written = json.dumps(key, ensure_ascii=False)[1:-1]
    return key, written, written.replace("/", "\\/"), quote(key, safe="")
