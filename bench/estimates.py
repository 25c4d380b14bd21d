"""How far estimates of usage are from what was stated, over recorded traffic.

    python -m bench.estimates

Streams that state their usage are estimated as if they had not. An answer that is no stream is estimated as one that
came word by word in one delta. Rows that state the same for the same text count once.
"""

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from monitor.capture.endpoints import endpoint_of
from monitor.capture.estimates import estimate
from tests.cassettes.material import Row, read_rows

KINDS = {"chat": "/chat/completions", "responses": "/responses", "completions": "/completions"}
_NOT_TEXT = (
    *(b"image_url", b"input_image", b"input_file", b"input_audio", b'"file"', b"encrypted_content"),
    *(b"previous_response_id", b"item_reference", b'"conversation"', b"web_search", b"file_search", b'"audio"'),
    *(b"code_interpreter", b"image_generation", b"computer", b'"mcp"', b"shell", b"apply_patch", b'"prompt":{'),
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """An estimate beside what was stated."""

    row: Row
    part: str
    stated: int
    estimated: int

    @property
    def error(self) -> float:
        return (self.estimated - self.stated) / self.stated

    @property
    def is_text(self) -> bool:
        """Whether all that went in was text in the request itself."""
        return not any(mark in (self.row.request_body or b"") for mark in _NOT_TEXT)

    @property
    def has_reasoned(self) -> bool:
        """Whether the model is one that may reason, told or not."""
        model = self.row.expected["model"] or ""
        return bool(self.row.expected["reasoning_tokens"]) or model.startswith(("gpt-5", "o1", "o3", "o4", "muse"))


def main() -> None:
    """Print a line for each kind of text."""
    found = list(comparisons())
    print(f"{'':44}{'rows':>6}{'median':>9}{'p90':>9}{'bias':>9}{'sum':>8}")
    for name, is_wanted in _LINES.items():
        print(f"{name:44}{_figures([one for one in found if is_wanted(one)])}")


_LINES: dict[str, Callable[[Found], bool]] = {
    "input, text": lambda one: one.part == "input" and one.is_text and not _has_tools(one.row),
    "input, text and tools": lambda one: one.part == "input" and one.is_text and _has_tools(one.row),
    "input, all": lambda one: one.part == "input",
    "output, stream": lambda one: one.part == "output" and one.row.is_event_stream and not one.has_reasoned,
    "output, stream, 20 tokens or more": lambda one: (
        one.part == "output" and one.row.is_event_stream and not one.has_reasoned and one.stated >= 20
    ),
    "output, whole answer": lambda one: one.part == "output" and not one.row.is_event_stream and not one.has_reasoned,
    "output, whole answer, 20 tokens or more": lambda one: (
        one.part == "output" and not one.row.is_event_stream and not one.has_reasoned and one.stated >= 20
    ),
    "output, all, of models that reason": lambda one: one.part == "output" and one.has_reasoned,
}


def _figures(found: Sequence[Found]) -> str:
    errors = sorted(abs(one.error) for one in found)
    bias = statistics.median(one.error for one in found)
    total = sum(one.estimated for one in found) / sum(one.stated for one in found)
    return (
        f"{len(found):6}{statistics.median(errors):9.1%}{errors[int(len(errors) * 0.9)]:9.1%}{bias:+9.1%}{total:8.2f}"
    )


def _has_tools(row: Row) -> bool:
    asked = row.asked_for() or {}
    return any(asked.get(name) for name in ("tools", "functions", "response_format", "text"))


def comparisons() -> Iterator[Found]:
    """Estimates of all rows that state usage."""
    seen = set()
    for row in read_rows():
        if row.kind not in KINDS or row.status >= 400 or row.elided or not row.expected["has_usage"]:
            continue
        pieces = (row.response_body,) if row.is_event_stream else as_stream(row)
        model = row.expected["model"] or row.expected["request_model"]
        found = estimate(row.request_body, pieces, endpoint_of("POST", KINDS[row.kind]), model)
        for part in ("input", "output"):
            stated, estimated = row.expected[f"{part}_tokens"], found.get(f"{part}_tokens")
            key = (part, stated, row.request_body if part == "input" else b"".join(pieces))
            if stated and isinstance(estimated, int) and key not in seen:
                seen.add(key)
                yield Found(row=row, part=part, stated=stated, estimated=estimated)


def as_stream(row: Row) -> tuple[bytes, ...]:
    """A whole answer as the events of a stream, each text or call in one."""
    body = json.loads(row.response_body)
    events: list[object] = [
        {"choices": [{"delta": choice.get("message"), "text": choice.get("text")}]}
        for choice in body.get("choices") or []
    ]
    for item in body.get("output") or []:
        events.append({"type": "response.output_item.added", "item": {"name": item.get("name")}})
        texts = [part.get("text") or part.get("refusal") for part in item.get("content") or []]
        parts = (*texts, item.get("arguments"), item.get("input"))
        events.extend({"type": "response.output_text.delta", "delta": text} for text in parts if isinstance(text, str))
    return tuple(b"data: %s\n\n" % json.dumps(event).encode() for event in events)


if __name__ == "__main__":
    main()
