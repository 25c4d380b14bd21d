"""What vector stores cost stands under the spend, and only where they cost something."""

from datetime import timedelta

from tests.dashboard.world import World, figure, make_record, words


def test_the_overview_tells_what_storage_costs_this_month(world: World) -> None:
    """And that it is not in the spend: nine days of two GiB, half of today, and of the first day half a GiB."""
    world.add(make_record(), make_record(ago=timedelta(days=10), stored_bytes={"vs_1": 3 * 2**30}, input_tokens=0))
    page = world.page()

    assert "Storage of vector stores: $1.95 this month, as far as answers told their sizes" in words(page)
    assert "it is not part of the spend." in words(page)
    assert figure(page, "Spend this month") == "$0.15"


def test_the_overview_is_silent_about_what_is_free(world: World) -> None:
    """A store below the first GiB is nobody's trouble."""
    world.add(make_record(stored_bytes={"vs_1": 5}))

    assert "vector stores" not in words(world.page())
