"""What requests and answers of an endpoint, named as `POST /videos`, tell beside model and tokens."""

import json
from typing import Any

from monitor.capture.bodies import RequestBody, read_answer, read_request
from monitor.capture.endpoints import Endpoint, endpoint_of
from monitor.capture.unit_readers import Answer
from monitor.capture.units import answer_units, request_units

Facts = dict[str, Any]


def endpoint_at(place: str) -> Endpoint:
    """The endpoint of a method and a path, such as `POST /videos`."""
    method, path = place.split(" ")
    return endpoint_of(method, path)


def answer_of(place: str, content: object, facts: Facts | None = None, model: str | None = None) -> Answer:
    """An answer of this endpoint; `facts` stand in its record already, `model` was asked for."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(endpoint_at(place), read_answer(raw), raw, {"status": 200, **(facts or {})}, model)


def told_by(place: str, content: object, facts: Facts | None = None, model: str | None = "m") -> Facts:
    """What such an answer tells."""
    return answer_units(answer_of(place, content, facts, model))


def asked(place: str, body: object) -> Facts:
    """What a request with this body tells."""
    content = json.dumps(body).encode()
    return request_units(endpoint_at(place), read_request(content) or RequestBody(), content)
