"""Rollups for a hundred million requests: by hour without users, by day with them, durations apart.

The rollup before had users, so that it had nearly as many rows as there were requests.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

_DIMENSIONS = (
    "model",
    "provider_name",
    "operation_name",
    "service_tier",
    "service",
    "environment",
    "team",
    "feature",
    '"user"',
    "call_site",
    "billing_account_id",
    "sub_account_id",
    "key_fingerprint",
    "error_class",
)
_WITHOUT_USER = (*(name for name in _DIMENSIONS if name != '"user"'), "error_reason", "pricing_state")
_WITH_USER = ('"user"', "model", "service", "team")
_BRIEF = ("model", "service", "team", "error_class")
_MAIN = ("model", "service", "team")

_TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_output_tokens",
)
_COUNTED = "pricing_state <> 'repeated'"
_MEASURES = {
    "requests": "count(*)",
    "calls": "count(*) filter (attempt = 0)",
    "errors": "count(*) filter (error_class is not null)",
    "interrupted_requests": "count(*) filter (outcome = 'interrupted')",
    "unknown_requests": "count(*) filter (outcome = 'unknown')",
    "unpriced_requests": "count(*) filter (pricing_state in ('unpriced', 'impossible', 'no_usage'))",
    "estimated_requests": "count(*) filter (usage_source = 'estimated')",
    "priced_requests": "count(list_cost)",
    "measured_requests": f"count(*) filter ({_COUNTED} and coalesce({', '.join(_TOKENS)}) is not null)",
    **{name: f"sum({name}) filter ({_COUNTED})" for name in _TOKENS},
    "list_cost": "sum(list_cost)",
    "estimated_list_cost": "sum(list_cost) filter (usage_source = 'estimated')",
}
_MONEY = ("list_cost", "estimated_list_cost")
_NEVER_NULL = tuple(name for name in _MEASURES if name not in (*_TOKENS, *_MONEY))
_SPEEDS = ("durations", "first_chunks", "output_rates")


def _type(name: str) -> str:
    return "decimal(38, 18)" if name in _MONEY else "bigint"


def _usage_table(name: str, step: str, keys: tuple[str, ...]) -> str:
    measures = ", ".join(
        f"{measure} {_type(measure)}{' not null' if measure in _NEVER_NULL else ''}" for measure in _MEASURES
    )
    dimensions = ", ".join(f"{key} varchar" for key in keys)
    return (
        f"create table {name} ({step} timestamp not null, {dimensions}, {measures},"
        " is_merged boolean not null default false)"
    )


def _speeds_table(name: str, step: str) -> str:
    dimensions = ", ".join(f"{key} varchar" for key in _MAIN)
    counts = ", ".join(f"{count} bigint not null" for count in _SPEEDS)
    return (
        f"create table {name} ({step} timestamp not null, {dimensions}, bucket smallint not null, {counts},"
        " is_merged boolean not null default false)"
    )


def _summed(table: str, step: str, keys: tuple[str, ...], base: str, *, known: str = "true") -> str:
    sums = ", ".join(f"cast(sum({name}) as {_type(name)}) as {name}" for name in _MEASURES)
    return (
        f"insert into {table} by name select date_trunc('{step}', hour) as {step}, {', '.join(keys)}, {sums}"
        f" from {base} where {known} group by all having sum(requests) <> 0 order by {step}, {', '.join(keys)}"
    )


def _bucket(seconds: str) -> str:
    return f"cast(ceil(ln(greatest({seconds}, 1e-06)) / 0.04000533461369917) as smallint)"


_WHOLE = "hour in (select hour from whole_hours)"
_FROM_REQUESTS = f"""
    insert into usage_hourly by name
    select date_trunc('hour', started_at) as hour, {", ".join(_WITHOUT_USER)},
        {", ".join(f"cast({sql} as {_type(name)}) as {name}" for name, sql in _MEASURES.items())}
    from requests where date_trunc('hour', started_at) in (select hour from whole_hours)
    group by all order by hour, {", ".join(_WITHOUT_USER)}
