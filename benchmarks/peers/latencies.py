"""How long single calls take: many of them, and what the median and the slow ones took."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.work import Action


def latencies(call: Callable[[], object], calls: int) -> Action:
    """Return what makes calls one after another and gives the median and 99th percentile in microseconds."""

    def run() -> Mapping[str, float]:
        microseconds = []
        for _ in range(calls):
            started = time.perf_counter_ns()
            call()
            microseconds.append((time.perf_counter_ns() - started) / 1000)
        return {"p50": float(np.percentile(microseconds, 50)), "p99": float(np.percentile(microseconds, 99))}

    return run
