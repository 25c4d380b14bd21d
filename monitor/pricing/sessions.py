"""Sessions of containers: twenty minutes of one are paid once, however many requests run code in it. Pure.

A request that uses a container begins a session of it, unless one began less than twenty minutes before or after. What
a session costs is told by the memory of the container, which only some answers state.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from monitor.records import Record

LENGTH: Final = timedelta(minutes=20)

UNKNOWN_MEMORY: Final = "unknown"
"""Of a container that nobody told the memory of: there is no price for it."""

CONTAINER: Final = "container"
"""What price lists call a container that is made by itself, as no model is named then."""

CREATION: Final = "create_container"
"""The operation that makes one."""

COUNTING_SOURCES: Final = ("response", "estimated", "imported")
"""Where usage comes from that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of a container.

    Attributes:
        container_id: as the provider calls it.
        started_at: when the request left that began it.
        memory: of the container, `1g`; None where nobody told it yet.
        record_id: the request that pays it; None for what is no session and tells the memory only.
    """

    container_id: str
    started_at: datetime
    memory: str | None
    record_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a request says of containers; one that does not count, such as an answer told again, pays nothing."""

    record_id: str
    started_at: datetime
    containers: Sequence[str]
    memory: str | None
    is_counted: bool


def use_of(record: Record) -> Use | None:
    """What a record says of containers; None where it used none."""
    if not record.containers:
        return None
    return Use(
        record_id=record.record_id,
        started_at=record.started_at,
        containers=record.containers,
        memory=record.container_memory,
        is_counted=record.usage_source in COUNTING_SOURCES,
    )


class Sessions:
    """Says which request begins which session. Asked again about a request, it says the same.

    Args:
        known: sessions that began before.
        most: of how many containers sessions are remembered, those met last; None for all.
    """

    def __init__(self, known: Iterable[Session] = (), *, most: int | None = None) -> None:
        """Begin with what is known."""
        self._held: OrderedDict[str, list[Session]] = OrderedDict()
        self._most = most
        self.told: list[Session] = []
        """What was not known before."""
        for session in known:
            self._hold(session)

    def let_go(self, use: Use) -> bool:
        """Take sessions from a request that does not count any more; whether it had any."""
        had_any = False
        for container_id in use.containers:
            held = self._held.get(container_id, [])
            kept = [session for session in held if session.record_id != use.record_id]
            had_any = had_any or len(kept) < len(held)
            held[:] = kept
        return had_any

    def begun_by(self, use: Use) -> Mapping[str, int] | None:
        """By memory, how many sessions a request begins; None for one that does not count.

        Ask in the order of time.
        """
        named = list(dict.fromkeys(use.containers)) if use.is_counted else []
        begun = [container_id for container_id in named if self._begins(container_id, use)]
        for container_id in use.containers:
            if use.memory is not None and self._memory(container_id) is None:
                self._tell(container_id, use, record_id=None)
        memories = (use.memory or self._memory(container_id) or UNKNOWN_MEMORY for container_id in begun)
        return Counter(memories) if use.is_counted else None

    def _begins(self, container_id: str, use: Use) -> bool:
        sessions = [session for session in self._held.get(container_id, []) if session.record_id is not None]
        if any(session.record_id == use.record_id for session in sessions):
            return True
        if any(abs(session.started_at - use.started_at) < LENGTH for session in sessions):
            return False
        self._tell(container_id, use, record_id=use.record_id)
        return True

    def _memory(self, container_id: str) -> str | None:
        # The oldest word holds, in whatever order they were met.
        told = [session for session in self._held.get(container_id, []) if session.memory is not None]
        return (
            min(told, key=lambda one: (one.started_at, one.record_id or "", one.memory or "")).memory if told else None
        )

    def _tell(self, container_id: str, use: Use, *, record_id: str | None) -> None:
        memory = use.memory or self._memory(container_id)
        session = Session(container_id=container_id, started_at=use.started_at, memory=memory, record_id=record_id)
        self._hold(session)
        self.told.append(session)

    def _hold(self, session: Session) -> None:
        self._held.setdefault(session.container_id, []).append(session)
        self._held.move_to_end(session.container_id)
        if self._most is not None and len(self._held) > self._most:
            self._held.popitem(last=False)