"""
_FROM_ROLLUP = _summed(
    "usage_hourly",
    "hour",
    _WITHOUT_USER,
    "(select *, null::varchar as error_reason, null::varchar as pricing_state from usage_hourly_before)",
    known=f"not {_WHOLE}",
)
_RATE = "output_tokens / (duration - time_to_first_chunk)"
_IS_STREAM = (
    "is_streaming and outcome = 'completed' and usage_source = 'response' and output_tokens > 0"
    " and duration - time_to_first_chunk > 0"
)


def _each(kind: str, bucket: str, source: str, number: str = "1") -> str:
    counts = ", ".join(f"{number if name == kind else 0} as {name}" for name in _SPEEDS)
    return f"select hour, {', '.join(_MAIN)}, {bucket} as bucket, {counts} from {source}"


def _kept(column: str) -> str:
    return f"(select *, unnest(map_entries({column})) as entry from usage_hourly_before where not {_WHOLE})"


_SPEEDS_BY_HOUR = f"""
    insert into speeds_hourly by name
    with rows as (
        select *, date_trunc('hour', started_at) as hour from requests
        where date_trunc('hour', started_at) in (select hour from whole_hours)
    )
    select hour, {", ".join(_MAIN)}, bucket, {", ".join(f"cast(sum({name}) as bigint) as {name}" for name in _SPEEDS)}
    from (
        {_each("durations", _bucket("duration"), "rows where duration is not null")}
        union all {_each("first_chunks", _bucket("time_to_first_chunk"), "rows where time_to_first_chunk is not null")}
        union all {_each("output_rates", _bucket(_RATE), f"rows where {_IS_STREAM}")}
        union all {_each("durations", "entry.key", _kept("duration_buckets"), "entry.value")}
        union all {_each("first_chunks", "entry.key", _kept("first_chunk_buckets"), "entry.value")}
    )
    group by all having {" or ".join(f"sum({name}) <> 0" for name in _SPEEDS)}
    order by hour, {", ".join(_MAIN)}, bucket
"""
_SPEEDS_BY_DAY = f"""
    insert into speeds_daily by name
    select date_trunc('day', hour) as day, {", ".join(_MAIN)}, bucket,
        {", ".join(f"cast(sum({name}) as bigint) as {name}" for name in _SPEEDS)}
    from speeds_hourly group by all order by day, {", ".join(_MAIN)}, bucket
"""

# Reasons of errors and states of prices stand only in the requests: hours that have them all are summed anew, and
# what the rollup alone knows is kept as it is.
_WHOLE_HOURS = """
    create temp table whole_hours as
    select hour
    from (
        select hour, sum(requests) as n, sum(errors) as errors, sum(unpriced_requests) as unpriced,
            sum(input_tokens) as tokens, sum(list_cost) as cost
        from usage_hourly_before group by hour
    ) u join (
        select date_trunc('hour', started_at) as hour, count(*) as n, count(error_class) as errors,
            count(*) filter (pricing_state in ('unpriced', 'impossible', 'no_usage')) as unpriced,
            sum(input_tokens) filter (pricing_state <> 'repeated') as tokens, sum(list_cost) as cost
        from requests group by 1
    ) r using (hour)
    where u.n = r.n and u.errors = r.errors and u.unpriced = r.unpriced
        and u.tokens is not distinct from r.tokens and u.cost is not distinct from r.cost
"""

STATEMENTS = (
    "alter table usage_hourly rename to usage_hourly_before",
    _usage_table("usage_hourly", "hour", _WITHOUT_USER),
    _usage_table("usage_hourly_brief", "hour", _BRIEF),
    _usage_table("usage_daily", "day", _WITHOUT_USER),
    _usage_table("usage_daily_users", "day", _WITH_USER),
    _usage_table("usage_daily_users_brief", "day", ('"user"',)),
    _speeds_table("speeds_hourly", "hour"),
    _speeds_table("speeds_daily", "day"),
    _WHOLE_HOURS,
    _FROM_REQUESTS,
    _FROM_ROLLUP,
    _summed("usage_hourly_brief", "hour", _BRIEF, "usage_hourly"),
    _summed("usage_daily", "day", _WITHOUT_USER, "usage_hourly"),
    _summed("usage_daily_users", "day", _WITH_USER, "usage_hourly_before"),
    _summed("usage_daily_users_brief", "day", ('"user"',), "usage_hourly_before"),
    _SPEEDS_BY_HOUR,
    _SPEEDS_BY_DAY,
    "drop table usage_hourly_before",
    "drop table whole_hours",
)


def upgrade() -> None:
    """Make the rollups and fill them with what is stored."""
    for statement in STATEMENTS:
        op.execute(statement)
