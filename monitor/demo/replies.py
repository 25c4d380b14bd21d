"""What the pretended API decided to answer, before it is put into the shape of an endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from monitor.demo.answers import Answer, Timing, draw_answer, draw_timing, written_tokens
from monitor.demo.asks import Ask
from monitor.demo.models import Model
from monitor.demo.words import text_of, tokens_of

_MOST_PIECES = 40
_TIERS = {"flex": "flex", "priority": "priority", "fast": "priority"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer with everything its body needs."""

    ask: Ask
    model: Model
    number: int
    created: int
    input_tokens: int
    cached_tokens: int
    written_tokens: int
    answer: Answer
    timing: Timing
    service_tier: str
    pieces: Sequence[str]

    @property
    def text(self) -> str:
        """The whole text that the reader sees."""
        return "".join(self.pieces)


def make_reply(random: Random, ask: Ask, model: Model, *, cached_tokens: int, created: int) -> Reply:
    """Draw an answer to `ask`; `number` is 128 random bits to make ids of."""
    input_tokens = tokens_of(ask.text)
    if model.is_embedding:
        answer = Answer(0, 0, is_cut=False)
    else:
        answer = draw_answer(random, model, limit=ask.output_limit, effort=ask.effort)
    return Reply(
        ask=ask,
        model=model,
        number=random.getrandbits(128),
        created=created,
        input_tokens=input_tokens,
        cached_tokens=cached_tokens,
        written_tokens=written_tokens(model, input_tokens=input_tokens, cached_tokens=cached_tokens),
        answer=answer,
        timing=draw_timing(random, model, output_tokens=answer.output_tokens, tier=ask.service_tier),
        service_tier=_TIERS.get(ask.service_tier or "auto", "default"),
        pieces=_pieces(random, answer.output_tokens - answer.reasoning_tokens),
    )


def _pieces(random: Random, tokens: int) -> Sequence[str]:
    text = text_of(tokens, random)
    count = max(1, min(_MOST_PIECES, tokens))
    size = max(1, -(-len(text) // count))
    return [text[start : start + size] for start in range(0, len(text), size)]
