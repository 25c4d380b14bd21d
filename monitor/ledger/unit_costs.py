"""The list cost of what is paid for by other units than tokens, in SQL: tools, pictures, seconds, characters."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from monitor.ledger.token_costs import COUNT, TOKEN_COUNTS, Stated, TokenSql, cost, tokens

_SECONDS: Final = "decimal(12, 3)"
_QUANTITIES: Final = ("audio_seconds", "input_characters", "image_count", "video_seconds", "trained_tokens")


@dataclass(frozen=True)
class UnitSql:
    """SQL over a record and its price entry `p`.

    Attributes:
        stated: the facts.
        has_priced_tokens: SQL that holds where a price for tokens covers the work already.
        tool_entry: alias of the price entry of its tool's model; any where no record has one.
    """

    stated: Stated
    has_priced_tokens: str
    tool_entry: str

    @property
    def audio(self) -> str:
        """USD of seconds heard or spoken, and of characters spoken."""
        seconds = self._seconds("audio_seconds", "p.audio_second")
        return f"{seconds} + {self._instead('input_characters', self._count('input_characters', self._character))}"

    @property
    def image(self) -> str:
        """USD of pictures paid for one by one."""
        return self._instead("image_count", self._count("image_count", self._picture))

    @property
    def other(self) -> str:
        """USD of training and video."""
        video = self._instead("video_seconds", self._seconds("video_seconds", self._video_second))
        return f"{self._count('trained_tokens', 'p.trained')} + {video}"

    @property
    def tools(self) -> str:
        """USD of the calls of tools, and of the model that one of them used."""
        calls = self._each_call(f"cast(called.value as {COUNT}) * p.others['tool:' || called.key]", "list_sum")
        used = " + ".join(self._tool_tokens.costs.values())
        return (
            f"case when {self.stated('tool_calls')} is null then 0 else coalesce({calls}, 0) end"
            f" + case when {self._has_tool_tokens} then {used} else 0 end"
        )

    @property
    def is_stated(self) -> str:
        """Whether anything is."""
        counts = ", ".join(self.stated(name) for name in _QUANTITIES)
        return f"(coalesce({counts}) is not null or {self.stated('tool_calls')} is not null)"

    @property
    def is_priced(self) -> str:
        """Whether a price meets a quantity that is stated."""
        pairs = (f"({self.stated(name)} is not null and {price} is not null)" for name, price in self._prices.items())
        return f"({' or '.join(pairs)})"

    @property
    def lacks_a_price(self) -> str:
        """Whether something was used that has no price, and that no price for tokens covers."""
        lacking = {
            name: f"(coalesce({self.stated(name)}, 0) > 0 and {price} is null)" for name, price in self._prices.items()
        }
        fee = "p.others['tool:' || called.key]"
        unknown = self._each_call(f"called.value < 0 or (called.value > 0 and {fee} is null)", "list_bool_or")
        return f"""(
            {lacking["trained_tokens"]}
            or (not {self.has_priced_tokens} and ({" or ".join(lacking.values())}))
            or case when {self.stated("tool_calls")} is null then false else coalesce({unknown}, false) end
            or ({self._has_tool_tokens} and ({self._tool_price} is null or not {self._tool_tokens.is_priced}))
        )"""

    @property
    def is_impossible(self) -> str:
        """Whether a quantity is negative, or the tokens of a tool's model cannot be."""
        counts = ", ".join(self.stated(name) for name in _QUANTITIES)
        tool = f"{self._has_tool_tokens} and {self._tool_price} is not null and {self._tool_tokens.is_impossible}"
        return f"(least({counts}) < 0 or ({tool}))"

    @cached_property
    def _tool_tokens(self) -> TokenSql:
        names = frozenset(TOKEN_COUNTS) if "tool_usage" in self.stated.names else frozenset[str]()
        used = Stated(names, self.of_tool)
        return tokens(used, self.tool_entry, image_output=used("output_image_tokens"))

    @property
    def _tool_price(self) -> str:
        return f"{self.tool_entry}.sku_price_id"

    def of_tool(self, name: str) -> str:
        """SQL of a count of the tool's model."""
        return f"{self.stated('tool_usage')}['{name}']"

    @property
    def _has_tool_tokens(self) -> str:
        used = self.stated("tool_usage")
        return f"case when {used} is null then false else coalesce(list_max(map_values({used})) > 0, false) end"

    @property
    def _prices(self) -> dict[str, str]:
        prices = ("p.audio_second", self._character, self._picture, self._video_second, "p.trained")
        return dict(zip(_QUANTITIES, prices, strict=True))

    @property
    def _character(self) -> str:
        return 'p."character"'

    @property
    def _picture(self) -> str:
        quality, size = (f"coalesce({self.stated(name)}, 'default')" for name in ("media_quality", "media_size"))
        names = (
            f"'image:' || {quality} || '/' || {size}",
            f"'image:default/' || {size}",
            f"'image:' || {quality} || '/default'",
            "'image:default/default'",
        )
        return f"coalesce({', '.join(f'p.others[{name}]' for name in names)})"

    @property
    def _video_second(self) -> str:
        size = f"coalesce({self.stated('media_size')}, 'default')"
        return f"coalesce(p.others['video_second:' || {size}], p.others['video_second:default'])"

    def _each_call(self, sql: str, added: str) -> str:
        return f"{added}([{sql} for called in map_entries({self.stated('tool_calls')})])"

    def _count(self, name: str, price: str) -> str:
        return cost(self.stated(name), price)

    def _seconds(self, name: str, price: str) -> str:
        return f"coalesce(cast({self.stated(name)} as {_SECONDS}) * {price}, 0)"

    def _instead(self, name: str, sql: str) -> str:
        """A cost where no price for tokens covers the work already."""
        return f"case when {self.stated(name)} is null or {self.has_priced_tokens} then 0 else {sql} end"
