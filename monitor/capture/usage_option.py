"""Asks for the usage of a streamed chat call that did not ask for it."""

from collections.abc import Mapping

import msgspec

from monitor.capture.bodies import RequestBody

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_OPTION = b'{"stream_options":{"include_usage":true},'


def with_usage_option(content: bytes, body: RequestBody) -> bytes | None:
    """The body with `stream_options.include_usage`; None where there is nothing to change, or the usage comes anyway.

    All else in the body stays as it is, byte for byte where it had no `stream_options`.
    """
    options = body.stream_options
    if body.stream is not True or (b'"usage"' in content and _asks_otherwise(content)):
        return None
    if options is None and content[:1] == b"{" and b'"stream_options"' not in content:
        return _OPTION + content[1:]
    if options is not None and (not isinstance(options, Mapping) or options.get("include_usage") is True):
        return None
    try:
        whole = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except _UNREADABLE:
        return None
    whole["stream_options"] = msgspec.Raw(msgspec.json.encode({**(options or {}), "include_usage": True}))
    return msgspec.json.encode(whole)


def _asks_otherwise(content: bytes) -> bool:
    """Whether the caller asks for the usage as OpenRouter has it, `"usage":{"include":true}`, and will look for it."""
    try:
        return "usage" in msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except _UNREADABLE:
        return False
