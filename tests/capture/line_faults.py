"""Raises once at each line of the recorder that a call runs through, and looks what the program sees of it.

python -m tests.capture.line_faults DIRECTORY FIRST STEP [SCENARIO…]

Prints one JSON object: how many faults were raised in each scenario, and what went wrong, by place.
"""

import gc
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from openai import AsyncOpenAI, OpenAI

import monitor
from monitor.capture import wrap as wrapping
from monitor.home import Home
from monitor.settings import Settings
from monitor.spool.reader import list_segments
from tests.capture import callers
from tests.capture.callers import Caller, Seen, see
from tests.capture.world import EVENTS, chunks, error_answer, events, in_turn, json_answer, like_openai, new_client
from tests.cassettes.server import Answer, Asked, LoopbackServer

_PACKAGE: Final = Path(monitor.__file__).parent
_WATCHED: Final = (str(_PACKAGE / "capture"), str(_PACKAGE / "spool"))
_SHELLS: Final = frozenset(
    str(_PACKAGE / "capture" / f"{name}.py") for name in ("guarded", "transport", "sse", "quiet", "hiding", "heard")
)
"""What stands between the recorder and the program cannot be guarded by anything else; the others only cut bytes."""

_TIES: Final = frozenset(
    {
        "Answers.asking",
        "Answers.may_refuse",
        "Answers.reconsider",
        "Answers.asked_plainly",
        "Answers.failed",
        "Answers.unwatched",
        "BodyWatch.passing",
        "StreamWatch.passing",
        "HidingWatch.passing",
        "HidingWatch.ended",
        "EventReader.split",
        "EventReader.take_rest",
    }
)
"""Lines that only tie guarded steps together, or cut bytes: there is nothing in them that could fail."""

_MOST: Final = 20_000
_REFUSED: Final = error_answer(400, code="invalid_value", kind="invalid_request_error")


class InjectedError(Exception):
    """A fault of ours."""


