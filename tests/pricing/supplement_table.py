"""The table of our own prices that stands in docs/pricing.md. `python -m tests.pricing.supplement_table` prints it."""

import sys
from collections.abc import Iterator

from monitor.pricing.installed import installed_supplement
from monitor.pricing.supplement import MultipleRow, NameRow, PriceRow, Supplement, TierRow

_PER = {"each": "one", "per_thousand": "a thousand", "per_million": "a million"}


def table_of(supplement: Supplement) -> str:
    """All rows as a table of Markdown."""
    lines = [
        "| Provider | Models | Tier | What | Valid | Source | Checked |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        _line(row.provider, row.model, "", _what_of_names(row), "always", row.source, row.checked)
        for row in supplement.names
    ]
    lines += [
        _line(tier.provider, _list(tier.models), tier.tier, "as in October 2026", *_end(tier))
        for tier in supplement.tiers
    ]
    for multiple in supplement.multiples:
        what = _what_of_multiple(multiple)
        lines.append(_line(multiple.provider, _list(multiple.models), _list(multiple.tiers), what, *_end(multiple)))
    for price in supplement.prices:
        what = "; ".join(_what_of_prices(price))
        lines.append(_line(price.provider, _list(price.models), _list(price.tiers), what, *_end(price)))
    return "\n".join(lines)


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join("all" if name == "*" else name for name in names).replace("*", "\\*")


def _end(row: PriceRow | MultipleRow | TierRow) -> tuple[object, ...]:
    spans = [f"from {row.valid_from}"] if row.valid_from else []
    spans += [f"until {row.valid_to}"] if row.valid_to else []
    return " ".join(spans) or "always", row.source, row.checked


def _what_of_names(row: NameRow) -> str:
    return "goes by " + _list(row.names)


def _what_of_multiple(row: MultipleRow) -> str:
    of = " ".join(part for part in (row.of_tier, row.of) if part) or "their price"
    where = f", where {row.where} has a price" if row.where else ""
    return f"{_list(row.units)}: {row.times} times {of}{where}"


def _what_of_prices(row: PriceRow) -> Iterator[str]:
    above = f" above {row.above_input_tokens:,} input tokens" if row.above_input_tokens >= 0 else ""
    for name, per in _PER.items():
        prices = getattr(row, name)
        if prices:
            yield ", ".join(f"{unit} {usd}" for unit, usd in prices.items()) + f" for {per}{above}"


if __name__ == "__main__":
    sys.stdout.write(table_of(installed_supplement()) + "\n")
