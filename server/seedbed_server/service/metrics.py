"""The server's metrics: gRPC's by their usual names, and tensors by seedbed's own.

Never a label by seed, name or peer: a label's values must be few. Every process counts for itself.
Several workers write to files in a folder that all share (prometheus_client's multiprocess mode),
and one endpoint adds them up.
"""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from seedbed_server.sampling.sampler import SamplePlan

# Where the workers of one server keep what they count; read by prometheus_client when it is
# imported.
SHARED_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

# How many processes serve: 1 in each that does.
SERVING = "seedbed_serving"

Lane = Literal["stream", "fill", "shared_memory", "unary"]
"""How a tensor goes to its client: as chunks, as one element, in shared memory, in one message."""

_CALL = ("grpc_type", "grpc_service", "grpc_method")
# From one hop on the same host to a model of many gigabytes.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC as gRPC's own metrics name it."""

    kind: Literal["unary", "server_stream"]
    """What it answers with."""
    service: str
    """The service's full name."""
    name: str
    """The method's name."""

    @property
    def labels(self) -> tuple[str, str, str]:
        """The values of its calls' labels."""
        return self.kind, self.service, self.name


class Metrics:
    """The counters of one process.

    Args:
        version: of the package, for ``seedbed_build_info``.
    """

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        """What an endpoint of this process shows."""
        own = self.registry
        self._version = version
        self._started = Counter("grpc_server_started", "Calls that began.", _CALL, registry=own)
        self._handled = Counter(
            "grpc_server_handled", "Calls that ended.", (*_CALL, "grpc_code"), registry=own
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "From a call's begin to its end.",
            _CALL,
            buckets=_SECONDS,
            registry=own,
        )
        self._messages = Counter("grpc_server_msg_sent", "Messages sent.", _CALL, registry=own)
        self._served = Counter(
            "seedbed_bytes_served",
            "Bytes of tensors given to clients, by how.",
            ("lane",),
            registry=own,
        )
        self._sampled = Counter(
            "seedbed_bytes_sampled",
            "Bytes computed.",
            ("backend", "dtype", "distribution"),
            registry=own,
        )
        self._first_chunk = Histogram(
            "seedbed_time_to_first_chunk_seconds",
            "From the begin of a SampleTensors call to its first message.",
            buckets=_SECONDS,
            registry=own,
        )
        self._streams = Gauge(
            "seedbed_inflight_streams",
            "Streams under way.",
            multiprocess_mode="livesum",
            registry=own,
        )
        self._held = Gauge(
            "seedbed_held",
            "What is in use of what is limited: streams, and bytes.",
            ("resource",),
            multiprocess_mode="livesum",
            registry=own,
        )
        self._waiting = Gauge(
            "seedbed_waiting",
            "Jobs that wait for their turn.",
            ("lane",),
            multiprocess_mode="livesum",
            registry=own,
        )
        self._rejected = Counter(
            "seedbed_rejected", "Calls that were refused, by why.", ("reason",), registry=own
        )
        self._serving = Gauge(
            SERVING, "Processes that serve.", multiprocess_mode="livesum", registry=own
        )
        self._expires: Gauge | None = None
        self._build = Gauge(
            "seedbed_build_info",
            "Always 1; the labels tell what runs.",
            ("version", "numerics", "backend"),
            multiprocess_mode="livemax",
            registry=own,
        )

    def serving(self, numerics: str, backend: str) -> None:
        """Take note of what answers from now on."""
        self._build.labels(self._version, numerics, backend).set(1)
        self._serving.set(1)

    def not_serving(self) -> None:
        """Take note that health says so."""
        self._serving.set(0)

    def call_started(self, method: Method) -> None:
        """Count a call that begins."""
        _child(self._started, *method.labels).inc()
        if method.kind == "server_stream":
            self._streams.inc()

    def call_ended(self, method: Method, code: str, seconds: float, messages: int) -> None:
        """Count a call that ends with a status code's name, after so many messages."""
        _child(self._handled, *method.labels, code).inc()
        _child(self._seconds, *method.labels).observe(seconds)
        _child(self._messages, *method.labels).inc(messages)
        if method.kind == "server_stream":
            self._streams.dec()

    def rejected(self, reason: str) -> None:
        """Count a call that was refused for an UPPER_SNAKE reason."""
        self._rejected.labels(reason).inc()

    def usage(self, held: Mapping[str, int], waiting: Mapping[str, int]) -> None:
        """Show how much of each resource is in use, and how many jobs wait in each lane."""
        for resource, amount in held.items():
            _child(self._held, resource).set(amount)
        for lane, jobs in waiting.items():
            _child(self._waiting, lane).set(jobs)

    def certificate_expires(self, timestamp: float) -> None:
        """Show when the certificate expires; nothing is shown without one."""
        if self._expires is None:
            self._expires = Gauge(
                "seedbed_tls_certificate_expires_timestamp_seconds",
                "When the server's certificate, or one that it needs, expires.",
                multiprocess_mode="livemin",
                registry=self.registry,
            )
        self._expires.set(timestamp)

    def first_chunk(self, seconds: float) -> None:
        """Take note of how long a client waited for the first bytes."""
        self._first_chunk.observe(seconds)

    def served(self, lane: Lane, size_bytes: int) -> None:
        """Count bytes given to a client."""
        _child(self._served, lane).inc(size_bytes)

    def sampled(self, backend: str, plan: SamplePlan, size_bytes: int) -> None:
        """Count bytes that were computed."""
        _child(self._sampled, backend, plan.dtype.value, type(plan.rule).__name__.lower()).inc(
            size_bytes
        )


@functools.cache
def _child(metric: Any, *labels: str) -> Any:
    """Return what counts for some labels; the package takes longer to find it than to count."""
    return metric.labels(*labels)


def shared_registry(folder: str) -> CollectorRegistry:
    """Return what the processes that share a folder have counted, added up whenever it is read."""
    registry = CollectorRegistry()
    # The package's own gap.
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry


def share_metrics(folder: str) -> None:
    """Make the processes that this one spawns count in a folder."""
    os.environ[SHARED_FOLDER_VARIABLE] = folder
