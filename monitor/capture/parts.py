"""Records of the works that one answer tells of, such as the turns of an agent: each counts once, by its own name."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from monitor.capture.ids import new_id
from monitor.records import Usage

_OF_THE_ANSWER: Final = frozenset(Usage.__struct_fields__) | frozenset(
    """
    record_id response_id response_model answer_status usage_source finish_reasons duration time_to_first_chunk
    server_duration is_streaming tool_calls containers container_memory tool_model tool_usage
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
"""What is said of the answer as a whole, and of none of the works in it."""


def records_of(
    base: Mapping[str, Any], parts: Iterable[Mapping[str, object]], nanoseconds: int
) -> list[dict[str, object]]:
    """The facts of the records of these works.

    Args:
        base: facts of the request whose answer tells of them.
        parts: what it tells of each.
        nanoseconds: the time, for their ids.
    """
    shared = {name: value for name, value in base.items() if name not in _OF_THE_ANSWER}
    return [{**shared, **part, "record_id": new_id(nanoseconds)} for part in parts]