@dataclass(kw_only=True)
class Injector:
    """Raises at the line of that number among those of the recorder, once."""

    number: int
    seen: int = 0
    place: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(_WATCHED) or name in _SHELLS or frame.f_code.co_qualname in _TIES:
            return None
        if event == "line":
            self.seen += 1
            if self.seen == self.number:
                self.place = f"{Path(name).name}:{frame.f_lineno} {frame.f_code.co_qualname}"
                raise InjectedError(self.place)
        return self


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a program does, and how it is answered."""

    caller: Caller
    answers: Callable[[], Callable[[Asked], Answer]] = lambda: like_openai
    kind: type[Any] = OpenAI
    retries: int = 0


def _refusing_the_option() -> Callable[[Asked], Answer]:
    error = {"error": {"message": "stream_options?", "type": "invalid_request_error", "param": None, "code": None}}
    stream = Answer(headers=EVENTS, pieces=events(chunks(has_usage=False)), is_chunked=True)
    return lambda asked: json_answer(error, status=400) if b"stream_options" in asked.body else stream


def _retried() -> Callable[[Asked], Answer]:
    return in_turn(error_answer(429, retry_after_ms="1"), error_answer(500, retry_after_ms="1"), json_answer())


def _broken() -> Callable[[Asked], Answer]:
    pieces = events(chunks(has_usage=False))[:3]
    return lambda _: Answer(headers=EVENTS, pieces=pieces, is_chunked=True, breaks_off=True)


SCENARIOS: Final = {
    "plain": Scenario(caller=callers.plain_call),
    "stream": Scenario(caller=callers.whole_stream),
    "stream with usage": Scenario(caller=callers.stream_with_usage),
    "stream left": Scenario(caller=callers.stream_left_and_closed),
    "stream unread": Scenario(caller=callers.stream_closed_unread),
    "stream broken": Scenario(caller=callers.whole_stream, answers=_broken),
    "option refused": Scenario(caller=callers.whole_stream, answers=_refusing_the_option),
    "error": Scenario(caller=callers.plain_call, answers=lambda: lambda _: _REFUSED),
    "retry": Scenario(caller=callers.plain_call, answers=_retried, retries=2),
    "no answer": Scenario(caller=callers.plain_call, answers=lambda: lambda _: Answer(hangs_up=True)),
    "form": Scenario(caller=callers.form, answers=lambda: lambda _: json_answer({"text": "Hi."})),
    "raw": Scenario(caller=callers.raw_response),
    "async plain": Scenario(caller=callers.plain_call, kind=AsyncOpenAI),
    "async stream": Scenario(caller=callers.whole_stream, kind=AsyncOpenAI),
    "async stream left": Scenario(caller=callers.stream_left_and_closed, kind=AsyncOpenAI),
    "async option refused": Scenario(caller=callers.whole_stream, answers=_refusing_the_option, kind=AsyncOpenAI),
    "async error": Scenario(caller=callers.plain_call, answers=lambda: lambda _: _REFUSED, kind=AsyncOpenAI),
    "async retry": Scenario(caller=callers.plain_call, answers=_retried, retries=2, kind=AsyncOpenAI),
}


class Campaign:
    """All faults of one scenario, against one server."""

    def __init__(self, directory: Path, scenario: Scenario) -> None:
        self._directory = directory
        self._scenario = scenario
        self._answer = scenario.answers()
        self._server = LoopbackServer(self._answered)
        self.raised = 0
        self.wrong: list[str] = []

    def run(self, first: int, step: int) -> None:
        """Raise at the first line, and at every so many after it, until a call has no more of them."""
        with self._server:
            expected, _ = self._ask(self._client())
            for number in range(first, _MOST, step):
                if not self._one(number, expected):
                    return
        raise AssertionError(f"a call has more than {_MOST} lines")

    def _answered(self, asked: Asked) -> Answer:
        return self._answer(asked)

    def _client(self) -> Any:
        return new_client(self._scenario.kind, self._server, max_retries=self._scenario.retries)

    def _ask(self, client: Any) -> tuple[Seen, int]:
        """What the program saw, and how often the server was asked."""
        self._answer = self._scenario.answers()
        self._server.asked.clear()
        seen = see(self._scenario.caller, client)
        gc.collect()
        return seen, len(self._server.asked)

    def _one(self, number: int, expected: Seen) -> bool:
        home = Home(self._directory / str(number))
        home.create()
        home.secret_file.write_text("ab" * 32)
        before = _faults()
        injector = Injector(number=number)
        ignored: list[str] = []
        sys.unraisablehook = lambda fault: ignored.append(str(fault.exc_value))
        client = monitor.wrap(self._client(), settings=Settings(home=home.path))
        sys.settrace(injector)
        try:
            seen, asked = self._ask(client)
        except InjectedError as fault:
            seen, asked = [f"raised {fault}"], len(self._server.asked)
        finally:
            sys.settrace(None)
        wrapping._RECORDERS._writers.pop(home.spool).close()
        if injector.place is None:
            return False
        self.raised += 1
        checks = {
            f"the program saw {str(seen)[:300]}": seen == expected,
            f"{_faults() - before} faults were counted": _faults() - before == 1,
            f"ignored: {ignored}": not ignored,
            f"the spool is damaged: {_damage(home, asked)}": not _damage(home, asked),
        }
        self.wrong += [f"{injector.place}: {what}" for what, is_well in checks.items() if not is_well]
        return True


def _faults() -> int:
    return wrapping.HEALTH.counts().get("internal_errors_total", 0)


def _damage(home: Home, asked: int) -> str:
    """What is wrong: a line that is not whole, a gap in the numbers, a request with two records or begin lines."""
    segments, headless = list_segments(home.spool)
    ids: dict[str, list[str]] = {"begin": [], "end": []}
    for segment in segments:
        batch = segment.read(0, 2**24)
        lines = [json.loads(line) for line in batch.lines]
        if batch.damages or [line["seq"] for line in lines] != list(range(len(lines))):
            return f"{batch.damages}, {[line['seq'] for line in lines]}"
        for line in lines:
            if line["kind"] in ids:
                ids[line["kind"]].append(line["record_id"])
    if any(path.stat().st_size for path in headless) or len(headless) > 1:
        # A fault just after the file was made leaves an empty one behind.
        return f"{len(headless)} files without a header"
    return "".join(kind for kind, found in ids.items() if not len(found) == len(set(found)) <= asked)


def _main(directory: Path, first: int, step: int, names: list[str]) -> None:
    found = {}
    for name in names or SCENARIOS:
        campaign = Campaign(directory / name, SCENARIOS[name])
        campaign.run(first, step)
        found[name] = {"raised": campaign.raised, "wrong": campaign.wrong}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
