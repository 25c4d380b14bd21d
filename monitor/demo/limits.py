"""Rate limits that count: requests and tokens per model in windows of one minute."""

from typing import Final, NamedTuple

from monitor.demo.models import Model

WINDOW: Final = 60.0


class LimitState(NamedTuple):
    """What is left of a model's limits after one request; `reset` in seconds."""

    requests_limit: int
    requests_remaining: int
    tokens_limit: int
    tokens_remaining: int
    reset: float
    exceeded: str | None

    def headers(self) -> dict[str, str]:
        """As the API sends them."""
        reset = go_duration(self.reset)
        return {
            "x-ratelimit-limit-requests": str(self.requests_limit),
            "x-ratelimit-limit-tokens": str(self.tokens_limit),
            "x-ratelimit-remaining-requests": str(self.requests_remaining),
            "x-ratelimit-remaining-tokens": str(self.tokens_remaining),
            "x-ratelimit-reset-requests": reset,
            "x-ratelimit-reset-tokens": reset,
        }


class RateLimits:
    """Counts the requests of every model; a window begins with its first request."""

    def __init__(self) -> None:
        """Start with nothing used."""
        self._windows: dict[str, _Window] = {}

    def take(self, model: Model, *, tokens: int, at: float) -> LimitState:
        """Count one request at the second `at`; one that is too many counts nothing, and `exceeded` names the limit."""
        window = self._windows.get(model.name)
        if window is None or at - window.begin >= WINDOW:
            window = self._windows[model.name] = _Window(at)
        exceeded = None
        if window.requests + 1 > model.requests_limit:
            exceeded = "requests"
        elif window.tokens + tokens > model.tokens_limit:
            exceeded = "tokens"
        else:
            window.requests += 1
            window.tokens += tokens
        return LimitState(
            requests_limit=model.requests_limit,
            requests_remaining=model.requests_limit - window.requests,
            tokens_limit=model.tokens_limit,
            tokens_remaining=model.tokens_limit - window.tokens,
            reset=WINDOW - (at - window.begin),
            exceeded=exceeded,
        )


def go_duration(seconds: float) -> str:
    """Write seconds the way Go does, as the API's reset headers are written: `120ms`, `7.66s`, `1m30s`."""
    seconds = round(max(0.0, seconds), 3)
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".")
    return f"{int(minutes)}m{text}s" if minutes else f"{text}s"


class _Window:
    __slots__ = ("begin", "requests", "tokens")

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self.requests = 0
        self.tokens = 0
