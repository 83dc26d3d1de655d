"""Latencies of single calls: the median of many, and the slow ones."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from benchmarks.work import Action

T = TypeVar("T")


def latencies(prepare: Callable[[], T], call: Callable[[T], object], calls: int) -> Action:
    """Return a turn of consecutive calls; its figures are the median and 99th percentile in µs.

    Args:
        prepare: makes what a call is given; not measured.
        call: what is measured.
        calls: how many.
    """

    def run() -> Mapping[str, float]:
        microseconds = []
        for _ in range(calls):
            given = prepare()
            started = time.perf_counter_ns()
            call(given)
            microseconds.append((time.perf_counter_ns() - started) / 1000)
        return {
            "p50": float(np.percentile(microseconds, 50)),
            "p99": float(np.percentile(microseconds, 99)),
        }

    return run
