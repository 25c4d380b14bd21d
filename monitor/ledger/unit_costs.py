"""The list cost of what is paid for by other units than tokens, in SQL: tools, pictures, seconds, characters."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from monitor.ledger.token_costs import COUNT, NONE, TOKEN_COUNTS, Stated, TokenSql, cost, regional, tokens

_SECONDS: Final = "decimal(12, 3)"
_FEES: Final = {"tool_calls": "tool", "container_sessions": "container"}
"""What is counted by name and paid each, and the kind of its units."""
QUANTITIES: Final = ("audio_seconds", "input_characters", "image_count", "video_seconds", "trained_tokens")


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
        """USD of the calls of tools, of the containers they began, and of the model that one of them used."""
        used = NONE
        if "tool_usage" in self.stated.names:
            used = f"case when {self._has_tool_tokens} then {' + '.join(self._tool_tokens.costs.values())} else 0 end"
        return " + ".join((*(self._fees(name, kind) for name, kind in _FEES.items()), used))

    @property
    def is_stated(self) -> str:
        """Whether anything is."""
        counts = ", ".join(self.stated(name) for name in QUANTITIES)
        fees = " or ".join(f"{self.stated(name)} is not null" for name in _FEES if name in self.stated.names)
        return f"(coalesce({counts}) is not null or {fees or 'false'})"

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
        unpaid = " or ".join(self._lacks_a_fee(name, kind) for name, kind in _FEES.items() if name in self.stated.names)
        return f"""(
            {lacking["trained_tokens"]}
            or (not {self.has_priced_tokens} and ({" or ".join(lacking.values())}))
            or {unpaid or "false"}
            or ({self._has_tool_tokens} and ({self._tool_price} is null or not {self._tool_tokens.is_priced}))
        )"""

    @property
    def is_impossible(self) -> str:
        """Whether the tokens of a tool's model cannot be."""
        return f"({self._has_tool_tokens} and {self._tool_price} is not null and {self._tool_tokens.is_impossible})"

    @cached_property
    def _tool_tokens(self) -> TokenSql:
        names = frozenset(TOKEN_COUNTS) if "tool_usage" in self.stated.names else frozenset[str]()
        used = Stated(names, self.of_tool)
        pictures, factor = used("output_image_tokens"), regional(self.stated, self.tool_entry)
        return tokens(used, self.tool_entry, image_output=pictures, factor=factor)

    @property
    def _tool_price(self) -> str:
        return f"{self.tool_entry}.sku_price_id"

    @property
    def tool_price_id(self) -> str:
        """SQL of the id of the entry by which what a tool's model used is priced; null where it used nothing."""
        return f"case when {self._has_tool_tokens} then {self._tool_price} end"

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
        return dict(zip(QUANTITIES, prices, strict=True))

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

    def _fees(self, name: str, kind: str) -> str:
        """USD of what is counted by name and has a fee each."""
        if name not in self.stated.names:
            return NONE
        each = f"cast(called.value as {COUNT}) * p.others['{kind}:' || called.key]"
        return (
            f"case when {self.stated(name)} is null then 0 else coalesce({self._each(name, each, 'list_sum')}, 0) end"
        )

    def _lacks_a_fee(self, name: str, kind: str) -> str:
        lacking = f"called.value < 0 or (called.value > 0 and p.others['{kind}:' || called.key] is null)"
        found = self._each(name, lacking, "list_bool_or")
        return f"case when {self.stated(name)} is null then false else coalesce({found}, false) end"

    def _each(self, name: str, sql: str, added: str) -> str:
        return f"{added}([{sql} for called in map_entries({self.stated(name)})])"

    def _count(self, name: str, price: str) -> str:
        return cost(self.stated(name), price)

    def _seconds(self, name: str, price: str) -> str:
        return f"coalesce(cast({self.stated(name)} as {_SECONDS}) * {price}, 0)"

    def _instead(self, name: str, sql: str) -> str:
        """A cost where no price for tokens covers the work already."""
        return f"case when {self.stated(name)} is null or {self.has_priced_tokens} then 0 else {sql} end"
