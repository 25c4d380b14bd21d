"""Faults that no answer states: what the transport raised instead, by names and by what lies behind them."""

import errno
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from monitor.capture.fault_codes import Fault

BY_NAME: Final[Mapping[str, Fault]] = {
    "ConnectTimeout": Fault("timeout", "connect"),
    "ReadTimeout": Fault("timeout", "read"),
    "WriteTimeout": Fault("timeout", "write"),
    "PoolTimeout": Fault("timeout", "pool"),
    "TimeoutError": Fault("timeout"),
    "TimeoutException": Fault("timeout"),
    "CancelledError": Fault("cancelled", "task"),
    "GeneratorExit": Fault("cancelled", "task"),
    "KeyboardInterrupt": Fault("cancelled", "interrupt"),
    "SystemExit": Fault("cancelled", "exit"),
    "DecodingError": Fault("parse", "encoding"),
    "UnsupportedProtocol": Fault("invalid_request", "url"),
    "InvalidURL": Fault("invalid_request", "url"),
    "LocalProtocolError": Fault("invalid_request", "protocol"),
}
"""Exceptions of any HTTP library, by the name of their class or of one they derive from."""

CONNECTION: Final = "connection"
# By name: to import `ssl` for its one class would cost every program that only imports `monitor`.
_BEHIND: Final[Mapping[str, str]] = {
    "gaierror": "dns",
    "SSLError": "tls",
    "ClientSSLError": "tls",
    "ServerDisconnectedError": "closed",
    "ConnectionRefusedError": "refused",
    "ConnectionResetError": "reset",
    "ConnectionAbortedError": "reset",
    "BrokenPipeError": "reset",
}
_BY_NUMBER: Final[Mapping[int | None, str]] = {
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EMFILE: "too_many_files",
    errno.ENFILE: "too_many_files",
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
}
_LAST_RESORT: Final[Mapping[str, str]] = {
    "ProxyError": "proxy",
    "RemoteProtocolError": "protocol",
    "BrokenResourceError": "reset",
    "ReadError": "reset",
    "WriteError": "reset",
    "CloseError": "reset",
}
CONNECTION_REASONS: Final = frozenset((*_BEHIND.values(), *_BY_NUMBER.values(), *_LAST_RESORT.values()))
_HUNG_UP: Final = ("disconnected", "closed connection")
_MOST: Final = 16

V = TypeVar("V")


def fault_of_exception(error: BaseException) -> Fault:
    """The fault of a request that got no answer, or whose answer broke off."""
    found = _first_of(BY_NAME, _names(error))
    return Fault(CONNECTION, _reason_behind(error) or _reason_of_name(error)) if found is None else found


def _names(error: BaseException) -> list[str]:
    return [kind.__name__ for kind in type(error).__mro__]


def _first_of(table: Mapping[str, V], names: list[str]) -> V | None:
    return next((table[name] for name in names if name in table), None)


def _reason_behind(error: BaseException) -> str | None:
    for one in _chain(error):
        if (reason := _first_of(_BEHIND, _names(one))) is not None:
            return reason
        if isinstance(one, OSError) and one.errno in _BY_NUMBER:
            return _BY_NUMBER[one.errno]
    return None


def _reason_of_name(error: BaseException) -> str | None:
    reason = _first_of(_LAST_RESORT, _names(error))
    # The same exception stands for nonsense and for a server that hangs up; only the library's own words differ.
    is_hung_up = reason == "protocol" and any(words in str(error) for words in _HUNG_UP)
    return "closed" if is_hung_up else reason


def _chain(error: BaseException) -> Iterator[BaseException]:
    """What an exception was raised from, or holds, and from what that was; the parts of a group too."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        # Not its context: that may be an error which the program was handling when it made the call.
        waiting.append(one.__cause__)
        waiting.extend(part for part in one.args if isinstance(part, BaseException))
