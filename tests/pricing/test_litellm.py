"""Another table of prices and cost function, litellm's: where it says something else, it is known why."""

from pathlib import Path

import pytest

from monitor.pricing.installed import Pricer
from tests.matrix.matrix import is_ready
from tests.pricing.litellm_oracle import ENVIRONMENT, asked, differing, our_cost, recorded, table_of
from tests.pricing.litellm_reasons import REASONS, reason_of
from tests.world import price_book

_DOCS = (Path(__file__).parents[2] / "docs" / "pricing.md").read_text("utf-8")


@pytest.mark.torture
@pytest.mark.skipif(not is_ready(ENVIRONMENT), reason="make .venv-litellm sets up what this needs")
def test_no_difference_is_new() -> None:
    """Of all models, tiers and usages of the grid; `python -m tests.pricing.litellm_oracle` writes the file anew."""
    version, cells = asked()

    assert (version, len(cells) > 3_000) == ("1.109.1", True)
    assert differing(cells) == recorded()


def test_our_side_of_the_differences_still_holds() -> None:
    """What we say of these requests has not changed unseen."""
    price = Pricer(price_book())

    assert [cell for cell in recorded() if our_cost(price, cell.model, cell.tier, cell.usage) != cell.ours] == []


def test_each_difference_has_a_reason() -> None:
    """Each reason explains some, and says who is right."""
    cells = recorded()

    assert [cell for cell in cells if reason_of(cell) is None] == []
    assert {found.name for cell in cells if (found := reason_of(cell)) is not None} == {one.name for one in REASONS}
    assert {reason.right for reason in REASONS} <= {"ours", "theirs", "undecided"}
    assert [cell for cell in cells if cell.ours == cell.theirs] == []


def test_the_differences_are_told() -> None:
    """docs/pricing.md has the table of them."""
    assert table_of(recorded()) in _DOCS
