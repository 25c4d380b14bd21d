"""Twenty minutes of a container are paid once, however many requests use it."""

import random
from datetime import timedelta
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.pricing.sessions import LENGTH, Session, Sessions, Use, use_of
from tests.factories import NOW, make_record


def _use(record_id: str, *containers: str, minutes: float = 0, memory: str | None = "1g", counts: bool = True) -> Use:
    return Use(
        record_id=record_id,
        started_at=NOW + timedelta(minutes=minutes),
        containers=containers or ("c",),
        memory=memory,
        is_counted=counts,
    )


def _begun(*uses: Use) -> list[dict[str, int] | None]:
    sessions = Sessions()
    found = (sessions.begun_by(use) for use in uses)
    return [None if begun is None else dict(begun) for begun in found]


def test_who_uses_a_container_first_begins_its_session() -> None:
    """The others within twenty minutes pay nothing; exactly then the next one begins."""
    uses = [_use(str(minutes), minutes=minutes) for minutes in (0, 5, 19.99, 20, 39, 41)]

    assert _begun(*uses) == [{"1g": 1}, {}, {}, {"1g": 1}, {}, {"1g": 1}]


def test_a_request_that_is_told_of_late_pays_nothing() -> None:
    """Where a session began less than twenty minutes after it, it is the same one."""
    assert _begun(_use("a", minutes=10), _use("b"), _use("c", minutes=-10)) == [{"1g": 1}, {}, {"1g": 1}]


def test_each_container_has_sessions_of_its_own() -> None:
    """A request can begin several, a name that stands twice one."""
    assert _begun(_use("a", "c", "d", "c"), _use("b", "d", "e", memory="4g")) == [{"1g": 2}, {"4g": 1}]


def test_asked_again_it_says_the_same() -> None:
    """A request that is priced twice does not pay twice, and does not lose what it paid."""
    first = _use("a")

    assert _begun(first, _use("b"), first, first) == [{"1g": 1}, {}, {"1g": 1}, {"1g": 1}]


def test_memory_is_remembered() -> None:
    """From whoever told it first, also from an answer that does not count; what a request says itself goes before."""
    told = _use("a", memory="4g", counts=False)

    assert _begun(_use("z", memory=None), told, _use("b", minutes=30, memory=None)) == [{"unknown": 1}, None, {"4g": 1}]
    assert _begun(told, _use("b", memory="16g")) == [None, {"16g": 1}]


def test_a_request_that_counts_no_more_lets_go() -> None:
    """Its session is begun by another one then."""
    sessions = Sessions([Session(container_id="c", started_at=NOW, memory="1g", record_id="a")])

    assert sessions.begun_by(_use("b", minutes=1)) == {}
    assert sessions.let_go(_use("a", counts=False))
    assert not sessions.let_go(_use("a", counts=False))
    assert sessions.begun_by(_use("b", minutes=1)) == {"1g": 1}


def test_only_so_many_containers_are_remembered() -> None:
    """Those that were met last."""
    sessions = Sessions(most=2)
    for name in ("c", "d", "e"):
        sessions.begun_by(_use("a", name))

    assert [sessions.begun_by(_use("b", name)) for name in ("d", "e", "c")] == [{}, {}, {"1g": 1}]


def test_a_record_says_what_it_used() -> None:
    """Nothing where it used no container; what is told again does not count."""
    record = make_record(containers=["c"], container_memory="4g")
    used, again = use_of(record), use_of(msgspec.structs.replace(record, usage_source="repeated"))

    assert use_of(make_record()) is None
    assert use_of(make_record(containers=[])) is None
    assert used is not None
    assert again is not None
    assert (used.containers, used.memory, used.is_counted, again.is_counted) == (["c"], "4g", True, False)


@given(st.lists(st.integers(min_value=0, max_value=7_200), max_size=40), st.randoms(use_true_random=False))
def test_sessions_never_overlap(seconds: list[int], chance: random.Random) -> None:
    """In whatever order requests are told of, and each lies in the twenty minutes around a session."""
    chance.shuffle(seconds)
    sessions = Sessions()
    for number, second in enumerate(seconds):
        sessions.begun_by(_use(str(number), minutes=second / 60))
    starts = sorted(session.started_at for session in sessions.told if session.record_id is not None)

    assert all(later - earlier >= LENGTH for earlier, later in pairwise(starts))
    assert all(any(abs(NOW + timedelta(seconds=s) - start) < LENGTH for start in starts) for s in seconds)


def test_of_two_memories_the_oldest_word_holds() -> None:
    """In whatever order they came: a ledger is asked in another order than a program."""
    told = [
        Session(container_id="c", started_at=NOW + timedelta(hours=hours), memory=memory, record_id=memory)
        for hours, memory in ((2, "4g"), (0, "1g"), (1, "16g"))
    ]
    asked = _use("later", minutes=600, memory=None)

    assert {tuple((Sessions(known).begun_by(asked) or {}).items()) for known in (told, told[::-1])} == {(("1g", 1),)}
