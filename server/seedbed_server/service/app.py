"""A running server: its listeners, its health, and the order in which it starts and stops."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import metadata
from typing import TypeVar, cast

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from seedbed.spec.errors import DeviceError, SeedbedError
from seedbed.spec.info import NUMERICS
from seedbed_server.devices import open_backend
from seedbed_server.service.calls import CallGuard
from seedbed_server.service.memory import give_back_memory
from seedbed_server.service.metrics import Metrics
from seedbed_server.service.metrics_endpoint import MetricsEndpoint
from seedbed_server.service.servicer import SERVICE, Servicer
from seedbed_server.settings import Settings
from seedbed_server.streams.inflight import InflightBytes
from seedbed_server.streams.resources import StreamResources
from seedbed_server.streams.sampling_threads import SamplingThreads
from seedbed_server.streams.segment_folder import SegmentFolder
from seedbed_server.streams.shared_tensors import SharedTensors

log = logging.getLogger(__name__)

# Clients that watch the health never hang up by themselves: so long may a stream's last bytes be on
# their way.
LAST_WORDS_SECONDS = 1.0
# How often the metrics of what is in use are set; setting them at each change would cost more.
SHOW_SECONDS = 0.2


T = TypeVar("T")


class ListenError(SeedbedError):
    """An address that the server cannot listen on."""


class Server:
    """One server process. Made in a running event loop, which owns its state; used once.

    Args:
        settings: how it runs.
        on_failure: told when the device failed while it served; health says NOT_SERVING by then.
    """

    def __init__(self, settings: Settings, on_failure: Callable[[DeviceError], None]) -> None:
        self._settings = settings
        self._on_failure = on_failure
        self._threads: SamplingThreads | None = None
        self._failure: asyncio.Task[None] | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._showing: asyncio.TimerHandle | None = None
        version = metadata.version("seedbed")
        self._metrics = Metrics(version)
        self._endpoint: MetricsEndpoint | None = None
        self._inflight = InflightBytes(
            settings.max_inflight_bytes, settings.limits.max_concurrent_streams
        )
        self._segments = _segment_folder(settings)
        guard = CallGuard(self._metrics, self._device_failed)
        self._servicer = Servicer(settings, version=version, guard=guard)
        self._health = health.aio.HealthServicer()
        self._grpc = grpc.aio.server(options=_channel_options(settings))
        self._grpc.add_generic_rpc_handlers((self._servicer.handlers(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        if settings.reflection:
            names = (SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._grpc)

    async def listen(self) -> list[str]:
        """Open the listeners, not serving yet, and return their addresses, ports resolved.

        Raises:
            ListenError: naming the address that cannot be had.
            MetricsListenError: likewise.
        """
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._tidying = asyncio.create_task(give_back_memory())
        self._show_usage()
        addresses = [self._listen(address) for address in self._settings.listen]
        if self._settings.metrics_listen is not None:
            self._endpoint = MetricsEndpoint(self._settings.metrics_listen, self._metrics.registry)
        await self._grpc.start()
        return addresses

    @property
    def metrics_address(self) -> str | None:
        """Where metrics are shown, the port resolved; None is nowhere."""
        return self._endpoint.address if self._endpoint is not None else None

    async def serve(self) -> None:
        """Compile the kernels, test them, and begin to answer.

        Raises:
            NoDeviceError: if the device that was asked for is not there.
            DeviceError: if it fails.
            SelfTestError: if it does not give the contract's bits.
        """
        started = time.monotonic()
        settings = self._settings
        backend, vectors = await _in_daemon_thread(
            partial(open_backend, settings.device, settings.threads)
        )
        self._threads = SamplingThreads(
            backend,
            on_sampled=partial(self._metrics.sampled, backend.name),
            working_bytes=settings.max_working_bytes,
        )
        tensors = SharedTensors(self._threads, window_bytes=settings.window_bytes)
        self._servicer.serve(
            StreamResources(self._threads, tensors, self._inflight, self._segments)
        )
        self._metrics.serving(NUMERICS, backend.name)
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        fields = {
            "backend": backend.name,
            "device": backend.device,
            "threads": backend.threads,
            "self_test_vectors": vectors,
            "start_seconds": round(time.monotonic() - started, 3),
        }
        log.info("serving", extra={"fields": fields})

    async def stop(self, grace_seconds: float) -> None:
        """Refuse new requests at once, let streams finish within the grace, then end everything."""
        self._servicer.drain()
        await self._health.enter_graceful_shutdown()
        # Until the streams have ended, new calls still get an answer that says why, and health
        # checks the truth.
        await self._servicer.wait_idle(grace_seconds)
        await self._grpc.stop(min(LAST_WORDS_SECONDS, grace_seconds))
        if self._tidying is not None:
            self._tidying.cancel()
        if self._showing is not None:
            self._showing.cancel()
        if self._threads is not None:
            self._threads.close()
        if self._segments is not None:
            self._segments.close()
        if self._endpoint is not None:
            self._endpoint.close()

    def _show_usage(self) -> None:
        self._metrics.usage(*self._servicer.usage)
        self._showing = asyncio.get_running_loop().call_later(SHOW_SECONDS, self._show_usage)

    def _device_failed(self, error: DeviceError) -> None:
        self._servicer.drain()
        not_serving = self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._failure = asyncio.get_running_loop().create_task(not_serving)
        self._on_failure(error)

    def _listen(self, address: str) -> str:
        target = (
            f"unix:{address.removeprefix('unix://')}" if address.startswith("unix://") else address
        )
        refusal = (
            f"cannot listen on {address}: it is in use, not allowed, or no address of this machine"
        )
        if address.startswith("unix://") and _answers(address.removeprefix("unix://")):
            raise ListenError(refusal)
        try:
            port = self._grpc.add_insecure_port(target)
        except RuntimeError:  # what grpcio 1.76 raises; an older one returned 0
            port = 0
        if port == 0:
            raise ListenError(refusal)
        if address.startswith("unix://"):
            return address
        return f"{address.rpartition(':')[0]}:{port}"

    async def _set_health(self, status: int) -> None:
        for service in ("", SERVICE.full_name):
            await self._health.set(service, status)


def _in_daemon_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Return what becomes the function's result; unlike a pool's, its thread holds up no exit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def run() -> None:
        result, failed = None, None
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001  # raised where it is awaited
            failed = error
        with suppress(RuntimeError):  # the loop has ended, and so will the process
            loop.call_soon_threadsafe(finish, result, failed)

    threading.Thread(target=run, name="seedbed-start", daemon=True).start()
    return future


def _segment_folder(settings: Settings) -> SegmentFolder | None:
    if settings.shared_memory_dir is None:
        return None
    return SegmentFolder(
        settings.shared_memory_dir,
        mode=settings.shared_memory_mode,
        max_bytes=settings.max_shared_memory_bytes,
        idle_seconds=settings.shared_memory_idle_seconds,
    )


def _answers(path: str) -> bool:
    """Return whether a server listens on a Unix socket; gRPC would take the path away from it."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def _channel_options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.limits.max_request_message_bytes),
        # Two servers must never share a port by accident.
        ("grpc.so_reuseport", int(settings.share_port)),
        # Clients look after idle connections with pings; gRPC's default answer to that is GOAWAY.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        # Calls that a client resets at once wait here until Python has seen them; a short queue
        # would cancel the calls of well-behaved clients beside them.
        ("grpc.server.max_pending_requests", 100_000),
        ("grpc.server.max_pending_requests_hard_limit", 200_000),
    ]
