"""Steps of time in questions that are not asked of whole hours alone."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

STEPS: Final = ("minute", "hour", "day")


def step_sql(step: str, moment: str) -> tuple[str, int]:
    """SQL of the step in which a ledger time lies, and how many marks it has: each wants the name of the zone.

    Steps of a day begin at midnight of the zone and are times on its walls; those of an hour or a minute are UTC, for
    when clocks are set back two hours have the same name.

    Raises:
        ValueError: the step is not one of `STEPS`.
    """
    if step not in STEPS:
        raise ValueError(f"{step!r} is not one of {', '.join(STEPS)}")
    local = f"timezone(?, timezone('UTC', {moment}))"
    begin = f"date_trunc('{step}', {local})"
    return (begin, 1) if step == "day" else (f"{begin} - ({local} - {moment})", 2)


def step_start(step: str, found: datetime, time_zone: str) -> datetime:
    """What `step_sql` found, as aware UTC."""
    zone = ZoneInfo(time_zone) if step == "day" else UTC
    return found.replace(tzinfo=zone).astimezone(UTC)
