"""The changes of prices on the page Data quality."""

from decimal import Decimal

import pytest

from dashboard.price_changes import figures_text, price_text, unit_name
from monitor.ledger.price_queries import Figure
from tests.dashboard.world import MODEL, World, html, make_record, words


def _figure(unit: str, before: str | None, after: str | None, above: int = -1) -> Figure:
    usd = [None if price is None else Decimal(price) for price in (before, after)]
    return Figure(above_input_tokens=above, unit=unit, before=usd[0], after=usd[1])


def _change(world: World, *tiers: tuple[str, bool]) -> None:
    """As if the price of input had been another until now."""
    with world.ledger.writing() as cursor:
        for tier in tiers or (("default", False),):
            cursor.execute(
                "insert into price_changes values"
                " (timestamp '2026-06-17 10:00:00', ?, ?, ?, -1, 'input', 0.0000025, 0.000003,"
                " timestamp '2026-06-17 10:00:00', 'list 2')",
                [f"openai/{MODEL}", *tier],
            )


def test_without_a_change_the_page_says_so(world: World) -> None:
    """An empty table would look like a fault."""
    assert "No price of a model that was used has changed so far." in words(world.page("quality"))


def test_a_change_is_shown_with_what_it_means(world: World) -> None:
    """Model, tier, figures, since when, who says so; and how stored requests are priced again."""
    world.add(make_record())
    _change(world)
    page = world.page("quality")

    for text in (f"openai/{MODEL}", "default", "input $2.50 → $3.00 per 1M tokens", "10:00:00", "list 2"):
        assert text in html(page)
    assert "monitor price reprice --since 30d" in words(page)


def test_tiers_that_change_together_are_one_row(world: World) -> None:
    """The figures of the default tier, and which other tiers changed with it."""
    _change(world, ("flex", False), ("default", True), ("default", False))
    page = html(world.page("quality"))

    assert page.count(f"openai/{MODEL}</td>") == 1
    assert "input $2.50 → $3.00 per 1M tokens; flex, batch too" in page


def test_figures_are_said_in_words() -> None:
    """What is for the same quantity stands together, larger prompts apart."""
    figures = (
        _figure("input", "0.0000025", "0.000003"),
        _figure("cache_read", None, "0.00000125"),
        _figure("tool:web_search", "0.01", None),
        _figure("input", "0.000005", "0.000006", above=272_000),
    )

    assert figures_text(figures) == (
        "input $2.50 → $3.00, cached input none → $1.25 per 1M tokens; web_search $0.01 → none per call; "
        "input $5.00 → $6.00 per 1M tokens in prompts above 272,000 tokens"
    )


def test_a_found_price_is_said_without_all_its_fees() -> None:
    """A dozen tools that are free would hide it."""
    found = [_figure("tool:mcp", None, "0"), _figure("container:1g", None, "0.03"), _figure("input", None, "0.000001")]

    assert figures_text(found) == "input none → $1.00 per 1M tokens"
    assert figures_text(found[:1]) == "mcp none → $0.00 per call"


def test_many_figures_are_not_all_said() -> None:
    """A cell stays readable."""
    text = figures_text([_figure(f"image:hd/{number}", "1", "2") for number in range(40)])

    assert text.endswith("; and 28 more")


@pytest.mark.parametrize(
    ("unit", "usd", "text"),
    [
        ("input", "0.000000075", "$0.075"),
        ("character", "0.000015", "$15.00"),
        ("audio_second", "0.0001", "$0.0001"),
        ("trained", "0.0025", "$2,500.00"),
        ("regional", "1.1", "×1.10"),
        ("window:2h", "0.7", "×0.70"),
    ],
)
def test_a_price_has_all_its_digits(unit: str, usd: str, text: str) -> None:
    """For a million of what is counted in tokens, for one of all else."""
    assert price_text(unit, Decimal(usd)) == text


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("image:hd/1024x1024", "picture hd/1024x1024"),
        ("container:1g", "container 1g"),
        ("window:2h", "completion window 2h"),
        ("output", "output"),
    ],
)
def test_units_have_names(unit: str, name: str) -> None:
    """What it is stands before its variant."""
    assert unit_name(unit) == name
