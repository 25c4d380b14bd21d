"""Which prices of an entry pay for what a record states, shown on entries that no list has."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from monitor.pricing.compute import price
from monitor.pricing.entries import PriceEntry
from monitor.pricing.figures import CLASSES, Priced
from monitor.records import Usage
from tests.factories import make_record, make_usage

_TOKENS = {"input": "1", "output": "2"}


def _entry(prices: dict[str, str], *, is_batch: bool = False) -> PriceEntry:
    return PriceEntry(
        sku_price_id="m#1",
        price_key="openai/m",
        service_tier="default",
        is_batch=is_batch,
        above_input_tokens=-1,
        upto_input_tokens=None,
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=None,
        unit_prices={unit: Decimal(usd) for unit, usd in prices.items()},
        price_list="list 1",
    )


def _priced(prices: dict[str, str], usage: Usage, tool_prices: dict[str, str] | None = None, **facts: Any) -> Priced:
    is_batch = facts.get("is_batch", False)
    tool_entries = [] if tool_prices is None else [_entry(tool_prices, is_batch=is_batch)]
    return price(make_record(usage=usage, **facts), [_entry(prices, is_batch=is_batch)], tool_entries)


def _cost(prices: dict[str, str], usage: Usage, **facts: Any) -> tuple[str, object]:
    found = _priced(prices, usage, **facts)
    return found.state, found.list_cost


@pytest.mark.parametrize(
    ("unit", "more"),
    [
        ("character", {"input_characters": 7}),
        ("image:default/default", {"image_count": 7}),
        ("video_second:default", {"video_seconds": 7.0}),
    ],
)
def test_tokens_win(unit: str, more: dict[str, Any]) -> None:
    """What both tokens and another unit have a price for is paid by its tokens, and by the other without them."""
    prices = _TOKENS | {unit: "100"}

    assert _cost(prices, make_usage(input_tokens=3, output_tokens=0, **more)) == ("priced", 3)
    assert _cost(prices, Usage(**more)) == ("priced", 700)


def test_seconds_of_sound_are_paid_beside_tokens() -> None:
    """As genai-prices does: both have a price."""
    usage = make_usage(input_tokens=3, output_tokens=0, audio_seconds=7.0)

    assert _cost(_TOKENS | {"audio_second": "100"}, usage) == ("priced", 703)


def test_training_is_never_paid_by_other_tokens() -> None:
    """Without a price for it, its cost is not known."""
    usage = make_usage(input_tokens=3, output_tokens=0, trained_tokens=7)

    assert _cost(_TOKENS, usage) == ("unpriced", None)
    assert _cost(_TOKENS | {"trained": "10"}, usage) == ("priced", 73)


@pytest.mark.parametrize(
    ("prices", "cost"),
    [
        ({"image:hd/1x1": "1", "image:default/1x1": "2", "image:hd/default": "3", "image:default/default": "4"}, 1),
        ({"image:default/1x1": "2", "image:hd/default": "3", "image:default/default": "4"}, 2),
        ({"image:hd/default": "3", "image:default/default": "4"}, 3),
        ({"image:default/default": "4"}, 4),
        ({"image:hd/2x2": "5"}, None),
    ],
)
def test_the_most_exact_price_of_a_picture_holds(prices: dict[str, str], cost: int | None) -> None:
    """Quality and size, then size, then quality, then any picture."""
    assert _cost(prices, Usage(image_count=1), media_quality="hd", media_size="1x1")[1] == cost


def test_a_picture_that_states_neither_costs_what_any_costs() -> None:
    """A price for one quality says nothing about it."""
    assert _cost({"image:default/default": "4"}, Usage(image_count=2)) == ("priced", 8)
    assert _cost({"image:hd/1x1": "4"}, Usage(image_count=2)) == ("unpriced", None)


def test_the_most_exact_price_of_a_video_holds() -> None:
    """That of its size, then that of any."""
    prices = {"video_second:1x1": "1", "video_second:default": "2"}
    usage = Usage(video_seconds=1.0)

    assert _cost(prices, usage, media_size="1x1") == ("priced", 1)
    assert _cost(prices, usage, media_size="2x2") == ("priced", 2)


def test_a_fee_makes_no_price_of_a_free_model() -> None:
    """Its tokens stay free, its tools cost what they cost, and its pictures are not known."""
    prices = {"tool:web_search": "5", "container:1g": "3"}

    assert _cost(prices, make_usage(), tool_calls={"web_search": 2}) == ("priced", 10)
    assert _cost(prices, Usage(image_count=1)) == ("unpriced", None)


@pytest.mark.parametrize(("calls", "cost"), [({"x": 1}, None), ({"x": 0}, 0), ({"mcp": 1}, 0), ({"mcp": -1}, None)])
def test_a_tool_without_a_price_is_not_free(calls: dict[str, int], cost: int | None) -> None:
    """A free one stands in the list."""
    assert _cost({"request": "0", "tool:mcp": "0"}, make_usage(), tool_calls=calls)[1] == cost


def test_the_model_of_a_tool_is_paid_at_its_own_prices() -> None:
    """Beside the request, as a class of its own; in a batch at the prices of a batch."""
    found = _priced(
        _TOKENS,
        make_usage(input_tokens=3, output_tokens=0),
        {"input": "10", "output_image": "100", "output": "1000"},
        tool_model="n",
        tool_usage={"input_tokens": 2, "output_tokens": 5, "output_image_tokens": 5},
        is_batch=True,
    )

    assert found.list_cost == 523
    assert found.classes["tools"] == 520


@pytest.mark.parametrize(
    ("tool_prices", "used", "state"),
    [
        (None, {"input_tokens": 2}, "unpriced"),
        ({"audio_second": "1"}, {"input_tokens": 2}, "unpriced"),
        ({"input": "1"}, {"input_tokens": 2, "output_tokens": -1}, "impossible"),
        (None, {"input_tokens": 0}, "priced"),
        (None, None, "priced"),
    ],
)
def test_what_a_tool_used_must_have_a_price(
    tool_prices: dict[str, str] | None, used: dict[str, int] | None, state: str
) -> None:
    """Never a cost that lacks it silently."""
    assert _priced(_TOKENS, make_usage(), tool_prices, tool_model="n", tool_usage=used).state == state


def test_cached_sound_without_a_price_of_its_own_costs_what_is_cached() -> None:
    """Where that has a price; it leaves the sound, and is paid once."""
    usage = make_usage(
        input_tokens=100, output_tokens=0, cache_read_input_tokens=30, input_audio_tokens=50, cache_read_audio_tokens=20
    )
    # 40 of text that is not cached, 10 that is; 30 of sound, and 20 that is cached.
    assert _cost({"input": "1", "input_audio": "100", "cache_read": "10000"}, usage) == ("priced", 40 + 3_000 + 300_000)
    assert _cost({"input": "1", "input_audio": "100"}, usage) == ("priced", 50 + 5_000)
    assert _cost({"input": "1", "cache_read": "10000"}, usage) == ("priced", 70 + 300_000)
    assert _cost({"input": "1", "cache_read_audio": "10000"}, usage) == ("priced", 80 + 200_000)


def test_the_classes_are_all_there_and_come_to_the_cost() -> None:
    """Each thing that is paid in the class that it is."""
    prices = {
        "input": "1",
        "cache_read": "2",
        "cache_creation": "3",
        "cache_creation_long": "4",
        "output": "5",
        "reasoning": "6",
        "input_audio": "7",
        "output_image": "8",
        "audio_second": "9",
        "trained": "10",
        "request": "11",
        "tool:x": "12",
    }
    usage = Usage(
        input_tokens=10,
        cache_read_input_tokens=1,
        cache_creation_input_tokens=2,
        cache_creation_long_tokens=1,
        input_audio_tokens=3,
        output_tokens=10,
        reasoning_output_tokens=1,
        output_image_tokens=2,
        audio_seconds=1.0,
        trained_tokens=1,
    )
    found = _priced(prices, usage, tool_calls={"x": 1})

    assert dict(found.classes) == {
        "input": 4 + 11,
        "cache_read": 2,
        "cache_creation": 3 + 4,
        "output": 35 + 6,
        "audio": 21 + 9,
        "image": 16,
        "tools": 12,
        "other": 10,
    }
    assert tuple(found.classes) == CLASSES
    assert found.list_cost == sum(found.classes.values())


def test_a_cost_that_is_not_known_has_no_classes() -> None:
    """Nobody can add them up by mistake."""
    assert _priced({"audio_second": "1"}, make_usage()).classes == {}
