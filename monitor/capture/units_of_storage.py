"""Units of storage: the sizes that answers about vector stores state. Nothing is said where a size is not stated."""

from typing import Any, Final

import msgspec

from monitor.capture.bodies import read_as, text_of
from monitor.capture.unit_readers import Answer, Fields, known
from monitor.records import LAST_SECOND

_MOST_STORES: Final = 100
"""A page of a list has no more."""

_LARGEST: Final = 2**60


class _Store(msgspec.Struct, gc=False):
    """What is looked at of a store, or of a page of them."""

    id: Any = None
    usage_bytes: Any = None
    status: Any = None
    expires_at: Any = None
    deleted: Any = None
    data: Any = None


_decode: Final = msgspec.json.Decoder(_Store).decode


def vector_store(answer: Answer) -> Fields:
    """The bytes of each store that the answer states, and until when it will be kept, if not for ever."""
    found = read_as(_decode, answer.content)
    if found is None:
        return {}
    stores = found.data if isinstance(found.data, list) else [msgspec.structs.asdict(found)]
    sizes: dict[str, int] = {}
    ends: dict[str, int] = {}
    for store in stores[:_MOST_STORES]:
        name = text_of(store.get("id")) if isinstance(store, dict) else None
        size = _size_of(store) if name is not None else None
        if name is None or size is None:
            continue
        sizes[name] = size
        end = _whole(store.get("expires_at"), LAST_SECOND)
        if size and end is not None:
            ends[name] = end
    return known(stored_bytes=sizes or None, stored_until=ends or None)


def _size_of(store: dict[str, Any]) -> int | None:
    """Nothing is stored in one that is deleted or has expired, whatever size it still states."""
    if store.get("deleted") is True or store.get("status") == "expired":
        return 0
    return _whole(store.get("usage_bytes"), _LARGEST)


def _whole(value: Any, most: int) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value <= most else None
