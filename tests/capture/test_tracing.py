"""The active span of OpenTelemetry, where the program has one."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from monitor.capture.tracing import current_trace
from tests.capture.program import output_of


def test_the_active_span_is_told() -> None:
    """Its ids as they are written everywhere: 32 and 16 hex digits."""
    tracer = TracerProvider().get_tracer("tests")
    with tracer.start_as_current_span("outer") as outer:
        with tracer.start_as_current_span("inner") as inner:
            found = current_trace()
        after = current_trace()

    context = inner.get_span_context()
    assert found == (trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id))
    assert after == (found[0], trace.format_span_id(outer.get_span_context().span_id))


def test_small_ids_keep_their_zeros() -> None:
    """An id is a number; its leading zeros count."""
    context = trace.SpanContext(trace_id=1, span_id=2, is_remote=True)
    with trace.use_span(trace.NonRecordingSpan(context)):
        assert current_trace() == ("0" * 31 + "1", "0" * 15 + "2")


def test_without_a_span_there_is_none() -> None:
    """Loaded, but not inside any span."""
    assert current_trace() == (None, None)


@pytest.mark.parametrize("loaded", ["", "sys.modules['opentelemetry.trace'] = type(sys)('opentelemetry.trace')"])
def test_nothing_is_imported(loaded: str) -> None:
    """A program without OpenTelemetry, or in the middle of its import, has no span, and gets no new module."""
    program = f"""
import sys
{loaded}
from monitor.capture.tracing import current_trace
before = set(sys.modules)
print(current_trace(), set(sys.modules) - before)
"""
    assert output_of(program) == "(None, None) set()\n"
