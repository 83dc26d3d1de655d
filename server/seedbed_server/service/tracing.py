"""A span of OpenTelemetry for each call.

The standard variables OTEL_* say where spans go, and which calls have one. OpenTelemetry is
imported only where an operator wants it.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import grpc

from seedbed.spec.errors import SeedbedError
from seedbed_server.service.metrics import Method

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

# The statuses of calls that failed by a fault of the server's, and not of the client's
# (OpenTelemetry's conventions for gRPC).
SERVER_FAULTS = {
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
}
# In the log's line of a call, but not among the span's own attributes.
OF_THE_LINE = ("method", "code", "seconds")


Fields = Mapping[str, str | int | float]
EndSpan = Callable[[str, Fields], None]
"""Ends a call's span with its status code's name, and what the log says of the call."""


class TracingError(SeedbedError):
    """What tracing needs is not installed."""


class Tracing:
    """Makes a span of each call.

    Args:
        provider: of OpenTelemetry's SDK; shut down by whoever made it.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = provider.get_tracer("seedbed_server")
        self._kind = SpanKind.SERVER
        self._error = Status(StatusCode.ERROR)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, method: Method, metadata: Iterable[tuple[str, str | bytes]]) -> EndSpan:
        """Begin the span of a call, a part of the client's trace if it has one."""
        headers = {key: value for key, value in metadata if isinstance(value, str)}
        span = self._tracer.start_span(
            f"{method.service}/{method.name}",
            context=self._propagator.extract(headers),
            kind=self._kind,
            attributes={
                "rpc.system": "grpc",
                "rpc.service": method.service,
                "rpc.method": method.name,
            },
        )
        return functools.partial(self._end, span)

    def _end(self, span: "Span", code: str, fields: Fields) -> None:
        span.set_attribute("rpc.grpc.status_code", grpc.StatusCode[code].value[0])
        for name, value in fields.items():
            if name not in OF_THE_LINE:
                span.set_attribute(f"seedbed.{name}", value)
        if code in SERVER_FAULTS:
            span.set_status(self._error)
        span.end()


def check_installed() -> None:
    """Raise unless the packages are there.

    Raises:
        TracingError: naming one that is not, and the extra that brings it.
    """
    try:
        import opentelemetry.exporter.otlp.proto.grpc
        import opentelemetry.sdk.trace
    except ModuleNotFoundError as error:
        message = f"{error.name} is missing: pip install 'seedbed[tracing]'"
        raise TracingError(message) from None
    del opentelemetry


def open_provider(version: str) -> "TracerProvider":
    """Return what sends spans to where the variables say, by OTLP over gRPC.

    Raises:
        TracingError: if a package is missing.
    """
    check_installed()
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = {"service.name": "seedbed-server", "service.version": version}
    resource = Resource.create(own | dict(OTELResourceDetector().detect().attributes))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
