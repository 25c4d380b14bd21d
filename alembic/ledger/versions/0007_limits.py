"""Digests: what a job makes of the requests of whole hours, about rate limits and attempts that came to nothing."""

from alembic import op

revision = "0007"
down_revision = "0006"

_LIMIT_KEYS = ("provider_name", "key_fingerprint", "request_model", "model", "service", "team", "kind")
_LIMIT_MEASURES = {
    "answers": "bigint not null",
    "refused": "bigint not null",
    "key_hint": "varchar",
    "last_allowed": "double",
    "last_remaining": "double",
    "last_reset": "double",
    "last_at": "timestamp",
    "lowest_share": "double",
    "lowest_at": "timestamp",
}
_ATTEMPTS = {
    "call_id": "uuid not null",
    "attempt": "smallint not null",
    "started_at": "timestamp not null",
    "duration": "double",
    "outcome": "varchar not null",
    "error_class": "varchar",
    "error_reason": "varchar",
    "service": "varchar",
    "call_site": "varchar",
    "endpoint": "varchar",
    "model": "varchar",
    "pricing_state": "varchar",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "list_cost": "decimal(38, 18)",
    "provider_name": "varchar",
    "operation_name": "varchar",
    "service_tier": "varchar",
    "environment": "varchar",
    "team": "varchar",
    "feature": "varchar",
    '"user"': "varchar",
    "billing_account_id": "varchar",
    "sub_account_id": "varchar",
    "key_fingerprint": "varchar",
}


def _columns(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def _limits(table: str, step: str) -> str:
    keys = _columns(dict.fromkeys(_LIMIT_KEYS, "varchar"))
    return f"create table {table} ({step} timestamp not null, {keys}, {_columns(_LIMIT_MEASURES)})"


STATEMENTS = (
    _limits("limits_hourly", "hour"),
    _limits("limits_daily", "day"),
    f"create table attempts ({_columns(_ATTEMPTS)})",
    "create table changed_hours (hour timestamp not null)",
    "insert into changed_hours select distinct date_trunc('hour', started_at) from requests order by 1",
)


def upgrade() -> None:
    """Add them; the job makes them of what is stored, and until then the requests answer."""
    for statement in STATEMENTS:
        op.execute(statement)
