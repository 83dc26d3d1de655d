"""The status of a server: what its page shows a person, and ``/status.json`` a program."""

import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from seedbed_server.admin.distribution import Distribution
from seedbed_server.admin.history import STEP_SECONDS, History, Point, point
from seedbed_server.admin.reading import MetricsReading, ProcessReading

State = Literal["starting", "serving", "partly serving", "stopping"]


@dataclass(frozen=True, slots=True)
class Resource:
    """How much of something limited is in use."""

    name: str
    held: float
    limit: float


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took in the last minutes, in seconds; None where there was nothing."""

    median: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class MethodStatus:
    """The calls of one method in the last minutes, by code, and since the start."""

    name: str
    codes: dict[str, int]
    seconds: Times
    ended_total: int


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What one process takes of the machine."""

    name: str
    cores: float
    memory_bytes: int
    open_files: int
    max_files: int


@dataclass(frozen=True, slots=True)
class Status:
    """A server now, and in the last minutes."""

    time: float
    """Seconds since the epoch."""
    state: State
    serving: int
    expected: int
    """How many processes serve, and how many should."""
    version: str
    numerics: str
    backend: str
    devices: tuple[str, ...]
    threads: int
    certificate_expires_at: float | None
    """Seconds since the epoch; None without TLS."""
    uptime_seconds: float
    now: Point
    """What the server did in the last seconds."""
    window_seconds: float
    """How long the last minutes are; less than five after a start."""
    refusals: dict[str, int]
    """Calls of the last minutes by reason, most first."""
    calls: int
    """Calls of the last minutes."""
    methods: tuple[MethodStatus, ...]
    first_chunk_seconds: Times
    resources: tuple[Resource, ...]
    waiting: dict[str, int]
    """Jobs that wait now, by lane."""
    served_bytes: dict[str, int]
    """Since the start, by lane."""
    sampled_bytes: int
    """Since the start."""
    processes: tuple[ProcessStatus, ...]
    step_seconds: float
    history: tuple[Point, ...]
    """One point each so many seconds, the oldest first."""


def status(now: MetricsReading, history: History, expected: int) -> Status:
    """Return a server's status.

    Args:
        now: its metrics.
        history: what they were.
        expected: how many processes must serve.
    """
    then = history.minutes_before(now)
    moments_ago = history.moments_before(now)
    refusals = {
        reason: int(count - then.refused.get(reason, 0.0)) for reason, count in now.refused.items()
    }
    methods = _methods(now, then)
    started = min((each.started_at for each in now.processes.values()), default=time.time())
    return Status(
        time=time.time(),
        state=_state(now, expected),
        serving=now.serving,
        expected=expected,
        version=now.version,
        numerics=now.numerics,
        backend=now.backend,
        devices=now.devices,
        threads=now.threads,
        certificate_expires_at=now.certificate_expires_at,
        uptime_seconds=max(time.time() - started, 0.0),
        now=point(moments_ago, now),
        window_seconds=now.at - then.at,
        refusals=_most_first(refusals),
        calls=sum(sum(each.codes.values()) for each in methods),
        methods=methods,
        first_chunk_seconds=_times(now.first_chunk.since(then.first_chunk)),
        resources=tuple(
            Resource(name, now.held.get(name, 0.0), limit) for name, limit in now.limits.items()
        ),
        waiting={lane: int(jobs) for lane, jobs in now.waiting.items()},
        served_bytes={lane: int(size) for lane, size in now.served.items()},
        sampled_bytes=int(now.sampled),
        processes=_processes(now, moments_ago),
        step_seconds=STEP_SECONDS,
        history=tuple(history.points),
    )


def as_json(what: Status) -> dict[str, Any]:
    """Return a status for programs; its history is one list for each value."""
    history = {
        name: [round(getattr(each, name), 1) for each in what.history] for name in Point.__slots__
    }
    return asdict(what) | {"history": history}


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    some = [(name, count) for name, count in counts.items() if count]
    return dict(sorted(some, key=lambda pair: -pair[1]))


def _state(now: MetricsReading, expected: int) -> State:
    if now.serving >= expected:
        return "serving"
    if now.serving:
        return "partly serving"
    return "stopping" if now.backend else "starting"


def _methods(now: MetricsReading, then: MetricsReading) -> tuple[MethodStatus, ...]:
    found = []
    for name in dict.fromkeys(method for method, _ in now.ended):
        ended = {code: count for (method, code), count in now.ended.items() if method == name}
        lately = {code: int(n - then.ended.get((name, code), 0.0)) for code, n in ended.items()}
        seconds = now.seconds.get(name, Distribution())
        found.append(
            MethodStatus(
                name,
                {code: count for code, count in lately.items() if count},
                _times(seconds.since(then.seconds.get(name, Distribution()))),
                int(sum(ended.values())),
            )
        )
    return tuple(found)


def _times(distribution: Distribution) -> Times:
    return Times(distribution.quantile(0.5), distribution.quantile(0.99))


def _processes(now: MetricsReading, before: MetricsReading) -> tuple[ProcessStatus, ...]:
    seconds = now.at - before.at

    def cores(name: str, process: ProcessReading) -> float:
        then = before.processes.get(name, process)
        return (process.cpu_seconds - then.cpu_seconds) / seconds if seconds > 0 else 0.0

    return tuple(
        ProcessStatus(
            name,
            round(cores(name, each), 2),
            int(each.memory_bytes),
            int(each.open_files),
            int(each.max_files),
        )
        for name, each in now.processes.items()
    )
