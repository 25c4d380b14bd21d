"""Budgets in the control store: one row per version."""

import dataclasses
import secrets
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlmodel import Session, col, select

from monitor.budgets.model import Budget, Matcher, parse_period
from monitor.control.alerts import resolve_budget_alerts
from monitor.control.receivers import check_receivers
from monitor.control.tables import BudgetRow
from monitor.errors import ControlError


def new_budget_id() -> str:
    """A random id; it stays the same over all versions of a budget."""
    return f"bud_{secrets.token_hex(8)}"


def add_budget(session: Session, budget: Budget) -> None:
    """Store a first version; its name must be free and its receivers known."""
    if _current_row(session, budget.name) is not None:
        raise ControlError(f"There is a budget called {budget.name!r} already.")
    check_receivers(session, budget.receivers)
    session.add(_row(budget))


def list_budgets(session: Session) -> tuple[Budget, ...]:
    """The current versions, by name."""
    rows = session.exec(select(BudgetRow).where(col(BudgetRow.valid_to).is_(None)).order_by(col(BudgetRow.name)))
    return tuple(map(_budget, rows))


def replace_budget(session: Session, name: str, changes: Mapping[str, Any], *, now: datetime) -> Budget:
    """End the current version and store the next one, which differs in `changes`."""
    row = _existing_row(session, name)
    current = _budget(row)
    changed = dataclasses.replace(current, **changes, version=current.version + 1, created_at=now)
    check_receivers(session, changed.receivers)
    _end(session, row, now)
    session.add(_row(changed))
    return changed


def remove_budget(session: Session, name: str, *, now: datetime) -> None:
    """End the current version; its history stays."""
    _end(session, _existing_row(session, name), now)


def _end(session: Session, row: BudgetRow, now: datetime) -> None:
    row.valid_to = now
    session.add(row)
    session.flush()
    resolve_budget_alerts(session, row.id, now=now)


def _current_row(session: Session, name: str) -> BudgetRow | None:
    return session.exec(select(BudgetRow).where(BudgetRow.name == name, col(BudgetRow.valid_to).is_(None))).first()


def _existing_row(session: Session, name: str) -> BudgetRow:
    row = _current_row(session, name)
    if row is None:
        names = ", ".join(repr(budget.name) for budget in list_budgets(session)) or "none yet"
        raise ControlError(f"There is no budget called {name!r}; the budgets are: {names}.")
    return row


def _row(budget: Budget) -> BudgetRow:
    return BudgetRow(
        id=budget.id,
        version=budget.version,
        name=budget.name,
        amount=budget.amount,
        period=budget.period,
        time_zone=budget.time_zone,
        scope=[msgspec.to_builtins(matcher) for matcher in budget.scope],
        thresholds=[str(threshold) for threshold in budget.thresholds],
        receivers=list(budget.receivers),
        created_at=budget.created_at,
    )


def _budget(row: BudgetRow) -> Budget:
    values = row.model_dump(exclude={"valid_to", "scope", "thresholds", "receivers", "period"})
    return Budget(
        **values,
        period=parse_period(row.period),
        scope=tuple(msgspec.convert(matcher, Matcher) for matcher in row.scope),
        thresholds=msgspec.convert(row.thresholds, tuple[Decimal, ...]),
        receivers=tuple(row.receivers),
    )
