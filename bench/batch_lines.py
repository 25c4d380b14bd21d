"""What it costs to read the lines of a batch's output while it is downloaded.

    python -m bench.batch_lines [--lines N] [--content]

The file is made up: chats of 1 to 4 kB, or embeddings. Time is of the process, without writing the records; with
`--content` the answers are kept, and their writing is in it.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from monitor.capture.batch_lines import BatchLines
from monitor.capture.contents import ContentKeeper, ContentWriter
from monitor.capture.guarded import Guard
from monitor.health import Health
from monitor.home import Home

_PIECE = 64 * 1024
_USAGE = {
    "prompt_tokens": 14,
    "completion_tokens": 3,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--content", action="store_true")
    arguments = parser.parse_args()
    lines = arguments.lines
    for name, make, count in (("chats", _chat, lines), ("embeddings", _embedding, max(1, lines // 16))):
        content = _content(make, count)
        seconds = min(_measured(content, count, is_kept=arguments.content) for _ in range(3))
        print(
            f"{name}: {count} lines, {len(content) / 1e6:.0f} MB, {seconds / count * 1e6:.1f} µs a line, "
            f"{len(content) / 1e6 / seconds:.0f} MB/s"
        )


def _measured(content: bytes, count: int, *, is_kept: bool) -> float:
    with tempfile.TemporaryDirectory() as directory:
        return _read(content, count, _keeper(Path(directory) / "home") if is_kept else None)


def _keeper(home: Path) -> ContentKeeper:
    health = Health()
    writer = ContentWriter(Home(home), segment_size=32 * 2**20, health=health)
    return ContentKeeper(writer, limit=64 * 2**10, redact=("email", "card"), guard=Guard(health))


def _read(content: bytes, count: int, keeper: ContentKeeper | None) -> float:
    found = [0]

    def append(facts: object) -> None:
        assert isinstance(facts, list)
        found[0] += len(facts)

    base = {"started_at": datetime.now(UTC), "provider_name": "openai", "service": "bench", "call_site": "app.py:3"}
    lines = BatchLines(base, "file-1", append, Health(), keeper=keeper)
    pieces = [content[place : place + _PIECE] for place in range(0, len(content), _PIECE)]
    began = time.process_time()
    for piece in pieces:
        lines.feed(piece)
    lines.end()
    seconds = time.process_time() - began
    assert found == [count]
    return seconds


def _content(make: Callable[[random.Random], object], count: int) -> bytes:
    chance = random.Random(1)
    lines = (
        {
            "id": f"batch_req_{number:032x}",
            "custom_id": f"request-{number}",
            "response": {"status_code": 200, "request_id": f"{number:032x}", "body": make(chance)},
            "error": None,
        }
        for number in range(count)
    )
    return b"\n".join(json.dumps(line).encode() for line in lines)


def _chat(chance: random.Random) -> object:
    text = 'The quick brown fox jumps over the "lazy" dog.\n' * chance.randint(10, 70)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": int(time.time()) - 1_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": _USAGE,
        "service_tier": "default",
    }


def _embedding(chance: random.Random) -> object:
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [chance.random() for _ in range(1_536)]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }


if __name__ == "__main__":
    main()
