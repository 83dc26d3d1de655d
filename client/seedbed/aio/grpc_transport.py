"""A server as an asynchronous transport: the six RPCs over one gRPC channel of an event loop."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, TypeVar

import grpc.aio
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from seedbed.deadlines import Remaining, deadline
from seedbed.devices import Landing, LocalDevice
from seedbed.errors import DeadlineError, InvalidValueError, TransportError, UnsupportedError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import ONE_MESSAGE_BYTES, InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.assemble import Assembler, Filler, MapSegment
from seedbed.transports.channel import grpc_target, open_aio_channel
from seedbed.transports.mapping import Mapper
from seedbed.transports.messages import (
    SERVICE,
    DigestReader,
    bytes_of_one_tensor,
    describe_message,
    descriptions_of,
    digest_message,
    initializers_of,
    one_tensor_message,
    sample_message,
    server_info_of,
)
from seedbed.transports.statuses import (
    cancelled,
    closed,
    no_response,
    not_ready,
    parsed,
    translated,
)
from seedbed.v1 import service_pb2
from seedbed.wire.chunks import Chunk, decode_frame

HEALTH = "/grpc.health.v1.Health/Watch"

# gRPC's own task that waits for the end of a call. A call that was cancelled here ends in a
# millisecond; those of other clients may take for ever.
STATUS_TASK = "_handle_status_once_received"
SETTLE_SECONDS = 0.2

R = TypeVar("R")


class AsyncGrpcTransport:
    """Sends requests to a server. Requests and responses pass through gRPC as bytes.

    gRPC would log a response that its reader refuses, and hand over None instead of it.
    """

    def __init__(
        self, target: str, options: Mapping[str, int | str], shared_memory_dir: str | None = None
    ) -> None:
        grpc_target(target)
        self._target = target
        self._mapper = Mapper(target, shared_memory_dir)
        self._options = options
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls: set[grpc.aio.Call] = set()
        self._has_cancelled = False
        self._is_closed = False
        self._has_sample_tensor = True

    @property
    def target(self) -> str:
        """The server's address, as given to ``connect``."""
        return self._target

    async def open(self) -> None:
        """Do nothing: gRPC connects at the first call."""

    async def close(self) -> None:
        """Close the connection; calls under way in other tasks end with CancelledError."""
        self._is_closed = True
        for call in tuple(self._calls):
            self._cancel(call)
        if self._has_cancelled:
            self._has_cancelled = False
            await _settled()
        if self._channel is not None:
            await self._channel.close()

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Return when the server says that it serves.

        Raises:
            UnavailableError: if it does not within the time.
        """
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        watch = self._responses(HEALTH, request, timeout_seconds, wait_for_ready=True)
        try:
            async with aclosing(watch) as responses:
                async for data in responses:
                    response = parsed(self._target, health_pb2.HealthCheckResponse.FromString, data)
                    if response.status == health_pb2.HealthCheckResponse.SERVING:
                        return
        except DeadlineError:
            pass
        raise not_ready(self._target, timeout_seconds)

    async def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what the server is."""
        parse = service_pb2.GetServerInfoResponse.FromString
        response = await self._response(
            "GetServerInfo", service_pb2.GetServerInfoRequest(), parse, timeout_seconds
        )
        return server_info_of(self._target, response)

    async def list_initializers(
        self, timeout_seconds: float | None = None
    ) -> list[InitializerInfo]:
        """Return every initializer of the server."""
        message, parse = (
            service_pb2.ListInitializersRequest(),
            service_pb2.ListInitializersResponse.FromString,
        )
        response = await self._response("ListInitializers", message, parse, timeout_seconds)
        return initializers_of(self._target, response)

    async def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""
        parse = service_pb2.DescribeTensorsResponse.FromString
        response = await self._response(
            "DescribeTensors", describe_message(requests), parse, timeout_seconds
        )
        return descriptions_of(self._target, response, requests)

    async def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""
        reader = DigestReader(self._target, requests, algorithm)
        message = digest_message(requests, algorithm)
        async with aclosing(
            self._responses(_path("DigestTensors"), message, timeout_seconds)
        ) as responses:
            async for data in responses:
                reader.feed(
                    parsed(self._target, service_pb2.DigestTensorsResponse.FromString, data)
                )
        return reader.finish()

    async def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Yield the bytes of one request from ``first_byte`` on, each chunk checked."""
        assembler = Assembler([request], first_byte)
        message = sample_message([request], first_byte)
        async with aclosing(self._pieces(assembler, message, timeout_seconds)) as pieces:
            async for _, chunk in pieces:
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
        """Write the bytes of each request into its memory, or map what the server has put into shared memory."""
        remaining = deadline(self._target, timeout_seconds)
        if may_map and self._mapper.is_of_use:
            with self._mapper.attempt(on_bytes) as count:
                return await self._fill(requests, outs, count, remaining, self._mapper.map_segment)
        return await self._fill(requests, outs, on_bytes, remaining)

    async def _fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        remaining: Remaining,
        map_segment: MapSegment | None = None,
    ) -> Sequence[memoryview]:
        is_older = False
        if (
            len(requests) == 1
            and requests[0].size_bytes <= ONE_MESSAGE_BYTES
            and self._has_sample_tensor
        ):
            try:
                outs[0][:] = await self._one_tensor(requests[0], remaining())
            except UnsupportedError:  # a server of an older release, if it can send a stream
                is_older = True
            else:
                on_bytes(len(outs[0]))
                return outs
        filler = Filler(requests, outs, on_bytes, map_segment)
        timeout_seconds = remaining()
        message = sample_message(
            requests, omit_checksums=True, accepts_segments=map_segment is not None
        )
        async with aclosing(
            self._responses(_path("SampleTensors"), message, timeout_seconds)
        ) as responses:
            async for data in responses:
                filler.feed(parsed(self._target, decode_frame, data))
                if filler.may_end_call:
                    break
        found = filler.finish()
        self._has_sample_tensor &= not is_older
        return found

    async def _one_tensor(self, request: TensorRequest, timeout_seconds: float | None) -> bytes:
        """Return all of a small tensor."""

        def parse(data: bytes) -> bytes:
            return bytes_of_one_tensor(self._target, request, data)

        return await self._response(
            "SampleTensor", one_tensor_message(request), parse, timeout_seconds
        )

    async def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Put the bytes of each request on a device as they arrive, and return the arrays."""

        # A device is waited for, and the event loop shall not.
        def land() -> list[Landing]:
            return [device.landing(request) for request in requests]

        landings = await asyncio.to_thread(land)
        assembler = Assembler(requests, has_checksums=False)
        message = sample_message(requests, omit_checksums=True)
        async with aclosing(self._pieces(assembler, message, timeout_seconds)) as pieces:
            async for index, chunk in pieces:
                await asyncio.to_thread(landings[index].write, chunk.byte_offset, chunk.data)
                on_bytes(len(chunk.data))
        return [landing.array() for landing in landings]

    async def _pieces(
        self,
        assembler: Assembler,
        message: service_pb2.SampleTensorsRequest,
        timeout_seconds: float | None,
    ) -> AsyncGenerator[tuple[int, Chunk], None]:
        """Yield the place of the tensor and each of its chunks of one SampleTensors call."""
        async with aclosing(
            self._responses(_path("SampleTensors"), message, timeout_seconds)
        ) as responses:
            async for data in responses:
                for piece in assembler.feed(parsed(self._target, decode_frame, data)):
                    yield piece
        assembler.finish()

    # The calls themselves.

    def _open(self) -> grpc.aio.Channel:
        """Return the channel of the event loop that runs."""
        if self._is_closed:
            raise closed(self._target)
        loop = asyncio.get_running_loop()
        if self._channel is None or self._loop is not loop:
            if self._loop is not None and not self._loop.is_closed():
                message = f"the client of {self._target} belongs to another event loop; connect one in each"
                raise InvalidValueError(message, field="client")
            self._channel, self._loop = open_aio_channel(self._target, self._options), loop
        return self._channel

    async def _response(
        self,
        method: str,
        message: Message,
        parse: Callable[[bytes], R],
        timeout_seconds: float | None,
    ) -> R:
        """Return the only response of a call."""
        found: R | None = None
        async with aclosing(self._responses(_path(method), message, timeout_seconds)) as responses:
            async for data in responses:
                if found is not None:
                    raise no_response(self._target)
                found = parsed(self._target, parse, data)
        if found is None:
            raise no_response(self._target)
        return found

    async def _responses(
        self,
        path: str,
        message: Message,
        timeout_seconds: float | None,
        *,
        wait_for_ready: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """Yield the responses of a call; however the iteration ends, so does the call."""
        start: Any = self._open().unary_stream(path)
        call: Any = start(
            message.SerializeToString(), timeout=timeout_seconds, wait_for_ready=wait_for_ready
        )
        with self._under_way(call, timeout_seconds):
            async with aclosing(aiter(call)) as responses:
                before = _cancellations()
                try:
                    async for data in responses:
                        yield data
                        before = _cancellations()
                except asyncio.CancelledError:
                    self._raise_if_closed(before)
                    raise

    @contextmanager
    def _under_way(self, call: grpc.aio.Call, timeout_seconds: float | None) -> Iterator[None]:
        self._calls.add(call)
        try:
            with translated(self._target, timeout_seconds):
                yield
        except grpc.aio.BaseError as error:  # gRPC's own objects are no longer fit for use
            if self._is_closed:
                raise closed(self._target) from None
            raise TransportError(
                f"the call to {self._target} failed in this process: {error}; connect again"
            ) from None
        finally:
            self._cancel(call)
            self._calls.discard(call)

    def _cancel(self, call: grpc.aio.Call) -> None:
        self._has_cancelled |= call.cancel()

    def _raise_if_closed(self, before: int) -> None:
        """Raise our error where ``close`` has cancelled the call, and nobody this task.

        gRPC raises asyncio.CancelledError in both cases, and asyncio demands that a task's own is
        passed on.
        """
        if self._is_closed and _cancellations() == before:
            raise cancelled(self._target) from None


async def _settled() -> None:
    """Return when gRPC's core has reported the end of cancelled calls: it complains where the event loop has ended."""
    reports = {task for task in asyncio.all_tasks() if STATUS_TASK in repr(task)}
    if reports:
        await asyncio.wait(reports, timeout=SETTLE_SECONDS)


def _path(method: str) -> str:
    return f"/{SERVICE}/{method}"


def _cancellations() -> int:
    """Return how often the running task has been asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0
