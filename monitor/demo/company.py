"""What a pretended company is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Generic, TypeVar

from monitor.demo.answers import spread
from monitor.demo.rhythms import Rhythm

C = TypeVar("C")

CHAT: Final = "/chat/completions"
RESPONSES: Final = "/responses"
EMBEDDINGS: Final = "/embeddings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature(Generic[C]):
    """One kind of call.

    Attributes:
        call: the function of the program that makes it.
        models: the models it asks for, with their weights.
        system_tokens: length of what every prompt begins with.
        input_tokens: median length of what follows; log-normal with `input_spread`.
        output_limit: tokens an answer may have.
        calls_per_day: in the made-up past, on a mean day at its end.
        live_per_minute: while the demo runs, at pace 1.
        cache_hit_share: how often, in the past, the beginning of the prompt was in the prompt cache.
        users: who causes the calls; empty for jobs.
    """

    name: str
    call: Callable[[C, Any], Any]
    endpoint: str
    models: Mapping[str, float]
    input_tokens: int
    input_spread: float = 0.5
    system_tokens: int = 0
    output_limit: int = 400
    calls_per_day: float
    live_per_minute: float
    rhythm: Rhythm
    cache_hit_share: float = 0.0
    is_streaming: bool = False
    has_sessions: bool = False
    service_tier: str | None = None
    effort: str | None = None
    users: tuple[str, ...] = ()

    @property
    def operation_name(self) -> str:
        """As records name it."""
        return "embeddings" if self.endpoint == EMBEDDINGS else "chat"

    def draw_input(self, random: Random) -> int:
        """Draw a length for the part of the prompt that is not always the same."""
        return max(8, round(self.input_tokens * spread(random, self.input_spread)))

    def draw_model(self, random: Random) -> str:
        """Draw the model of one call."""
        dice = random.random() * sum(self.models.values())
        for name, weight in self.models.items():
            dice -= weight
            if dice < 0:
                return name
        return next(iter(self.models))

    def draw_user(self, random: Random) -> str | None:
        """Draw who causes a call, the first ones more often; None for jobs."""
        return self.users[int(len(self.users) * random.random() ** 2)] if self.users else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Generic[C]):
    """One program with a key of its own; `C` is the client it uses."""

    name: str
    team: str
    environment: str
    key: str
    host: str
    release: str
    features: tuple[Feature[C], ...]

    @property
    def live_rate(self) -> float:
        """Calls a second while the demo runs, at pace 1."""
        return sum(feature.live_per_minute for feature in self.features) / 60
