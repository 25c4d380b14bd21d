"""The troubles of the pretended API: which request fails, and what it is told."""

from dataclasses import dataclass, field
from random import Random
from typing import Final

from monitor.demo.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Shares of requests, from 0 to 1, that meet each trouble; together about 2.5 %."""

    rate_limit_burst: float = 0.0015
    quota: float = 0.0002
    server: float = 0.003
    overloaded: float = 0.003
    context_length: float = 0.001
    not_found: float = 0.0
    broken_stream: float = 0.008


NO_ERRORS: Final = ErrorRates(
    rate_limit_burst=0, quota=0, server=0, overloaded=0, context_length=0, not_found=0, broken_stream=0
)
"""Nothing ever fails, except requests that are wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error answer of the API."""

    status: int
    message: str
    type: str
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """The JSON the API sends."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class Troubles:
    """Chooses the requests that fail. Rate limits come in bursts: a dozen requests of which every third is refused."""

    def __init__(self, rates: ErrorRates) -> None:
        """Start outside a burst."""
        self._rates = rates
        self._burst = 0

    def draw(self, random: Random, model: Model, *, organization: str) -> Fault | None:
        """The fault this request meets, None for most."""
        if self._burst > 0:
            self._burst -= 1
            if random.random() < 0.35:
                return rate_limited(model, "tokens", wait=random.choice((0.4, 0.7, 1.2)), organization=organization)
        elif random.random() < self._rates.rate_limit_burst:
            self._burst = random.randint(8, 16)
            return rate_limited(model, "tokens", wait=0.7, organization=organization)
        makers = (
            (self._rates.quota, quota_spent),
            (self._rates.server, server_failed),
            (self._rates.overloaded, overloaded),
        )
        for rate, make in makers:
            if random.random() < rate:
                return make()
        if random.random() < self._rates.context_length:
            return too_long(model, model.context_window + random.randint(300, 40_000))
        return not_found(model.name) if random.random() < self._rates.not_found else None

    def draw_break(self, random: Random) -> bool:
        """Whether this stream breaks off before its end."""
        return random.random() < self._rates.broken_stream


def rate_limited(model: Model, limit: str, *, wait: float, organization: str) -> Fault:
    """A 429 that says how long to wait; `limit` is `requests` or `tokens`."""
    most = model.tokens_limit if limit == "tokens" else model.requests_limit
    unit = "tokens per min (TPM)" if limit == "tokens" else "requests per min (RPM)"
    message = (
        f"Rate limit reached for {model.name} in organization {organization} on {unit}: "
        f"Limit {most}, Used {most}, Requested 1. Please try again in {wait:g}s."
    )
    headers = {"retry-after": str(max(1, round(wait))), "retry-after-ms": str(round(wait * 1000))}
    return Fault(status=429, message=message, type=limit, code="rate_limit_exceeded", headers=headers)


def quota_spent() -> Fault:
    """A 429 that no waiting helps against."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return Fault(status=429, message=message, type="insufficient_quota", code="insufficient_quota")


def server_failed() -> Fault:
    """A plain 500."""
    message = "The server had an error while processing your request. Sorry about that!"
    return Fault(status=500, message=message, type="server_error")


def overloaded() -> Fault:
    """A 503."""
    message = "The server is overloaded or not ready yet."
    return Fault(status=503, message=message, type="service_unavailable_error", code="server_is_overloaded")


def too_long(model: Model, tokens: int) -> Fault:
    """A 400 for more input than the model takes."""
    message = (
        f"This model's maximum context length is {model.context_window} tokens. However, your messages resulted in "
        f"{tokens} tokens. Please reduce the length of the messages."
    )
    return Fault(
        status=400, message=message, type="invalid_request_error", param="messages", code="context_length_exceeded"
    )


def not_found(name: str) -> Fault:
    """A 404 for a model."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Fault(status=404, message=message, type="invalid_request_error", code="model_not_found")


def invalid(message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> Fault:
    """A request that is wrong in itself."""
    return Fault(status=status, message=message, type="invalid_request_error", param=param, code=code)
