"""Draws the live calls of one service: which feature next, after how long, with what prompt and tags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Generic

from monitor.demo.company import C, Feature, Service
from monitor.demo.programs import as_program
from monitor.demo.prompts import Prompt
from monitor.demo.words import fixed_text, text_of

_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class LiveCall(Generic[C]):
    """One call to make: the function, what it is given, and the tags around it."""

    run: Callable[[C, Prompt], Any]
    prompt: Prompt
    tags: Mapping[str, str]


class Script(Generic[C]):
    """What one service does while the demo runs; not to be shared between threads."""

    def __init__(self, service: Service[C], *, pace: float, seed: str) -> None:
        """Make `pace` times the calls a minute that the cast says."""
        self._service = service
        self._random = Random(seed)  # noqa: S311 - nothing secret
        self._weights = [feature.live_per_minute for feature in service.features]
        self._systems = {item.name: fixed_text(item.name, item.system_tokens) for item in service.features}
        self._programs = {item.name: as_program(item) for item in service.features}
        self._rate = service.live_rate * pace

    def gap(self) -> float:
        """Seconds until the next call."""
        return self._random.expovariate(self._rate)

    def next_call(self) -> LiveCall[C]:
        """Draw a call."""
        random = self._random
        feature = random.choices(self._service.features, self._weights)[0]
        user = feature.draw_user(random)
        prompt = Prompt(
            model=feature.draw_model(random),
            system=self._systems[feature.name],
            text=text_of(feature.draw_input(random), random),
            output_limit=feature.output_limit,
            user=user or _NOBODY,
        )
        return LiveCall(self._programs[feature.name], prompt, self._tags(feature, user))

    def _tags(self, feature: Feature[Any], user: str | None) -> dict[str, str]:
        tags = {"team": self._service.team, "feature": feature.name, "release": self._service.release}
        if user is not None:
            tags["user"] = user
            if feature.has_sessions:
                tags["session"] = f"s_{user[2:]}{self._random.randrange(4)}"
        return tags
