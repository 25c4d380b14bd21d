"""What litellm and we say of the same requests; `python -m tests.pricing.litellm_oracle` writes the differences."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from monitor.pricing.installed import Pricer, installed_price_book
from monitor.records import Usage
from tests.factories import NOW, make_record
from tests.matrix.matrix import run_in
from tests.pricing.litellm_grid import TIERS, USAGES
from tests.pricing.litellm_reasons import REASONS, Cell, reason_of

ENVIRONMENT: Final = ".venv-litellm"
RECORDED: Final = Path(__file__).with_name("litellm_differences.tsv")
_HEAD: Final = "model\ttier\tusage\tours\ttheirs"
_MOST_SHOWN: Final = 6


def asked() -> tuple[str, list[Cell]]:
    """The version of litellm, and all requests of the grid with what both say."""
    done = run_in(ENVIRONMENT, "tests.pricing.litellm_program", within=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    price = Pricer(installed_price_book())
    return found["version"], [
        Cell(model=model, tier=tier, usage=usage, ours=our_cost(price, model, tier, usage), theirs=_text(cost))
        for model, tier, usage, cost in found["costs"]
    ]


def our_cost(price: Pricer, model: str, tier: str, usage: str) -> str:
    """What we say of a request of the grid; a trained model has the name of its owner too."""
    used, facts = dict(USAGES[usage]), _facts(tier)
    if usage == "searched":
        facts["tool_calls"] = {name: int(count) for name, count in used.items()}
        used = {"input_tokens": 0, "output_tokens": 0}
    name = f"{model}:acme::1" if model.startswith("ft:") else model
    quantities: dict[str, Any] = used
    record = make_record(usage=Usage(**quantities), request_model=name, response_model=None, started_at=NOW, **facts)
    return _text(price(record).list_cost)


def _facts(tier: str) -> dict[str, Any]:
    assert tier in TIERS
    facts: dict[str, dict[str, Any]] = {"default": {}, "batch": {"is_batch": True}, "region": {"region": "eu"}}
    return dict(facts.get(tier, {"service_tier": tier}))


def _text(cost: Decimal | str | None) -> str:
    if cost is None:
        return "-"
    return f"{round(Decimal(cost), 12).normalize():f}"


def differing(cells: Iterable[Cell]) -> list[Cell]:
    """Those in which the two do not say the same."""
    return [cell for cell in cells if cell.ours != cell.theirs]


def recorded() -> list[Cell]:
    """The differences that were looked at."""
    head, *lines = RECORDED.read_text("utf-8").splitlines()
    assert head == _HEAD
    return [Cell(**dict(zip(_HEAD.split("\t"), line.split("\t"), strict=True))) for line in lines]


def table_of(cells: Iterable[Cell]) -> str:
    """The reasons as a table of Markdown, with how many requests of the grid each explains."""
    counts: Counter[str] = Counter()
    models: dict[str, dict[str, None]] = {}
    for cell in cells:
        reason = reason_of(cell)
        name = "?" if reason is None else reason.name
        counts[name] += 1
        models.setdefault(name, {})[cell.model] = None
    lines = ["| What | Who is right | Why | Models | Requests |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {reason.name} | {reason.right} | {reason.why} | {_some([*models[reason.name]])} | {counts[reason.name]} |"
        for reason in REASONS
        if reason.name in counts
    ]
    return "\n".join(lines)


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _lines(cells: Iterable[Cell]) -> Iterator[str]:
    yield _HEAD
    for cell in cells:
        yield "\t".join((cell.model, cell.tier, cell.usage, cell.ours, cell.theirs))


def main() -> None:
    """Write the differences to their file, and the table of the docs to the terminal."""
    version, cells = asked()
    found = differing(cells)
    RECORDED.write_text("\n".join(_lines(found)) + "\n", "utf-8")
    nameless = [cell for cell in found if reason_of(cell) is None]
    sys.stdout.write(
        f"{table_of(found)}\n\n{version}: {len(found)} of {len(cells)} differ; without a reason: {nameless}\n"
    )


if __name__ == "__main__":
    main()
