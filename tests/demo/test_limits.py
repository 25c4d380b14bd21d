import pytest

from monitor.demo.limits import RateLimits, go_duration
from monitor.demo.models import MODELS


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.012, "12ms"), (0.9996, "1s"), (1, "1s"), (7.66, "7.66s"), (60, "1m0s"), (90.5, "1m30.5s")],
)
def test_durations_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    """Reset headers hold Go durations."""
    assert go_duration(seconds) == text


def test_the_request_that_is_too_many_is_refused_until_the_window_ends() -> None:
    """A model refuses above its limit of a minute, counts nothing for it, and begins anew after the minute."""
    limits, model = RateLimits(), MODELS["gpt-6.1-sol"]
    states = [limits.take(model, tokens=1, at=0.0) for _ in range(model.requests_limit + 1)]

    assert states[-2].exceeded is None
    assert states[-1].exceeded == "requests"
    assert states[-1].requests_remaining == 0
    assert limits.take(model, tokens=1, at=61.0).exceeded is None


def test_tokens_are_limited_too() -> None:
    """One request above the tokens of a minute is refused."""
    limits, model = RateLimits(), MODELS["gpt-6.1-sol"]

    assert limits.take(model, tokens=model.tokens_limit + 1, at=0.0).exceeded == "tokens"
    assert limits.take(model, tokens=model.tokens_limit, at=1.0).tokens_remaining == 0
