"""A server as a transport: the six RPCs over one gRPC channel, and the filling of arrays past it where that can be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from seedbed.deadlines import Remaining, deadline
from seedbed.devices import LocalDevice
from seedbed.errors import UnsupportedError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import ONE_MESSAGE_BYTES, InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.assemble import Assembler, Filler, MapSegment
from seedbed.transports.channel import open_channel
from seedbed.transports.http2.address import plain_address
from seedbed.transports.http2.connections import Connections
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
from seedbed.transports.statuses import no_response, not_ready, translated
from seedbed.v1 import service_pb2, service_pb2_grpc
from seedbed.wire.chunks import Chunk, Frame, FrameError, decode_frame

SAMPLE = f"/{SERVICE}/SampleTensors"
SAMPLE_ONE = f"/{SERVICE}/SampleTensor"


class GrpcTransport:
    """Sends requests to a server."""

    def __init__(
        self, target: str, options: Mapping[str, int | str], shared_memory_dir: str | None = None
    ) -> None:
        self._target = target
        self._mapper = Mapper(target, shared_memory_dir)
        self._channel = open_channel(target, options)
        address = plain_address(target, options)
        self._connections = Connections(address) if address is not None else None
        self._stub = service_pb2_grpc.SeedbedServiceStub(self._channel)
        # The payload must not pass through protobuf's own parser; see seedbed.wire.chunks.
        self._sample = self._channel.unary_stream(
            SAMPLE,
            request_serializer=service_pb2.SampleTensorsRequest.SerializeToString,
            response_deserializer=decode_frame,
        )
        self._sample_one: Any = self._channel.unary_unary(
            SAMPLE_ONE, request_serializer=service_pb2.SampleTensorRequest.SerializeToString
        )
        self._has_sample_tensor = True

    @property
    def target(self) -> str:
        """The server's address, as given to ``connect``."""
        return self._target

    def close(self) -> None:
        """Close the connections; calls under way end with CancelledError."""
        self._channel.close()
        if self._connections is not None:
            self._connections.close()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return when the server says that it serves.

        Raises:
            UnavailableError: if it does not within the time.
        """
        watch = self._channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        try:
            with translated(self._target, timeout_seconds):
                call = watch(request, timeout=timeout_seconds, wait_for_ready=True)
            for response in call:
                if response.status == health_pb2.HealthCheckResponse.SERVING:
                    call.cancel()
                    return
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                with translated(self._target, timeout_seconds):
                    raise
        raise not_ready(self._target, timeout_seconds) from None

    def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what the server is."""
        with translated(self._target, timeout_seconds):
            response = self._stub.GetServerInfo(
                service_pb2.GetServerInfoRequest(), timeout=timeout_seconds
            )
        return server_info_of(self._target, response)

    def list_initializers(self, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer of the server."""
        with translated(self._target, timeout_seconds):
            response = self._stub.ListInitializers(
                service_pb2.ListInitializersRequest(), timeout=timeout_seconds
            )
        return initializers_of(self._target, response)

    def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""
        with translated(self._target, timeout_seconds):
            response = self._stub.DescribeTensors(
                describe_message(requests), timeout=timeout_seconds
            )
        return descriptions_of(self._target, response, requests)

    def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""
        reader = DigestReader(self._target, requests, algorithm)
        message = digest_message(requests, algorithm)
        with translated(self._target, timeout_seconds):
            for response in _until_the_end(
                self._stub.DigestTensors(message, timeout=timeout_seconds)
            ):
                reader.feed(response)
        return reader.finish()

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        """Yield the bytes of one request from ``first_byte`` on, each chunk checked."""
        assembler = Assembler([request], first_byte)
        with translated(self._target, timeout_seconds):
            for _, chunk in assembler.chunks(
                self._frames(sample_message([request], first_byte), timeout_seconds)
            ):
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
        """Write the bytes of each request into its memory, or map what the server has put into shared memory."""
        remaining = deadline(self._target, timeout_seconds)
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
        is_older = False
        if (
            len(requests) == 1
            and requests[0].size_bytes <= ONE_MESSAGE_BYTES
            and self._has_sample_tensor
        ):
            try:
                outs[0][:] = self._one_tensor(requests[0], remaining())
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
        with translated(self._target, timeout_seconds):
            if self._connections is not None:
                self._read(self._connections, filler, message.SerializeToString(), timeout_seconds)
            else:
                self._feed(filler, message, timeout_seconds)
        found = filler.finish()
        self._has_sample_tensor &= not is_older
        return found

    def _one_tensor(self, request: TensorRequest, timeout_seconds: float | None) -> bytes:
        """Return all of a small tensor."""
        message = one_tensor_message(request)
        with translated(self._target, timeout_seconds):
            if self._connections is None:
                # None where a call ends well without an answer.
                data = self._sample_one(message, timeout=timeout_seconds) or b""
            else:
                data = self._connections.unary(
                    SAMPLE_ONE, message.SerializeToString(), timeout_seconds
                )
        return bytes_of_one_tensor(self._target, request, data)

    def _read(
        self,
        connections: Connections,
        filler: Filler,
        message: bytes,
        timeout_seconds: float | None,
    ) -> None:
        """Let the filler read a call's bytes from the socket."""
        with connections.call(SAMPLE, message, timeout_seconds) as call:
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
        assembler = Assembler(requests, has_checksums=False)
        message = sample_message(requests, omit_checksums=True)
        with translated(self._target, timeout_seconds):
            for index, chunk in assembler.chunks(self._frames(message, timeout_seconds)):
                landings[index].write(chunk.byte_offset, chunk.data)
                on_bytes(len(chunk.data))
        return [landing.array() for landing in landings]

    def _frames(
        self, message: service_pb2.SampleTensorsRequest, timeout_seconds: float | None
    ) -> Iterator[Frame]:
        return _until_the_end(self._sample(message, timeout=timeout_seconds))


def _until_the_end(call: Any) -> Iterator[Any]:
    """Yield a call's responses; however the iteration ends, an interrupt included, so does the call."""
    try:
        yield from call
    finally:
        call.cancel()
