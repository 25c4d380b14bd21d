"""The small fields of a multipart request; its files are passed over."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from monitor.capture.bodies import MediaRequest

_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME: Final = re.compile(rb'[;\s]name=(?:"([^"]*)"|([^\s;]+))', re.IGNORECASE)
_IN_MEMORY: Final = "ByteStream"
"""What httpx and httpx2 call the stream of a body that they have; it can be read again."""

_LONGEST_HEAD: Final = 1024
_LONGEST_VALUE: Final = 256
_WANTED: Final = ("model", "stream", "user", "size", "quality", "seconds")


def form_fields(request: Any, headers: Mapping[str, str]) -> MediaRequest:
    """The looked-at fields of a multipart body, all None where the request has no such body.

    Args:
        request: of httpx or httpx2; one that they built from a form still has its fields.
        headers: of the request, names in lower case.
    """
    fields = getattr(request.stream, "fields", None)
    if fields is not None:
        values = {getattr(field, "name", None): _plain(getattr(field, "value", None)) for field in fields}
    else:
        values = dict(_raw_fields(request, headers.get("content-type", "")))
    return MediaRequest(**{name: values[name] for name in _WANTED if name in values})


def form_content(request: Any) -> bytes | None:
    """What a form says, as a JSON object, its files by their names; None where httpx or httpx2 built none.

    Files are not looked into: they are the program's, and may be read once only.
    """
    fields = getattr(request.stream, "fields", None)
    if fields is None:
        return None
    told: dict[str, Any] = {}
    for field in fields:
        is_file = hasattr(field, "file")
        value = {"file": _plain(getattr(field, "filename", None))} if is_file else _plain(field.value)
        told[field.name] = [*_several(told[field.name]), value] if field.name in told else value
    return msgspec.json.encode(told)


def content_of(request: Any) -> bytes | None:
    """The body, None where it is not in memory: then it is only known while it is sent."""
    try:
        content: bytes = request.content
    except RuntimeError:
        # The request that a redirect makes has the stream of the one before, and not its content.
        return b"".join(request.stream) if type(request.stream).__name__ == _IN_MEMORY else None
    return content


def _raw_fields(request: Any, content_type: str) -> Iterator[tuple[str, object]]:
    boundary = _BOUNDARY.search(content_type) if content_type.startswith("multipart/form-data") else None
    content = content_of(request) if boundary else None
    if boundary is None or not content:
        return
    mark = b"--" + boundary[1].encode("latin-1", "replace")
    start = content.find(mark)
    while start >= 0:
        end = content.find(mark, start + len(mark))
        head = content.find(b"\r\n\r\n", start, start + _LONGEST_HEAD)
        name = _NAME.search(content, start, head) if head >= 0 else None
        if name is not None and head + 4 <= end <= head + _LONGEST_VALUE:
            yield (
                (name[1] or name[2]).decode("latin-1"),
                content[head + 4 : end].decode("utf-8", "replace").rstrip("\r\n"),
            )
        start = end


def _plain(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _several(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
