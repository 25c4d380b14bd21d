"""A delivery worker that sends, says so, and then hangs before it can mark: to be killed."""

import sys
import threading
from pathlib import Path

from monitor.alerts.model import Message, Receiver
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.health import Health
from monitor.jobs.delivery import deliver_due
from monitor.notifiers.model import Receipt
from monitor.notifiers.registry import notifier_for
from monitor.settings import Settings


class HangsAfterSending:
    """The real notifier, after which nothing comes back."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def notify(self, message: Message) -> Receipt:
        notifier_for(self._receiver, Settings(home=Path("unused"))).notify(message)
        sys.stdout.write("sent\n")
        sys.stdout.flush()
        threading.Event().wait()
        raise AssertionError("it was to be killed before")


if __name__ == "__main__":
    deliver_due(
        Control.open(Path(sys.argv[1]), system_clock),
        HangsAfterSending,
        clock=system_clock,
        health=Health(),
        random=lambda: 0.5,
    )
