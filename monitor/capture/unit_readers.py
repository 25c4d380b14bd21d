"""What the readers of units share: the answer they look at, and small ways to read a part of it."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from monitor.capture.bodies import AnswerBody, text_of
from monitor.capture.endpoints import Endpoint
from monitor.records import UNFINISHED

Fields = dict[str, object]

LEAST_MEMORY: Final = "1g"
"""Of a container, where nothing else was asked for."""

_REFUSED: Final = 400


class Answer(NamedTuple):
    """An answer, or an event of a stream, as far as it is known.

    Attributes:
        endpoint: what was asked; one that has units.
        body: the looked-at fields; None where it is no JSON object.
        content: the whole of it; empty where it was not kept.
        facts: what the record says so far of the answer, and of the request what counts.
        request_model: the model that was asked for, None where none was named.
    """

    endpoint: Endpoint
    body: AnswerBody | None
    content: bytes | msgspec.Raw
    facts: Mapping[str, Any]
    request_model: str | None

    @property
    def source(self) -> str:
        """What usage in it is, as `usage_source` of the record has it."""
        return source_of(self.endpoint, self.body)

    @property
    def is_refused(self) -> bool:
        """Whether it is a refusal: that states nothing that counts."""
        return bool(self.facts.get("status", 0) >= _REFUSED)


def source_of(endpoint: Endpoint, body: AnswerBody | None) -> str:
    """What final usage in an answer is, as `usage_source` of the record has it."""
    if endpoint.is_late_in_background and (body is None or body.background is not True):
        return "repeated"
    return endpoint.usage_source


def known(**fields: object) -> Fields:
    """Those of the fields that are known."""
    return {name: value for name, value in fields.items() if value is not None}


def id_of(value: Any) -> str | None:
    """The id of a thing that is named by it, or given as an object."""
    return text_of(value.get("id")) if isinstance(value, Mapping) else text_of(value)


def is_pending(status: Any) -> bool:
    """Whether work in this state has not come to its end."""
    return isinstance(status, str) and status in UNFINISHED


def has_usage(facts: Mapping[str, object]) -> bool:
    """Whether the answer has stated its usage itself."""
    return not facts.keys().isdisjoint(("input_tokens", "output_tokens", "audio_seconds"))


def is_event(body: AnswerBody) -> bool:
    """Whether it is an event of a stream of typed events."""
    return isinstance(body.type, str)
