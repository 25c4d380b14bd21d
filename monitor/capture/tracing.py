"""The trace that is active where a call is made, if the program traces itself with OpenTelemetry."""

import sys
from typing import Final

TRACING: Final = "opentelemetry.trace"
"""The module that a program has loaded if it traces itself."""


def current_trace() -> tuple[str | None, str | None]:
    """Trace id (32 hex digits) and span id (16 hex digits) of the active span; None and None where there is none.

    OpenTelemetry is never imported here: a program that did not load it has no active span.
    """
    api = sys.modules.get(TRACING)
    if api is None:
        return None, None
    # While another thread is still importing it, it may lack its functions.
    get_current_span = getattr(api, "get_current_span", None)
    if get_current_span is None:
        return None, None
    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None, None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"
