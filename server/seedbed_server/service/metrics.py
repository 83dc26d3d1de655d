"""The server's metrics: gRPC's by their usual names, and tensors by seedbed's own.

Never a label by seed, name or peer: a label's values must be few. What is known beforehand begins
at zero: of a counter that appears with its first increment, a rate never sees that one. Every
process counts for itself. Several workers write to files in a folder that all share
(prometheus_client's multiprocess mode), and one endpoint adds them up.
"""

import functools
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from seedbed.spec.reasons import Reason
from seedbed_server.admin import metric_names as names
from seedbed_server.sampling.sampler import SamplePlan

# Where the workers of one server keep what they count; read by prometheus_client when it is
# imported.
SHARED_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

Lane = Literal["stream", "fill", "shared_memory", "unary"]
"""How a tensor goes to its client: as chunks, as one element, in shared memory, in one message."""

_CALL = ("grpc_type", "grpc_service", "grpc_method")
# From a small tensor, of which the server's part is 0.2 ms, to a model of many gigabytes.
_BELOW_A_SECOND = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5)
_SECONDS = (*_BELOW_A_SECOND, 1, 2.5, 5, 10, 30, 60, 300)

# Workers count into files, which have no times; so none has one.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the package's own gap


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


@dataclass(frozen=True, slots=True)
class Usage:
    """What is in use of what is limited."""

    held: Mapping[str, int]
    """How much of each resource is in use."""
    limits: Mapping[str, int]
    """How much there is of it."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """How many jobs wait in each lane."""


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
        self._started = Counter(names.STARTED, "Calls that began.", _CALL, registry=own)
        self._handled = Counter(
            names.HANDLED, "Calls that ended.", (*_CALL, "grpc_code"), registry=own
        )
        self._seconds = Histogram(
            names.HANDLING_SECONDS,
            "From a call's start to its end.",
            _CALL,
            buckets=_SECONDS,
            registry=own,
        )
        self._messages = Counter("grpc_server_msg_sent", "Messages sent.", _CALL, registry=own)
        self._served = Counter(
            names.SERVED,
            "Bytes of tensors given to clients, by how.",
            ("lane",),
            registry=own,
        )
        self._sampled = Counter(
            names.SAMPLED,
            "Bytes computed.",
            ("backend", "dtype", "distribution"),
            registry=own,
        )
        self._first_chunk = Histogram(
            names.FIRST_CHUNK_SECONDS,
            "From the start of a SampleTensors call to its first message.",
            buckets=_SECONDS,
            registry=own,
        )
        self._streams = Gauge(
            names.STREAMS,
            "Streams under way.",
            multiprocess_mode="livesum",
            registry=own,
        )
        self._held = Gauge(
            names.HELD,
            "What is in use of what is limited: streams, and bytes.",
            ("resource",),
            multiprocess_mode="livesum",
            registry=own,
        )
        self._limit = Gauge(
            names.LIMIT,
            "How much of it there is.",
            ("resource",),
            multiprocess_mode="livesum",
            registry=own,
        )
        self._waiting = Gauge(
            names.WAITING,
            "Jobs that wait for their turn.",
            ("lane",),
            multiprocess_mode="livesum",
            registry=own,
        )
        self._rejected = Counter(
            names.REJECTED, "Calls that were refused, by why.", ("reason",), registry=own
        )
        self._serving = Gauge(
            names.SERVING, "Processes that serve.", multiprocess_mode="livesum", registry=own
        )
        self._threads = Gauge(
            names.THREADS, "Threads that sample.", multiprocess_mode="livesum", registry=own
        )
        self._expires: Gauge | None = None
        self._build = Gauge(
            names.BUILD,
            "Always 1; the labels tell what runs.",
            ("version", "numerics", "backend", "device"),
            multiprocess_mode="livemax",
            registry=own,
        )
        for lane in get_args(Lane):
            self._served.labels(lane)
        # What no one foresaw is an error, not a refusal.
        for reason in set(Reason) - {Reason.INTERNAL}:
            self._rejected.labels(reason)

    def begin_at_zero(self, method: Method, codes: Iterable[str]) -> None:
        """Show a method's series before its first call, with each code that it may end with."""
        for metric in (self._started, self._seconds, self._messages):
            metric.labels(*method.labels)
        for code in codes:
            self._handled.labels(*method.labels, code)

    def serving(self, numerics: str, *, backend: str, device: str, threads: int) -> None:
        """Record what answers from now on."""
        self._build.labels(self._version, numerics, backend, device).set(1)
        self._threads.set(threads)
        self._serving.set(1)

    def not_serving(self) -> None:
        """Record that health says so."""
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

    def usage(self, usage: Usage) -> None:
        """Show how much of each resource is in use, and how many jobs wait in each lane."""
        for resource, amount in usage.held.items():
            _child(self._held, resource).set(amount)
        for resource, amount in usage.limits.items():
            _child(self._limit, resource).set(amount)
        for lane, jobs in usage.waiting.items():
            _child(self._waiting, lane).set(jobs)

    def certificate_expires(self, timestamp: float) -> None:
        """Show when the certificate expires; nothing is shown without one."""
        if self._expires is None:
            self._expires = Gauge(
                names.CERTIFICATE_EXPIRES,
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
    registry.register(_SharedMetrics(folder))
    return registry


class _SharedMetrics(Collector):
    """The package's own collector fails for a file that its process has not filled yet."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        """Return what the processes have counted, added up."""
        files = [str(file) for file in self._folder.glob("*.db") if _has_content(file)]
        # The package's own gap.
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return merged


def _has_content(file: Path) -> bool:
    """Return whether a file has its size: a process gives it one a moment after its name."""
    with suppress(FileNotFoundError):  # its process has ended meanwhile
        return file.stat().st_size > 0
    return False


def share_metrics(folder: str) -> None:
    """Make the processes that this one spawns count in a folder."""
    os.environ[SHARED_FOLDER_VARIABLE] = folder


def forget_process(pid: int) -> None:
    """Count no longer what a process that has ended said of itself, such as that it serves."""
    if SHARED_FOLDER_VARIABLE in os.environ:
        # The package's own gap.
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
