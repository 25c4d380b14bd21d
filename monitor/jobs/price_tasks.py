"""Tasks about prices that commands ask for: what holds, why, and what people say from now on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec

from monitor.control.prices import new_id
from monitor.jobs.chest import Chest, Given
from monitor.ledger.price_effects import Payer, SeenModel, Touched, costing, priced_otherwise, seen_models
from monitor.pricing.book import Match, PriceBook, answering_name, provider_id
from monitor.pricing.explained import Asked, explain
from monitor.pricing.own import Discount, OwnName, OwnPrice, OwnPrices, is_pattern
from monitor.pricing.own_file import Row, contents_of, rows_of

_MOST_SHOWN: Final = 5


def tell_prices(chest: Chest, given: Given) -> dict[str, Any]:
    """Of each model what the book says.

    `models` is a JSON list of provider and name, without it those that the ledger has seen; `at` leaves out
    entries that do not hold then; `listed` adds the models that lists know of these providers.
    """
    chest.drain()
    book = chest.book()
    at = datetime.fromisoformat(given["at"]) if "at" in given else None
    pairs = msgspec.json.decode(given["models"], type=list[tuple[str, str]]) if "models" in given else _seen(chest)
    providers = msgspec.json.decode(given["listed"], type=list[str]) if "listed" in given else []
    pairs += [(name, answering_name(model)) for name in providers for model in book.models(name)]
    matches = [_at(book.match(*pair), at) for pair in dict.fromkeys(pairs)]
    return {
        "version": book.version,
        "providers": list(book.providers),
        "matches": msgspec.to_builtins(matches),
        "own": msgspec.to_builtins(book.own),
    }


def tell_why(chest: Chest, given: Given) -> dict[str, Any]:
    """What matched a model and what each of its prices comes from; `asked` is an `Asked` as JSON."""
    asked = msgspec.json.decode(given["asked"], type=Asked)
    found: dict[str, Any] = msgspec.to_builtins(explain(chest.book(), asked))
    return found


def change_prices(chest: Chest, given: Given) -> dict[str, Any]:
    """Take up what people say: all of it or nothing.

    `say` is an `OwnPrices` as JSON; of a row with the id of one that holds, it takes its place. `unsay` are ids.
    `mode` is `set` (what was said before in the same words is said again) or `import` (it is left alone).
    `asked` is a JSON list of `Asked`, for which the answer tells what held before and what holds now.
    """
    chest.drain()
    before, seen_before = chest.book(), seen_models(chest.ledger)
    told = msgspec.json.decode(given.get("say", "{}"), type=OwnPrices)
    change = _change(before.own, rows_of(told), given, chest.ledger.clock())
    chest.control.change_prices(say=change[0], unsay=change[1])
    chest.take_up_prices()
    seen = tuple(dict.fromkeys((*seen_models(chest.ledger), *seen_before)))
    asked = msgspec.json.decode(given.get("asked", "[]"), type=list[Asked])
    rows = (*change[0], *(row for row in rows_of(before.own) if row.id in change[1]))
    return {
        "said": [row.id for row in change[0]],
        "unsaid": list(change[1]),
        "left_alone": len(rows_of(told)) - len(change[0]),
        "shown": [_shown(one, before, chest.book()) for one in _all_asked(asked, rows, seen)],
        "stored": msgspec.to_builtins(_stored(chest, rows, seen)),
    }


def _seen(chest: Chest) -> list[tuple[str, str]]:
    return [(one.provider_name, one.model) for one in seen_models(chest.ledger)]


def _at(match: Match, at: datetime | None) -> Match:
    if at is None:
        return match
    return replace(match, entries=tuple(entry for entry in match.entries if entry.holds_at(at)))


def _change(
    own: OwnPrices, told: Iterable[Row], given: Mapping[str, str], now: datetime
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The rows to be said, with their ids, and the ids of those that go."""
    standing = rows_of(own)
    same = {contents_of(row): row.id for row in standing}
    ids = {row.id for row in standing}
    say: list[Row] = []
    unsay = [name for name in given.get("unsay", "").split(",") if name]
    for row in told:
        twin = same.get(contents_of(row))
        if twin is not None and given.get("mode") == "import":
            continue
        unsay += [name for name in {twin, row.id} if name in ids]
        moment = now + len(say) * datetime.resolution
        say.append(msgspec.structs.replace(row, id=new_id(row), created_at=moment))
    return tuple(say), tuple(dict.fromkeys(unsay))


def _all_asked(asked: list[Asked], rows: Iterable[Row], seen: Iterable[SeenModel]) -> Iterable[Asked]:
    """Those that were named, and of each pattern the first models that were seen."""
    yield from (one for one in asked if not is_pattern(one.model))
    for one in asked:
        if is_pattern(one.model):
            meant = _meant(rows, seen)[:_MOST_SHOWN]
            yield from (replace(one, provider=name, model=model) for name, model in meant)


def _shown(asked: Asked, before: PriceBook, after: PriceBook) -> dict[str, Any]:
    found = {"before": explain(before, asked), "after": explain(after, asked)}
    return {"asked": msgspec.to_builtins(asked), **{name: msgspec.to_builtins(one) for name, one in found.items()}}


def _stored(chest: Chest, rows: tuple[Row, ...], seen: tuple[SeenModel, ...]) -> Touched:
    """The stored requests that would have another cost now, as far as can be said without pricing them."""
    discounts = [row for row in rows if isinstance(row, Discount)]
    if discounts:
        return _discounted(chest, discounts)
    return priced_otherwise(chest.ledger, _meant(rows, seen))


def _discounted(chest: Chest, rows: list[Discount]) -> Touched:
    def is_meant(payer: Payer) -> bool:
        provider, model, project, key = payer
        return any(row.is_about(provider_id(provider), model, project, key) for row in rows)

    starts, ends = [row.valid_from for row in rows], [row.valid_to for row in rows]
    start = None if None in starts else min(moment for moment in starts if moment is not None)
    end = None if None in ends else max(moment for moment in ends if moment is not None)
    return costing(chest.ledger, start, end, is_meant)


def _meant(rows: Iterable[Row], seen: Iterable[SeenModel]) -> list[tuple[str, str]]:
    """The names that the rows are about of the models that were seen, each once."""
    rows = tuple(rows)
    meant = (one for one in seen if any(_is_about(row, one) for row in rows))
    return list(dict.fromkeys((one.provider_name, one.model) for one in meant))


def _is_about(row: Row, model: SeenModel) -> bool:
    key = (model.price_key or "").partition("/")
    recorded = (provider_id(model.provider_name), model.model)
    if isinstance(row, OwnPrice):
        return row.is_about(recorded, (key[0], key[2] or None))
    return isinstance(row, OwnName) and row.is_about(*recorded)
