"""The list cost of tokens, in SQL: a count is cut into leaves that have one price each.

A detail is a part of its total, never an addition, and a part without a price of its own stays in its parent. Tokens
that are two parts at once, such as cached audio, are one leaf. So the plain input is what is left of the total, as
genai-prices decomposes it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.ledger.columns import COMPUTED_FACTS, RECORD_COLUMNS
from monitor.pricing.units import WINDOW, WINDOWS_OF

COUNT: Final = "decimal(18, 0)"
INPUT_PARTS: Final = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "input_audio_tokens",
    "input_image_tokens",
)
OUTPUT_PARTS: Final = ("reasoning_output_tokens", "output_audio_tokens", "output_image_tokens")
PARTS_OF_PARTS: Final = ("cache_read_audio_tokens", "cache_read_image_tokens", "cache_creation_long_tokens")
TOKEN_COUNTS: Final = ("input_tokens", "output_tokens", *INPUT_PARTS, *OUTPUT_PARTS, *PARTS_OF_PARTS)


_PARTS_OF: Final = {
    "input_tokens": ("input", (*INPUT_PARTS, *PARTS_OF_PARTS)),
    "output_tokens": ("output", OUTPUT_PARTS),
    "cache_read_input_tokens": ("cache_read", ("cache_read_audio_tokens", "cache_read_image_tokens")),
    "cache_creation_input_tokens": ("cache_creation", ("cache_creation_long_tokens",)),
    "input_audio_tokens": ("input_audio", ("cache_read_audio_tokens",)),
    "input_image_tokens": ("input_image", ("cache_read_image_tokens",)),
}
"""Of each whole the name of its price, and its parts."""

NONE: Final = "0"
_TYPES: Final = {**RECORD_COLUMNS, **COMPUTED_FACTS}
_FACTOR: Final = "decimal(10, 6)"
_FACTORED: Final = "decimal(26, 18)"
"""A price times its factors, which can have more digits before the point than a price."""


@dataclass(frozen=True, slots=True)
class Stated:
    """SQL of facts by their name in a record.

    Attributes:
        names: the facts that some record has; the others are nulls in the text already.
        of: SQL of one that some record has.
    """

    names: frozenset[str]
    of: Callable[[str], str]

    def __call__(self, name: str) -> str:
        """The fact, null where a record does not state it."""
        return self.of(name) if name in self.names else f"cast(null as {_TYPES[name]})"

    def count(self, name: str) -> str:
        """A count, 0 where it is not stated."""
        return f"coalesce({self.of(name)}, 0)" if name in self.names else NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSql:
    """SQL over a record and a price entry.

    Attributes:
        leaves: how many tokens each leaf has, by the name of its price.
        costs: USD of each leaf.
        is_impossible: whether the parts exceed their totals or come without them, or a count is negative.
        is_priced: whether a price for tokens meets a total that is stated.
    """

    leaves: Mapping[str, str]
    costs: Mapping[str, str]
    is_impossible: str
    is_priced: str


def cost(quantity: str, price: str) -> str:
    """SQL of USD; 0 where there is no quantity or no price."""
    return NONE if quantity == NONE else f"coalesce(cast({quantity} as {COUNT}) * {price}, 0)"


def regional(stated: Stated, entry: str) -> str | None:
    """SQL of how many times the tokens of a record cost where they were processed; None where no record says where."""
    if "region" not in stated.names:
        return None
    factor = f"coalesce(cast({entry}.regional as {_FACTOR}), 1)"
    return f"cast(case when {stated('region')} is null then 1 else {factor} end as {_FACTOR})"


def in_window(stated: Stated, entry: str) -> str | None:
    """SQL of how many times the tokens of a record cost that may take long, null for a window that is not known.

    None where no record has a window.
    """
    if "completion_window" not in stated.names:
        return None
    window = stated("completion_window")
    factor = f"cast({entry}.others['{WINDOW}:' || {window}] as {_FACTOR})"
    elsewhere = f"case when s.provider_name <> '{WINDOWS_OF}' then 1 end"
    return f"cast(case when {window} is null then 1 else coalesce({factor}, {elsewhere}) end as {_FACTOR})"


def tokens(stated: Stated, entry: str, *, image_output: str, factor: str | None) -> TokenSql:
    """Cut the tokens of a record.

    Args:
        stated: the counts.
        entry: alias of the price entry.
        image_output: SQL of the output tokens that are pictures, where these have a price.
        factor: SQL of how many times their price they cost; None is once.
    """
    cut = _Cut(stated, entry)
    inputs, outputs = _inputs(cut), _outputs(cut, image_output)
    leaves = {
        "input": cut.plain("input_tokens", inputs),
        **inputs,
        "output": cut.plain("output_tokens", outputs),
        **outputs,
    }
    return TokenSql(
        leaves=leaves,
        costs={name: cost(count, _times(f"{entry}.{name}", factor)) for name, count in leaves.items()},
        is_impossible=_is_impossible(stated, entry, [*leaves.values()]),
        is_priced=f"""(
            ({stated("input_tokens")} is not null and {entry}.input is not null)
            or ({stated("output_tokens")} is not null and {entry}.output is not null and {entry}.input is null)
        )""",
    )


def _times(price: str, factor: str | None) -> str:
    return price if factor is None else f"cast({price} * {factor} as {_FACTORED})"


@dataclass(frozen=True, slots=True)
class _Cut:
    stated: Stated
    entry: str

    def part(self, name: str, *prices: str) -> str:
        """The tokens of a part that has one of these prices, else 0."""
        return self._where(prices, self.stated.count(name))

    def rest(self, name: str, price: str, *smaller: str) -> str:
        """The tokens of a part without those of its own parts."""
        return self._where([price], _less(self.stated.count(name), smaller))

    def plain(self, name: str, parts: Mapping[str, str]) -> str:
        return _less(self.stated.count(name), [*parts.values()])

    def _where(self, prices: Sequence[str], count: str) -> str:
        has = " or ".join(f"{self.entry}.{price} is not null" for price in prices)
        return NONE if count == NONE else f"(case when {has} then {count} else 0 end)"


def _less(count: str, parts: Sequence[str]) -> str:
    taken = [part for part in parts if part != NONE]
    return f"({' - '.join((count, *taken))})" if taken else count


def _inputs(cut: _Cut) -> dict[str, str]:
    audio = cut.part("cache_read_audio_tokens", "cache_read_audio")
    image = cut.part("cache_read_image_tokens", "cache_read_image")
    long = cut.part("cache_creation_long_tokens", "cache_creation_long")
    # Cached audio leaves the audio where it is cheaper, be it at the price of all that is cached.
    no_audio = cut.part("cache_read_audio_tokens", "cache_read_audio", "cache_read")
    no_image = cut.part("cache_read_image_tokens", "cache_read_image", "cache_read")
    return {
        "cache_read": cut.rest("cache_read_input_tokens", "cache_read", audio, image),
        "cache_read_audio": audio,
        "cache_read_image": image,
        "cache_creation": cut.rest("cache_creation_input_tokens", "cache_creation", long),
        "cache_creation_long": long,
        "input_audio": cut.rest("input_audio_tokens", "input_audio", no_audio),
        "input_image": cut.rest("input_image_tokens", "input_image", no_image),
    }


def _outputs(cut: _Cut, image_output: str) -> dict[str, str]:
    return {
        "reasoning": cut.part("reasoning_output_tokens", "reasoning"),
        "output_audio": cut.part("output_audio_tokens", "output_audio"),
        "output_image": (
            f"(case when {cut.entry}.output_image is not null then coalesce({image_output}, 0) else 0 end)"
        ),
    }


def _is_impossible(stated: Stated, entry: str, leaves: list[str]) -> str:
    all_counts = [*(stated(name) for name in TOKEN_COUNTS if name in stated.names), *leaves]
    headless = (
        f" or ({entry}.{price} is not null and {stated(whole)} is null"
        f" and coalesce(greatest({', '.join(stated(part) for part in parts if part in stated.names)}), 0) > 0)"
        for whole, (price, parts) in _PARTS_OF.items()
        if not stated.names.isdisjoint(parts)
    )
    return f"(least({', '.join(dict.fromkeys(all_counts))}) < 0{''.join(headless)})"
