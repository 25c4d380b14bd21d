"""The Python computation over genai-prices' own figures: to the digit what genai-prices itself computes."""

import random
from decimal import Decimal

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.pricing.figures import CLASSES
from monitor.pricing.installed import Pricer
from tests.pricing.parity import Case, list_book, moments_of, priced_models, random_case, sizes_of

_NEAR = Decimal("1e-12")
_MODELS = priced_models()
_PRICER = Pricer(list_book())


def _faults(case: Case) -> list[str]:
    found, (state, cost) = _PRICER(case.record()), case.expected()
    if (found.state, found.list_cost is None) != (state, cost is None):
        return [f"{case}: {found}, not {state} {cost}"]
    if cost is None or found.list_cost is None:
        return [] if found.classes == {} else [f"{case}: {found}"]
    is_whole = tuple(found.classes) == CLASSES and sum(found.classes.values()) == found.list_cost
    return [] if is_whole and abs(found.list_cost - cost) <= _NEAR else [f"{case}: {found}, not {cost}"]


@settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**64))
def test_any_request_costs_what_genai_prices_says(seed: int) -> None:
    """Of any model and unit it knows, tier, batch, day and size; the classes come to the whole."""
    chance = random.Random(seed)

    assert [fault for _ in range(100) for fault in _faults(random_case(chance, _MODELS))] == []


def test_every_model_has_its_price_for_each_of_its_tools() -> None:
    """Searches cost what the list has for them; a search of a model that has no price for it is not known."""
    searches = ({"web_search": 3}, {"file_search": 2}, {"web_search": 0})
    cases = [
        Case(
            provider=provider,
            model=model.id,
            tier=None,
            is_batch=False,
            moment=moments_of(model)[0],
            usage=random_case(random.Random(size), [(provider, model)]).usage,
            tool_calls=calls,
        )
        for provider, model in _MODELS[::3]
        for calls in searches
        for size in sizes_of(model)[:1]
    ]

    assert [fault for case in cases for fault in _faults(case)] == []
