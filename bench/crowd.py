"""A year of made-up requests, made by SQL: 5,000 users, 200 call sites, 40 models, a rhythm of days and weeks.

What belongs together goes together: a call site has its service, team, feature, account and three models; a user keeps
mostly to one service. Every value follows from the number of the request, so that the same size gives the same ledger.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.ledger.compact import compact_rollup
from monitor.ledger.digests import digest
from monitor.ledger.ledger import Ledger, transaction
from monitor.ledger.rollup import append

END = datetime(2026, 11, 20, 12, 37, tzinfo=UTC)
"""When the last request began, roughly."""
_DAYS = 365
_SATURDAY = 5
_TEMPLATE_SIZE = 400_000
_BITE_SIZE = 500_000


def fill(path: Path, requests: int) -> None:
    """Make a ledger with so many requests, in order of time, by the same rollup function as the drain's."""
    with Ledger.open(path) as ledger, ledger.turn() as cursor:
        cursor.execute(
            "create temp table template as select 0::bigint as offset, '' as suffix, 0::bigint as call_offset,"
            " '' as call_suffix, * from requests limit 0"
        )
        cursor.execute(_TEMPLATE)
        cursor.execute(_RETRIES)
        for days in _bites(requests):
            cursor.execute("create or replace temp table days (day timestamp, number integer, share double)")
            cursor.executemany("insert into days values (?, ?, ?)", days)
            cursor.execute(_BITE)
            with transaction(cursor):
                cursor.execute("insert into requests by name from bite")
                append(cursor, "bite")
        cursor.execute("checkpoint")
    with Ledger.open(path) as ledger:
        # Days are appended whole: there is nothing to merge, the job puts them in order.
        compact_rollup(ledger)
        digest(ledger)
        ledger.checkpoint()


def _bites(requests: int) -> Iterator[list[list[object]]]:
    """Days with the share of the template's requests that they have, as many together as make a bite."""
    last = END.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = [last - timedelta(days=back) for back in reversed(range(_DAYS))]
    weights = [0.35 if day.weekday() >= _SATURDAY else 1.0 for day in days]
    bite: list[list[object]] = []
    size = 0.0
    for number, (day, weight) in enumerate(zip(days, weights, strict=True)):
        wanted = requests * weight / sum(weights)
        bite.append([day, number, wanted / _TEMPLATE_SIZE])
        size += wanted
        if size >= _BITE_SIZE:
            yield bite
            bite, size = [], 0.0
    if bite:
        yield bite


def _u(salt: int) -> str:
    """SQL of a number in (0, 1] that follows from the number `n` of the request."""
    return f"((hash(n * 64 + {salt}) % 1000000 + 1) / 1000000.0)"


def _normal(salt: int) -> str:
    return f"(sqrt(-2 * ln({_u(salt)})) * cos(6.283185307 * {_u(salt + 1)}))"


def _zipf(salt: int, kinds: int) -> str:
    return f"cast(least(exp({_u(salt)} * ln({kinds + 1})), {kinds}) as integer) - 1"


def _hex(salt: int) -> str:
    return f"printf('%016x', hash(n * 64 + {salt}))"


def _cost(sql: str) -> str:
    """SQL of a cost: failed requests have none, and for one of the models there is no price."""
    is_priced = "not has_failed and model_number < 39"
    return f"cast(case when {is_priced} then ({sql}) * (1 + model_number) end as decimal(38, 18))"


