"""Secrets to be planted, and the search for them in whatever is left behind."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

_PLACES: Final = (
    "OpenAI key",
    "Azure key",
    "token",
    "organisation's own header",
    "cookie",
    "AWS token",
    "prompt",
    "system prompt",
    "answer",
    "streamed answer",
    "tool argument",
    "tool description",
    "tool authorization",
    "uploaded file",
    "file name",
    "form field",
    "embedded text",
    "query key",
    "query signature",
    "URL user",
    "URL password",
    "proxy password",
    "path",
    "base path",
    "error message",
    "error page",
    "set cookie",
    "answer's own header",
    "metadata",
    "batch answer",
    "batch error",
    "answer that breaks off",
    "SMTP password",
    "webhook secret",
    "webhook address",
)

CANARIES: Final[Mapping[str, str]] = {
    # Letters and digits only: no writing of URLs, of JSON or of Python alters them.
    place: f"cana{hashlib.sha256(place.encode()).hexdigest()[:24]}ry"
    for place in _PLACES
}
PATTERN: Final = "cana[0-9a-f]{24}ry"
"""What all of them look like, for programs that keep contents to take out."""

HALF: Final = CANARIES["answer that breaks off"][:14]
"""What has come of a secret where an answer breaks off in the middle of it."""

UNTOLD: Final[Mapping[str, str]] = {
    place: f"{start}zana{hashlib.sha256(place.encode()).hexdigest()[:24]}"
    for place, start in {
        "own key": "",
        "key of others": "gsk_",
        "key in escapes": "xai-",
        "token with its likelihood": "",
        "streamed key": "hf_",
        "streamed argument": "r8_",
        "streamed thought": "nvapi-",
        "password of a tool": "",
        "tool's own authorization": "",
        "tool's own header": "",
        "query of an address": "",
        "user of an address": "",
        "client secret": "",
        "vault secret": "",
        "password in a batch": "",
        "password on a socket": "",
    }.items()
}
"""Secrets that no pattern of the program's names: they are always taken out of contents."""

UNTOLD_HALF: Final = "gsk_zana0123456"
"""What has come of such a one where a stream breaks off in the middle of it."""

TAG: Final = "canatagsareforstoringry"


def forms(secret: str) -> Iterator[bytes]:
    """The ways in which a secret may stand in a file: as it is, as hex digits or numbers, in base64 anywhere."""
    plain = secret.encode()
    yield plain
    yield ",".join(map(str, plain)).encode()
    yield plain.hex().encode()
    for shift in range(3):
        # What surrounds the secret is in its first and last letters too: those are left out.
        yield base64.b64encode(b"\0" * shift + plain)[4:-4]
    yield base64.urlsafe_b64encode(plain)[:-4]
    yield plain[::-1]


def found_in(contents: Mapping[str, bytes], secrets: Mapping[str, str] = CANARIES) -> list[str]:
    """Which secret is where, one sentence each."""
    looked_for = {place: tuple(forms(secret)) for place, secret in secrets.items()}
    return [
        f"the {place} is in {name}"
        for name, content in contents.items()
        for place, written in looked_for.items()
        if any(form in content for form in written)
    ]


def files_of(*directories: Path) -> Iterable[tuple[str, bytes]]:
    """Every file below, by its path; the path itself is looked at, too."""
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(directory)), path.read_bytes() + b"\n" + path.name.encode()
