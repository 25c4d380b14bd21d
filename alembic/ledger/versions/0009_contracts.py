"""What is paid beside the list price, re-pricing, changes of prices, sessions of containers, storage, regions."""

from alembic import op

revision = "0009"
down_revision = "0008"

_MONEY = "decimal(38, 18)"
_PRICE = "decimal(24, 18)"
_FACTOR = "decimal(10, 6)"
_CLASSES = ("input", "cache_read", "cache_creation", "output", "audio", "image", "tools", "other")
_FACTORS = ", ".join(f"{name} {_FACTOR} not null" for name in _CLASSES)
_SUMS = ("usage_hourly_brief", "usage_hourly", "usage_daily", "usage_daily_users_brief", "usage_daily_users")
_SESSIONS = """
    create table container_sessions (
        container_id varchar not null, started_at timestamp not null, memory varchar, record_id uuid
    )
"""

_STORED = """
    create table stored_bytes (
        provider_name varchar not null, billing_account_id varchar, store_id varchar not null,
        seen_at timestamp not null, bytes bigint not null, expires_at timestamp, record_id uuid not null
    )
"""

STATEMENTS = (
    "alter table requests add column region varchar",
    "alter table requests add column container_sessions map(varchar, bigint)",
    "alter table requests add column stored_bytes map(varchar, bigint)",
    "alter table requests add column stored_until map(varchar, bigint)",
    f"alter table requests add column contracted_cost {_MONEY}",
    *(f"alter table requests add column contracted_{name}_cost {_MONEY}" for name in _CLASSES),
    "alter table requests add column discount_id varchar",
    "alter table requests add column tool_sku_price_id varchar",
    *(f"alter table {table} add column contracted_cost {_MONEY}" for table in _SUMS),
    *(f"update {table} set contracted_cost = list_cost" for table in _SUMS),
    f"alter table prices add column regional {_PRICE}",
    "alter table prices add column own_units varchar[]",
    "alter table price_matches add column fingerprint varchar",
    f"""
    create table price_changes (
        seen_at timestamp not null, price_key varchar not null, service_tier varchar not null,
        is_batch boolean not null, above_input_tokens bigint not null, unit varchar not null,
        before {_PRICE}, after {_PRICE}, valid_from timestamp not null, price_list varchar not null
    )
    """,
    f"create table discount_factors (discount_id varchar not null, is_current boolean not null, {_FACTORS})",
    """
    create table discount_matches (
        provider_name varchar not null, model varchar, sub_account_id varchar, key_fingerprint varchar,
        discount_id varchar, valid_from timestamp, valid_to timestamp
    )
    """,
    _SESSIONS,
    _STORED,
    f"""
    create table repricings (
        repricing_id uuid not null, done_at timestamp not null, first_at timestamp not null,
        last_at timestamp not null, scope varchar not null, requests bigint not null,
        list_cost_before {_MONEY}, list_cost {_MONEY}, contracted_cost_before {_MONEY}, contracted_cost {_MONEY},
        unpriced_requests_before bigint not null, unpriced_requests bigint not null, note varchar
    )
    """,
    f"""
    create table repriced_requests (
        repricing_id uuid not null, record_id uuid not null, started_at timestamp not null,
        pricing_state_before varchar not null,
        list_cost_before {_MONEY}, contracted_cost_before {_MONEY}, sku_price_id_before varchar
    )
    """,
)


def upgrade() -> None:
    """Make them. Nothing had a discount before: what was paid is the list cost."""
    for statement in STATEMENTS:
        op.execute(statement)
