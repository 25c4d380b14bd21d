"""What keys and tokens look like, wherever in a text they stand."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from monitor.capture.secret_addresses import without_queries, without_relative_queries
from monitor.capture.secret_names import REDACTED, STEMS, without_named

_FORMS: Final = (
    r"(?<![A-Za-z0-9])(?:sk|ek)[-_][A-Za-z0-9_-]{8,}",
    r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?<![A-Za-z0-9])(?:gsk_|csk-|xai-|pplx-|r8_|hf_|gh[oprsu]_)[A-Za-z0-9]{16,}",
    r"(?<![A-Za-z0-9])(?:AIza|github_pat_|glpat-|nvapi-|ya29\.)[A-Za-z0-9_-]{16,}",
    r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16,}",
    r"(?<![A-Za-z0-9])(?:whsec_[A-Za-z0-9+/=_-]{8,}|(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,})",
)
_BEARER: Final = r"(?i:bearer)\s+[A-Za-z0-9._~+/=-]{8,}"
_PRIVATE: Final = r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|\Z)"
ALWAYS: Final = (*_FORMS, _BEARER, _PRIVATE)
"""API keys of this provider and of others, JSON web tokens, secrets of webhooks, bearer tokens, private keys."""

# One search tells that most texts have none of them, by a letter that is rare and what stands before it.
_MAY_HAVE: Final = re.compile(
    r"[-_.AJ](?:(?<=[es]k[-_])|(?<=eyJ)|(?<=xai-)|(?<=pplx-)|(?<=(?:r8|hf)_)|(?<=gh[oprsu]_)|(?<=A)(?:Iza|KIA|SIA)"
    r"|(?<=github_pat_)|(?<=glpat-)|(?<=nvapi-)|(?<=ya29\.)|(?<=whsec_)|(?<=xox[a-z]-)|(?<=xapp-))[A-Za-z0-9+/=_-]{8}"
)
_ANY_FORM: Final = tuple(map(re.compile, _FORMS))
_BASIC: Final = re.compile(r"(?i:basic)\s+([A-Za-z0-9+/_-]{8,4096})={0,2}")

_LONG: Final = r"""(?=[^\s"'\\,;&)]{0,512}\d)[^\s"'\\,;&)]{8,}"""
"""Something long with a digit in it: words about keys are none."""

_SCHEMES: Final = "(?:basic|bearer|digest|token|negotiate|ntlm|api-?key|aws4-hmac-sha256)"
_MARK: Final = r"""["'\\]{0,4}\s{0,8}[:=]["'\\\s]{0,8}"""
_LINES: Final = tuple(
    (word, re.compile(expression, re.IGNORECASE))
    for word, expression in (
        ("authorization", rf"""(authorization{_MARK})(?:{_SCHEMES}\s+[^\r\n"'\\]+|{_LONG})"""),
        ("api", rf"""(api[-_]?key{_MARK}){_LONG}"""),
        ("cookie:", r"""(cookie:\s{0,8})[^\s=;"'\\]{1,128}=[^\r\n"'\\]+"""),
    )
)
"""Headers and settings as one writes them in a line; what is in the first group stays."""


class Step(NamedTuple):
    """Takes one kind of secret out of texts.

    Attributes:
        words: one of these, in lower case, is in every text that has such a secret; empty where nobody knows.
        out_of: gives the text without the secrets.
        sees_numbers: whether a JSON number may be such a secret.
        sees_json: whether there may be some in a JSON text whose parts were looked at one by one.
    """

    words: tuple[str, ...]
    out_of: Callable[[str], str]
    sees_numbers: bool = False
    sees_json: bool = True


def replacing(expression: str) -> Callable[[str], str]:
    """What replaces all that is found."""
    substitute = re.compile(expression).sub
    return lambda text: substitute(REDACTED, text)


def _without_forms(text: str) -> str:
    if _MAY_HAVE.search(text):
        for form in _ANY_FORM:
            text = form.sub(REDACTED, text)
    return text


def _without_basic(text: str) -> str:
    return _BASIC.sub(lambda found: REDACTED if _is_login(found[1]) else found[0], text)


def _is_login(text: str) -> bool:
    """Whether this is user and password in base64: `Basic` goes before many a word."""
    try:
        return b":" in base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
    except binascii.Error:
        return False


def _without_lines(text: str) -> str:
    lowered = text.lower()
    for word, line in _LINES:
        if word in lowered:
            text = line.sub(rf"\1{REDACTED}", text)
    return without_named(text)


STEPS: Final = (
    Step(("://",), without_queries),
    Step(("?",), without_relative_queries),
    Step((), _without_forms),
    Step(("bearer",), replacing(_BEARER)),
    Step(("private key-",), replacing(_PRIVATE)),
    Step(("basic",), _without_basic),
    Step(STEMS, _without_lines, sees_json=False),
)
"""In this order: an address is looked at before what stands in it."""
