"""Every error this package raises on purpose.

MonitorError
├── SettingsError     a setting has a value that cannot be used
├── HomeError         the data directory cannot be used
├── SpoolError        the spool cannot be read or written
│   └── SpoolFullError it holds as much as it may
├── LedgerError       the ledger cannot be opened or asked
│   └── LeaseError    another process owns the data directory
├── ControlError      a budget, receiver or alert is not as it must be
├── PricingError      a price cannot be used
├── CollectorError    foreign material cannot be read or imported
├── DeliveryError     a notifier could not deliver
│   └── RefusedError  … because the other side said no (in notifiers/model.py)
└── WrapError         what was given is not a client that can be wrapped
"""


class MonitorError(Exception):
    """The root of all errors of this package; its text is a sentence for people."""


class SettingsError(MonitorError):
    """One or more settings have values that cannot be used; the text names each of them."""


class HomeError(MonitorError):
    """The data directory cannot be created, read or written."""


class SpoolError(MonitorError):
    """A spool segment cannot be written or read."""


class SpoolFullError(SpoolError):
    """The spool holds as much as it may."""


class LedgerError(MonitorError):
    """The ledger cannot be opened, upgraded or asked."""


class LeaseError(LedgerError):
    """Another process owns this data directory."""


class ControlError(MonitorError):
    """A budget, receiver or alert cannot be stored as given."""


class PricingError(MonitorError):
    """A price cannot be used as it stands."""


class CollectorError(MonitorError):
    """Foreign material cannot be read, or not be imported as a whole; the text says how far it came."""


class WrapError(MonitorError):
    """The object given to `wrap` is not an OpenAI client."""


class DeliveryError(MonitorError):
    """A notifier could not deliver; `is_permanent` says whether trying again can ever help."""

    def __init__(self, message: str, *, is_permanent: bool, retry_after: float | None = None) -> None:
        """Say what went wrong; `retry_after` is in seconds, None when the other side named no wait."""
        super().__init__(message)
        self.is_permanent = is_permanent
        self.retry_after = retry_after
