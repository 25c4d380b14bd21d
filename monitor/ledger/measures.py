"""What the rollups count, as data: how each measure is made of requests, its type, and when its sum is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from monitor.ledger.buckets import bucket_sql
from monitor.ledger.columns import MONEY
from monitor.pricing.figures import UNKNOWN_COST_STATES

TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_output_tokens",
)
_UNKNOWN_COST: Final = ", ".join(f"'{state}'" for state in UNKNOWN_COST_STATES)
_COUNTED: Final = "pricing_state <> 'repeated'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One sum, or something seen: `sql` makes it of a group of rows.

    Where nothing is left of a sum that was corrected it is unknown again, not zero: the count `known_by` tells it.
    `at_list` makes it of rows none of which has a discount, nor a column that says so.
    What was seen, as the least of something, is not added up: `merged` makes it of rollup rows, whose alias is `u`.
    """

    sql: str
    type: str = "bigint"
    known_by: str | None = None
    merged: str | None = None
    at_list: str | None = None

    def made(self, *, at_list: bool = False) -> str:
        """SQL that makes this measure of a group of rows; `at_list`: none of them has a discount."""
        return f"cast({self.at_list if at_list and self.at_list else self.sql} as {self.type})"

    def added(self, name: str) -> str:
        """SQL that adds up this measure of rollup rows, whose alias is `u`."""
        if self.merged is not None:
            return self.merged
        total = f"cast(sum(u.{name}) as {self.type})"
        return f"case when sum(u.{self.known_by}) > 0 then {total} end" if self.known_by else total


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A family of measures that are counted together.

    Attributes:
        measures: by name.
        columns: columns of `requests` that they are made of, the dimensions apart.
        rows: SQL that makes of rows of `source` with the dimensions `keys` those that are counted.
        keys: what rows are told apart by beside the dimensions.
        is_there: SQL that holds for a group of rollup rows (`u`) of which anything is left.
    """

    measures: Mapping[str, Measure]
    columns: tuple[str, ...]
    rows: str
    keys: tuple[str, ...] = ()
    is_there: str

    def made(self, *, at_list: bool = False) -> str:
        """Select list of the measures of a group of rows; `at_list`: none of them has a discount."""
        return ", ".join(f"{m.made(at_list=at_list)} as {name}" for name, m in self.measures.items())

    def added(self) -> str:
        """Select list that adds up the measures of rollup rows, whose alias is `u`."""
        return ", ".join(f"{m.added(name)} as {name}" for name, m in self.measures.items())

    def negated(self) -> str:
        """Select list of the measures with the other sign."""
        return ", ".join(f"-{name} as {name}" for name in self.measures)

    @property
    def sums(self) -> tuple[str, ...]:
        """The measures that are sums."""
        return tuple(name for name, measure in self.measures.items() if measure.merged is None)


def _if(condition: str) -> Measure:
    return Measure(sql=f"count(*) filter ({condition})")


USAGE: Final = Facts(
    measures=MappingProxyType(
        {
            "requests": Measure(sql="count(*)"),
            "calls": _if("attempt = 0"),
            "errors": _if("error_class is not null"),
            "interrupted_requests": _if("outcome = 'interrupted'"),
            "unknown_requests": _if("outcome = 'unknown'"),
            "unpriced_requests": _if(f"pricing_state in ({_UNKNOWN_COST})"),
            "estimated_requests": _if("usage_source = 'estimated'"),
            "priced_requests": Measure(sql="count(list_cost)"),
            "measured_requests": _if(f"{_COUNTED} and coalesce({', '.join(TOKENS)}) is not null"),
            **{name: Measure(sql=f"sum({name}) filter ({_COUNTED})", known_by="measured_requests") for name in TOKENS},
            "list_cost": Measure(sql="sum(list_cost)", type=MONEY, known_by="priced_requests"),
            "contracted_cost": Measure(
                sql="sum(coalesce(contracted_cost, list_cost))",
                type=MONEY,
                known_by="priced_requests",
                at_list="sum(list_cost)",
            ),
            "estimated_list_cost": Measure(
                sql="sum(list_cost) filter (usage_source = 'estimated')", type=MONEY, known_by="estimated_requests"
            ),
        }
    ),
    columns=("attempt", "outcome", "usage_source", "list_cost", "contracted_cost", *TOKENS),
    rows="{source}",
    is_there="sum(u.requests) <> 0",
)
"""Requests, tokens and costs."""

_SPEED_COLUMNS: Final = (
    "duration",
    "time_to_first_chunk",
    "is_streaming",
    "outcome",
    "usage_source",
    "output_tokens",
)
_SECONDS_OF_OUTPUT: Final = "(duration - time_to_first_chunk)"
_IS_WHOLE_STREAM: Final = "is_streaming and outcome = 'completed' and usage_source = 'response'"
_KINDS: Final = {
    "durations": ("duration", "duration is not null"),
    "first_chunks": ("time_to_first_chunk", "time_to_first_chunk is not null"),
    "output_rates": (
        f"(output_tokens / {_SECONDS_OF_OUTPUT})",
        f"{_IS_WHOLE_STREAM} and output_tokens > 0 and {_SECONDS_OF_OUTPUT} > 0",
    ),
}


def _each_kind() -> str:
    parts = (
        f"select started_at, {{keys}}'{name}' as kind, {bucket_sql(value)} as bucket from chosen where {condition}"
        for name, (value, condition) in _KINDS.items()
    )
    columns = f"{{keys}}started_at, {', '.join(_SPEED_COLUMNS)}"
    return f"(with chosen as materialized (select {columns} from {{source}}) {' union all '.join(parts)})"


SPEEDS: Final = Facts(
    measures=MappingProxyType({name: _if(f"kind = '{name}'") for name in _KINDS}),
    columns=_SPEED_COLUMNS,
    rows=_each_kind(),
    keys=("bucket",),
    is_there=" or ".join(f"sum(u.{name}) <> 0" for name in _KINDS),
)
"""How many durations, times to the first chunk and output tokens a second lie in each log-scaled bucket."""
