"""The tables of the control store. Rows only hold; `monitor.budgets` and `monitor.alerts` check."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from monitor.control.columns import ExactDecimal, UtcDateTime


class Table(SQLModel):
    """What all control tables share: their own metadata, so that no other SQLModel table is migrated with them."""

    metadata = MetaData()


class BudgetRow(Table, table=True):
    """One version of a budget; the current one has no `valid_to`."""

    __tablename__ = "budgets"
    __table_args__ = (
        Index("uq_budgets_current_name", "name", unique=True, sqlite_where=text("valid_to IS NULL")),
        Index("uq_budgets_current_id", "id", unique=True, sqlite_where=text("valid_to IS NULL")),
    )

    id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    name: str
    amount: Decimal = Field(sa_column=Column(ExactDecimal, nullable=False))
    period: str
    time_zone: str
    scope: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    thresholds: list[str] = Field(sa_column=Column(JSON, nullable=False))
    receivers: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    valid_to: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ReceiverRow(Table, table=True):
    """Where notifications go; `config` holds secrets."""

    __tablename__ = "receivers"

    name: str = Field(primary_key=True)
    kind: str
    config: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), repr=False)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    disabled_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    disabled_reason: str | None = None


class AlertRow(Table, table=True):
    """One alert; `budget_id` repeats a label, to find the alerts of a budget."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_state_ends_at", "state", "ends_at"), Index("ix_alerts_starts_at", "starts_at"))

    fingerprint: str = Field(primary_key=True)
    rule: str
    state: str
    labels: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    annotations: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    starts_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ends_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    inhibited_by: str | None = None
    budget_id: str | None = Field(default=None, index=True)


class NotificationRow(Table, table=True):
    """The outbox: one message to one receiver, written with its alert in one transaction."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("alert_fingerprint", "receiver", "notify_reason", name="uq_notifications_once"),
        Index("ix_notifications_due", "state", "next_attempt_at"),
        Index("ix_notifications_receiver", "receiver", "state"),
        Index("ix_notifications_created_at", "created_at"),
    )

    id: str = Field(primary_key=True)
    alert_fingerprint: str = Field(foreign_key="alerts.fingerprint")
    receiver: str
    notify_reason: str
    payload: str = Field(sa_column=Column(Text, nullable=False))
    state: str
    attempts: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    lease_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    lease_owner: str | None = None
    last_error: str | None = None
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    delivered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class AttemptRow(Table, table=True):
    """The notification log: one attempt to deliver."""

    __tablename__ = "notification_log"

    id: int | None = Field(default=None, primary_key=True)
    notification_id: str = Field(foreign_key="notifications.id", index=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    outcome: str
    status: int | None = None
    duration: float
    detail: str


class _DatedRow(Table):
    """What users say of prices is never edited: it gets a `removed_at`, and another row follows."""

    id: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime, nullable=False)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    valid_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    valid_to: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str | None = Field(default=None, sa_type=Text)


class OwnPriceRow(_DatedRow, table=True):
    """Prices of one model; `prices` are decimal strings by unit."""

    __tablename__ = "own_prices"

    provider: str
    model: str
    tiers: list[str] = Field(sa_column=Column(JSON, nullable=False))
    prices: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    above_input_tokens: int


class OwnNameRow(_DatedRow, table=True):
    """A name of a model that the lists know by another."""

    __tablename__ = "own_names"

    provider: str
    name: str
    model: str
    of_provider: str


class DiscountRow(_DatedRow, table=True):
    """A discount or a margin; `factors` are decimal strings by class of cost."""

    __tablename__ = "own_discounts"

    provider: str | None = None
    model: str | None = None
    project: str | None = None
    key: str | None = None
    factors: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
