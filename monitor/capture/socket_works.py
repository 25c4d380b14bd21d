"""The work that is open on one socket: asked for, or running. Finds the one that a message belongs to."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from monitor.capture.bodies import read_answer, read_request, text_of
from monitor.capture.endpoints import endpoint_of
from monitor.capture.handshakes import Handshake
from monitor.capture.said import Said
from monitor.capture.socket_events import Event, Message, Piece, Work, encoded, read_event, read_work
from monitor.capture.socket_turns import REALTIME, RESPONSE, Desk, Turn
from monitor.capture.spoken import Spoken
from monitor.capture.unit_readers import Answer
from monitor.capture.units import answer_units

_RESPONSES: Final = endpoint_of("POST", "/responses")
_MOST: Final = 256
"""So many pieces of work may be open at once; a server that never ends any must not fill the memory."""


class Works:
    """Keeps the open work of one socket.

    Attributes:
        shared: fields that every record of the socket gets.
        kind: what is done here when nothing else is said; None where the caller asks for nothing by name.
        awaits_chunk: whether some work runs whose first piece has not come.
        gathers: whether what comes of responses is held until they end, as contents are kept.
    """

    def __init__(self, desk: Desk, handshake: Handshake, shared: Mapping[str, Any]) -> None:
        """Nothing is open yet."""
        self._desk = desk
        self._handshake = handshake
        self._asked: deque[Turn] = deque()
        self._running: dict[str, Turn] = {}
        self._over: deque[str] = deque(maxlen=_MOST)
        self._limits: dict[str, Any] = {}
        self.shared: dict[str, Any] = dict(shared)
        self.kind = {"/realtime": REALTIME, "/responses": RESPONSE}.get(str(shared.get("endpoint")))
        self.awaits_chunk = False
        keeper = None if desk.keeper is None else desk.keeper.of(handshake.headers.raw, handshake.url.raw_path)
        self._keeper = keeper
        self.gathers = keeper is not None
        self._content_limit = 0 if keeper is None else keeper.limit
        self._said = Said()

    def say(self, message: Message) -> None:
        """The caller says something for a response to come."""
        if self.gathers and self.kind is REALTIME:
            self._said.add(message)

    def ask(self, message: Message) -> None:
        """The caller asks for a response: keep who it is and what is said of it."""
        if self.kind is None:
            return
        event = read_event(message)
        asking = self._desk.facts_for(self._handshake)
        turn = Turn(self._desk, {**self.shared, **asking, **self.kind, "is_streaming": True}, keeper=self._keeper)
        turn.fill(self.shared)
        turn.event_id, turn.stream_id = text_of(event.event_id), text_of(event.stream_id)
        if len(self._asked) >= _MOST:
            self._asked.popleft().finish("interrupted")
        self._asked.append(turn)
        if self.gathers:
            self.say(message)
            turn.asked = bytes(encoded(message)) if self.kind is RESPONSE else self._said.take()
        if self.kind is RESPONSE:
            # As a POST to the same path, it is on its way from now.
            _put_request(turn, message)
            turn.start()

    def create(self, event: Event, kind: Mapping[str, Any] | None = None) -> None:
        """A response has begun."""
        turn = self._take_asked(event.stream_id)
        if turn is None:
            turn = self.new(kind or self.kind or RESPONSE, event)
            if kind is None:
                # The server found out by itself that it was its turn to speak.
                turn.asked = self._said.take()
        turn.start()
        if self.gathers:
            turn.spoken = Spoken(self._content_limit)
        if len(self._running) >= _MOST:
            self._running.pop(next(iter(self._running))).finish("interrupted")
        self._running[text_of(read_work(event.response).id) or ""] = turn
        self.awaits_chunk = True

    @property
    def wants_pieces(self) -> bool:
        """Whether pieces of responses are of use."""
        return self.awaits_chunk or self.gathers

    def take_piece(self, piece: Piece) -> None:
        """A piece has come; one of what the caller says, as it is heard, belongs to no response."""
        if not str(piece.type).startswith("response."):
            return
        turn = self._running.get(text_of(piece.response_id) or "") or self._in_lane(piece.stream_id)
        if turn is not None and not turn.has_chunk:
            turn.took_chunk()
        if turn is not None and turn.spoken is not None:
            turn.spoken.add(piece)
        self.awaits_chunk = not all(turn.has_chunk for turn in self._running.values())

    def end(self, event: Event, kind: Mapping[str, Any] | None = None) -> None:
        """A response is over; one whose end was told before is passed over."""
        body = read_work(event.response)
        response_id = text_of(body.id) or ""
        if response_id not in self._over:
            turn = self._running.pop(response_id, None) or self._take_asked(event.stream_id)
            turn = turn or self.new(kind or self.kind or RESPONSE, event)
            if turn.facts["endpoint"] == _RESPONSES.path:
                _put_units(turn, event.response)
            self.close(turn, body, event.response)

    def close(self, turn: Turn, body: Work, content: msgspec.Raw) -> None:
        """Write the record of a piece of work by what is said of it at its end, which was read from `content`."""
        self._name(turn)
        if self.gathers:
            turn.answer = bytes(content)
        turn.took_work(body)
        if response_id := text_of(body.id):
            self._over.append(response_id)
        self.write(turn)

    def blamed(self, event: Event, name: str | None) -> Turn | None:
        """The work that an error answers, which is not open any more; None when it answers something else.

        Args:
            event: the error.
            name: the caller's own name for the event that it answers, None where it tells none.
        """
        if self.kind is RESPONSE:
            return self._take_asked(event.stream_id) or self._take_running(event.stream_id)
        found = next((turn for turn in self._asked if turn.event_id == name), None)
        if found is not None:
            self._asked.remove(found)
        return found

    def new(self, kind: Mapping[str, Any], event: Event) -> Turn:
        """Work that no event of the caller asked for: the server heard speech, or a model delegated it."""
        turn = Turn(self._desk, {**self.shared, **kind}, keeper=self._keeper)
        turn.stream_id = text_of(event.stream_id)
        if kind is not self.kind:
            turn.facts["request_model"] = turn.facts["response_model"] = None
        return turn

    def limit(self, facts: Mapping[str, Any]) -> None:
        """Note rate limits for the next record."""
        self._limits |= facts

    def write(self, turn: Turn, outcome: str = "completed") -> None:
        """Write the record of a piece of work, with what is known from the session."""
        self._name(turn)
        turn.facts |= self._limits
        self._limits = {}
        turn.finish(outcome)

    def break_off(self, error: BaseException | None) -> None:
        """The socket is gone: nothing that is open will end."""
        for turn in (*self._running.values(), *self._asked):
            if error is not None:
                turn.broke(error)
            turn.finish("interrupted")

    def _name(self, turn: Turn) -> None:
        """Put in what the session may have told only after the work was asked for."""
        turn.fill({"conversation_id": self.shared.get("conversation_id")})
        if turn.facts["operation_name"] == REALTIME["operation_name"]:
            turn.fill({"response_model": self.shared.get("response_model")})

    def _take_asked(self, stream_id: object) -> Turn | None:
        lane = text_of(stream_id)
        found = next((turn for turn in self._asked if turn.stream_id == lane), None)
        if found is not None:
            self._asked.remove(found)
        return found

    def _take_running(self, stream_id: object) -> Turn | None:
        lane = text_of(stream_id)
        name = next((name for name, turn in self._running.items() if turn.stream_id == lane), None)
        if name is None:
            return None
        # The end of the response may follow, and must not count as another one.
        self._over.append(name)
        return self._running.pop(name)

    def _in_lane(self, stream_id: object) -> Turn | None:
        lane = text_of(stream_id)
        return next((turn for turn in self._running.values() if turn.stream_id == lane), None)


def _put_request(turn: Turn, message: Message) -> None:
    """What the caller says of the response it asks for, as in the body of a POST."""
    body = read_request(message.encode() if isinstance(message, str) else message)
    if body is None:
        return
    turn.facts["request_model"] = text_of(body.model)
    turn.facts["request_service_tier"] = text_of(body.service_tier)
    turn.fill({"user": text_of(body.safety_identifier) or text_of(body.user)})


def _put_units(turn: Turn, response: msgspec.Raw) -> None:
    """What its tools did, as in the answer to a POST."""
    answer = Answer(_RESPONSES, read_answer(response), response, turn.facts, turn.facts.get("request_model"))
    turn.facts |= answer_units(answer)
