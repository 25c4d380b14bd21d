"""Bodies of `/embeddings`."""

import sys
from array import array
from base64 import b64encode
from random import Random
from typing import Any, Final

from monitor.demo.replies import Reply

_DIMENSIONS: Final = 1_536
_VALUES: Final = tuple(Random("embedding").gauss(0.0, 0.0255) for _ in range(_DIMENSIONS))  # noqa: S311 - nothing secret


def embeddings(reply: Reply) -> dict[str, Any]:
    """One vector per input, as numbers or as base64 of little-endian 32-bit floats."""
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _vector(reply, index)}
            for index in range(len(reply.ask.texts))
        ],
        "model": reply.model.answers_as,
        "usage": {"prompt_tokens": reply.input_tokens, "total_tokens": reply.input_tokens},
    }


def _vector(reply: Reply, index: int) -> str | list[float]:
    size = min(reply.ask.dimensions or _DIMENSIONS, _DIMENSIONS)
    turn = (reply.number + index) % _DIMENSIONS
    values = array("f", (_VALUES[turn:] + _VALUES[:turn])[:size])
    if not reply.ask.is_base64:
        return values.tolist()
    if sys.byteorder == "big":
        values.byteswap()
    return b64encode(values.tobytes()).decode()
