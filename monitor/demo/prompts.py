"""What the pretended programs are given to ask."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One task for a model; `system` is the same in every call of a feature, `text` is not."""

    model: str
    system: str
    text: str
    output_limit: int
    user: str
