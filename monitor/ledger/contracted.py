"""What is paid at the user's discount, in SQL: a factor for each class of list cost. Stands in no text without one."""

from typing import Final

from monitor.ledger.columns import CONTRACTED_COLUMNS, COST_COLUMNS, MONEY
from monitor.pricing.figures import CLASSES

_PARTS: Final = tuple(zip(CLASSES, COST_COLUMNS[1:], CONTRACTED_COLUMNS[1:], strict=True))
"""Of each class its name, the column of its list cost and that of what is paid."""

FACTORS: Final = ", ".join(f"f.{name} as {name}_factor" for name in CLASSES)
"""Select list of the factors of a discount `f`."""

CONTRACTED_COST: Final = f"cast({' + '.join(CONTRACTED_COLUMNS[1:])} as {MONEY})"
"""SQL of what is paid in all, over the columns of the classes."""


def discount_join(matches: str, factors: str) -> str:
    """SQL of the join of staged records `s` with their discount, if they have one: `d` and its factors `f`.

    The spans of the discounts of a provider, model, project and key never overlap.
    """
    # Only comparisons of one side with the other: an `or` would make DuckDB try each pair of rows.
    return f"""
        left join (from {matches} where discount_id is not null) d
            on d.provider_name = s.provider_name
            and d.model is not distinct from s.model
            and d.sub_account_id is not distinct from s.sub_account_id
            and d.key_fingerprint is not distinct from s.key_fingerprint
            and s.started_at >= d.valid_from
            and s.started_at < coalesce(d.valid_to, timestamp 'infinity')
        left join {factors} f on f.discount_id = d.discount_id
    """


def with_contracted(rows: str) -> str:
    """SQL of priced rows with what is paid of each class; null where no discount holds."""
    # In DuckDB a decimal is rounded half away from zero.
    paid = ", ".join(
        f"case when discount_id is not null then cast({cost} * {name}_factor as {MONEY}) end as {contracted}"
        for name, cost, contracted in _PARTS
    )
    return f"(select *, {paid} from {rows})"
