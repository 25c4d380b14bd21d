"""What requests and answers tell beside model and tokens, by the column `units` of the endpoint's row.

Most requests are chat, have no such column, and cost nothing here. All readers take any body: what is not as the
API has it is unknown.
"""

from collections.abc import Callable, Mapping
from typing import Final

from monitor.capture import units_of_media as media
from monitor.capture import units_of_responses as responses
from monitor.capture import units_of_storage as storage
from monitor.capture import units_of_work as work
from monitor.capture.bodies import AnswerBody, MediaRequest, RequestBody, read_media_request
from monitor.capture.endpoints import Endpoint
from monitor.capture.unit_readers import Answer, Fields, is_pending, source_of

_ASKED_MEDIA: Final[Mapping[str, Callable[[MediaRequest], Fields]]] = {
    "speech": media.asked_speech,
    "image": media.asked_image,
    "video": media.asked_video,
    "container": work.asked_container,
}
_READERS: Final[Mapping[str, Callable[[Answer], Fields]]] = {
    "response": responses.response,
    "speech": media.speech,
    "image": media.image,
    "transcription": media.transcription,
    "video": media.video,
    "batch": work.batch,
    "job": work.job,
    "run": work.run,
    "eval_run": work.eval_run,
    "turn": work.turn,
    "container": work.container,
    "conversation": work.conversation,
    "file": work.file,
    "session": work.session,
    "vector_store": storage.vector_store,
}
_PARTS: Final[Mapping[str, Callable[[Answer], list[Fields]]]] = {
    "eval_run": work.eval_run_parts,
    "turn": work.turn_parts,
}


def request_units(endpoint: Endpoint, body: RequestBody, content: bytes | None) -> Fields:
    """Fields of the record that the request states.

    Args:
        endpoint: one that has units.
        body: what was read of the request, a `MediaRequest` where it was a form.
        content: the JSON it was read from, None where it was a form.
    """
    if endpoint.units == "response":
        return responses.asked_response(body)
    read = _ASKED_MEDIA.get(endpoint.units or "")
    if read is None:
        return {}
    asked = read_media_request(content) if content else body
    return read(asked) if isinstance(asked, MediaRequest) else {}


def answer_units(answer: Answer) -> Fields:
    """Fields of the record that an answer, or an event of a stream, states; `usage_source` where they count."""
    read = _READERS.get(answer.endpoint.units or "")
    return {} if read is None or answer.is_refused else read(answer)


def answer_parts(answer: Answer) -> list[Fields]:
    """What an answer states of several works: for each the fields in which its record differs from the answer's own.

    The facts of the answer have its units already.
    """
    read = _PARTS.get(answer.endpoint.units or "")
    return [] if read is None or answer.is_refused else read(answer)


def usage_source_of(endpoint: Endpoint, body: AnswerBody) -> str:
    """What usage in this answer is; `none` where it is not to be taken: it is not final, or that of several works."""
    if endpoint.units is None:
        return endpoint.usage_source
    is_own = endpoint.units == "response" and endpoint.usage_source == "response"
    if endpoint.has_parts or (is_pending(body.status) and not is_own):
        return "none"
    return source_of(endpoint, body)
