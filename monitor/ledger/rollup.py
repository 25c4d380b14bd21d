"""The rollups: sums by step of time and dimensions, appended in the transaction that stores the requests.

Always add up: there can be several rows for the same step and dimensions. A job merges them (`compact`). Rows with
negative figures take back what requests came to that have changed since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import duckdb

from monitor.ledger.columns import quoted
from monitor.ledger.limit_facts import LIMITS
from monitor.ledger.measures import SPEEDS, USAGE, Facts
from monitor.records import DIMENSIONS

_MAIN: Final = ("model", "service", "team")
"""The dimensions by which the pages filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One table of sums.

    Attributes:
        table: its name.
        step: `hour` or `day`, of UTC; also the name of the column in which the step begins.
        dimensions: the columns of `requests` by which it tells rows apart.
        facts: what it sums.
        base: the finer rollup that it is summed from; None where it is summed from the requests.
    """

    table: str
    step: str
    dimensions: tuple[str, ...]
    facts: Facts
    base: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """All columns but the step, the measures and the mark of what is merged."""
        return (*self.dimensions, *self.facts.keys)


_WITHOUT_USER: Final = (
    *(name for name in DIMENSIONS if name != "user"),
    "error_reason",
    "pricing_state",
)
_LIMITED: Final = ("provider_name", "key_fingerprint", "request_model", *_MAIN)
"""Whose a limit is, beside."""

ROLLUPS: Final = (
    Rollup(
        table="usage_hourly_brief", step="hour", dimensions=(*_MAIN, "error_class"), facts=USAGE, base="usage_hourly"
    ),
    Rollup(table="usage_hourly", step="hour", dimensions=_WITHOUT_USER, facts=USAGE),
    Rollup(table="usage_daily", step="day", dimensions=_WITHOUT_USER, facts=USAGE, base="usage_hourly"),
    Rollup(table="usage_daily_users_brief", step="day", dimensions=("user",), facts=USAGE, base="usage_daily_users"),
    Rollup(table="usage_daily_users", step="day", dimensions=("user", *_MAIN), facts=USAGE),
    Rollup(table="speeds_hourly", step="hour", dimensions=_MAIN, facts=SPEEDS),
    Rollup(table="speeds_daily", step="day", dimensions=_MAIN, facts=SPEEDS, base="speeds_hourly"),
)
"""A question is answered by the first that has the step and the dimensions. Of users together with
others only the requests tell: a rollup of all of them has nearly as many rows, and takes half the drain's time."""

DIGESTS: Final = (
    Rollup(table="limits_hourly", step="hour", dimensions=_LIMITED, facts=LIMITS),
    Rollup(table="limits_daily", step="day", dimensions=_LIMITED, facts=LIMITS, base="limits_hourly"),
)
"""Tables like rollups that a job makes of the requests of whole hours, anew when one has changed (`digests`): what they
tell cannot be taken back by adding."""

SOURCE_COLUMNS: Final = tuple(
    dict.fromkeys(("started_at", *DIMENSIONS, "error_reason", "pricing_state", *USAGE.columns, *SPEEDS.columns))
)
"""The columns of `requests` that a source of `append` must have."""


def append(cursor: duckdb.DuckDBPyConnection, source: str, *, is_negated: bool = False, at_list: bool = False) -> None:
    """Add requests to all rollups, or take them out.

    Args:
        cursor: in the transaction that stores them or takes them out.
        source: a table or view with the `SOURCE_COLUMNS` of the requests.
        is_negated: take them out.
        at_list: none of them has a discount, and the source has no `contracted_cost`.
    """
    bases = {rollup.base for rollup in ROLLUPS}
    for rollup in sorted(ROLLUPS, key=lambda rollup: rollup.base is not None):
        sql = (
            _summed(rollup)
            if rollup.base
            else counted(rollup.facts, source, rollup.step, rollup.dimensions, at_list=at_list)
        )
        if is_negated and not rollup.base:
            keys = ", ".join(map(quoted, (rollup.step, *rollup.keys)))
            sql = f"select {keys}, {rollup.facts.negated()} from ({sql})"
        if rollup.table in bases:
            cursor.execute(f"create or replace temp table appended_{rollup.table} as {sql}")
            sql = f"from appended_{rollup.table}"
        cursor.execute(f"insert into {rollup.table} by name {sql}")
    cursor.execute(
        "insert into changed_hours select distinct hour from appended_usage_hourly"
        " where hour not in (select hour from changed_hours)"
    )


def counted(facts: Facts, source: str, step: str | None, dimensions: Iterable[str], *, at_list: bool = False) -> str:
    """SQL that groups requests into rows like those of a rollup; without a step, all of time is one.

    `at_list`: none of them has a discount, and the source has no `contracted_cost`.
    """
    names = "".join(f"{quoted(name)}, " for name in dimensions)
    keys = names + "".join(f"{quoted(name)}, " for name in facts.keys)
    moment = f"date_trunc('{step}', started_at) as {quoted(step)}, " if step else ""
    rows = facts.rows.format(source=source, keys=names)
    return f"select {moment}{keys}{facts.made(at_list=at_list)} from {rows} group by all"


def _summed(rollup: Rollup) -> str:
    """SQL that sums the rows that were just appended to the base of a rollup."""
    base = next(other for other in ROLLUPS if other.table == rollup.base)
    moment = f"date_trunc('{rollup.step}', {quoted(base.step)}) as {quoted(rollup.step)}"
    keys = ", ".join(map(quoted, rollup.keys))
    # Not `added`: a row that takes back has negative counts, and its figures are known all the same.
    sums = ", ".join(f"cast(sum({name}) as {m.type}) as {name}" for name, m in rollup.facts.measures.items())
    return f"select {moment}, {keys}, {sums} from appended_{base.table} group by all"
