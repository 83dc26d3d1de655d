"""One reading of a server's metrics, as values."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from seedbed_server.admin import metric_names as names
from seedbed_server.admin.distribution import Distribution


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """What one process takes of the machine."""

    cpu_seconds: float = 0.0
    memory_bytes: float = 0.0
    open_files: float = 0.0
    max_files: float = 0.0
    started_at: float = 0.0
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class MetricsReading:
    """What a server's metrics say at one moment; counters since the start."""

    at: float
    """The monotonic clock's seconds."""
    serving: int = 0
    """How many processes serve."""
    version: str = ""
    numerics: str = ""
    backend: str = ""
    """Empty until a process has served."""
    devices: tuple[str, ...] = ()
    threads: int = 0
    certificate_expires_at: float | None = None
    """Seconds since the epoch; None without TLS."""
    streams: int = 0
    """Those under way."""
    served: Mapping[str, float] = field(default_factory=dict)
    """Bytes by lane."""
    sampled: float = 0.0
    """Bytes."""
    ended: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Calls that ended, by method and code."""
    refused: Mapping[str, float] = field(default_factory=dict)
    """Calls by reason."""
    seconds: Mapping[str, Distribution] = field(default_factory=dict)
    """How long calls took, by method."""
    first_chunk: Distribution = field(default_factory=Distribution)
    """Seconds from the start of a stream to its first message."""
    held: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    """How much of each resource is in use, and how much there is."""
    waiting: Mapping[str, float] = field(default_factory=dict)
    """Jobs by lane."""
    processes: Mapping[str, ProcessReading] = field(default_factory=dict)
    """By name; a server of one process has no name."""


_Labels = Mapping[str, str]


def read(registry: CollectorRegistry) -> MetricsReading:
    """Return what a registry says now."""
    samples: dict[str, list[tuple[_Labels, float]]] = defaultdict(list)
    for metric in registry.collect():
        for sample in metric.samples:
            samples[sample.name].append((sample.labels, sample.value))

    def by(name: str, label: str) -> dict[str, float]:
        return {labels[label]: value for labels, value in samples[name]}

    def one(name: str) -> int:
        return int(sum(value for _, value in samples[name]))

    buckets = samples[names.HANDLING_SECONDS + "_bucket"]
    by_method: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for labels, value in buckets:
        by_method[labels["grpc_method"]].append((float(labels["le"]), value))
    first_chunk = samples[names.FIRST_CHUNK_SECONDS + "_bucket"]
    builds = [labels for labels, _ in samples[names.BUILD]]
    build = builds[0] if builds else {}
    return MetricsReading(
        at=time.monotonic(),
        serving=one(names.SERVING),
        version=build.get("version", ""),
        numerics=build.get("numerics", ""),
        backend=build.get("backend", ""),
        devices=tuple(sorted({labels["device"] for labels in builds})),
        threads=one(names.THREADS),
        certificate_expires_at=min(
            (value for _, value in samples[names.CERTIFICATE_EXPIRES]), default=None
        ),
        streams=one(names.STREAMS),
        served=by(names.SERVED + "_total", "lane"),
        sampled=sum(value for _, value in samples[names.SAMPLED + "_total"]),
        ended={
            (labels["grpc_method"], labels["grpc_code"]): value
            for labels, value in samples[names.HANDLED + "_total"]
        },
        refused=by(names.REJECTED + "_total", "reason"),
        seconds={name: Distribution.of_buckets(each) for name, each in by_method.items()},
        first_chunk=Distribution.of_buckets(
            [(float(labels["le"]), value) for labels, value in first_chunk]
        ),
        held=by(names.HELD, "resource"),
        limits=by(names.LIMIT, "resource"),
        waiting=by(names.WAITING, "lane"),
        processes=_processes(samples),
    )


_PROCESS_METRICS = {
    "cpu_seconds": "process_cpu_seconds_total",
    "memory_bytes": "process_resident_memory_bytes",
    "open_files": "process_open_fds",
    "max_files": "process_max_fds",
    "started_at": "process_start_time_seconds",
}


def _processes(
    samples: Mapping[str, list[tuple[_Labels, float]]],
) -> dict[str, ProcessReading]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name, metric in _PROCESS_METRICS.items():
        for labels, value in samples[metric]:
            found[labels.get("process", "")][name] = value
    return {process: ProcessReading(**values) for process, values in found.items()}