# Twice as many requests at two in the afternoon as at two at night.
_FACTS = f"""
    select *, home + 20 * (site_in_service) as site_at_home
    from (
        select n,
            cast(86400e6 * (position - 0.06 * sin(6.283185307 * (position - 0.08))) as bigint) % 86400000000
                as "offset",
            {_zipf(1, 5000)} as user_number, user_number % 20 as home, {_zipf(2, 10)} as site_in_service,
            {_u(3)} as to_home, {_zipf(4, 200)} as any_site, {_u(5)} as to_model, {_u(6)} as ends
        from (select n, n / {_TEMPLATE_SIZE}.0 as position from range({_TEMPLATE_SIZE}) t(n))
    )
"""
_NAMES = f"""
    select *, case when to_home < 0.8 then site_at_home else any_site end as site, site % 20 as service_number,
        (site * 7 + case when to_model < 0.8 then 0 when to_model < 0.95 then 1 else 2 end) % 40 as model_number,
        ends < 0.02 as has_failed, {_u(8)} < 0.05 as is_batch, {_u(9)} < 0.5 and not is_batch as is_streaming,
        site % 8 = 0 as is_embedding,
        cast(exp(6.5 + 1.2 * {_normal(10)}) as bigint) as tokens_in,
        cast(exp(5 + {_normal(12)}) as bigint) as tokens_out,
        exp(0.6 + 0.9 * {_normal(14)}) as seconds
    from ({_FACTS})
"""
_TEMPLATE = f"""
    insert into template by name
    select "offset", substr({_hex(20)}, 1, 16) as suffix, "offset" as call_offset, suffix as call_suffix,
        uuid '00000000-0000-0000-0000-000000000000' as record_id, record_id as call_id, 0::smallint as attempt,
        timestamp '2000-01-01' as started_at,
        'req_' || {_hex(21)} || {_hex(22)} as request_id,
        case when not has_failed then 'chatcmpl-' || {_hex(23)} || substr({_hex(24)}, 1, 12) end as response_id,
        case when n % 3 = 0 then {_hex(25)} || {_hex(26)} end as trace_id,
        case when n % 3 = 0 then {_hex(27)} end as span_id, {_hex(28)} as body_fingerprint,
        seconds as duration, case when is_streaming then seconds * 0.3 end as time_to_first_chunk,
        seconds * 0.95 as server_duration,
        case when site % 10 = 0 then 'azure' else 'openai' end as provider_name,
        case when is_embedding then 'embeddings' else 'chat' end as operation_name,
        case when is_embedding then '/embeddings' else '/chat/completions' end as endpoint, 'POST' as method,
        printf('model-%02d', model_number) as request_model,
        case when not has_failed then printf('model-%02d-2026-04-01', model_number) end as response_model,
        coalesce(response_model, request_model) as model,
        case when has_failed then null when site % 16 = 1 then 'priority' else 'default' end as service_tier,
        is_streaming, is_batch, true as is_billable,
        case when has_failed then 'failed' when ends > 0.995 and is_streaming then 'interrupted' else 'completed' end
            as outcome,
        cast(case when not has_failed then 200 when ends < 0.012 then 429 when ends < 0.018 then 500 end as smallint)
            as status,
        case when not has_failed then null when ends < 0.012 then 'rate_limit' when ends < 0.015 then 'server'
            when ends < 0.018 then 'overloaded' else 'timeout' end as error_class,
        error_class as error_type,
        case when error_class = 'rate_limit' and n % 2 = 0 then 'tokens' when error_class = 'rate_limit' then 'requests'
            end as error_reason,
        case when not has_failed then ['stop'] end as finish_reasons,
        case when has_failed then 'none' when outcome = 'interrupted' then 'estimated' else 'response' end
            as usage_source,
        case when not has_failed then tokens_in end as input_tokens,
        case when not has_failed and not is_embedding then tokens_out end as output_tokens,
        case when not has_failed then case when n % 4 = 0 then tokens_in // 2 else 0 end end as cache_read_input_tokens,
        case when not has_failed then case when model_number % 5 = 0 then tokens_out // 2 else 0 end end
            as reasoning_output_tokens,
        case when has_failed then 'free' when model_number = 39 then 'unpriced' else 'priced' end as pricing_state,
        {_cost("tokens_in * 0.0000025 + coalesce(output_tokens, 0) * 0.00001")}
            as list_cost,
        {_cost("tokens_in * 0.0000025")} as list_input_cost,
        {_cost("0")} as list_cache_read_cost,
        {_cost("0")} as list_cache_creation_cost,
        {_cost("coalesce(output_tokens, 0) * 0.00001")}
            as list_output_cost,
        {_cost("0")} as list_audio_cost,
        {_cost("0")} as list_image_cost,
        case when not has_failed and model_number < 39 then printf('openai/model-%02d@2026-04-01', model_number) end
            as sku_price_id,
        printf('service-%02d', service_number) as service,
        case when {_u(16)} < 0.9 then 'production' else 'staging' end as environment,
        printf('host-%02d', n % 50) as host, cast(1000 + n % 400 as integer) as process_id,
        case when not has_failed then 'org-1' end as billing_account_id,
        printf('proj-%d', service_number % 7) as sub_account_id,
        printf('%016x', hash(service_number * 2 + (environment = 'staging')::int)) as key_fingerprint,
        printf('k%03d', service_number) as key_hint,
        printf('team-%d', service_number % 10) as team, printf('feature-%02d', site // 4) as feature,
        printf('user-%05d', user_number) as "user",
        printf('app/module_%03d.py:%d', site, 10 + site) as call_site,
        'run' as call_function, '3.52.0' as sdk_version,
        cast(10000 as bigint) as requests_limit,
        cast(10000 - hash(n) % (9000 + model_number) as bigint) as requests_remaining,
        (hash(n) % 1000) / 100.0 as requests_reset,
        cast(2000000 as bigint) as tokens_limit,
        cast(2000000 - hash(n + 1) % 1900000 as bigint) as tokens_remaining,
        (hash(n + 1) % 1000) / 100.0 as tokens_reset
    from ({_NAMES})
"""


# Half of the failed requests are tried again, two seconds later.
_RETRIES = """
    insert into template
    select * replace (
        "offset" + 2000000 as "offset", substr(md5(suffix), 1, 16) as suffix, 1::smallint as attempt,
        'completed' as outcome, 200::smallint as status, null as error_class, null as error_type,
        null as error_reason
    )
    from template where error_class is not null and hash(suffix) % 2 = 0
"""
_BITE = f"""
    create or replace temp table bite as
    select * exclude ("offset", suffix, call_offset, call_suffix, number, day, share) replace (
        day + to_microseconds("offset") as started_at,
        cast(printf('%012x', epoch_ms(day) + "offset" // 1000) || suffix || printf('%04x', number) as uuid)
            as record_id,
        cast(printf('%012x', epoch_ms(day) + call_offset // 1000) || call_suffix || printf('%04x', number) as uuid)
            as call_id,
        printf('req_%04x', number) || substr(request_id, 9) as request_id,
        printf('chatcmpl-%04x', number) || substr(response_id, 14) as response_id,
        printf('%04x', number) || substr(trace_id, 5) as trace_id
    )
    from template, days
    where hash(call_suffix, number) % 1000000 < share * 1000000
        and day + to_microseconds("offset") < timestamp '{END.replace(tzinfo=None)}'
    order by day + to_microseconds("offset")
"""
