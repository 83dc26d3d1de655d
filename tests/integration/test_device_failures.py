"""A missing, full or broken device is told to clients, health and operator."""

import asyncio
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2
from numpy.typing import NDArray

import seedbed as sb
from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.base import Backend
from seedbed_server.backends.rules import ElementwiseRule, Orthogonal, Sparse
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key
from seedbed_server.service import app
from seedbed_server.settings import Settings
from tests.raw_calls import health_stub, large_request, raw_sample, refusal
from tests.servers import PROGRAM, server_process

SPEC = sb.TensorSpec("w", (4,), "float32", sb.RandomUniform(seed=1))


class FailingBackend:
    """A GPU that fails whenever it shall sample."""

    name = "gpu"
    samples_in_place = False
    device = "a device that fails"
    threads = 1

    def __init__(self, error: Exception) -> None:
        self._error = error

    def close(self) -> None:
        """There is nothing to end."""

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        raise self._error

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        raise self._error

    def words(self, key: Key, runs: Runs) -> NDArray[np.uint32]:
        raise self._error

    def are_zero(
        self, rule: Sparse, runs: Runs, first_line: int, thresholds: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        raise self._error


T = TypeVar("T")
Serve = Callable[[Exception], tuple[str, list[sb.DeviceError]]]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server over a device that fails; its address, and what its operator has been told."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server-loop")
    thread.start()
    servers: list[app.Server] = []

    def wait(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    async def listen(told: list[sb.DeviceError]) -> str:
        server = app.Server(Settings(listen=("127.0.0.1:0",)), on_failure=told.append)
        servers.append(server)
        (address,) = await server.listen()
        await server.serve()
        return address

    def start(error: Exception) -> tuple[str, list[sb.DeviceError]]:
        def open_backend(device: str, threads: int | None) -> tuple[Backend, int]:
            return FailingBackend(error), 0

        monkeypatch.setattr(app, "open_backend", open_backend)
        told: list[sb.DeviceError] = []
        return wait(listen(told)), told

    yield start
    for server in servers:
        wait(server.stop(grace_seconds=1.0))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def health_at(channel: grpc.Channel) -> int:
    return int(health_stub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30).status)


def test_a_device_without_room_is_an_overload_that_passes(serve: Serve) -> None:
    address, told = serve(sb.OutOfDeviceMemoryError("no room"))
    with grpc.insecure_channel(address) as channel:
        refused = refusal(raw_sample(channel, large_request(2**20)))
        assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "OUT_OF_DEVICE_MEMORY")
        assert refused.retry_seconds is not None
        assert refused.retry_seconds > 0
        assert health_at(channel) == health_pb2.HealthCheckResponse.SERVING
    with (
        sb.connect(address, patience_seconds=0) as client,
        pytest.raises(sb.OverloadedError, match="out of memory") as caught,
    ):
        client.sample(SPEC)
    assert caught.value.retry_after_seconds == refused.retry_seconds
    assert told == []


def test_a_device_that_failed_ends_its_server_and_sends_clients_elsewhere(serve: Serve) -> None:
    error = sb.DeviceError("the GPU failed: an illegal address")
    address, told = serve(error)
    with grpc.insecure_channel(address) as channel:
        refused = refusal(raw_sample(channel, large_request(2**20)))
        assert (refused.code, refused.reason) == ("UNAVAILABLE", "DEVICE_FAILED")
        assert refused.retry_seconds is not None
        assert health_at(channel) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert refusal(raw_sample(channel, large_request(2**20))).code == "UNAVAILABLE"
    assert told == [error]
    with sb.connect(address, patience_seconds=0) as client, pytest.raises(sb.UnavailableError):
        client.sample(SPEC)


@pytest.mark.parametrize("device", ["gpu", "gpu:7"])
def test_a_server_that_shall_use_a_gpu_where_there_is_none_ends_with_one_line(device: str) -> None:
    with server_process("--device", device) as server:
        assert server.wait() == 1
        (line,) = [line for line in server.log.splitlines() if " ERROR " in line]
        assert "GPU" in line
        assert "Traceback" not in server.log


def self_test(device: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, "--self-test", "--device", device]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_self_test_of_a_device_that_works_lists_every_kernel() -> None:
    done = self_test("cpu")
    assert done.returncode == 0, done.stderr
    title, *kernels = done.stdout.splitlines()
    assert title.startswith("cpu: ")
    assert {line.split()[0] for line in kernels} >= {
        "uniform_float32",
        "normal_bfloat16",
        "orthogonal_float64",
    }
    assert all(line.split()[1] == "ok" for line in kernels)


def test_the_self_test_of_a_device_that_is_not_there_is_one_line() -> None:
    done = self_test("gpu")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "GPU" in done.stderr


@pytest.mark.parametrize("device", ["", "cuda", "gpu:-1", "cpu:0"])
def test_a_device_that_does_not_exist_is_refused_before_anything_starts(device: str) -> None:
    with server_process("--device", device) as server:
        assert server.wait() == 2
        assert "must be auto, cpu, gpu or gpu:N" in server.log
