"""The only door to what people set and what is to be told: budgets, receivers, alerts, the outbox."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from monitor.alerts.model import Alert, Firing, Receiver
from monitor.alerts.outbox import Attempt, Claim, Notification
from monitor.budgets.model import DEFAULT_THRESHOLDS, Budget, PeriodKind, Scope
from monitor.clock import Clock
from monitor.control import alerts as alert_rows
from monitor.control import budgets as budget_rows
from monitor.control import outbox as outbox_rows
from monitor.control import prices as price_rows
from monitor.control import receivers as receiver_rows
from monitor.control.database import Database
from monitor.pricing.own import Discount, OwnName, OwnPrice, OwnPrices


class Control:
    """The control store of one data directory. Threads may share one; several processes may have it open at once.

    Every method is one transaction, and raises `ControlError` when the store cannot be used.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Wrap an open database; `Control.open` is the usual way."""
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open the store, making or upgrading it first.

        Raises:
            ControlError: the file cannot be used, is no control store, or is newer than this program.
        """
        return cls(Database(path), clock)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add_budget(
        self,
        *,
        name: str,
        amount: Decimal,
        period: PeriodKind,
        time_zone: str,
        scope: Scope = (),
        thresholds: tuple[Decimal, ...] = DEFAULT_THRESHOLDS,
        receivers: tuple[str, ...] = (),
    ) -> Budget:
        """Store a new budget.

        Raises:
            ControlError: a value cannot be used, the name is taken, or a receiver is not known.
        """
        budget = Budget(
            id=budget_rows.new_budget_id(),
            name=name,
            version=1,
            amount=amount,
            period=period,
            time_zone=time_zone,
            scope=scope,
            thresholds=thresholds,
            receivers=receivers,
            created_at=self._clock(),
        )
        with self._database.writing() as session:
            budget_rows.add_budget(session, budget)
        return budget

    def list_budgets(self) -> tuple[Budget, ...]:
        """The budgets that hold now, by name."""
        with self._database.reading() as session:
            return budget_rows.list_budgets(session)

    def replace_budget(
        self,
        name: str,
        *,
        amount: Decimal | None = None,
        period: PeriodKind | None = None,
        time_zone: str | None = None,
        scope: Scope | None = None,
        thresholds: tuple[Decimal, ...] | None = None,
        receivers: tuple[str, ...] | None = None,
    ) -> Budget:
        """Let a new version of a budget hold from now; what is None stays as it is.

        The alerts of the version before are resolved, and the new one alerts afresh.

        Raises:
            ControlError: there is no such budget, a value cannot be used, or a receiver is not known.
        """
        given: Mapping[str, Any] = {
            "amount": amount,
            "period": period,
            "time_zone": time_zone,
            "scope": scope,
            "thresholds": thresholds,
            "receivers": receivers,
        }
        changes = {key: value for key, value in given.items() if value is not None}
        with self._database.writing() as session:
            return budget_rows.replace_budget(session, name, changes, now=self._clock())

    def remove_budget(self, name: str) -> None:
        """Let a budget hold no longer and resolve its alerts; the history stays.

        Raises:
            ControlError: there is no such budget.
        """
        with self._database.writing() as session:
            budget_rows.remove_budget(session, name, now=self._clock())

    def add_receiver(self, *, name: str, kind: str, config: Mapping[str, Any]) -> Receiver:
        """Store a new receiver; `config` is what its notifier's `…_config` function made.

        Raises:
            ControlError: the name is taken or cannot be used, or the kind is not known.
        """
        receiver = Receiver(name=name, kind=kind, config=config, created_at=self._clock())
        with self._database.writing() as session:
            receiver_rows.add_receiver(session, receiver)
        return receiver

    def get_receiver(self, name: str) -> Receiver:
        """The receiver of that name.

        Raises:
            ControlError: there is none; the text lists those there are.
        """
        with self._database.reading() as session:
            return receiver_rows.get_receiver(session, name)

    def list_receivers(self) -> tuple[Receiver, ...]:
        """All receivers, by name."""
        with self._database.reading() as session:
            return receiver_rows.list_receivers(session)

    def remove_receiver(self, name: str) -> None:
        """Delete a receiver; what still waits for it is given up.

        Raises:
            ControlError: there is none, or a budget notifies it.
        """
        with self._database.writing() as session:
            receiver_rows.remove_receiver(session, name)

    def enable_receiver(self, name: str) -> None:
        """Notify a receiver again that had been disabled because its place was gone.

        Raises:
            ControlError: there is none.
        """
        with self._database.writing() as session:
            receiver_rows.enable_receiver(session, name)

    def say_price(self, row: OwnPrice | OwnName | Discount) -> None:
        """Store a price of the user's own, another name of a model, or a discount.

        Raises:
            PricingError: a value of it cannot be.
        """
        with self._database.writing() as session:
            price_rows.add(session, row)

    def unsay_price(self, row_id: str) -> None:
        """Take such a row back; it stays in the store, marked as removed.

        Raises:
            ControlError: there is no such row.
        """
        with self._database.writing() as session:
            price_rows.remove(session, row_id, now=self._clock())

    def change_prices(self, *, say: Sequence[OwnPrice | OwnName | Discount], unsay: Sequence[str]) -> None:
        """Take rows back and store others, all of it or nothing.

        Raises:
            PricingError: a value of a row cannot be.
            ControlError: there is no row of that id.
        """
        with self._database.writing() as session:
            for row_id in unsay:
                price_rows.remove(session, row_id, now=self._clock())
            for row in say:
                price_rows.add(session, row)

    def own_prices(self) -> OwnPrices:
        """All that users say of prices, what begins to hold later included."""
        with self._database.reading() as session:
            return price_rows.read(session)

    def raise_alerts(self, alerts: Sequence[Alert], receivers: Sequence[str]) -> int:
        """Store the alerts that are new together with a notification to each receiver; return how many were new.

        An alert that is known, by its fingerprint, changes nothing. An inhibited one is stored but not notified.
        """
        with self._database.reading() as session:
            if alert_rows.all_known(session, alerts):
                return 0
        with self._database.writing() as session:
            return alert_rows.raise_alerts(session, alerts, receivers, now=self._clock())

    def hold_alerts(self, rule: str, firing: Sequence[Firing], receivers: Sequence[str]) -> int:
        """Let exactly these alerts of a rule fire, and no others of it; return how many are new.

        New ones are stored together with a notification to each receiver; one that is known says what it says now and
        notifies nobody, also when it had ended.
        """
        with self._database.writing() as session:
            return alert_rows.hold_alerts(session, rule, firing, receivers, now=self._clock())

    def alerts_of_rule(self, rule: str, *, since: datetime) -> tuple[Alert, ...]:
        """The alerts of a rule that fire, or ended since then."""
        with self._database.reading() as session:
            return alert_rows.alerts_of_rule(session, rule, since=since)

    def resolve_ended(self) -> int:
        """Resolve the firing alerts whose end has come; return how many those are."""
        with self._database.writing() as session:
            return alert_rows.resolve_ended(session, now=self._clock())

    def list_alerts(self, limit: int = 100) -> tuple[Alert, ...]:
        """The newest alerts first."""
        with self._database.reading() as session:
            return alert_rows.list_alerts(session, limit)

    def list_notifications(self, limit: int = 100) -> tuple[Notification, ...]:
        """The newest notifications first."""
        with self._database.reading() as session:
            return outbox_rows.list_notifications(session, limit)

    def list_attempts(self, notification_id: str) -> tuple[Attempt, ...]:
        """All attempts to deliver one notification, oldest first."""
        with self._database.reading() as session:
            return outbox_rows.list_attempts(session, notification_id)

    def claim_due(
        self, *, now: datetime, owner: str, limit: int, except_receivers: Collection[str] = ()
    ) -> tuple[Claim, ...]:
        """Take notifications that are due, at most one per receiver, so that the order of each receiver holds.

        Each is leased to `owner` for two minutes. What a dead worker held becomes due again, with the same id.
        """
        with self._database.writing() as session:
            return outbox_rows.claim_due(session, now=now, owner=owner, limit=limit, except_receivers=except_receivers)

    def delivered(self, claim: Claim, attempt: Attempt) -> bool:
        """The receiver has it. False when the claim no longer held; the attempt is logged all the same."""
        changes = {"state": "delivered", "delivered_at": attempt.at, "last_error": None}
        with self._database.writing() as session:
            return outbox_rows.settle(session, claim, attempt, changes)

    def failed(self, claim: Claim, attempt: Attempt, *, next_attempt_at: datetime) -> bool:
        """It failed and is tried again. False when the claim no longer held."""
        changes = {"state": "pending", "next_attempt_at": next_attempt_at, "last_error": attempt.detail}
        with self._database.writing() as session:
            return outbox_rows.settle(session, claim, attempt, changes)

    def gave_up(
        self, claim: Claim, attempt: Attempt, *, state: Literal["failed", "expired"], disable_receiver: bool = False
    ) -> bool:
        """It is never tried again; the receiver may be disabled with it. False when the claim no longer held."""
        with self._database.writing() as session:
            held = outbox_rows.settle(session, claim, attempt, {"state": state, "last_error": attempt.detail})
            if disable_receiver:
                receiver_rows.disable_receiver(session, claim.receiver.name, reason=attempt.detail, now=attempt.at)
            return held
