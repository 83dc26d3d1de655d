"""The asynchronous client: :class:`seedbed.Client`, awaited.

In a coroutine::

    async with sb.aio.connect("127.0.0.1:50051") as client:
        whole, digest = await asyncio.gather(client.sample(spec), client.digest(spec))

It is an adapter: a thread makes each call by the synchronous client, and cancelling a task ends
its call. At most 64 calls run at a time; the others wait. See
docs/decisions/0016-asyncio-is-an-adapter.md.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar, overload

from numpy.typing import NDArray

from seedbed import client as synchronous
from seedbed.credentials import credentials_of
from seedbed.deadlines import DEFAULT_PATIENCE_SECONDS, Remaining, checked_patience, deadline
from seedbed.fetch import (
    ManySlices,
    SliceLike,
    Tensors,
    check_connection,
    check_transport,
    checked_first_byte,
    checked_targets,
    request_of,
)
from seedbed.interrupts.threads import Threads
from seedbed.progress import OnBytes
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.stats import ClientStats
from seedbed.spec.targets import EMBEDDED
from seedbed.spec.tensors import TensorSpec
from seedbed.spec.tls import Tls
from seedbed.threaded_calls import Engine, ThreadedCall, ended
from seedbed.transports.base import Transport
from seedbed.transports.endings import closed
from seedbed.wire.parts import Chunk

__all__ = ["Client", "connect"]

# A thread and a connection each. More would only take turns at the processor, and thousands of
# tasks must not open thousands of connections; calls beyond these wait for one to end. None waits
# for another one: what a call does on the side (replicas, digests) it does in threads of its own.
MOST_CALLS = 64

T = TypeVar("T")


def connect(
    target: str | Sequence[str] | None = None,
    *,
    options: Mapping[str, int | str] | None = None,
    channels: int = 1,
    patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
    shared_memory_dir: str | None = None,
    tls: Tls | bool | None = None,
    token: str | Path | None = None,
) -> "Client":
    """Return an asynchronous client; the arguments are those of :func:`seedbed.connect`.

    Nothing waits here, and no event loop needs to run: the connection is made, or the engine
    loaded, on entering ``async with`` or at the first call.

    Raises:
        InvalidValueError: if the target is not allowed.

    Example:
        >>> async def sample():
        ...     async with aio.connect("embedded:") as client:
        ...         return await client.sample(TensorSpec("b", (3,), "float32", Zeros()))
        >>> asyncio.run(sample())
        array([0., 0., 0.], dtype=float32)
    """
    targets = checked_targets(target, channels)
    for each in targets:
        check_connection(each, options, shared_memory_dir)
    patience_seconds = checked_patience(patience_seconds)
    credentials = credentials_of(targets, tls, token)
    if targets == [EMBEDDED]:
        return Client(Engine())
    return Client(
        synchronous.remote_transport(
            targets,
            options or {},
            channels=channels,
            patience_seconds=patience_seconds,
            shared_memory_dir=shared_memory_dir,
            credentials=credentials,
        )
    )


class Client:
    """Fetches tensors, several at a time: :class:`seedbed.Client` with methods to be awaited.

    What a method takes, returns and raises stands there; the bits are the same. Made by
    :func:`connect`; an asynchronous context manager; may be used in several event loops. Up to 64
    calls are under way at the same time, and further ones wait for their turn.

    A task that is cancelled in a call gets asyncio.CancelledError; the call ends, on the server as
    well, and nothing is written to ``out`` any more. ``seedbed.CancelledError`` is for calls that
    :meth:`close` ends. ``asyncio.timeout`` works around any call.
    """

    def __init__(self, transport: Transport | Engine) -> None:
        check_transport(transport)
        self._transport = transport
        self._calls: set[ThreadedCall] = set()
        self._threads: Threads | None = None
        self._process = os.getpid()
        self._is_closed = False

    @property
    def target(self) -> str:
        """Who does the work, as given to :func:`connect`."""
        return self._transport.target

    async def __aenter__(self) -> Self:
        if isinstance(self._transport, Engine):
            await self._run(lambda _: None)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<seedbed.aio.Client of {self.target}>"

    async def close(self) -> None:
        """Give back the connection; calls under way in other tasks end with CancelledError.

        So does every later call.
        """
        self._is_closed = True
        calls = tuple(self._calls)
        for call in calls:
            call.cancel()
        self._transport.close()
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False)
        await asyncio.gather(*(call.ended() for call in calls))

    async def aclose(self) -> None:
        """Do what :meth:`close` does, under the name that :func:`contextlib.aclosing` calls."""
        await self.close()

    def stats(self) -> ClientStats:
        """Return what has been asked of each server; see :meth:`seedbed.Client.stats`."""
        return self._transport.stats()

    async def wait_ready(self, timeout_seconds: float = 60.0) -> None:
        """Return when the server can answer; see :meth:`seedbed.Client.wait_ready`."""
        await self._run(lambda client: client.wait_ready(timeout_seconds))

    @overload
    async def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> NDArray[Any]: ...

    @overload
    async def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: str | None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> Any: ...

    async def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: str | None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Return a tensor, or a rectangle of it; see :meth:`seedbed.Client.sample`."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.sample(
                spec,
                slice=slice,
                out=out,
                device=device,
                local=local,
                progress=progress,
                timeout_seconds=remaining(),
            ),
            remaining,
        )

    @overload
    async def sample_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, NDArray[Any]]: ...

    @overload
    async def sample_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str | None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]: ...

    async def sample_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str | None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Return all tensors of a manifest by name; see :meth:`seedbed.Client.sample_all`."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.sample_all(
                manifest,
                slice=slice,
                out=out,
                device=device,
                local=local,
                progress=progress,
                timeout_seconds=remaining(),
            ),
            remaining,
        )

    def chunks(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        first_byte: int = 0,
        timeout_seconds: float | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """Yield a tensor's bytes piece by piece; see :meth:`seedbed.Client.chunks`.

        To be iterated with ``async for``. A loop that may be left early belongs within
        :func:`contextlib.aclosing`, which ends the call then and there; otherwise the call ends
        when the iterator is collected.
        """
        checked_first_byte(request_of(spec, slice), first_byte)
        remaining = deadline(self.target, timeout_seconds)
        return self._iterate(
            lambda client: client.chunks(
                spec, slice=slice, first_byte=first_byte, timeout_seconds=remaining()
            )
        )

    async def describe(
        self, spec: TensorSpec, *, slice: SliceLike = None, timeout_seconds: float | None = None
    ) -> TensorDescription:
        """Return what sampling would give; see :meth:`seedbed.Client.describe`."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.describe(spec, slice=slice, timeout_seconds=remaining()),
            remaining,
        )

    async def describe_all(
        self, manifest: Tensors, *, timeout_seconds: float | None = None
    ) -> dict[str, TensorDescription]:
        """Describe each tensor of a manifest; see :meth:`seedbed.Client.describe_all`."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.describe_all(manifest, timeout_seconds=remaining()), remaining
        )

    async def digest(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        algorithm: DigestAlgorithm = "xxh3_128",
        timeout_seconds: float | None = None,
    ) -> Digest:
        """Return a tensor's digest without its bytes; see :meth:`seedbed.Client.digest`."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.digest(
                spec, slice=slice, algorithm=algorithm, timeout_seconds=remaining()
            ),
            remaining,
        )

    async def digest_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        algorithm: DigestAlgorithm = "xxh3_128",
        timeout_seconds: float | None = None,
    ) -> dict[str, Digest]:
        """Return every tensor's digest; see :meth:`seedbed.Client.digest_all`."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.digest_all(
                manifest, slice=slice, algorithm=algorithm, timeout_seconds=remaining()
            ),
            remaining,
        )

    async def list_initializers(
        self, *, timeout_seconds: float | None = None
    ) -> list[InitializerInfo]:
        """Return every initializer there, with its parameters."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.list_initializers(timeout_seconds=remaining()), remaining
        )

    async def server_info(self, *, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what does the work: version, numerics, device, limits."""
        remaining = deadline(self.target, timeout_seconds)
        return await self._run(
            lambda client: client.server_info(timeout_seconds=remaining()), remaining
        )

    def _new_call(self) -> ThreadedCall:
        """Return a call that :meth:`close` ends, in whatever thread that runs."""
        call = ThreadedCall(self._transport)
        # In this order, and ``close`` in the other one: one of the two sees what the other did.
        self._calls.add(call)
        if self._is_closed:  # the engine itself knows no end
            self._calls.discard(call)
            raise closed(self.target)
        return call

    def _pool(self) -> Threads:
        threads = self._threads
        if threads is None or self._process != os.getpid():  # threads do not survive a fork
            self._process = os.getpid()
            self._threads = threads = Threads(MOST_CALLS, thread_name_prefix="seedbed-call")
        return threads

    async def _run(
        self, work: Callable[[synchronous.Client], T], remaining: Remaining | None = None
    ) -> T:
        """Return what a function returns that runs in a thread, with a client for its call alone.

        Args:
            work: makes one call.
            remaining: its time, which runs also while it waits for a thread.
        """
        call = self._new_call()
        try:
            return await call.run(self._pool(), lambda: work(call.client()), remaining)
        finally:
            self._calls.discard(call)

    async def _iterate(
        self, begin: Callable[[synchronous.Client], Iterator[Chunk]]
    ) -> AsyncGenerator[Chunk, None]:
        """Yield what a call's iterator yields, each time by the same thread.

        The thread is not one of those for calls: an iteration that is at rest may hold what calls
        in all of these wait for, such as the server's memory.
        """
        call = self._new_call()
        thread = Threads(1, thread_name_prefix="seedbed-chunks")

        def read() -> Generator[Chunk, None, None]:
            yield from begin(call.client())

        chunks = read()
        try:
            while (chunk := await call.run(thread, lambda: next(chunks, None))) is not None:
                yield chunk
        finally:
            self._calls.discard(call)
            call.cancel()
            end = thread.submit(chunks.close)
            thread.shutdown(wait=False)
            await ended(end)
