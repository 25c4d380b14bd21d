"""What answers said about rate limits: the last word, and the least that was left."""

from datetime import timedelta
from typing import Any

from monitor.ledger.limit_queries import LimitState, limit_states
from monitor.records import Record
from tests.factories import NOW, make_failure, make_record
from tests.world import ALWAYS, World, span

_HOUR = timedelta(hours=1)
_KEY: dict[str, Any] = {"key_fingerprint": "5d41402abc4b2a76", "key_hint": "w7Qa"}


def _answer(remaining: int, *, minutes: int = 0, **facts: Any) -> Record:
    """An answer that states how many requests of 100 are left."""
    usual = _KEY | {"requests_limit": 100, "requests_remaining": remaining, "requests_reset": 6.0}
    return make_record(**(usual | {"started_at": NOW + timedelta(minutes=minutes)} | facts))


def test_the_last_word_and_the_lowest_share_of_each_limit(world: World) -> None:
    """Late lines do not win over newer ones; of equal lows the last one counts."""
    world.store(_answer(80, minutes=5, requests_limit=200), _answer(10, minutes=1), _answer(10, minutes=2), _answer(90))

    assert limit_states(world.ledger, ALWAYS, limit=9) == [
        LimitState(
            provider_name="openai",
            **_KEY,
            model="gpt-4o",
            kind="requests",
            limit=200,
            remaining=80,
            reset=6.0,
            seen_at=NOW + timedelta(minutes=5),
            lowest_share=0.1,
            lowest_at=NOW + timedelta(minutes=2),
            answers=4,
            refused=0,
        )
    ]


def test_the_limit_nearest_to_its_end_comes_first(world: World) -> None:
    """Over models, keys and kinds of limits; as many as are asked for."""
    world.store(
        _answer(50),
        _answer(40, key_fingerprint="other", key_hint=None),
        _answer(60, request_model="o3", tokens_limit=1_000, tokens_remaining=1),
    )
    found = limit_states(world.ledger, ALWAYS, limit=3)

    assert [(state.model, state.key_hint, state.kind, state.lowest_share) for state in found] == [
        ("o3", "w7Qa", "tokens", 0.001),
        ("gpt-4o", None, "requests", 0.4),
        ("gpt-4o", "w7Qa", "requests", 0.5),
    ]


def test_a_refusal_belongs_to_the_limit_of_the_model_that_was_asked_for(world: World) -> None:
    """It names no other model; its reason says which limit it was, else what is used up."""
    both: dict[str, Any] = {"requests_limit": 100, "tokens_limit": 1_000, **_KEY}
    world.store(
        _answer(99),
        make_failure(**both, requests_remaining=98, tokens_remaining=50, error_reason="tokens"),
        make_failure(**both, requests_remaining=97, tokens_remaining=0),
        make_failure(**both, requests_remaining=96, tokens_remaining=900, error_reason="requests_per_day"),
        make_failure(**both, requests_remaining=96, tokens_remaining=0, error_class="server"),
    )

    assert {state.kind: state.refused for state in limit_states(world.ledger, ALWAYS, limit=9)} == {
        "requests": 1,
        "tokens": 2,
    }


def test_other_limits_are_limits_too(world: World) -> None:
    """Those of a project, and of a deployment, of which only the used percent is told."""
    other = {"limit-project-tokens": 400.0, "remaining-project-tokens": 100.0, "deployment-utilization": 120.0}
    world.store(make_record(other_limits=other), make_record(other_limits={"limit-images": 5.0}))
    deployment, project = limit_states(world.ledger, ALWAYS, limit=9)

    assert (project.kind, project.limit, project.remaining, project.lowest_share) == ("project_tokens", 400, 100, 0.25)
    assert (deployment.kind, deployment.limit, deployment.remaining) == ("deployment_utilization", 100, -20)
    assert deployment.lowest_share == -0.2


def test_what_is_not_stated_is_no_limit(world: World) -> None:
    """Nor is one of nothing, or one of which nobody says what is left."""
    world.store(
        make_record(),
        make_record(requests_remaining=5),
        make_record(tokens_limit=5),
        make_record(tokens_limit=0, tokens_remaining=0),
    )

    assert limit_states(world.ledger, ALWAYS, limit=9) == []


def test_limits_are_those_of_the_slice(world: World) -> None:
    """Only answers in the span, to requests that meet the conditions."""
    world.store(_answer(1, minutes=-1), _answer(70, team="search"), _answer(2, minutes=60), _answer(3, team="ads"))
    (found,) = limit_states(world.ledger, span(NOW, _HOUR, team="search"), limit=9)

    assert (found.lowest_share, found.answers) == (0.7, 1)
