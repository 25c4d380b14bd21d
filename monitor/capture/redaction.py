"""Takes secrets and bulk out of contents before anything of them is written."""

from collections.abc import Sequence
from typing import Any, Final

from monitor.capture.bulk import note_of_numbers, without_base64
from monitor.capture.inner_json import dumped, unescaped, value_in
from monitor.capture.own_keys import without_own_keys
from monitor.capture.personal import PRESETS
from monitor.capture.secret_forms import STEPS, Step, replacing
from monitor.capture.secret_names import HEADERS, LOGPROBS, LONGEST_NAME, PROPERTIES, REDACTED, SECRET, kind_of

_LOGPROBS_NOTE: Final = "[left out]"
_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_COMPOSED: Final = frozenset({"$ref", "anyOf", "oneOf", "allOf"})
_EXAMPLES: Final = frozenset({"default", "const", "enum", "example", "examples"})
_MOST_NAMES: Final = 1024


class Redaction:
    """Replaces what is secret by `[redacted]`, and bulk that nobody reads by a note of its size."""

    def __init__(self, patterns: Sequence[str] = (), keys: Sequence[str] = ()) -> None:
        """Compile once.

        Args:
            patterns: regular expressions, or `email` or `card`, besides the ones for keys and tokens.
            keys: what to take out wherever it stands.
        """
        own = [Step((), without_own_keys(keys), sees_numbers=True)] if keys else []
        self._asked = [_step_of(pattern) for pattern in patterns]
        self._steps = (*own, *STEPS, *self._asked)
        self._of_numbers = [step for step in self._steps if step.sees_numbers]
        self._of_json = [step for step in self._steps if step.sees_json]
        self._names: dict[str, tuple[str, str | None]] = {}

    def text(self, text: str) -> str:
        """The text without secrets and bulk."""
        text = without_base64(text)
        value = value_in(text)
        if value is not None:
            try:
                return self._inner(text, value)
            except RecursionError:
                # Nested too deeply: a text like any other.
                pass
        if "\\" in text:
            # The program's own patterns may mean the backslash; what keys look like never does.
            text = _through(self._asked, text)
            plain = unescaped(text)
            opened = _through(self._steps, plain)
            if opened != plain:
                return opened
        return _through(self._steps, text)

    def value(self, value: Any) -> Any:
        """A JSON value without secrets and bulk, in names, texts and numbers.

        Raises:
            RecursionError: it is nested too deeply.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return note_of_numbers(value) or [self.value(part) for part in value]
        if self._of_numbers and isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            shown = _through(self._of_numbers, text)
            return value if shown == text else shown
        return value

    def _object(self, value: dict[str, Any], *, is_schema: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, part in value.items():
            told, kind = self._name(name)
            if kind is None:
                shown[told] = self.value(part)
            elif is_schema and _describes(part):
                shown[told] = self._description(part, is_secret=kind is SECRET)
            else:
                shown[told] = self._named(kind, part)
        if "value" in value and kind_of(str(value.get("name", value.get("key")))) is SECRET:
            # A header or a variable, told as a pair.
            shown["value"] = self._blank(value["value"])
        return shown

    def _named(self, kind: str, part: Any) -> Any:
        """A member whose name tells what it holds."""
        if kind is SECRET or (kind is HEADERS and _has_pairs(part)):
            return self._blank(part)
        if kind is LOGPROBS and part and isinstance(part, dict | list):
            return _LOGPROBS_NOTE
        if kind is PROPERTIES and isinstance(part, dict):
            return self._object(part, is_schema=True)
        return self.value(part)

    def _description(self, schema: dict[str, Any], *, is_secret: bool) -> dict[str, Any]:
        """A property of a JSON schema, which may have the name of a secret and show one."""
        shown = self._object(schema)
        if is_secret:
            shown |= {name: self._blank(schema[name]) for name in _EXAMPLES & schema.keys()}
        return shown

    def _blank(self, value: Any) -> Any:
        """A value whose texts are all secret."""
        if isinstance(value, str):
            return REDACTED if value else value
        if isinstance(value, dict):
            return {self._name(name)[0]: self._blank(part) for name, part in value.items()}
        return [self._blank(part) for part in value] if isinstance(value, list) else value

    def _name(self, name: str) -> tuple[str, str | None]:
        """The name of a member as it is kept, and what it holds: the usual ones are few, and looked at once."""
        known = self._names.get(name)
        if known is None:
            known = self.text(name), kind_of(name)
            if len(name) <= LONGEST_NAME and known[0] == name and len(self._names) < _MOST_NAMES:
                self._names[name] = known
        return known

    def _inner(self, text: str, value: Any) -> str:
        """A text that is JSON: left as it was written where nothing in it is secret."""
        shown = self.value(value)
        if shown != value or "\\u" in text:
            text = dumped(shown)
        return _through(self._of_json, text)


def _step_of(pattern: str) -> Step:
    return PRESETS.get(pattern) or Step((), replacing(pattern), sees_numbers=True)


def _through(steps: Sequence[Step], text: str) -> str:
    lowered = text.lower()
    for step in steps:
        if not step.words or any(map(lowered.__contains__, step.words)):
            text = step.out_of(text)
    return text


def _has_pairs(part: Any) -> bool:
    """Whether headers are told with their values: those of a table are a list of names."""
    return isinstance(part, dict) or (isinstance(part, list) and not all(isinstance(one, str) for one in part))


def _describes(part: Any) -> bool:
    """Whether this is a JSON schema."""
    if not isinstance(part, dict):
        return False
    kind = part.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return not _COMPOSED.isdisjoint(part) or (
        bool(kinds) and all(isinstance(one, str) and one in _TYPES for one in kinds)
    )
