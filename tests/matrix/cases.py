"""The cases of the matrix: one value of each dimension. Imports no SDK: the programs and the tests read it."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.matrix.endpoints import ENDPOINTS, Endpoint

MARK: Final = "x-case"
"""The request header that says which case a request belongs to."""
RUN: Final = "x-run"
"""The request header that says whether the client is watched."""
PLAIN, WATCHED = "plain", "watched"

BREAKS_OFF: Final = -1
HANGS_UP: Final = -2

FATES: Final[Mapping[str, tuple[int, ...]]] = {
    "answered": (),
    "429 first": (429,),
    "500 twice": (500, 500),
    "refused": (400,),
    "429 in vain": (429, 429, 429),
    "broken off": (BREAKS_OFF,),
    "hung up": (HANGS_UP,),
}
"""What befalls the first requests of a call, before one is answered."""

CLIENTS: Final = ("openai", "azure", "proxy", "no proxy", "httpx", "httpx2", "aiohttp", "copy")
READINGS: Final = ("parsed", "raw", "streaming")
MODES: Final = ("sync", "async")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to make one call."""

    endpoint: str
    fate: str
    client: str
    reading: str
    mode: str

    @property
    def values(self) -> tuple[str, ...]:
        return (self.endpoint, self.fate, self.client, self.reading, self.mode)

    @property
    def name(self) -> str:
        return " / ".join(self.values)

    @property
    def called(self) -> Endpoint:
        return ENDPOINTS[self.endpoint]

    @property
    def statuses(self) -> tuple[int, ...]:
        return FATES[self.fate]

    @property
    def retries(self) -> int:
        """How many retries the client is allowed: a broken connection makes it wait, so none there."""
        return 0 if min(self.statuses, default=0) < 0 else 2

    @property
    def requests(self) -> int:
        """How many requests the server gets."""
        fails = len(self.statuses)
        return fails if self.retries == 0 or 400 in self.statuses or fails == 3 else fails + 1

    @property
    def is_answered(self) -> bool:
        """Whether the call is answered whole in the end."""
        return self.requests > len(self.statuses)


def every_case() -> list[Case]:
    """The whole product.

    But for what aiohttp does below the transport: a GET or DELETE that is hung up on a connection used before it sends
    again by itself.
    """
    product = itertools.product(ENDPOINTS, FATES, CLIENTS, READINGS, MODES)
    return [
        Case(endpoint=endpoint, fate=fate, client=client, reading=reading, mode=mode)
        for endpoint, fate, client, reading, mode in product
        if client != "aiohttp" or (mode == "async" and (fate != "hung up" or ENDPOINTS[endpoint].named))
    ]


def some_cases() -> list[Case]:
    """Few cases in which any two values of any two dimensions come together."""
    left = {pair for case in every_case() for pair in _pairs(case)}
    chosen = []
    cases = every_case()
    while left:
        best = max(cases, key=lambda case: len(left & _pairs(case)))
        chosen.append(best)
        left -= _pairs(best)
    return chosen


def case_of(values: Sequence[str]) -> Case:
    """The case of these values, as they travel to a program."""
    endpoint, fate, client, reading, mode = values
    return Case(endpoint=endpoint, fate=fate, client=client, reading=reading, mode=mode)


def _pairs(case: Case) -> set[tuple[tuple[int, str], ...]]:
    return set(itertools.combinations(enumerate(case.values), 2))
