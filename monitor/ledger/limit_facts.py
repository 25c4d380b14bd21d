"""What is kept of rate limits by step of time, as data: the last word, the least that was left, how many told."""

from types import MappingProxyType
from typing import Final

from monitor.ledger.measures import Facts, Measure

_KINDS: Final = ("requests", "tokens")
_UTILIZATION: Final = "deployment-utilization"
_NAMES: Final = "list_filter(map_keys(other_limits), key -> starts_with(key, 'limit-'))"


def _stated() -> str:
    """SQL of a row for each limit that an answer stated."""
    facts = "{keys}started_at, key_hint, error_class as class, error_reason as reason"
    pairs = " union all ".join(
        f"select {facts}, '{kind}' as kind, {kind}_limit as allowed, {kind}_remaining as remaining,"
        f" {kind}_reset as reset from chosen where {kind}_limit is not null"
        for kind in _KINDS
    )
    columns = ", ".join(f"{kind}_{what}" for kind in _KINDS for what in ("limit", "remaining", "reset"))
    # Headers come in pairs `limit-…` and `remaining-…`; the utilization of a deployment is percent and comes alone.
    return f"""(
        with chosen as materialized (
            select {{keys}}started_at, key_hint, error_class, error_reason, other_limits, {columns} from {{source}}
            where requests_limit is not null or tokens_limit is not null or other_limits is not null
        )
        select *, remaining / allowed as share
        from (
            {pairs}
            union all
            select {facts}, replace(name, '-', '_'), other_limits['limit-' || name],
                other_limits['remaining-' || name], other_limits['reset-' || name]
            from (select *, substr(unnest({_NAMES}), 7) as name from chosen where other_limits is not null)
            union all
            select {facts}, '{_UTILIZATION.replace("-", "_")}', 100, 100 - other_limits['{_UTILIZATION}'], null
            from chosen where other_limits is not null
        )
        where allowed > 0 and remaining is not null
    )"""


def _lowest(share: str, at: str) -> str:
    """Of equal ones the last."""
    return f"arg_min({at}, row({share}, -epoch_us({at})))"


def _last(name: str) -> Measure:
    return _seen(f"arg_max_null({name}, started_at)", f"arg_max_null(u.last_{name}, u.last_at)")


def _seen(sql: str, merged: str, kind: str = "double") -> Measure:
    return Measure(sql=sql, type=kind, merged=merged)


_IS_REFUSED: Final = (
    "class = 'rate_limit' and (reason in (kind, kind || '_per_day') or (reason is null and remaining <= 0))"
)

LIMITS: Final = Facts(
    measures=MappingProxyType(
        {
            "answers": Measure(sql="count(*)"),
            "refused": Measure(sql=f"count(*) filter ({_IS_REFUSED})"),
            "key_hint": _seen("max(key_hint)", "max(u.key_hint)", "varchar"),
            "last_allowed": _last("allowed"),
            "last_remaining": _last("remaining"),
            "last_reset": _last("reset"),
            "last_at": _seen("max(started_at)", "max(u.last_at)", "timestamp"),
            "lowest_share": _seen("min(share)", "min(u.lowest_share)"),
            "lowest_at": _seen(_lowest("share", "started_at"), _lowest("u.lowest_share", "u.lowest_at"), "timestamp"),
        }
    ),
    columns=(),
    rows=_stated(),
    keys=("kind",),
    is_there="sum(u.answers) <> 0",
)
"""Rate limits as answers stated them, by kind: `requests`, `tokens`, or what else the headers name."""
