"""Undoes the content encoding of an answer, piece by piece, for our own look at it."""

import functools
import importlib
import zlib
from collections.abc import Callable
from typing import Any, Final

Decode = Callable[[bytes], bytes]


class EncodingError(ValueError):
    """The bytes are not what their content encoding says."""


def _gzip() -> Decode:
    return _telling(zlib.decompressobj(zlib.MAX_WBITS | 16).decompress, zlib.error)


def _deflate() -> Decode:
    inner = zlib.decompressobj()
    is_raw = False

    def decode(piece: bytes) -> bytes:
        nonlocal inner, is_raw
        try:
            return inner.decompress(piece)
        except zlib.error:
            if is_raw:
                raise
            # Some servers send the bare format under this name.
            inner, is_raw = zlib.decompressobj(-zlib.MAX_WBITS), True
            return inner.decompress(piece)

    return _telling(decode, zlib.error)


def _brotli() -> Decode:
    library: Any = _first("brotli", "brotlicffi")
    decompressor = library.Decompressor()
    return _telling(getattr(decompressor, "decompress", None) or decompressor.process, library.error)


def _zstd() -> Decode:
    library: Any = _first("compression.zstd", "backports.zstd", "zstandard")
    if hasattr(library, "ZstdDecompressor") and not hasattr(library, "decompressobj"):
        decompressor = library.ZstdDecompressor()
        made = decompressor.decompressobj() if hasattr(decompressor, "decompressobj") else decompressor
        return _telling(made.decompress, library.ZstdError)
    raise LookupError("zstd")


def _telling(decode: Decode, fault: type[Exception]) -> Decode:
    """The same decoder, whose own kind of error becomes ours."""

    def run(piece: bytes) -> bytes:
        try:
            return decode(piece)
        except fault as error:
            raise EncodingError(str(error)) from error

    return run


def _first(*names: str) -> Any:
    """The first of these libraries that is installed: the client offered the encoding, so one of them is."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise LookupError(names[0])


_DECODERS: Final[dict[str, Callable[[], Decode]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def decoder_of(encoding: str | None) -> Decode | None:
    """A decoder for a `content-encoding`; None where there is nothing to undo.

    Raises:
        LookupError: the encoding is not known here.
    """
    names = [name.strip() for name in (encoding or "").lower().split(",")]
    # The last one named was put on last.
    decoders = [_DECODERS[name]() for name in reversed(names) if name not in ("", "identity")]
    if len(decoders) < 2:
        return decoders[0] if decoders else None

    def decode(piece: bytes) -> bytes:
        return functools.reduce(lambda content, one: one(content), decoders, piece)

    return decode
