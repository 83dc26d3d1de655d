"""The trace that a call is a part of, where the program traces itself with OpenTelemetry."""

import sys


def trace_headers() -> dict[str, str]:
    """Return the current span's headers (W3C Trace Context); none where there is no span.

    Nothing is imported: a program that has a span has imported OpenTelemetry.
    """
    # Another thread may be importing it just now.
    current = getattr(sys.modules.get("opentelemetry.trace"), "get_current_span", None)
    context = current().get_span_context() if current is not None else None
    if context is None or not context.is_valid:
        return {}
    ids = f"{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    headers = {"traceparent": f"00-{ids}", "tracestate": context.trace_state.to_header()}
    return {name: value for name, value in headers.items() if value}
