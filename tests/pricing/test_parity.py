"""The costs that SQL computes are those of genai-prices, to the last digit that is money."""

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.ledger.columns import COST_COLUMNS
from monitor.records import Usage
from tests.pricing.parity import (
    OWN_PROVIDERS,
    PROVIDERS,
    Case,
    list_book,
    moments_of,
    priced_models,
    random_case,
    sizes_of,
)
from tests.world import World

_NEAR = Decimal("1e-12")
_MODELS = [
    *priced_models(OWN_PROVIDERS),
    *priced_models([name for name in PROVIDERS if name not in OWN_PROVIDERS])[::6],
]
_COLUMNS = ", ".join(COST_COLUMNS)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("parity"), book=list_book()) as world:
        yield world


def _faults(world: World, cases: Sequence[Case]) -> list[str]:
    """Where ours differs, after one drain of all cases."""
    records = [case.record() for case in cases]
    world.store(*records)
    asked = f"select record_id, pricing_state, {_COLUMNS} from requests where list_contains(?, record_id)"
    found = {row[0].hex: row[1:] for row in world.rows(asked, [UUID(record.record_id) for record in records])}
    faults = []
    for case, record in zip(cases, records, strict=True):
        state, cost, *parts = found[record.record_id]
        expected = case.expected()
        if state != expected[0] or (cost is None) != (expected[1] is None):
            faults.append(f"{case}: {state} {cost}, not {expected}")
        elif cost is not None and expected[1] is not None and abs(cost - expected[1]) > _NEAR:
            faults.append(f"{case}: {cost}, not {expected[1]}")
        elif cost is not None and sum(parts) != cost:
            faults.append(f"{case}: the parts come to {sum(parts)}, not {cost}")
    return faults


@settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**64))
def test_any_request_costs_what_genai_prices_says(world: World, seed: int) -> None:
    """Whatever the model, the tier, the day and the usage; impossible usage has no cost; the parts make the whole."""
    chance = random.Random(seed)

    assert _faults(world, [random_case(chance, _MODELS) for _ in range(600)]) == []


def test_every_model_at_every_step_of_its_prices(world: World) -> None:
    """Each tier, before and after each change of a price, with a prompt just below, at and above each step."""
    cases = [
        Case(
            provider=provider,
            model=model.id,
            tier=tier,
            is_batch=is_batch,
            moment=moment,
            usage=Usage(input_tokens=size, output_tokens=777, cache_read_input_tokens=size // 3, audio_seconds=12.25),
        )
        for provider, model in priced_models(OWN_PROVIDERS)
        for moment in moments_of(model)
        for tier, is_batch in ((None, False), ("flex", False), ("priority", False), ("flex", True))
        for size in sizes_of(model)
    ]

    assert _faults(world, cases) == []
