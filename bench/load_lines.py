"""Makes of requests the lines that capture would have written: begin and end, with everything that stands in them.

What the trace does not know is made up, the same for each seed: models of the price list, teams, features, users,
call sites, durations, and how much of a prompt was cached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from bench.arrivals import Requests
from bench.windows import Counts, Numbers, Tenant

_CHAT: Final = (
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-6-luna",
    "gpt-6.1-sol",
    "gpt-5",
    "gpt-5-mini",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
)
_REASONING: Final = ("o3", "o4-mini")
_USERS: Final = 22
_PLACES: Final = 4
_CACHED: Final = (0.0, 0.25, 0.5, 0.75)
_LETTERS: Final = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
_HEX: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_RESPONSE_ID: Final = 29
_REQUEST_ID: Final = 32

_BEGIN: Final = (
    b'"provider_name":"openai","operation_name":"chat","endpoint":"/chat/completions","is_billable":true,'
    b'"service":"%(service)b","environment":"production","record_id":"%%012x%(ids)b%%010x",'
    b'"call_id":"%%012x%(ids)b%%010x","attempt":0,"started_at":"%%bZ","request_model":"%(model)b",'
    b'"call_site":"%(service)b/views.py:%%d","team":"%(team)b","feature":"%(feature)b","user":"%%b"'
)
_END: Final = (
    b'%%b,"host":"%(host)b","process_id":%(process)d,"key_fingerprint":"%(key)b","key_hint":"%(hint)b",'
    b'"sdk_version":"3.52.0","billing_account_id":"acme-inc","sub_account_id":"proj_%(key)b",'
    b'"call_function":"%(service)b.views.answer","body_fingerprint":"%%016x","status":200,"request_id":"req_%%b",'
    b'"server_duration":%%.3f,"requests_limit":10000,"requests_remaining":%%d,"requests_reset":0.006,'
    b'"tokens_limit":2000000,"tokens_remaining":%%d,"tokens_reset":0.045,"response_id":"chatcmpl-%%b",'
    b'"response_model":"%(model)b","service_tier":"default","input_tokens":%%d,"output_tokens":%%d,'
    b'"cache_read_input_tokens":%%d,"input_audio_tokens":0,"reasoning_output_tokens":%%d,"output_audio_tokens":0,'
    b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"usage_source":"response",'
    b'"finish_reasons":["stop"],"duration":%%.6f'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The insides of the lines of some requests, and what they say; `ends` is when each was over, in microseconds."""

    begins: list[bytes]
    ends: list[bytes]
    record_ids: list[str]
    started: Counts
    ended: Counts
    cache_read_input_tokens: Counts


class LineMaker:
    """Makes lines; one object for one load, for the ids count on."""

    def __init__(self, tenants: Sequence[Tenant], *, seed: int) -> None:
        """The same seed gives the same lines."""
        self._dice = np.random.default_rng((seed, 3))
        self._ids = f"{int(self._dice.integers(2**40)):010x}"
        self._counter = int(self._dice.integers(2**39))
        self.models = [_model(number, tenant) for number, tenant in enumerate(tenants)]
        facts = [self._facts(number, tenant) for number, tenant in enumerate(tenants)]
        self._begin = [_BEGIN % fact for fact in facts]
        self._end = [_END % fact for fact in facts]
        self._cached = np.array([_CACHED[number % len(_CACHED)] for number in range(len(tenants))])

    def _facts(self, number: int, tenant: Tenant) -> dict[bytes, object]:
        service = f"{tenant.workload.partition('/')[2]}-{tenant.client_id}".encode()
        return {
            b"host": b"node-%02d" % (number % 24),
            b"process": 1_000 + number,
            b"key": b"%016x" % int(self._dice.integers(2**62)),
            b"hint": b"%04x" % number,
            b"ids": self._ids.encode(),
            b"model": self.models[number].encode(),
            b"service": service,
            b"team": b"team-%02d" % (number % 20),
            b"feature": b"feature-%02d" % (number % 60),
        }

    def lines(self, requests: Requests, ended: Counts | None = None, *, start: datetime) -> Lines:
        """The lines of requests; `start` is when the trace began, `ended` puts them at other times."""
        size = len(requests)
        duration = self._durations(requests)
        micros = np.rint(duration * 1e6).astype(np.int64)
        if ended is None:
            started = round(start.timestamp() * 1e6) + np.rint(requests.seconds * 1e6).astype(np.int64)
        else:
            started = ended - micros
        cached = (requests.input_tokens * self._cached[requests.tenant]).astype(np.int64) // 128 * 128
        numbers = range(self._counter, self._counter + size)
        self._counter += size
        tenants = requests.tenant.tolist()
        milliseconds = (started // 1_000).tolist()
        moments, places, users, bodies = self._attribution(requests, started)
        begin = self._begin
        begins = [
            begin[tenant] % (ms, number, ms, number, moment, place, user)
            for tenant, ms, number, moment, place, user in zip(
                tenants, milliseconds, numbers, moments, places, users, strict=True
            )
        ]
        end = self._end
        answers = self._answers(requests, duration, cached)
        ends = [
            end[tenant] % (begun, body, *facts)
            for tenant, begun, body, facts in zip(tenants, begins, bodies, answers, strict=True)
        ]
        ids = [f"{ms:012x}{self._ids}{number:010x}" for ms, number in zip(milliseconds, numbers, strict=True)]
        return Lines(
            begins=begins,
            ends=ends,
            record_ids=ids,
            started=started,
            ended=started + micros,
            cache_read_input_tokens=cached,
        )

    def _durations(self, requests: Requests) -> Numbers:
        speed = 40 + 60 * self._dice.random(len(requests))
        return 0.3 + requests.input_tokens / 20_000 + requests.output_tokens / speed

    def _attribution(
        self, requests: Requests, started: Counts
    ) -> tuple[list[bytes], list[int], list[bytes], list[int]]:
        size = len(requests)
        moments = np.datetime_as_string(started.view("M8[us]"), unit="us").astype("S26").tolist()
        places = (10 + 7 * self._dice.integers(_PLACES, size=size)).tolist()
        users = requests.tenant * _USERS + self._dice.integers(_USERS, size=size)
        bodies = self._dice.integers(2**63, size=size).tolist()
        return moments, places, [b"user-%d" % user for user in users.tolist()], bodies

    def _answers(self, requests: Requests, duration: Numbers, cached: Counts) -> "zip[tuple[object, ...]]":
        size = len(requests)
        return zip(
            self._names(_HEX, size, _REQUEST_ID),
            (duration - 0.003).tolist(),
            self._dice.integers(9_000, 10_000, size=size).tolist(),
            self._dice.integers(1_000_000, 2_000_000, size=size).tolist(),
            self._names(_LETTERS, size, _RESPONSE_ID),
            requests.input_tokens.tolist(),
            requests.output_tokens.tolist(),
            cached.tolist(),
            requests.reasoning_output_tokens.tolist(),
            duration.tolist(),
            strict=True,
        )

    def _names(self, letters: "np.ndarray[tuple[int], np.dtype[np.uint8]]", size: int, length: int) -> list[bytes]:
        drawn = letters[self._dice.integers(len(letters), size=(size, length), dtype=np.uint8)].tobytes()
        return [drawn[at : at + length] for at in range(0, size * length, length)]


def _model(number: int, tenant: Tenant) -> str:
    models = _REASONING if tenant.workload.startswith("reason/") else _CHAT
    return models[number % len(models)]
