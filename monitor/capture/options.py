"""What a program says of the requests of its clients."""

from collections.abc import Mapping
from typing import Any, Self

import msgspec

from monitor.capture.texts import storable, storable_or_none
from monitor.settings import Settings


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of the requests of its clients; None, and a tag that is not there, is not said."""

    service: str | None = None
    environment: str | None = None
    provider: str | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    content: bool | None = None
    settings: Settings | None = None

    @classmethod
    def given(
        cls, *, service: Any, environment: Any, provider: str | None, tags: Any, content: bool | None, settings: Any
    ) -> Self:
        """Options as a program gives them, made storable."""
        return cls(
            service=storable_or_none(service),
            environment=storable_or_none(environment),
            provider=provider,
            tags={str(name): storable(value) for name, value in (tags or {}).items()},
            content=content,
            settings=settings,
        )

    def over(self, weaker: "Options") -> "Options":
        """These, and the weaker ones where nothing is said."""
        return Options(
            service=self.service or weaker.service,
            environment=self.environment or weaker.environment,
            provider=self.provider or weaker.provider,
            tags={**weaker.tags, **self.tags},
            content=weaker.content if self.content is None else self.content,
            settings=self.settings or weaker.settings,
        )

    def add_nothing_to(self, others: "Options") -> bool:
        """Whether these say nothing at all, or the same as others, whose settings are known."""
        said = msgspec.structs.replace(self, settings=self.settings or others.settings)
        return said in (others, Options(settings=others.settings))
