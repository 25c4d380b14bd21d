"""Own prices, names and discounts in the control store."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from sqlmodel import select

from monitor.control.tables import OwnPriceRow
from monitor.errors import ControlError, PricingError
from tests.factories_alerts import open_control
from tests.pricing.own_rows import day, discount, own_name, own_of, own_price


def test_what_is_said_is_read_again_to_the_last_digit(tmp_path: Path) -> None:
    """Every field of all three kinds, also after the store was closed."""
    price = own_price("gpt-4o", input="0.000000000001", tiers=("default", "flex"), above=7, start=day(1), end=day(2))
    rows = (
        msgspec.structs.replace(price, note="why"),
        own_name("fast", "gpt-4o", provider="my-proxy"),
        discount("0.123456", model="gpt-*", project="p", key="k", provider="openai"),
    )
    with open_control(tmp_path) as control:
        control.change_prices(say=rows, unsay=())
    with open_control(tmp_path) as control:
        assert control.own_prices() == own_of(*rows)


def test_all_of_a_change_is_done_or_nothing(tmp_path: Path) -> None:
    """One row that cannot be, or one id that is not there, and the store is as it was."""
    first, second = own_price("gpt-4o", input="1"), own_price("gpt-4o", input="2")
    with open_control(tmp_path) as control:
        control.say_price(first)
        with pytest.raises(PricingError):
            control.change_prices(say=(second, own_price("gpt-4o", input="-1")), unsay=(first.id,))
        with pytest.raises(ControlError, match="'price_none'"):
            control.change_prices(say=(second,), unsay=(first.id, "price_none"))

        assert control.own_prices() == own_of(first)


def test_a_row_that_is_taken_back_stays_in_the_store(tmp_path: Path) -> None:
    """Marked, so that it can be known later what held; taken back twice it is not there."""
    row = own_price("gpt-4o", input="1")
    with open_control(tmp_path) as control:
        control.say_price(row)
        control.unsay_price(row.id)
        with pytest.raises(ControlError, match="monitor price list --own"):
            control.unsay_price(row.id)
        with control._database.reading() as session:
            stored = session.exec(select(OwnPriceRow)).one()

        assert control.own_prices() == own_of()
        assert (stored.removed_at is None, stored.prices) == (False, {"input": f"{Decimal('0.000001'):f}"})
