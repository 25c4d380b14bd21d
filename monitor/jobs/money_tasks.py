"""Tasks about what stored requests cost by other prices, re-pricing and what-if, and about what storage costs."""

from datetime import datetime
from typing import Any

import msgspec

from monitor.budgets.model import Matcher
from monitor.jobs.chest import Chest, Given
from monitor.ledger import reprice, whatif
from monitor.ledger.scopes import Slice, conditions_of
from monitor.ledger.storage_queries import storage
from monitor.pricing.scenario import Scenario


def reprice_requests(chest: Chest, given: Given) -> dict[str, Any]:
    """What re-pricing comes to; done where `apply` is given.

    `start`, `end` and `where` (a JSON list of matchers) say which requests, `note` says why.
    """
    chest.drain()
    book, span = chest.book(), _slice(given)
    if given.get("apply"):
        found = reprice.apply(chest.ledger, book, span, note=given.get("note"))
    else:
        found = reprice.preview(chest.ledger, book, span)
    return {"repricing": msgspec.to_builtins(found), "version": book.version}


def cost_otherwise(chest: Chest, given: Given) -> dict[str, Any]:
    """What the requests would have cost under a `scenario` (JSON), split `by` a dimension; which, as above."""
    chest.drain()
    scenario = msgspec.json.decode(given["scenario"], type=Scenario)
    found = whatif.what_if(chest.ledger, chest.book(), _slice(given), scenario, by=given["by"])
    return {"whatif": msgspec.to_builtins(found)}


def cost_storage(chest: Chest, given: Given) -> dict[str, Any]:
    """What vector stores hold from `start` to `end`, at most now, and what that costs."""
    chest.drain()
    span = _slice(given)
    found = storage(chest.ledger, chest.book, span.start, min(span.end, chest.ledger.clock()))
    return {"storage": msgspec.to_builtins(found)}


def _slice(given: Given) -> Slice:
    texts = msgspec.json.decode(given.get("where", "[]"), type=list[str])
    return Slice(
        start=datetime.fromisoformat(given["start"]),
        end=datetime.fromisoformat(given["end"]),
        conditions=conditions_of(tuple(map(Matcher.parse, texts))),
    )
