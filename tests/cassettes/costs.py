"""What the recorded interactions cost, and why the cost of some is not known."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.pricing.book import PriceBook
from monitor.pricing.sessions import CONTAINER
from tests.cassettes.campaign import Campaign
from tests.cassettes.compare import Stored, states_units

_UNKNOWN = ("unpriced", "impossible", "no_usage")
_AMOUNTS = {
    "input_characters": "spoken characters have no price, and tokens are not stated",
    "audio_seconds": "seconds have no price, and tokens are not stated",
    "image_count": "pictures of that size have no price",
    "video_seconds": "video of that size has no price",
    "trained_tokens": "training has no price",
}


@dataclass(frozen=True)
class Costs:
    """Of the interactions that state usage: how many there are by state, and how many by what their cost lacks."""

    states: Mapping[str, int]
    reasons: Mapping[str, int]
    nameless: tuple[str, ...]

    def table(self) -> str:
        """States, reasons and the share without a cost, as Markdown."""
        total, unknown = sum(self.states.values()), sum(self.states.get(state, 0) for state in _UNKNOWN)
        lines = ["| state or reason | interactions |", "| --- | --- |"]
        lines += [f"| {name} | {count} |" for name, count in sorted(self.states.items(), key=_falling)]
        lines += [f"| no cost: {name} | {count} |" for name, count in sorted(self.reasons.items(), key=_falling)]
        return "\n".join([*lines, f"| share without a cost | {unknown / total:.1%} of {total:,} |"])


def _falling(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def costs_of(campaign: Campaign, book: PriceBook) -> Costs:
    """Look at every request of an interaction that states usage."""
    found = [
        (row.id, stored)
        for row in campaign.rows
        if row.expected["has_usage"] or states_units(row)
        for stored in campaign.stored[row.id]
    ]
    reasons = {row_id: reason_of(stored, book) for row_id, stored in found if stored["pricing_state"] in _UNKNOWN}
    return Costs(
        states=Counter(stored["pricing_state"] for _, stored in found),
        reasons=Counter(reason for reason in reasons.values() if reason is not None),
        nameless=tuple(row_id for row_id, reason in reasons.items() if reason is None),
    )


def reason_of(stored: Stored, book: PriceBook) -> str | None:
    """What the cost of a request lacks; None where nobody knows."""
    return next(_reasons(stored, book), None)


def _reasons(stored: Stored, book: PriceBook) -> Iterator[str]:
    if stored["pricing_state"] == "no_usage":
        yield "the answer states no usage that counts"
    if stored["pricing_state"] == "impossible":
        yield "parts exceed their whole"
    model = CONTAINER if stored["operation_name"] == "create_container" else stored["model"]
    if model is None:
        yield "no model is named"
        return
    match = book.match(stored["provider_name"], model)
    if match.price_key is None:
        yield f"{stored['provider_name']} {model}: {match.why}"
        return
    priced = {unit for entry in match.entries for unit in entry.unit_prices}
    for tool, count in (stored["tool_calls"] or {}).items():
        if count and f"tool:{tool}" not in priced:
            yield f"calls of {tool} at {stored['provider_name']} have no price"
    for memory, count in (stored["container_sessions"] or {}).items():
        if count and f"container:{memory}" not in priced:
            yield f"a container whose memory is {memory}"
    yield from (why for name, why in _AMOUNTS.items() if stored[name])
