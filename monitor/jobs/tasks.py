"""Tasks of the ledger that commands ask for, by name: done by the server where one runs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from monitor.jobs.backup import back_up
from monitor.jobs.chest import Chest, Given
from monitor.jobs.money_tasks import cost_otherwise, cost_storage, reprice_requests
from monitor.jobs.price_tasks import change_prices, tell_prices, tell_why
from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.check_sums import recount
from monitor.ledger.quarantine import readable_again, release

MOST_LINES: Final = 10_000
"""Lines of the quarantine that are told at once."""


def _back_up(chest: Chest, given: Given) -> dict[str, Any]:
    # What programs have written is a part of it, whether or not a server has read it yet.
    chest.drain()
    made = back_up(chest.ledger, chest.home, Path(given["target"]), chest.ledger.clock)
    return {"requests": made.requests, "ledger_bytes": made.ledger_bytes, "control_bytes": made.control_bytes}


def _check(chest: Chest, given: Given) -> dict[str, Any]:
    chest.drain()
    found = check(chest.ledger)
    days = {fault.day for fault in found.faults if fault.day is not None} if given.get("recount") else set()
    for day in sorted(days):
        recount(chest.ledger, day)
    shown = check(chest.ledger) if days else found
    return {
        **msgspec.to_builtins(shown),
        "is_proof": shown.is_proof,
        "recounted": [f"{day:%Y-%m-%d}" for day in sorted(days)],
    }


def _quarantine(chest: Chest, given: Given) -> dict[str, Any]:
    limit = int(given["limit"])
    if not 1 <= limit <= MOST_LINES:
        raise ValueError(f"limit is {limit}, but must be from 1 to {MOST_LINES:,}")
    chest.drain()
    total = queries.losses(chest.ledger)["quarantined"]
    return {
        "total": total,
        "lines": msgspec.to_builtins(queries.quarantined_lines(chest.ledger, limit=limit)),
    }


def _retry(chest: Chest, _: Given) -> dict[str, Any]:
    chest.drain()
    before = queries.losses(chest.ledger)["quarantined"]
    stored = chest.read_again()
    if stored:
        # Begin lines among them may be of programs that are gone.
        chest.drain()
    while lines := readable_again(chest.ledger, chest.home.spool):
        chest.drain()
        released = release(chest.ledger, lines)
        stored += released
        if not released:
            break
    return {"before": before, "stored": stored, "left": queries.losses(chest.ledger)["quarantined"]}


TASKS: Final[Mapping[str, Callable[[Chest, Given], dict[str, Any]]]] = MappingProxyType(
    {
        "backup": _back_up,
        "check": _check,
        "quarantine": _quarantine,
        "retry": _retry,
        "prices": tell_prices,
        "price_why": tell_why,
        "price_change": change_prices,
        "reprice": reprice_requests,
        "whatif": cost_otherwise,
        "storage": cost_storage,
    }
)
