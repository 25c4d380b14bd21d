"""Receivers in the control store."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select, update

from monitor.alerts.model import RECEIVER_KINDS, Receiver
from monitor.budgets.model import check_name
from monitor.control.tables import BudgetRow, NotificationRow, ReceiverRow
from monitor.errors import ControlError


def add_receiver(session: Session, receiver: Receiver) -> None:
    """Store a receiver; its name must be free."""
    check_name("receiver", receiver.name)
    if receiver.kind not in RECEIVER_KINDS:
        raise ControlError(f"{receiver.kind!r} is not a kind of receiver; the kinds are: {', '.join(RECEIVER_KINDS)}.")
    if session.get(ReceiverRow, receiver.name) is not None:
        raise ControlError(f"There is a receiver called {receiver.name!r} already.")
    session.add(
        ReceiverRow(
            name=receiver.name, kind=receiver.kind, config=dict(receiver.config), created_at=receiver.created_at
        )
    )


def list_receivers(session: Session) -> tuple[Receiver, ...]:
    """All receivers, by name."""
    return tuple(map(receiver_of, session.exec(select(ReceiverRow).order_by(col(ReceiverRow.name)))))


def get_receiver(session: Session, name: str) -> Receiver:
    """The receiver of that name."""
    check_receivers(session, [name])
    return receiver_of(session.get_one(ReceiverRow, name))


def check_receivers(session: Session, names: Iterable[str]) -> None:
    """Refuse names that are no receivers, and say which there are."""
    known = [receiver.name for receiver in list_receivers(session)]
    for name in names:
        if name not in known:
            shown = ", ".join(map(repr, known)) or "none yet"
            raise ControlError(f"There is no receiver called {name!r}; the receivers are: {shown}.")


def remove_receiver(session: Session, name: str) -> None:
    """Delete a receiver that no budget notifies; what still waits for it is given up."""
    check_receivers(session, [name])
    current = session.exec(select(BudgetRow).where(col(BudgetRow.valid_to).is_(None)).order_by(col(BudgetRow.name)))
    budgets = [row.name for row in current if name in row.receivers]
    if budgets:
        raise ControlError(
            f"The receiver {name!r} is notified by: {', '.join(map(repr, budgets))}. Change or remove that first."
        )
    give_up_waiting(session, name, "The receiver was removed.")
    session.delete(session.get_one(ReceiverRow, name))


def enable_receiver(session: Session, name: str) -> None:
    """Let a disabled receiver be notified again; what was given up meanwhile is not sent."""
    check_receivers(session, [name])
    row = session.get_one(ReceiverRow, name)
    row.disabled_at = row.disabled_reason = None
    session.add(row)


def disable_receiver(session: Session, name: str, *, reason: str, now: datetime) -> None:
    """Notify a receiver no more; what still waits for it is given up."""
    row = session.get(ReceiverRow, name)
    if row is not None:
        row.disabled_at, row.disabled_reason = now, reason
        session.add(row)
        give_up_waiting(session, name, f"The receiver is disabled: {reason}")


def give_up_waiting(session: Session, name: str, reason: str) -> None:
    """Mark all notifications that wait for the receiver as failed."""
    session.exec(
        update(NotificationRow)
        .where(col(NotificationRow.receiver) == name, col(NotificationRow.state).in_(["pending", "sending"]))
        .values(state="failed", last_error=reason, next_attempt_at=None, lease_until=None, lease_owner=None)
    )


def receiver_of(row: ReceiverRow) -> Receiver:
    """The value of a row."""
    return Receiver(**row.model_dump())
