"""Asks about prices: the server where one runs, else the data directory itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from monitor.cli.asking import ask_task
from monitor.cli.context import load_settings
from monitor.cli.spans import moment_of
from monitor.clock import system_clock
from monitor.pricing.book import Match
from monitor.pricing.explained import Asked, Explanation
from monitor.pricing.own import OwnPrices

_ZONE = "UTC"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for some models; `providers` are those with a price list."""

    version: str
    providers: tuple[str, ...]
    matches: tuple[Match, ...]
    own: OwnPrices


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What held for a model before a change, and what holds now."""

    asked: Asked
    before: Explanation
    after: Explanation


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Stored requests that a change is about."""

    requests: int
    first_at: datetime | None


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What a change did."""

    said: tuple[str, ...]
    unsaid: tuple[str, ...]
    left_alone: int
    shown: tuple[Shown, ...]
    stored: Stored


def ask_prices(
    *,
    models: Sequence[tuple[str, str]] | None = None,
    at: datetime | None = None,
    listed: Sequence[str] | None = None,
) -> Told:
    """What holds for these pairs of provider and model, or for those that the ledger has seen.

    Args:
        models: the pairs.
        at: only what holds then; None for all times.
        listed: all models that lists know of these providers, too.
    """
    given = {
        **({} if models is None else {"models": _json(models)}),
        **({} if at is None else {"at": at.isoformat()}),
        **({} if listed is None else {"listed": _json(listed)}),
    }
    return msgspec.convert(ask_task(load_settings(), "prices", given), Told, strict=False)


def ask_why(asked: Asked) -> Explanation:
    """What holds for a request and why."""
    return msgspec.convert(ask_task(load_settings(), "price_why", {"asked": _json(asked)}), Explanation, strict=False)


def ask_change(
    *, say: OwnPrices | None = None, unsay: Iterable[str] = (), mode: str = "set", asked: Sequence[Asked] = ()
) -> Changed:
    """Let something be said, or no longer; all of it or nothing."""
    given = {"say": _json(say or OwnPrices()), "unsay": ",".join(unsay), "mode": mode, "asked": _json(asked)}
    return msgspec.convert(ask_task(load_settings(), "price_change", given), Changed, strict=False)


def price_moment(text: str) -> datetime:
    """A moment as people write it; days are days of UTC, as in price lists."""
    return moment_of(text, now=system_clock(), time_zone=_ZONE)


def optional_moment(text: str | None) -> datetime | None:
    """The same; None stays None."""
    return None if text is None else price_moment(text)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
