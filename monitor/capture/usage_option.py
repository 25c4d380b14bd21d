"""Asks for the usage of a streamed chat call that did not ask for it."""

from collections.abc import Mapping

import msgspec

from monitor.capture.bodies import RequestBody

_OPTION = b'{"stream_options":{"include_usage":true},'


def with_usage_option(content: bytes, body: RequestBody) -> bytes | None:
    """The body with `stream_options.include_usage`; None where there is nothing to change.

    All else in the body stays as it is, byte for byte where it had no `stream_options`.
    """
    if body.stream is not True:
        return None
    options = body.stream_options
    if options is None and content[:1] == b"{" and b'"stream_options"' not in content:
        return _OPTION + content[1:]
    if options is not None and not isinstance(options, Mapping):
        return None
    if options and options.get("include_usage") is True:
        return None
    try:
        whole = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    whole["stream_options"] = msgspec.Raw(msgspec.json.encode({**(options or {}), "include_usage": True}))
    return msgspec.json.encode(whole)
