"""Units of work that goes on after the answer (batches, jobs, runs), and of the things it is done in."""

import re
from typing import Any, Final

import msgspec

from monitor.capture.bodies import AnswerBody, MediaRequest, read_as, text_of
from monitor.capture.unit_readers import LEAST_MEMORY, Answer, Fields, id_of, is_pending, known
from monitor.capture.usages import count_of, usage_fields

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ENDS_OF_TURNS: Final = tuple(f"agent.session.turn.{state}" for state in ("completed", "failed", "cancelled"))


class _Work(msgspec.Struct, gc=False):
    """What is looked at of any of them beside the fields of every answer."""

    object: Any = None
    output_file_id: Any = None
    trained_tokens: Any = None
    thread_id: Any = None
    run_id: Any = None
    per_model_usage: Any = None
    session_id: Any = None
    turn_id: Any = None
    turn: Any = None
    usage: Any = None
    memory_limit: Any = None
    file: Any = None
    session: Any = None


_decode: Final = msgspec.json.Decoder(_Work).decode


def batch(answer: Answer) -> Fields:
    """Its state and the file of its answers; all of it is at batch prices."""
    found = _read(answer)
    return {**_state(answer), **known(file_id=text_of(found.output_file_id)), "is_batch": True}


def job(answer: Answer) -> Fields:
    """Its state, and the tokens it trained on: of a job that failed they are not charged."""
    found = _read(answer)
    units = _state(answer)
    trained = count_of(found.trained_tokens)
    status = units.get("answer_status")
    if trained is not None and status != "failed" and not is_pending(status):
        units |= {"trained_tokens": trained, "usage_source": answer.source}
    return units


def run(answer: Answer) -> Fields:
    """Its state and its thread; a stream tells of steps and messages too, which have states of their own."""
    found = _read(answer)
    units = known(conversation_id=text_of(found.thread_id))
    if found.object == "thread.run":
        return units | _state(answer)
    return units | known(response_id=text_of(found.run_id))


def eval_run(answer: Answer) -> Fields:
    """Its state, and what the model used that was evaluated; `eval_run_parts` has the others, such as graders."""
    own = [fields for fields in _by_model(answer) if _is_own(fields, answer.body)]
    return {**_state(answer), **(own[0] if own else {})}


def eval_run_parts(answer: Answer) -> list[Fields]:
    """What each other model used: the name of the model behind that of the run is the name of its work."""
    run_id = answer.facts.get("response_id")
    own = eval_run(answer).get("response_model")
    others = [fields for fields in _by_model(answer) if fields["response_model"] != own]
    return [{**fields, "response_id": f"{run_id}/{fields['response_model']}"} for fields in others] if run_id else []


def turn(answer: Answer) -> Fields:
    """The state of a turn of an agent, and its session."""
    found = _read(answer)
    is_turn = found.session_id is not None and found.turn_id is None
    return {
        **(_state(answer) if is_turn else {}),
        **known(conversation_id=text_of(found.session_id)),
    }


def turn_parts(answer: Answer) -> list[Fields]:
    """What the turn used that this event of a session ends."""
    is_end = answer.body is not None and answer.body.type in _ENDS_OF_TURNS
    found = _read(answer) if is_end else _Work()
    whole = found.turn if isinstance(found.turn, dict) else {}
    usage = usage_fields(found.usage) or usage_fields(whole.get("usage"))
    stated = known(
        response_id=text_of(found.turn_id) or text_of(whole.get("id")),
        conversation_id=text_of(found.session_id),
        answer_status=text_of(whole.get("status")),
    )
    return [{**stated, **usage, "usage_source": "late"}] if usage and "response_id" in stated else []


def asked_container(asked: MediaRequest) -> Fields:
    """The memory that a container is to have, else the least, as the API documents it."""
    return known(container_memory=text_of(asked.memory_limit) or LEAST_MEMORY)


def container(answer: Answer) -> Fields:
    """The container that was made, and its memory: making it begins a session, whatever runs in it."""
    if answer.body is None:
        return {}
    found = _read(answer)
    name = text_of(answer.body.id)
    units = known(containers=[name] if name else None, container_memory=text_of(found.memory_limit))
    return {**units, "usage_source": "response"} if name and answer.source == "response" else units


def conversation(answer: Answer) -> Fields:
    """The conversation or thread itself."""
    return {} if answer.body is None else known(conversation_id=text_of(answer.body.id))


def file(answer: Answer) -> Fields:
    """The file, also the one that an upload becomes."""
    if answer.body is None:
        return {}
    found = _read(answer)
    made = id_of(found.file) if isinstance(found.file, dict) else None
    return known(file_id=made or text_of(answer.body.id))


def session(answer: Answer) -> Fields:
    """Id and model of the session that a socket will use. The secret beside them is not looked at."""
    if answer.body is None:
        return {}
    found = _read(answer)
    inner = found.session if isinstance(found.session, dict) else {}
    return known(
        conversation_id=text_of(inner.get("id")) or text_of(answer.body.id), response_model=text_of(inner.get("model"))
    )


def _read(answer: Answer) -> _Work:
    return read_as(_decode, answer.content) or _Work()


def _state(answer: Answer) -> Fields:
    return known(answer_status=text_of(answer.body.status) if answer.body is not None else None)


def _by_model(answer: Answer) -> list[Fields]:
    """Usage by model; nothing before the run has ended."""
    found = _read(answer)
    is_final = answer.body is not None and not is_pending(answer.body.status)
    if not isinstance(found.per_model_usage, list) or not is_final:
        return []
    return [
        {**usage, "response_model": name, "usage_source": answer.source}
        for stated in found.per_model_usage
        if isinstance(stated, dict) and (name := text_of(stated.get("model_name"))) and (usage := usage_fields(stated))
    ]


def _is_own(fields: Fields, body: AnswerBody | None) -> bool:
    """Whether it is the usage of the run's own model, which is named without its date."""
    name, model = str(fields["response_model"]), text_of(body.model) if body is not None else None
    return model is not None and (name == model or _DATE.fullmatch(name.removeprefix(f"{model}-")) is not None)
