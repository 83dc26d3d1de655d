"""A client that only asks whether the server is well."""

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.work import Action

PAUSE_SECONDS = 0.01


def actions(*, address: str, calls: int, timeout_seconds: float) -> dict[str, Action]:
    """Return what asks a number of times, and gives the median and longest wait in milliseconds.

    Args:
        address: of the server.
        calls: how often to ask.
        timeout_seconds: how long to wait for one answer; the first that is late ends the turn.
    """
    health: Any = health_pb2_grpc.HealthStub(grpc.insecure_channel(address))

    def check() -> Mapping[str, float]:
        waits = []
        for _ in range(calls):
            started = time.perf_counter()
            try:
                health.Check(health_pb2.HealthCheckRequest(), timeout=timeout_seconds)
            except grpc.RpcError:
                waits.append(timeout_seconds * 1000)
                break
            waits.append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE_SECONDS)
        return {"p50": median(waits), "worst": max(waits)}

    return {"check": check}
