"""Column types that keep what SQLite would lose: the exact digits of money, and the zone of a time."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator

from monitor.errors import ControlError


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment; stored in UTC, read as aware UTC. A time without zone is refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (its interface)
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ControlError(f"The time {value} has no time zone and cannot be stored.")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (its interface)
        """From the database."""
        return None if value is None else value.replace(tzinfo=UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number with all its digits, stored as text."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 (its interface)
        """To the database."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 (its interface)
        """From the database."""
        return None if value is None else Decimal(value)
