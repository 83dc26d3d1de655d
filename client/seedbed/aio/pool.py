"""Several servers, or several connections to one, as one transport, awaited."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from seedbed.aio.transport import AsyncTransport
from seedbed.deadlines import Remaining, deadline
from seedbed.devices import LocalDevice
from seedbed.errors import TransportError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.ranges import Piece, pieces
from seedbed.transports.replicas import PIECE_BYTES, RETRIED, TRIES_OF_EACH
from seedbed.wire.chunks import Chunk

T = TypeVar("T")


class AsyncPoolTransport:
    """Sends each request, or each piece of it, to one of several transports.

    Args:
        transports: at least one; closed with the pool.
    """

    def __init__(self, transports: Sequence[AsyncTransport]) -> None:
        self._transports = tuple(transports)
        self._turn = 0

    @property
    def target(self) -> str:
        """All different targets, separated by commas."""
        return ",".join(dict.fromkeys(transport.target for transport in self._transports))

    async def open(self) -> None:
        """Get ready what can be, before the first call."""
        for transport in self._transports:
            await transport.open()

    async def close(self) -> None:
        """Close all connections."""
        for transport in self._transports:
            await transport.close()

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Return when every server can answer, or raise UnavailableError."""
        await asyncio.gather(
            *(transport.wait_ready(timeout_seconds) for transport in self._transports)
        )

    async def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what one of the servers is."""
        return await self._of_any(lambda transport: transport.server_info(timeout_seconds))

    async def list_initializers(
        self, timeout_seconds: float | None = None
    ) -> list[InitializerInfo]:
        """Return every initializer of one of the servers."""
        return await self._of_any(lambda transport: transport.list_initializers(timeout_seconds))

    async def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""
        return await self._of_any(lambda transport: transport.describe(requests, timeout_seconds))

    async def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""
        return await self._of_any(
            lambda transport: transport.digest(requests, algorithm, timeout_seconds)
        )

    async def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Yield the bytes of one request; where a server fails, another one goes on."""
        remaining = deadline(self.target, timeout_seconds)
        position, failures = first_byte, 0
        for transport in self._in_turn():
            try:
                async with aclosing(transport.chunks(request, position, remaining())) as found:
                    async for chunk in found:
                        position, failures = chunk.byte_offset + len(chunk.data), 0
                        yield chunk
            except RETRIED:
                failures += 1
                if failures >= self._most_tries:
                    raise
            else:
                return

    async def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Write the bytes of each request into its memory, by all connections at the same time; map nothing."""
        del may_map
        work = _Work(pieces(requests, outs, PIECE_BYTES), on_bytes)
        remaining = deadline(self.target, timeout_seconds)
        tasks = [
            asyncio.create_task(work.run(transport, remaining)) for transport in self._transports
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        work.check()
        return outs

    async def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Put the bytes of each request on a device as they arrive, and return the arrays."""
        remaining = deadline(self.target, timeout_seconds)
        arrays = []
        for request in requests:
            landing = await asyncio.to_thread(device.landing, request)
            async with aclosing(self.chunks(request, 0, remaining())) as found:
                async for chunk in found:
                    await asyncio.to_thread(landing.write, chunk.byte_offset, chunk.data)
                    on_bytes(len(chunk.data))
            arrays.append(landing.array())
        return arrays

    @property
    def _most_tries(self) -> int:
        return TRIES_OF_EACH * len(self._transports)

    def _in_turn(self) -> Iterator[AsyncTransport]:
        first = self._turn
        self._turn = (first + 1) % len(self._transports)
        while True:
            yield self._transports[first % len(self._transports)]
            first += 1

    async def _of_any(self, ask: Callable[[AsyncTransport], Awaitable[T]]) -> T:
        failures = 0
        for transport in self._in_turn():
            try:
                return await ask(transport)
            except RETRIED:
                failures += 1
                if failures >= self._most_tries:
                    raise
        raise AssertionError  # the turns never end


class _Work:
    """The pieces of one fetch that are still to come, shared by its tasks."""

    def __init__(self, todo: Iterator[Piece], on_bytes: Callable[[int], None]) -> None:
        self._fresh = todo
        self._again: deque[Piece] = deque()
        self._on_bytes = on_bytes
        self._changed = asyncio.Condition()
        self._under_way = 0
        self._failure: TransportError | None = None

    def check(self) -> None:
        """Raise the last failure if pieces are left that no connection could fetch."""
        if self._again and self._failure is not None:
            raise self._failure

    async def run(self, transport: AsyncTransport, remaining: Remaining) -> None:
        """Fetch one piece after another by one connection, until nothing is left or the connection has failed twice."""
        failures = 0
        while failures < TRIES_OF_EACH and (piece := await self._take()) is not None:
            arrived = 0

            def count(size_bytes: int) -> None:
                nonlocal arrived
                arrived += size_bytes
                self._on_bytes(size_bytes)

            again = None
            try:
                await transport.fill(piece.requests, piece.outs, count, remaining())
                failures = 0
            except RETRIED as error:
                self._on_bytes(-arrived)
                self._failure, again = error, piece
                failures += 1
            finally:
                await self._finish(again)

    async def _take(self) -> Piece | None:
        async with self._changed:
            while True:
                piece = self._again.popleft() if self._again else next(self._fresh, None)
                if piece is not None:
                    self._under_way += 1
                    return piece
                if not self._under_way:
                    return None
                await self._changed.wait()  # what is under way may fail, and come back

    async def _finish(self, again: Piece | None) -> None:
        async with self._changed:
            if again is not None:
                self._again.append(again)
            self._under_way -= 1
            self._changed.notify_all()
