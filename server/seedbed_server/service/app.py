"""A running server: its listeners, its health, and the order in which it starts and stops."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import metadata
from typing import TypeVar, cast

from grpc_reflection.v1alpha import reflection

from seedbed.spec.info import NUMERICS
from seedbed_server.admin.endpoint import AdminEndpoint
from seedbed_server.devices import open_backend
from seedbed_server.security.certificates import certificate_files
from seedbed_server.service.authentication import Authentication
from seedbed_server.service.call_guard import CallGuard
from seedbed_server.service.connections import connection_options
from seedbed_server.service.draining import drain, lame_duck
from seedbed_server.service.grpc_server import grpc_server
from seedbed_server.service.health import NAME as HEALTH
from seedbed_server.service.health import Health
from seedbed_server.service.listeners import open_tcp, open_unix
from seedbed_server.service.memory import give_back_memory
from seedbed_server.service.metrics import Metrics
from seedbed_server.service.registration import UnknownMethods, add_service, add_standard_services
from seedbed_server.service.servicer import SERVICE, Servicer
from seedbed_server.service.tls import ListenerTls
from seedbed_server.service.tracing import Tracing, open_provider
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
# So long may what collects spans take for the last ones.
LAST_SPANS_SECONDS = 3.0
# How often the metrics of what is in use are set; setting them at each change would cost more.
SHOW_SECONDS = 0.2


T = TypeVar("T")


class Server:
    """One server process. Made in a running event loop, which owns its state; used once.

    Args:
        settings: how it runs.
        on_failure: told when the device, or gRPC, failed while it served; health says NOT_SERVING
            by then.

    Raises:
        CertificateError: if it cannot speak TLS with the files that the settings name.
    """

    def __init__(self, settings: Settings, on_failure: Callable[[Exception], None]) -> None:
        self._settings = settings
        self._on_failure = on_failure
        self._threads: SamplingThreads | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._showing: asyncio.TimerHandle | None = None
        files = certificate_files(settings)
        self._tls = ListenerTls(files) if files is not None else None
        version = metadata.version("seedbed")
        self._metrics = Metrics(version)
        self._endpoint: AdminEndpoint | None = None
        self._authentication = Authentication(settings)
        self._caps = self._authentication.caps()
        self._inflight = InflightBytes(
            settings.max_inflight_bytes,
            settings.limits.max_concurrent_streams,
            self._caps.held_bytes,
        )
        self._segments = _segment_folder(settings)
        self._spans = open_provider(version) if settings.tracing else None
        tracing = Tracing(self._spans) if self._spans is not None else None
        self._guard = CallGuard(self._metrics, self._authentication, self._failed, tracing)
        self._servicer = Servicer(settings, version=version, guard=self._guard)
        self._health = Health(("", SERVICE.full_name))
        limits = [("grpc.max_receive_message_length", settings.limits.max_request_message_bytes)]
        connections = connection_options(len(settings.listen), share_port=settings.share_port)
        self._grpc = grpc_server([*limits, *connections])
        add_service(self._grpc, SERVICE.full_name, self._servicer.methods())
        names = (SERVICE.full_name, HEALTH, reflection.SERVICE_NAME) if settings.reflection else ()
        add_standard_services(self._grpc, self._health, names, self._guard)
        self._grpc.add_generic_rpc_handlers((UnknownMethods(self._guard),))

    async def listen(self) -> list[str]:
        """Open the listeners, not serving yet, and return their addresses, ports resolved.

        Raises:
            ListenError: naming the address that cannot be had.
            AdminListenError: likewise.
        """
        self._tidying = asyncio.create_task(give_back_memory())
        self._show_usage()
        addresses = [self._listen(address) for address in self._settings.listen]
        if self._settings.admin_listen is not None:
            self._endpoint = AdminEndpoint(self._settings.admin_listen, self._metrics.registry)
            await self._endpoint.start()
        await self._grpc.start()
        self._watching = asyncio.create_task(self._watch())
        return addresses

    @property
    def admin_address(self) -> str | None:
        """Where the admin endpoint is, the port resolved; None is nowhere."""
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
            caps=self._caps,
        )
        tensors = SharedTensors(self._threads, window_bytes=settings.window_bytes)
        self._servicer.serve(
            StreamResources(self._threads, tensors, self._inflight, self._segments)
        )
        self._metrics.serving(
            NUMERICS, backend=backend.name, device=backend.device, threads=backend.threads
        )
        self._metrics.usage(self._servicer.usage)
        self._health.set(is_serving=True)
        fields = {
            "backend": backend.name,
            "device": backend.device,
            "threads": backend.threads,
            "self_test_vectors": vectors,
            "start_seconds": round(time.monotonic() - started, 3),
        }
        log.info("serving", extra={"fields": fields})

    async def stop(self, *, lame_duck_seconds: float = 0.0, grace_seconds: float = 0.0) -> None:
        """Stop in phases; health says NOT_SERVING from the start.

        Args:
            lame_duck_seconds: how long new calls are still answered, until a proxy has noticed.
            grace_seconds: how long calls under way may go on after that, while new ones are told
                that the server ends.
        """
        self._metrics.not_serving()
        self._health.set(is_serving=False)
        if self._threads is not None:  # else nobody was told to send calls
            await lame_duck(self._guard.open_calls, lame_duck_seconds)
        self._servicer.drain()
        if grace_seconds:
            await drain(self._guard.open_calls, grace_seconds)
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
            await self._endpoint.close()
        if self._spans is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(_in_daemon_thread(self._spans.shutdown), LAST_SPANS_SECONDS)

    def _show_usage(self) -> None:
        self._metrics.usage(self._servicer.usage)
        self._authentication.look()
        if self._tls is not None:
            self._metrics.certificate_expires(self._tls.look())
        self._showing = asyncio.get_running_loop().call_later(SHOW_SECONDS, self._show_usage)

    async def _watch(self) -> None:
        """Fail with gRPC: a server that accepts no call any more must not look like one that does.

        Never to be cancelled: gRPC's own end waits for what this waits for.
        """
        try:
            await self._grpc.wait_for_termination()
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody is answered
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._servicer.drain()
        self._metrics.not_serving()
        self._health.set(is_serving=False)
        self._on_failure(error)

    def _listen(self, address: str) -> str:
        if address.startswith("unix://"):
            return open_unix(self._grpc, address, self._settings.unix_mode)
        return open_tcp(self._grpc, address, tls=self._tls, share_port=self._settings.share_port)


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

    threading.Thread(target=run, name="seedbed-aside", daemon=True).start()
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
