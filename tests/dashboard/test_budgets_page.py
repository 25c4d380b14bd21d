from datetime import timedelta
from decimal import Decimal

from streamlit.testing.v1 import AppTest

from monitor.alerts.budget_alert import alerts_of
from monitor.budgets.evaluate import evaluate
from monitor.budgets.model import Matcher
from monitor.budgets.periods import period_of
from monitor.ledger.overview_queries import spend_of
from tests.dashboard.world import NOW, UNPRICED_MODEL, World, html, make_record, words
from tests.factories_alerts import add_webhook


def _add_budget(world: World, *, amount: str = "1", receivers: tuple[str, ...] = ()) -> None:
    world.control.add_budget(
        name="Search",
        amount=Decimal(amount),
        period="month",
        time_zone="Europe/Berlin",
        scope=(Matcher(dimension="team", values=("search", "ads")),),
        receivers=receivers,
    )


def _evaluate(world: World) -> None:
    for budget in world.control.list_budgets():
        period = period_of(budget.period, budget.time_zone, NOW)
        crossings = evaluate(budget, period, spend_of(world.ledger, budget.scope, period.start, period.end))
        world.control.raise_alerts(alerts_of(crossings, now=NOW, public_url=None), budget.receivers)


def _fill(page: AppTest, *, name: str = "Everything", amount: str = "250", thresholds: str = "80%, 100%") -> AppTest:
    page.text_input(key="new_budget_name").set_value(name)
    page.text_input(key="new_budget_amount").set_value(amount)
    page.text_input(key="new_budget_thresholds").set_value(thresholds)
    return page


def _press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    return page.run()


def test_without_a_budget_the_page_says_what_to_do(world: World) -> None:
    """The empty page renders and points to the form."""
    page = world.page("budgets")

    assert len(page.exception) == 0
    assert "No budget yet" in words(page)


def test_a_budget_shows_what_is_spent_of_it(world: World) -> None:
    """Spend, amount, share, period and scope stand on its card."""
    world.add(make_record(), make_record(team="ads"), make_record(team="other"))
    _add_budget(world)

    cards = html(world.page("budgets"))
    assert "<b>$0.30</b> of $1.00" in cards
    assert "30%" in cards
    assert "June 2026, until 1 Jul 00:00 (Europe/Berlin)" in cards
    assert "team is search or ads" in cards


def test_a_budget_says_what_it_cannot_count(world: World) -> None:
    """Requests of unknown cost are named where they are missing."""
    world.add(make_record(), make_record(model=UNPRICED_MODEL))
    _add_budget(world)

    assert "Not counting 1 request without a known cost." in html(world.page("budgets"))


def test_a_budget_of_unknown_spend_shows_no_share(world: World) -> None:
    """Nothing priced is unknown, not 0%."""
    world.add(make_record(model=UNPRICED_MODEL))
    _add_budget(world)

    cards = html(world.page("budgets"))
    assert "<b>unknown</b>" in cards
    assert "progressbar" not in cards


def test_alerts_are_listed_with_their_deliveries(world: World) -> None:
    """The alert that speaks for the lower thresholds is shown, and how far its notification got."""
    add_webhook(world.control)
    world.add(make_record(ago=timedelta(hours=1), input_tokens=20_000_000))
    _add_budget(world, receivers=("on-call",))
    _evaluate(world)

    page = world.page("budgets")
    assert "has used 300% of its $1.00" in html(page)
    assert "on-call" in html(page)
    assert "2 alerts of lower thresholds not shown" in words(page)


def test_the_form_adds_a_budget(world: World) -> None:
    """What was typed is stored, and the card is there at once."""
    page = _press(_fill(world.page("budgets"), amount="$1,250.50"), "Add budget")

    budget = world.control.list_budgets()[0]
    assert (budget.name, budget.amount, budget.period) == ("Everything", Decimal("1250.50"), "month")
    assert budget.thresholds == (Decimal("0.8"), Decimal(1))
    assert "Everything" in html(page)


def test_the_form_adds_conditions(world: World) -> None:
    """Each row becomes a matcher."""
    world.add(make_record())
    page = _press(world.page("budgets"), "Add a condition")
    page.selectbox(key="new_budget_dimension_0").set_value("team").run()
    page.selectbox(key="new_budget_test_0").set_value("is not")
    page.multiselect(key="new_budget_values_0").set_value(["search"])

    _press(_fill(page), "Add budget")

    assert world.control.list_budgets()[0].scope == (Matcher(dimension="team", values=("search",), is_negated=True),)


def test_a_name_that_is_taken_is_refused(world: World) -> None:
    """The domain's own sentence says what is wrong."""
    _add_budget(world)

    page = _press(_fill(world.page("budgets"), name="Search"), "Add budget")

    assert "There is a budget called 'Search' already." in words(page)


def test_an_amount_that_is_no_number_is_refused(world: World) -> None:
    """The message repeats what was typed and shows how to write it, and nothing is stored."""
    page = _press(_fill(world.page("budgets"), amount="a lot"), "Add budget")

    assert "'a lot' is not an amount; write it like 100 or 99.50." in words(page)
    assert world.control.list_budgets() == ()


def test_a_threshold_that_is_no_number_is_refused(world: World) -> None:
    """So is a threshold."""
    page = _press(_fill(world.page("budgets"), thresholds="half"), "Add budget")

    assert "'half' is not a threshold" in words(page)


def test_what_was_typed_stays_after_an_error(world: World) -> None:
    """Nobody types it twice."""
    page = _press(_fill(world.page("budgets"), amount="a lot"), "Add budget")

    assert page.text_input(key="new_budget_name").value == "Everything"


def test_the_form_adds_a_webhook_and_shows_its_secret(world: World) -> None:
    """The secret is the stored one, and is there until it is put away."""
    page = world.page("budgets")
    page.text_input(key="new_receiver_name").set_value("hook")
    page.text_input(key="new_receiver_place_webhook").set_value("https://example.com/alerts")

    _press(page, "Add receiver")

    secret = world.control.get_receiver("hook").config["secret"]
    assert [code.value for code in page.code] == [secret]
    assert len(_press(page, "I have stored it").code) == 0


def test_the_form_adds_an_email_receiver(world: World) -> None:
    """Addresses are separated by commas."""
    page = world.page("budgets")
    page.selectbox(key="new_receiver_kind").set_value("email").run()
    page.text_input(key="new_receiver_name").set_value("team")
    page.text_input(key="new_receiver_place_email").set_value("a@example.com, b@example.com")

    _press(page, "Add receiver")

    assert world.control.get_receiver("team").kind == "email"
    assert "a@example.com" in str(world.control.get_receiver("team").config)


def test_an_address_that_cannot_be_used_is_refused(world: World) -> None:
    """The notifier's own sentence says what is wrong."""
    page = world.page("budgets")
    page.text_input(key="new_receiver_name").set_value("hook")
    page.text_input(key="new_receiver_place_webhook").set_value("not an address")

    _press(page, "Add receiver")

    assert len(page.error) == 1
    assert world.control.list_receivers() == ()
