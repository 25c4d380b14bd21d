"""Takes out of URLs what may be a secret: user and password, and all values of query and fragment."""

import re
from typing import Final

from monitor.capture.secret_names import REDACTED

_USER: Final = re.compile(r"""://(?:[^\s/?#:@"'<>`]{0,128}:(?!\d{1,5}[/?#])[^\s"'<>`]{1,512}|[^\s/?#"'<>`]{1,512})@""")
_PRINTED: Final = r"[!$-&(-;=?-\[\]-_a-~]"
"""What a query may be written with, but for quotes, angles, backslash and `#`."""

_ADDRESS: Final = re.compile(rf"""(://[^\s"'<>`\\?#]*)(\?{_PRINTED}*)?(#{_PRINTED}*)?""")
_RELATIVE: Final = re.compile(rf"\?(?<=[\w/.%~)\]}}-]\?)(\w[\w.~%\[\]$:+-]{{0,63}}={_PRINTED}*)")
_BEHIND: Final = ").,;:!?]}"
"""What stands behind an address in a sentence rather than in it."""

_DONE: Final = frozenset({"", REDACTED, REDACTED[:-1]})


def without_queries(text: str) -> str:
    """A text whose URLs name no user, and no values in queries and fragments; the path stays, and so does an anchor."""
    return _ADDRESS.sub(_without_values, _USER.sub(f"://{REDACTED}@", text))


def without_relative_queries(text: str) -> str:
    """The same of addresses without scheme and host, `/files?sig=…`."""
    return _RELATIVE.sub(lambda found: "?" + _emptied(found[1]), text)


def _without_values(found: re.Match[str]) -> str:
    address, query, fragment = found.groups("")
    shown: str = address
    if query:
        shown += "?" + _emptied(query[1:])
    if fragment:
        shown += "#" + _emptied(fragment[1:]) if "=" in fragment else fragment
    return shown


def _emptied(pairs: str) -> str:
    inner = pairs.rstrip(_BEHIND)
    return "&".join(map(_without_value, inner.split("&"))) + pairs[len(inner) :]


def _without_value(pair: str) -> str:
    name, mark, value = pair.partition("=")
    if not mark:
        # A value without a name.
        name, value = "", name
    return pair if value in _DONE else name + mark + REDACTED
