"""The status of a server from readings of its metrics, and how little of them is kept."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from seedbed_server.admin.distribution import Distribution
from seedbed_server.admin.history import POINTS, STEP_SECONDS, WINDOW_READINGS, History, Point
from seedbed_server.admin.process_metrics import ProcessMetrics
from seedbed_server.admin.reading import MetricsReading, ProcessReading, read
from seedbed_server.admin.status import as_json, status
from seedbed_server.service.metrics import Method, Metrics, Usage, shared_registry

METHODS = [
    Method("unary", "s", name)
    for name in ("SampleTensors", "SampleSmallTensor", "DigestTensors", "DescribeTensors")
]


def reading(step: int, **values: object) -> MetricsReading:
    """Return the reading of a server that answers ten calls a second, one of them refused."""
    seconds = step * STEP_SECONDS
    usual = MetricsReading(
        at=1000.0 + seconds,
        serving=1,
        backend="cpu",
        served={"stream": 1e6 * seconds, "unary": 1e3 * seconds},
        sampled=5e5 * seconds,
        ended={("SampleTensors", "OK"): 9 * seconds, ("SampleTensors", "UNAVAILABLE"): seconds},
        refused={"DRAINING": seconds, "STARTING": 0.0},
        processes={"": ProcessReading(cpu_seconds=0.5 * seconds, started_at=1.0)},
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def history_of(readings: int) -> History:
    history = History()
    for step in range(readings):
        history.add(reading(step))
    return history


def test_a_history_holds_a_quarter_of_an_hour_however_long_a_server_runs() -> None:
    assert POINTS * STEP_SECONDS == 900
    history = history_of(5000)
    assert len(history.points) == POINTS
    assert len(history._window) == WINDOW_READINGS
    assert len(history._recent) == 2
    text = json.dumps(as_json(status(reading(5000), history, 1)))
    assert len(text) < 2**15


def test_points_are_rates() -> None:
    assert history_of(3).points[-1] == Point(1_001_000.0, 500_000.0, 10.0, 1.0, 0)


def test_refusals_and_calls_are_those_of_the_last_minutes() -> None:
    now = status(reading(1000), history_of(1000), 1)
    assert 285 < now.window_seconds <= 315
    assert now.refusals == {"DRAINING": now.window_seconds}
    assert now.calls == 10 * now.window_seconds
    assert now.methods[0].codes == {
        "OK": 9 * now.window_seconds,
        "UNAVAILABLE": now.window_seconds,
    }
    assert now.methods[0].ended_total == 30_000
    assert now.processes[0].cores == 0.5


def test_the_most_frequent_refusal_comes_first() -> None:
    now = reading(1, refused={"A": 1.0, "B": 3.0, "C": 0.0, "D": 2.0})
    assert list(status(now, history_of(1), 1).refusals) == ["B", "D", "A"]


def test_a_server_without_a_history_has_a_status() -> None:
    now = status(reading(0), History(), 1)
    assert now.now == Point()
    assert now.calls == 0
    assert now.history == ()


@pytest.mark.parametrize(
    ("serving", "backend", "expected", "state"),
    [
        (0, "", 1, "starting"),
        (1, "cpu", 1, "serving"),
        (1, "cpu", 2, "partly serving"),
        (0, "cpu", 2, "stopping"),
    ],
)
def test_the_state_is_that_of_all_processes(
    serving: int, backend: str, expected: int, state: str
) -> None:
    now = reading(1, serving=serving, backend=backend)
    assert status(now, history_of(1), expected).state == state


def test_quantiles_lie_within_their_buckets() -> None:
    times = Distribution.of_buckets([(math.inf, 10.0), (1.0, 4.0), (2.0, 8.0)])
    assert times.counts == (4.0, 4.0, 2.0)
    assert times.quantile(0.2) == 0.5
    assert times.quantile(0.5) == 1.25
    assert times.quantile(0.99) == 2.0  # beyond the last bound
    assert times.since(times).quantile(0.5) is None
    assert Distribution().quantile(0.5) is None
    assert times.since(Distribution()) == times


def test_a_reading_is_what_the_service_counts() -> None:
    metrics = Metrics("1.2.3")
    empty = read(metrics.registry)
    assert (empty.backend, empty.serving, empty.devices) == ("", 0, ())
    for method in METHODS:
        metrics.begin_at_zero(method, ("OK", "CANCELLED"))
    metrics.serving("seedbed-1", backend="cpu", device="a processor", threads=3)
    metrics.usage(Usage({"streams": 2}, {"streams": 5}, {"loop": 7}))
    metrics.call_started(METHODS[0])
    metrics.call_ended(METHODS[0], "OK", 0.2, 4)
    metrics.rejected("OVER_LIMIT")
    metrics.served("fill", 100)
    metrics.first_chunk(0.003)
    metrics.certificate_expires(1.8e9)
    now = read(metrics.registry)
    assert (now.version, now.numerics, now.backend) == ("1.2.3", "seedbed-1", "cpu")
    assert (now.devices, now.threads, now.serving) == (("a processor",), 3, 1)
    assert (now.held, now.limits, now.waiting) == ({"streams": 2}, {"streams": 5}, {"loop": 7})
    assert now.ended["SampleTensors", "OK"] == 1
    assert now.ended["DigestTensors", "CANCELLED"] == 0
    assert now.refused["OVER_LIMIT"] == 1
    assert now.served["fill"] == 100
    assert now.seconds["SampleTensors"].count == 1
    assert 0.1 < (now.seconds["SampleTensors"].quantile(0.5) or 0.0) < 0.25
    assert now.first_chunk.count == 1
    assert (empty.certificate_expires_at, now.certificate_expires_at) == (None, 1.8e9)


def test_a_process_that_has_ended_is_missing_and_a_new_one_is_seen() -> None:
    registry = CollectorRegistry()
    pids = {"supervisor": 1, "worker-0": 2**22 + 1}
    registry.register(ProcessMetrics(pids))
    assert list(read(registry).processes) == ["supervisor"]
    pids["worker-1"] = 1
    assert list(read(registry).processes) == ["supervisor", "worker-1"]
    assert read(registry).processes["worker-1"].memory_bytes > 0


def test_a_worker_that_has_begun_a_file_and_not_filled_it_counts_nothing_yet(
    tmp_path: Path,
) -> None:
    (tmp_path / "counter_1.db").touch()
    assert read(shared_registry(str(tmp_path))).serving == 0
