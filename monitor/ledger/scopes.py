"""Turns filters and spans of time into SQL conditions with bound values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import overload

from monitor.budgets.model import Scope
from monitor.errors import LedgerError
from monitor.ledger.columns import quoted
from monitor.records import DIMENSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test on a dimension: its value is one of `values`, or none of them when negated.

    None among the values stands for requests that have no value. A negated test holds for requests without one.
    """

    dimension: str
    values: tuple[str | None, ...]
    is_negated: bool = False


def conditions_of(scope: Scope) -> tuple[Condition, ...]:
    """The matchers of a budget or a report as conditions."""
    return tuple(
        Condition(dimension=matcher.dimension, values=matcher.values, is_negated=matcher.is_negated)
        for matcher in scope
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which requests a question is about: those that began in [start, end) and meet all conditions."""

    start: datetime
    end: datetime
    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True)
class Where:
    """SQL text and the values of its marks, in order."""

    sql: str = "true"
    values: list[object] = field(default_factory=list)

    def also(self, sql: str, *values: object) -> None:
        """Add a condition that must hold too."""
        self.sql = f"{self.sql} and {sql}"
        self.values.extend(values)


def where(conditions: Sequence[Condition]) -> Where:
    """The SQL of conditions.

    Raises:
        LedgerError: a dimension is not one of the ledger.
    """
    built = Where()
    for condition in conditions:
        column = dimension_column(condition.dimension)
        named = [value for value in condition.values if value is not None]
        built.also(_test(column, named, condition), *named)
    return built


def described(conditions: Sequence[Condition]) -> str:
    """Conditions in words for people."""
    said = (
        f"{condition.dimension}{'!=' if condition.is_negated else '='}"
        + ",".join("none" if value is None else value for value in condition.values)
        for condition in conditions
    )
    return " and ".join(said) or "all requests"


def _test(column: str, named: Sequence[str], condition: Condition) -> str:
    """A test that is never null. DuckDB passes over parts of a table by `in`, not by functions."""
    has_none = None in condition.values
    marks = ", ".join("?" * len(named))
    if condition.is_negated:
        others = f"{column} not in ({marks})" if named else "true"
        return f"({column} is not null and {others})" if has_none else f"({column} is null or {others})"
    ours = f"{column} in ({marks})" if named else "false"
    return f"({ours} or {column} is null)" if has_none else f"({column} is not null and {ours})"


def dimension_column(name: str) -> str:
    """The quoted column of a dimension.

    Raises:
        LedgerError: there is no such dimension; the text lists those there are.
    """
    if name not in DIMENSIONS:
        raise LedgerError(f"{name!r} is not a dimension. The dimensions are: {', '.join(DIMENSIONS)}.")
    return quoted(name)


@overload
def naive(moment: datetime) -> datetime: ...


@overload
def naive(moment: datetime | None) -> datetime | None: ...


def naive(moment: datetime | None) -> datetime | None:
    """The moment as the ledger has it: UTC without a zone; None stays None."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
