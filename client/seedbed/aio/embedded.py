"""The engine in this process as an asynchronous transport: it works in threads, and the event loop goes on."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from seedbed.devices import LocalDevice
from seedbed.errors import CancelledError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.base import EMBEDDED, EmbeddedTransport, embedded_transport
from seedbed.wire.chunks import Chunk

T = TypeVar("T")


class AsyncEmbeddedTransport:
    """Samples in threads of this process. Like the engine it has no deadline; ``asyncio.timeout`` is one."""

    target = EMBEDDED

    def __init__(self) -> None:
        self._engine: EmbeddedTransport | None = None
        self._calls: set[EmbeddedTransport] = set()

    async def open(self) -> None:
        """Load the engine; the first time in a process its kernels may be compiled, which takes seconds.

        Raises:
            EngineNotInstalledError: if its packages are missing.
        """
        await self._opened()

    async def close(self) -> None:
        """End calls under way in other tasks with CancelledError; the engine belongs to the process."""
        calls, self._calls = self._calls, set()
        for call in calls:
            call.cancel()

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Load the engine, after which it is ready."""
        del timeout_seconds
        await self._opened()

    async def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what the engine is."""
        return await self._run(lambda engine: engine.server_info(timeout_seconds))

    async def list_initializers(
        self, timeout_seconds: float | None = None
    ) -> list[InitializerInfo]:
        """Return every initializer."""
        return await self._run(lambda engine: engine.list_initializers(timeout_seconds))

    async def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""
        return await self._run(lambda engine: engine.describe(requests, timeout_seconds))

    async def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of the requests."""
        return await self._run(lambda engine: engine.digest(requests, algorithm, timeout_seconds))

    async def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Yield the bytes of one request from ``first_byte`` on."""
        async with self._call() as call:
            pieces = call.chunks(request, first_byte, timeout_seconds)
            while (chunk := await _in_thread(call, lambda: next(pieces, None))) is not None:
                yield chunk

    async def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Write the bytes of the requests straight into the given memory, and return it."""
        return await self._run(
            lambda engine: engine.fill(requests, outs, on_bytes, timeout_seconds, may_map=may_map)
        )

    async def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Sample on the device itself."""
        return await self._run(
            lambda engine: engine.sample_on(device, requests, on_bytes, timeout_seconds)
        )

    async def _opened(self) -> EmbeddedTransport:
        if self._engine is None:
            self._engine = await asyncio.to_thread(embedded_transport)
        return self._engine

    async def _run(self, work: Callable[[EmbeddedTransport], T]) -> T:
        """Return what a function returns that runs in a thread; it gets the engine for its call alone."""
        async with self._call() as call:
            return await _in_thread(call, lambda: work(call))

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[EmbeddedTransport]:
        call = (await self._opened()).another()
        self._calls.add(call)
        try:
            yield call
        except Exception:
            if call not in self._calls:
                message = f"the call to {self.target} was cancelled; call again if the result is still wanted"
                raise CancelledError(message) from None
            raise
        finally:
            self._calls.discard(call)


async def _in_thread(call: EmbeddedTransport, work: Callable[[], T]) -> T:
    """Return what a function returns that runs in a thread and makes only this call.

    However this ends, the thread's work has ended, too: a task that was cancelled may use the
    memory again that the work wrote to.
    """
    has_begun = threading.Event()

    def begin() -> T:
        has_begun.set()
        return work()

    running = asyncio.create_task(asyncio.to_thread(begin))
    try:
        await asyncio.wait([running])
    except asyncio.CancelledError:
        call.cancel()
        # It waits for a free thread; if it gets one just now, it ends by itself.
        if not has_begun.is_set():
            running.cancel()
        await _ended(running)
        raise
    return running.result()


async def _ended(task: "asyncio.Task[Any]") -> None:
    """Return when a task has ended, however often this one is cancelled meanwhile."""
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # nobody else will ask for it
