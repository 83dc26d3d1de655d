"""The asynchronous client: the methods of :class:`seedbed.Client`, to be awaited."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self, overload

from numpy.typing import NDArray

from seedbed.aio.embedded import AsyncEmbeddedTransport
from seedbed.aio.pool import AsyncPoolTransport
from seedbed.aio.transport import AsyncTransport
from seedbed.deadlines import checked_timeout, deadline
from seedbed.fetch import (
    Fetch,
    ManySlices,
    SliceLike,
    batches,
    check_algorithm,
    check_connection,
    checked_first_byte,
    checked_targets,
    compare_digests,
    fetch_of_manifest,
    fetch_of_tensor,
    request_of,
    requests_of,
)
from seedbed.manifest import Manifest
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.transports.base import EMBEDDED
from seedbed.wire.chunks import Chunk


def connect(
    target: str | Sequence[str],
    *,
    options: Mapping[str, int | str] | None = None,
    channels: int = 1,
    shared_memory_dir: str | None = None,
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
    if targets == [EMBEDDED]:
        return Client(AsyncEmbeddedTransport())
    from seedbed.aio.grpc_transport import AsyncGrpcTransport  # as in seedbed.client

    transports = [AsyncGrpcTransport(each, options or {}, shared_memory_dir) for each in targets]
    return Client(transports[0] if len(transports) == 1 else AsyncPoolTransport(transports))


class Client:
    """Fetches tensors, several at a time: :class:`seedbed.Client` with methods to be awaited.

    What a method takes, returns and raises stands there; the bits are the same. Made by
    :func:`connect`; an asynchronous context manager; to be used in one event loop.

    A task that is cancelled in a call gets asyncio.CancelledError; the call ends, on the server as
    well, and nothing is written to ``out`` any more. ``seedbed.CancelledError`` is for calls that
    :meth:`close` ends. ``asyncio.timeout`` works around any call.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def target(self) -> str:
        """Who does the work, as given to :func:`connect`."""
        return self._transport.target

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<seedbed.aio.Client of {self.target}>"

    async def close(self) -> None:
        """Give back the connection; calls under way in other tasks end with CancelledError."""
        await self._transport.close()

    async def aclose(self) -> None:
        """Do what :meth:`close` does, under the name that :func:`contextlib.aclosing` calls."""
        await self.close()

    async def wait_ready(self, timeout_seconds: float = 60.0) -> None:
        """Return when the server can answer; see :meth:`seedbed.Client.wait_ready`."""
        await self._transport.wait_ready(checked_timeout(timeout_seconds) or 0.0)

    @overload
    async def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: None = None,
        local: bool = False,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> NDArray[Any]: ...

    @overload
    async def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: str,
        local: bool = False,
        progress: bool = False,
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
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Return a tensor, or a rectangle of it; see :meth:`seedbed.Client.sample`."""
        prepare = partial(
            fetch_of_tensor,
            self.target,
            spec,
            slice=slice,
            out=out,
            device=device,
            local=local,
            progress=progress,
            timeout_seconds=timeout_seconds,
        )
        return (await self._fetch(await _prepared(device, prepare)))[0]

    @overload
    async def sample_all(
        self,
        manifest: Manifest,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: None = None,
        local: bool = False,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, NDArray[Any]]: ...

    @overload
    async def sample_all(
        self,
        manifest: Manifest,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str,
        local: bool = False,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]: ...

    async def sample_all(
        self,
        manifest: Manifest,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str | None = None,
        local: bool = False,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Return all tensors of a manifest by name, in its order; see :meth:`seedbed.Client.sample_all`."""
        prepare = partial(
            fetch_of_manifest,
            self.target,
            manifest,
            slice=slice,
            out=out,
            device=device,
            local=local,
            progress=progress,
            timeout_seconds=timeout_seconds,
        )
        return dict(zip(manifest, await self._fetch(await _prepared(device, prepare)), strict=True))

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
        request = request_of(spec, slice)
        first_byte = checked_first_byte(request, first_byte)
        return self._transport.chunks(request, first_byte, checked_timeout(timeout_seconds))

    async def describe(
        self, spec: TensorSpec, *, slice: SliceLike = None, timeout_seconds: float | None = None
    ) -> TensorDescription:
        """Return what sampling would give; see :meth:`seedbed.Client.describe`."""
        return (
            await self._transport.describe(
                [request_of(spec, slice)], checked_timeout(timeout_seconds)
            )
        )[0]

    async def describe_all(
        self, manifest: Manifest, *, timeout_seconds: float | None = None
    ) -> dict[str, TensorDescription]:
        """Return what sampling each tensor of a manifest would give; see :meth:`seedbed.Client.describe_all`."""
        requests = requests_of(manifest)
        found: list[TensorDescription] = []
        remaining = deadline(self.target, timeout_seconds)
        for batch in batches(requests):
            found += await self._transport.describe(batch, remaining())
        return {each.name: each for each in found}

    async def digest(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        algorithm: DigestAlgorithm = "xxh3_128",
        timeout_seconds: float | None = None,
    ) -> Digest:
        """Return the digest of a tensor's bytes without moving them; see :meth:`seedbed.Client.digest`."""
        check_algorithm(algorithm)
        found = await self._transport.digest(
            [request_of(spec, slice)], algorithm, checked_timeout(timeout_seconds)
        )
        return found[0]

    async def digest_all(
        self,
        manifest: Manifest,
        *,
        slice: ManySlices = None,
        algorithm: DigestAlgorithm = "xxh3_128",
        timeout_seconds: float | None = None,
    ) -> dict[str, Digest]:
        """Return the digest of every tensor of a manifest; see :meth:`seedbed.Client.digest_all`."""
        check_algorithm(algorithm)
        requests = requests_of(manifest, slice)
        found: list[Digest] = []
        remaining = deadline(self.target, timeout_seconds)
        for batch in batches(requests):
            found += await self._transport.digest(batch, algorithm, remaining())
        return dict(zip(manifest, found, strict=True))

    async def list_initializers(
        self, *, timeout_seconds: float | None = None
    ) -> list[InitializerInfo]:
        """Return every initializer there, with its parameters."""
        return await self._transport.list_initializers(checked_timeout(timeout_seconds))

    async def server_info(self, *, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what does the work: version, numerics, device, limits."""
        return await self._transport.server_info(checked_timeout(timeout_seconds))

    async def _fetch(self, fetch: Fetch) -> Sequence[Any]:
        arrays: list[Any] = []
        with fetch.bar as on_bytes:
            for requests, outs in fetch.batches():
                left = fetch.remaining()
                if fetch.device is not None:
                    arrays += await self._transport.sample_on(
                        fetch.device, requests, on_bytes, left
                    )
                    continue
                memories: Sequence[memoryview] = outs
                if fetch.is_local:
                    await self._fill_here(requests, outs, on_bytes, left)
                else:
                    memories = await self._transport.fill(
                        requests, outs, on_bytes, left, may_map=fetch.are_ours
                    )
                arrays += fetch.arrays_of_batch(len(arrays), outs, memories)
        return arrays

    async def _fill_here(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None,
    ) -> None:
        """Sample in this process while the server computes its digests, and compare."""
        said = asyncio.ensure_future(self._transport.digest(requests, "xxh3_128", timeout_seconds))
        try:
            await AsyncEmbeddedTransport().fill(requests, outs, on_bytes)
            compare_digests(self.target, requests, outs, await said)
        finally:
            said.cancel()
            await asyncio.gather(said, return_exceptions=True)


async def _prepared(device: str | None, prepare: Callable[[], Fetch]) -> Fetch:
    """Return what ``prepare`` returns, which may open a device: the first time that takes seconds."""
    return prepare() if device is None else await asyncio.to_thread(prepare)
