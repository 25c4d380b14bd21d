"""Text without meaning, of a wanted length. A token is taken to be four characters."""

from random import Random
from typing import Final

from monitor.demo.prompt_cache import TOKEN_LENGTH

_SENTENCES: Final = (
    "The parcel left the warehouse this morning and should be with you on Thursday. ",
    "For trail running in wet weather the second pair has the better sole. ",
    "You can send an item back within thirty days if the label is still on it. ",
    "The three results with the highest score share a category and a brand. ",
    "This change moves the retry into the client and removes a lock nobody held. ",
    "The contract renews by itself unless one side ends it sixty days before. ",
    "Sizes run small, so most people who wear a 42 are happier with a 43. ",
    "The voucher was applied to the basket, but shipping is not part of it. ",
    "A test for the empty list is missing; the loop would then read past its end. ",
    "The summary covers the second quarter, with the figures of the first for comparison. ",
    "Both jackets are waterproof; the lighter one packs into its own pocket. ",
    "Please confirm the address, as the street and the postal code do not match. ",
)
_LENGTH: Final = 400_000
_SEED: Final = "words"


def _corpus() -> str:
    random = Random(_SEED)  # noqa: S311 - nothing secret
    parts: list[str] = []
    length = 0
    while length < _LENGTH:
        parts.append(random.choice(_SENTENCES))
        length += len(parts[-1])
    return "".join(parts)


_CORPUS: Final = _corpus()


def text_of(tokens: int, random: Random) -> str:
    """A text that counts as this many tokens, drawn anew at each call."""
    wanted = tokens * TOKEN_LENGTH
    start = random.randrange(_LENGTH)
    text = _CORPUS[start : start + wanted]
    while len(text) < wanted:
        text += _CORPUS[: wanted - len(text)]
    return text


def fixed_text(name: str, tokens: int) -> str:
    """A text that counts as this many tokens, the same one for the same name."""
    return text_of(tokens, Random(name))  # noqa: S311 - nothing secret


def tokens_of(text: str) -> int:
    """How many tokens a text counts as; at least one."""
    return max(1, len(text) // TOKEN_LENGTH)
