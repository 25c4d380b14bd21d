"""Why litellm says that a request costs something else than we say, and who is right."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

EVERY = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One request of the grid, and what it costs: USD as text, `-` where it has no price."""

    model: str
    tier: str
    usage: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One way to disagree: for which cells it holds, as patterns.

    Attributes:
        right: `ours`, `theirs` or `undecided`.
    """

    name: str
    right: str
    why: str
    models: tuple[str, ...] = EVERY
    tiers: tuple[str, ...] = EVERY
    usages: tuple[str, ...] = EVERY
    ours: str = "*"
    theirs: str = "*"

    def holds(self, cell: Cell) -> bool:
        """Whether it explains this cell."""
        pairs: Iterable[tuple[str, tuple[str, ...]]] = (
            (cell.model, self.models),
            (cell.tier, self.tiers),
            (cell.usage, self.usages),
            (cell.ours, (self.ours,)),
            (cell.theirs, (self.theirs,)),
        )
        return all(any(fnmatchcase(value, pattern) for pattern in patterns) for value, patterns in pairs)


REASONS = (
    Reason(
        name="nothing is no price",
        right="ours",
        why="litellm says 0 for tokens, characters and seconds that its row has no price for; here they are unpriced",
        ours="-",
        theirs="0",
    ),
    Reason(
        name="only litellm has a price",
        right="undecided",
        why="no price is published for these models; here they are unpriced until somebody sets one",
        models=("daybreak*", "gpt-daybreak*", "gpt-5.5-cyber-preview", "gpt-6-astra-law"),
        ours="-",
    ),
    Reason(
        name="a tier that a model does not have",
        right="ours",
        why="litellm takes the standard price; an answer in such a tier is not known to come, and is unpriced here",
        tiers=("ultrafast", "flex", "priority"),
        ours="-",
    ),
    Reason(
        name="cached taken for written",
        right="ours",
        why="litellm's row of this trained model has the cached price as that of writing, and another price in batches",
        models=("ft:gpt-4o-2024-11-20",),
    ),
    Reason(
        name="tiers of models that go by another name",
        right="undecided",
        why="genai-prices knows them as a model that has tiers, litellm has no tiers for them",
        models=("gpt-5-c*", "gpt-5.1-c*", "gpt-5.2-c*", "gpt-4o-mini-search-preview*"),
        tiers=("flex", "priority"),
    ),
    Reason(
        name="priority of a long prompt",
        right="undecided",
        why="not offered; here the priority price of a short prompt holds, at litellm the standard one of a long one",
        models=("gpt-5.4*", "gpt-5.5*"),
        tiers=("priority",),
        usages=("long",),
    ),
    Reason(
        name="flex of a long prompt",
        right="ours",
        why="half of the long price, as the page says; litellm has no long price in that tier",
        models=("gpt-5.5-pro*",),
        tiers=("flex", "batch"),
        usages=("long",),
    ),
    Reason(
        name="a long prompt to gpt-5.6-cyber",
        right="undecided",
        why="litellm has a price for it, genai-prices has one price for all",
        models=("gpt-5.6-cyber",),
        tiers=("default", "flex", "priority", "region"),
        usages=("long",),
    ),
    Reason(
        name="cyber models in a region",
        right="ours",
        why="a tenth more for all models that came out since March 2026; litellm's rows of these two do not say so",
        models=("gpt-5.5-cyber", "gpt-5.6-cyber"),
        tiers=("region",),
    ),
    Reason(
        name="written for 12 hours",
        right="undecided",
        why="twice the input, as the page says; at litellm twice what 30 minutes cost, 2.5 times the input",
        tiers=("default",),
        usages=("kept",),
    ),
    Reason(
        name="cached tokens for nothing",
        right="ours",
        why="litellm charges none in a batch where its row has no cached price; they cost what the input does",
        tiers=("batch",),
        usages=("cached",),
        theirs="0",
    ),
    Reason(
        name="cached tokens in a batch",
        right="ours",
        why="the page names no cached price in batches, so the standard one holds; litellm takes the full batch price",
        models=("gpt-4.1*", "o3", "o3-2*", "o4-mini", "o4-mini-2*"),
        tiers=("batch",),
        usages=("cached",),
    ),
    Reason(
        name="batches of models without a batch price",
        right="undecided",
        why="litellm halves every price; here a model that no list has in batches costs the standard price in them",
        tiers=("batch",),
    ),
    Reason(
        name="cached tokens of a model that searches",
        right="undecided",
        why="litellm has a cached price, genai-prices none",
        models=("gpt-4o-search-preview*",),
        usages=("cached",),
    ),
    Reason(
        name="searches",
        right="ours",
        why="10 a thousand with every model; litellm has 25 for some, the price of the preview tool, none for many",
        usages=("searched",),
    ),
    Reason(
        name="sound that is transcribed",
        right="undecided",
        why="6 and 3 as in genai-prices and on the page of 2025, or that of text as in litellm and on the page of 2026",
        models=("gpt-4o*transcribe*",),
        usages=("heard",),
    ),
    Reason(
        name="minutes that are transcribed",
        right="ours",
        why="the page's figure by the minute is an estimate; these models are paid by the tokens that answers state",
        models=("gpt-4o*transcribe*",),
        usages=("minute",),
    ),
)
"""The first one that holds explains a cell."""


def reason_of(cell: Cell) -> Reason | None:
    """Why the two disagree; None where nobody has looked yet."""
    return next((reason for reason in REASONS if reason.holds(cell)), None)
