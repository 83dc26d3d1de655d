"""A server as a transport: calls go by gRPC, arrays are read from the socket where that can be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

from grpc_health.v1 import health_pb2

from seedbed.deadlines import Remaining, deadline
from seedbed.devices import LocalDevice
from seedbed.errors import DeadlineError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import ONE_MESSAGE_BYTES, InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.assemble import Assembler, Filler, MapSegment
from seedbed.transports.calls import Calls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.address import plain_address
from seedbed.transports.http2.connections import Connections
from seedbed.transports.mapping import Mapper
from seedbed.transports.messages import (
    SERVICE,
    DescriptionReader,
    DigestReader,
    bytes_of_one_tensor,
    describe_message,
    digest_message,
    initializers_of,
    one_tensor_message,
    sample_message,
    server_info_of,
)
from seedbed.transports.statuses import no_response, not_ready, translated
from seedbed.v1 import service_pb2
from seedbed.wire.chunks import Chunk, Frame, FrameError, decode_frame

HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
SERVER_INFO = f"/{SERVICE}/GetServerInfo"
LIST = f"/{SERVICE}/ListInitializers"
DESCRIBE = f"/{SERVICE}/DescribeTensors"
DIGEST = f"/{SERVICE}/DigestTensors"
SAMPLE = f"/{SERVICE}/SampleTensors"
SAMPLE_ONE = f"/{SERVICE}/SampleTensor"


class RemoteTransport:
    """Sends requests to a server.

    It has two parts. ``_calls`` makes calls by gRPC, any call to any target. ``_bulk`` fills
    memory past gRPC, and is None for targets that only gRPC can reach; then ``_calls`` does that
    as well. Both are shared by all that :meth:`another` returns.

    Args:
        target: the server's address, as given to ``connect``.
        calls: makes calls by gRPC.
        bulk: the connections for bulk reading.
        mapper: maps the server's shared memory.
    """

    def __init__(self, target: str, calls: Calls, bulk: Connections | None, mapper: Mapper) -> None:
        self._target = target
        self._calls = calls
        self._bulk = bulk
        self._mapper = mapper
        self._cancellation = Cancellation()

    @classmethod
    def open(
        cls, target: str, options: Mapping[str, int | str], shared_memory_dir: str | None = None
    ) -> Self:
        """Return a transport; it connects at its first call.

        Args:
            target: the server's address, as given to ``connect``.
            options: gRPC channel arguments.
            shared_memory_dir: where the server's shared memory is for this process, if elsewhere.
        """
        address = plain_address(target, options)
        bulk = Connections(address) if address is not None else None
        return cls(target, Calls(target, options), bulk, Mapper(target, shared_memory_dir))

    @property
    def target(self) -> str:
        """The server's address, as given to ``connect``."""
        return self._target

    def close(self) -> None:
        """Close the connections; calls under way end with CancelledError."""
        self._calls.close()
        if self._bulk is not None:
            self._bulk.close()

    def another(self) -> Self:
        """Return a transport over the same connections; its calls are cancelled apart."""
        return type(self)(self._target, self._calls, self._bulk, self._mapper)

    def cancel(self) -> None:
        """End this object's calls, now and later, with CancelledError."""
        self._cancellation.cancel()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return when the server says that it serves.

        Raises:
            UnavailableError: if it does not within the time.
        """
        responses = self._calls.responses(
            HEALTH_WATCH,
            health_pb2.HealthCheckRequest(service=SERVICE),
            health_pb2.HealthCheckResponse.FromString,
            timeout_seconds,
            self._cancellation,
            wait_for_ready=True,
        )
        try:
            for response in responses:
                if response.status == health_pb2.HealthCheckResponse.SERVING:
                    return
        except DeadlineError:
            pass
        finally:
            responses.close()
        raise not_ready(self._target, timeout_seconds)

    def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what the server is."""
        message = service_pb2.GetServerInfoRequest()
        parse = service_pb2.GetServerInfoResponse.FromString
        response = self._calls.response(
            SERVER_INFO, message, parse, timeout_seconds, self._cancellation
        )
        return server_info_of(self._target, response)

    def list_initializers(self, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer of the server."""
        message = service_pb2.ListInitializersRequest()
        parse = service_pb2.ListInitializersResponse.FromString
        response = self._calls.response(LIST, message, parse, timeout_seconds, self._cancellation)
        return initializers_of(self._target, response)

    def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""
        reader = DescriptionReader(self._target, requests)
        message = describe_message(requests)
        parse = service_pb2.DescribeTensorsResponse.FromString
        for response in self._calls.responses(
            DESCRIBE, message, parse, timeout_seconds, self._cancellation
        ):
            reader.feed(response)
        return reader.finish()

    def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""
        reader = DigestReader(self._target, requests, algorithm)
        message = digest_message(requests, algorithm)
        parse = service_pb2.DigestTensorsResponse.FromString
        for response in self._calls.responses(
            DIGEST, message, parse, timeout_seconds, self._cancellation
        ):
            reader.feed(response)
        return reader.finish()

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        """Yield the bytes of one request from ``first_byte`` on, each chunk checked."""
        assembler = Assembler([request], first_byte)
        frames = self._frames(sample_message([request], first_byte), timeout_seconds)
        for _, chunk in assembler.chunks(frames):
            yield chunk

    def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Write each request's bytes into its memory, or map the server's shared memory."""
        remaining = deadline(self._target, timeout_seconds)
        if len(requests) == 1 and requests[0].size_bytes <= ONE_MESSAGE_BYTES:
            outs[0][:] = self._one_tensor(requests[0], remaining())
            on_bytes(len(outs[0]))
            return outs
        if may_map and self._mapper.is_of_use:
            with self._mapper.attempt(on_bytes) as count:
                return self._fill(requests, outs, count, remaining, self._mapper.map_segment)
        return self._fill(requests, outs, on_bytes, remaining)

    def _fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        remaining: Remaining,
        map_segment: MapSegment | None = None,
    ) -> Sequence[memoryview]:
        filler = Filler(requests, outs, on_bytes, map_segment)
        message = sample_message(requests, accepts_segments=map_segment is not None)
        if self._bulk is not None:
            self._read(self._bulk, filler, message.SerializeToString(), remaining())
        else:
            self._feed(filler, message, remaining())
        return filler.finish()

    def _one_tensor(self, request: TensorRequest, timeout_seconds: float | None) -> bytes:
        """Return all of a small tensor."""
        message = one_tensor_message(request)
        if self._bulk is None:
            data = self._calls.response(
                SAMPLE_ONE, message, bytes, timeout_seconds, self._cancellation
            )
        else:
            with translated(self._target, timeout_seconds):
                data = self._bulk.unary(
                    SAMPLE_ONE, message.SerializeToString(), timeout_seconds, self._cancellation
                )
        return bytes_of_one_tensor(self._target, request, data)

    def _read(
        self, bulk: Connections, filler: Filler, message: bytes, timeout_seconds: float | None
    ) -> None:
        """Let the filler read a call's bytes from the socket."""
        with (
            translated(self._target, timeout_seconds),
            bulk.call(SAMPLE, message, timeout_seconds, self._cancellation) as call,
        ):
            while (size_bytes := call.next_message()) is not None:
                try:
                    filler.read(call, size_bytes)
                except FrameError:
                    raise no_response(self._target) from None
                if filler.may_end_call:
                    call.cancel()

    def _feed(
        self,
        filler: Filler,
        message: service_pb2.SampleTensorsRequest,
        timeout_seconds: float | None,
    ) -> None:
        """Give the filler what gRPC reads."""
        for frame in self._frames(message, timeout_seconds):
            filler.feed(frame)
            if filler.may_end_call:
                break

    def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Put the bytes of each request on a device as they arrive, and return the arrays."""
        landings = [device.landing(request) for request in requests]
        assembler = Assembler(requests)
        frames = self._frames(sample_message(requests), timeout_seconds)
        for index, chunk in assembler.chunks(frames):
            landings[index].write(chunk.byte_offset, chunk.data)
            on_bytes(len(chunk.data))
        return [landing.array() for landing in landings]

    def _frames(
        self, message: service_pb2.SampleTensorsRequest, timeout_seconds: float | None
    ) -> Iterator[Frame]:
        # A payload must not pass through protobuf's own parser; see seedbed.wire.chunks.
        return self._calls.responses(
            SAMPLE, message, decode_frame, timeout_seconds, self._cancellation
        )
