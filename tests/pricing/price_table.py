"""Every published price that is known here, as cases: what one request must cost. One table a kind of price."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from monitor.records import Record, Usage
from tests.factories import NOW, make_record
from tests.pricing import published

_TOKENS = 100_000
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Golden:
    """A request and its cost."""

    name: str
    usd: Decimal
    record: Record


def goldens(table: str) -> list[Golden]:
    """All cases of a table."""
    return list(TABLES[table]())


def _rows(table: str) -> Iterator[list[str]]:
    yield from (line.split() for line in table.strip().splitlines())


def _golden(name: str, model: str, usd: str | Decimal, usage: Usage, **facts: Any) -> Golden:
    facts.setdefault("started_at", NOW)
    return Golden(
        name=f"{model} {name}",
        usd=Decimal(usd),
        record=make_record(usage=usage, request_model=model, response_model=None, **facts),
    )


def _tokens(name: str, model: str, usd: str, usage: Usage, **facts: Any) -> Golden:
    """A case whose only tokens of one kind cost `usd` a million."""
    count = max(usage.input_tokens or 0, usage.output_tokens or 0)
    return _golden(name, model, Decimal(usd) * count / _MILLION, usage, **facts)


def _text(name: str, model: str, prices: list[str], *, size: int = _TOKENS, **facts: Any) -> Iterator[Golden]:
    """Cases of input, cached input and output; a cached price that is not there is that of the input."""
    plain, cached, output = prices
    yield _tokens(f"input {name}", model, plain, Usage(input_tokens=size), **facts)
    yield _tokens(
        f"cached {name}",
        model,
        plain if cached == "-" else cached,
        Usage(input_tokens=size, cache_read_input_tokens=size),
        **facts,
    )
    if size == _TOKENS:
        yield _tokens(f"output {name}", model, output, Usage(input_tokens=0, output_tokens=size), **facts)


def _tier_facts(tier: str) -> dict[str, Any]:
    return {"is_batch": True} if tier == "batch" else {"service_tier": tier}


def _plain() -> Iterator[Golden]:
    for model, plain, cached, written, output in _rows(published.TEXT):
        yield from _text("", model, [plain, cached, output])
        usage = Usage(input_tokens=_TOKENS, cache_creation_input_tokens=_TOKENS)
        yield _tokens("written", model, plain if written == "-" else written, usage)
        long = Usage(input_tokens=_TOKENS, cache_creation_input_tokens=_TOKENS, cache_creation_long_tokens=_TOKENS)
        kept = plain if written == "-" else str(2 * Decimal(plain))
        yield _tokens("written for 12 hours", model, kept, long)


def _tiers() -> Iterator[Golden]:
    before_the_list = datetime(2026, 10, 1, tzinfo=UTC)
    for model, tier, *prices in _rows(published.TIERS):
        yield from _text(tier, model, prices, **_tier_facts(tier))
        yield from _text(f"{tier} in September", model, prices, started_at=before_the_list, **_tier_facts(tier))


def _trained() -> Iterator[Golden]:
    for base, *prices, trained in _rows(published.TRAINED):
        model = f"ft:{base}:acme::abc"
        yield from _text("", model, prices)
        if trained != "-":
            for name in (base, model):
                usage = Usage(trained_tokens=_TOKENS)
                yield _golden("training", name, Decimal(trained) * _TOKENS / _MILLION, usage)


def _before() -> Iterator[Golden]:
    for model, day, *prices in _rows(published.BEFORE):
        moment = datetime.fromisoformat(f"{day}T23:59:59+00:00")
        yield from _text(f"on {day}", model, prices, started_at=moment)


def _long() -> Iterator[Golden]:
    for model, plain, cached, output, priority in _rows(published.LONG):
        size = 272_001
        yield from _text("long", model, [plain, cached, output], size=size)
        usage = Usage(input_tokens=size, output_tokens=1_000)
        both = (Decimal(plain) * size + Decimal(output) * 1_000) / _MILLION
        yield _golden("long output", model, both, usage)
        short = Decimal(plain) / 2 * 272_000 / _MILLION
        yield _golden("not yet long", model, short, Usage(input_tokens=272_000))
        if model != "gpt-6-rosalind":
            for tier in ("flex", "batch"):
                yield _golden(f"long {tier}", model, both / 2, usage, **_tier_facts(tier))
        if priority != "-":
            yield _tokens("long priority", model, priority, Usage(input_tokens=size), service_tier="priority")


def _newest() -> Iterator[Golden]:
    for model, day, tier, tokens, plain, cached, written, kept, output in _rows(published.NEWEST):
        size = int(tokens)
        facts = {"started_at": datetime.fromisoformat(f"{day}T12:00:00+00:00"), **_tier_facts(tier)}
        parts: dict[str, dict[str, int]] = {
            plain: {},
            cached: {"cache_read_input_tokens": size},
            written: {"cache_creation_input_tokens": size},
            kept: {"cache_creation_input_tokens": size, "cache_creation_long_tokens": size},
        }
        for price, part in parts.items():
            usd = (Decimal(price) * size + Decimal(output) * 100) / _MILLION
            usage = Usage(input_tokens=size, output_tokens=100, **part)
            name = f"{tier} of {size} on {day}, {[*part]}"
            yield _golden(name, model, usd, usage, **facts)
            yield _golden(f"{name} in a region", model, usd * Decimal("1.1"), usage, region="eu", **facts)


def _audio() -> Iterator[Golden]:
    for model, plain, cached, output, sound, cached_sound, said, picture, cached_picture in _rows(published.AUDIO):
        yield from _text("text", model, [plain, cached, output])
        for kind, price, cached_price in (("audio", sound, cached_sound), ("image", picture, cached_picture)):
            if price != "-":
                parts: dict[str, Any] = {f"input_{kind}_tokens": _TOKENS}
                yield _tokens(f"{kind} in", model, price, Usage(input_tokens=_TOKENS, **parts))
                parts |= {"cache_read_input_tokens": _TOKENS, f"cache_read_{kind}_tokens": _TOKENS}
                usage = Usage(input_tokens=_TOKENS, **parts)
                yield _tokens(f"cached {kind}", model, price if cached_price == "-" else cached_price, usage)
        if said != "-":
            usage = Usage(input_tokens=0, output_tokens=_TOKENS, output_audio_tokens=_TOKENS)
            yield _tokens("audio out", model, said, usage)


def _images() -> Iterator[Golden]:
    for model, plain, cached, picture, cached_picture, drawn in _rows(published.IMAGES):
        facts: dict[str, Any] = {"operation_name": "image_generation"}
        yield from _text("", model, [plain, cached, drawn], **facts)
        usage = Usage(input_tokens=_TOKENS, input_image_tokens=_TOKENS)
        yield _tokens("picture in", model, picture, usage, **facts)
        usage = Usage(
            input_tokens=_TOKENS,
            input_image_tokens=_TOKENS,
            cache_read_input_tokens=_TOKENS,
            cache_read_image_tokens=_TOKENS,
        )
        yield _tokens("cached picture", model, cached_picture, usage, **facts)
        usage = Usage(input_tokens=0, output_tokens=_TOKENS, output_image_tokens=_TOKENS)
        yield _tokens("picture out", model, drawn, usage, **facts)
        yield _tokens("half in a batch", model, str(Decimal(drawn) / 2), usage, is_batch=True, **facts)


def _pictures() -> Iterator[Golden]:
    for model, quality, size, usd in _rows(published.PICTURES):
        facts = {"media_quality": None if quality == "-" else quality, "media_size": size}
        yield _golden(f"{quality} {size}", model, 3 * Decimal(usd), Usage(image_count=3), **facts)


def _videos() -> Iterator[Golden]:
    for model, size, usd in _rows(published.VIDEO):
        usage = Usage(video_seconds=8.0)
        yield _golden(size, model, 8 * Decimal(usd), usage, media_size=size)
        yield _golden(f"{size} batch", model, 4 * Decimal(usd), usage, media_size=size, is_batch=True)


def _minutes() -> Iterator[Golden]:
    for model, usd in _rows(published.MINUTES):
        yield _golden("minute", model, usd, Usage(audio_seconds=60.0))


def _characters() -> Iterator[Golden]:
    for model, usd in _rows(published.CHARACTERS):
        yield _golden("characters", model, Decimal(usd) / 1_000, Usage(input_characters=1_000))


def _calls() -> Iterator[Golden]:
    for model, tool, usd in _rows(published.CALLS):
        usage = Usage(input_tokens=0, output_tokens=0)
        yield _golden(tool, model, Decimal(usd) * 3 / 1_000, usage, tool_calls={tool: 3})


def _regions() -> Iterator[Golden]:
    """A tenth more for models that came out since March 2026, in each tier; older ones cost the same everywhere."""
    dearer = {name for (name,) in _rows(published.REGIONAL)}
    for model, plain, cached, _, output in _rows(published.TEXT):
        factor = Decimal("1.1") if model in dearer else Decimal(1)
        prices = [price if price == "-" else str(Decimal(price) * factor) for price in (plain, cached, output)]
        yield from _text("in a region", model, prices, region="eu")
    for model, tier, *figures in _rows(published.TIERS):
        if model in dearer:
            prices = [price if price == "-" else str(Decimal(price) * Decimal("1.1")) for price in figures]
            yield from _text(f"{tier} in a region", model, prices, region="us", **_tier_facts(tier))


def _sessions() -> Iterator[Golden]:
    """Each made by itself, and begun by a response."""
    for memory, usd in _rows(published.SESSIONS):
        facts: dict[str, Any] = {"container_memory": memory}
        made = _golden(f"{memory} made", "container", usd, Usage(), containers=[f"made-{memory}"], **facts)
        record = msgspec.structs.replace(made.record, request_model=None, operation_name="create_container")
        yield Golden(made.name, made.usd, record)
        names = [f"one-{memory}", f"two-{memory}"]
        usage = Usage(input_tokens=0, output_tokens=0)
        yield _golden(f"two of {memory}", "gpt-5", 2 * Decimal(usd), usage, containers=names, **facts)


def _drawing() -> Iterator[Golden]:
    """A model that draws inside a response is paid beside it."""
    tool_usage = {"input_tokens": 60, "output_tokens": 4_160, "output_image_tokens": 4_160}
    facts = {"tool_model": "gpt-image-1.5", "tool_usage": tool_usage, "tool_calls": {"image_generation": 1}}
    usage = Usage(input_tokens=1_000, output_tokens=100)
    yield _golden("drawing", "gpt-5", "0.13567", usage, **facts)
    yield _golden("decision", "gpt-6-luna", "0.0001", usage, operation_name="decision")


TABLES: dict[str, Callable[[], Iterator[Golden]]] = {
    "text": _plain,
    "tiers": _tiers,
    "trained": _trained,
    "before": _before,
    "long": _long,
    "newest": _newest,
    "audio": _audio,
    "images": _images,
    "pictures": _pictures,
    "video": _videos,
    "minutes": _minutes,
    "characters": _characters,
    "calls": _calls,
    "regions": _regions,
    "sessions": _sessions,
    "other models": _drawing,
}
