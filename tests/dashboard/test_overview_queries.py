from datetime import timedelta
from decimal import Decimal

from monitor.budgets.model import Matcher
from monitor.ledger import overview_queries
from monitor.ledger.scopes import Slice
from tests.dashboard.world import NOW, UNPRICED_MODEL, World, make_record

_SPAN = Slice(start=NOW - timedelta(hours=24), end=NOW)


def test_the_rest_of_a_series_is_what_the_leading_values_leave(world: World) -> None:
    """With one leading team, the others are added up, those without a team included."""
    world.add(
        make_record(team="a", input_tokens=9_000_000),
        make_record(team="b"),
        make_record(team=None),
    )

    found = overview_queries.leading_series(world.ledger, _SPAN, "team", limit=1, step="hour", time_zone="UTC")

    assert found.values == ("a",)
    assert [point.totals.list_cost for point in found.points] == [Decimal("1.35")]
    assert [point.totals.list_cost for point in found.rest] == [Decimal("0.3")]


def test_there_is_no_rest_when_all_values_lead(world: World) -> None:
    """Then nothing is left over."""
    world.add(make_record(team="a"), make_record(team=None))

    found = overview_queries.leading_series(world.ledger, _SPAN, "team", limit=2, step="hour", time_zone="UTC")

    assert set(found.values) == {"a", None}
    assert found.rest == ()


def test_shares_are_parts_of_the_known_spend(world: World) -> None:
    """A value of which nothing is priced has no share."""
    world.add(make_record(team="a", input_tokens=3_000_000), make_record(team="b"), make_record(model="x", team="c"))

    found = overview_queries.portions(world.ledger, _SPAN, "team", limit=5)

    assert [(portion.group.value, portion.share) for portion in found] == [
        ("a", Decimal("0.75")),
        ("b", Decimal("0.25")),
        ("c", None),
    ]


def test_models_without_a_price_are_counted(world: World) -> None:
    """The one with the most requests of unknown cost stands first."""
    world.add(
        make_record(), make_record(model="x"), make_record(model=UNPRICED_MODEL), make_record(model=UNPRICED_MODEL)
    )

    found = overview_queries.unpriced_by_model(world.ledger, _SPAN)

    assert [(group.value, group.totals.unpriced_requests) for group in found] == [(UNPRICED_MODEL, 2), ("x", 1)]


def test_the_spend_of_a_scope_is_that_of_its_requests(world: World) -> None:
    """A negated matcher holds for requests without a value."""
    world.add(make_record(team="a"), make_record(team="b"), make_record(team=None), make_record(model="x", team="b"))
    scope = (Matcher(dimension="team", values=("a",), is_negated=True),)

    spend = overview_queries.spend_of(world.ledger, scope, _SPAN.start, _SPAN.end)

    assert (spend.list_cost, spend.requests, spend.unpriced_requests) == (Decimal("0.3"), 3, 1)
