"""Requests and answers of every transport that speaks gRPC, without any I/O."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from seedbed.errors import DataLossError
from seedbed.spec.digests import DIGEST_BYTES, Digest, DigestAlgorithm, digest_bytes
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.answers import (
    check_header,
    check_numerics,
    check_understood,
    lost,
    name_of,
)
from seedbed.transports.statuses import parsed, understood
from seedbed.v1 import service_pb2, streams_pb2
from seedbed.wire import protos
from seedbed.wire.checksums import without_checksum

R = TypeVar("R")

SERVICE = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"].full_name


def sample_message(
    requests: Sequence[TensorRequest],
    first_byte: int = 0,
    *,
    accepts_segments: bool = False,
) -> service_pb2.SampleTensorsRequest:
    """Return the request for the bytes of tensors, from ``first_byte`` of the first one on."""
    message = service_pb2.SampleTensorsRequest(
        tensors=map(protos.tensor_request_to_proto, requests),
        numerics=protos.numerics_to_proto(),
        transfer=streams_pb2.TransferOptions(accepts_fill=True, accepts_segments=accepts_segments),
    )
    if first_byte:
        message.resume.byte_offset = first_byte
    return message


def small_tensor_message(request: TensorRequest) -> service_pb2.SampleSmallTensorRequest:
    """Return the request for one small tensor in one message."""
    return service_pb2.SampleSmallTensorRequest(
        tensor=protos.tensor_request_to_proto(request), numerics=protos.numerics_to_proto()
    )


def bytes_of_small_tensor(target: str, request: TensorRequest, data: bytes) -> bytes:
    """Return the bytes of the tensor that a serialized SampleSmallTensorResponse holds.

    Raises:
        DataLossError: if it is not what was asked for, or not whole.
    """
    response = parsed(target, service_pb2.SampleSmallTensorResponse.FromString, data)
    check_header(0, request, response.header)
    if len(response.data) != request.size_bytes:
        raise lost(f"{name_of(0, request)} came as {len(response.data)} bytes")
    with understood(target):
        said = protos.digest_from_proto(response.digest)
    if said != digest_bytes(response.data):
        raise lost(f"the digest of {name_of(0, request)} is wrong")
    return response.data


def describe_message(requests: Sequence[TensorRequest]) -> service_pb2.DescribeTensorsRequest:
    """Return the request for descriptions."""
    return service_pb2.DescribeTensorsRequest(
        tensors=map(protos.tensor_request_to_proto, requests), numerics=protos.numerics_to_proto()
    )


def digest_message(
    requests: Sequence[TensorRequest], algorithm: DigestAlgorithm
) -> service_pb2.DigestTensorsRequest:
    """Return the request for digests."""
    return service_pb2.DigestTensorsRequest(
        tensors=map(protos.tensor_request_to_proto, requests),
        numerics=protos.numerics_to_proto(),
        digest_algorithm=protos.digest_algorithm_to_proto(algorithm),
    )


def server_info_of(target: str, response: service_pb2.GetServerInfoResponse) -> ServerInfo:
    """Return what a server says that it is.

    Raises:
        DataLossError: if it makes no sense.
    """
    with understood(target):
        return protos.server_info_from_proto(response)


def initializers_of(
    target: str, response: service_pb2.ListInitializersResponse
) -> list[InitializerInfo]:
    """Return the initializers that a server names.

    Raises:
        DataLossError: if they make no sense.
    """
    with understood(target):
        return protos.initializer_infos_from_proto(response)


def with_right_checksum(parse: Callable[[bytes], R]) -> Callable[[bytes], R]:
    """Return what parses a serialized message whose checksum is right, and raises otherwise."""
    return lambda data: parse(without_checksum(data))


def _checked(target: str, parse: Callable[[bytes], R], data: bytes) -> R:
    """Return a message with a checksum, read by ``parse``."""
    return parsed(target, with_right_checksum(parse), data)


class DescriptionReader:
    """Checks the messages of one DescribeTensors call and collects the descriptions.

    Args:
        target: who sends them.
        requests: what was asked for.
    """

    def __init__(self, target: str, requests: Sequence[TensorRequest]) -> None:
        self._target = target
        self._requests = requests
        self._descriptions: list[TensorDescription] = []

    def feed(self, data: bytes) -> None:
        """Take the next message, serialized.

        Raises:
            DataLossError: if it does not fit.
        """
        response = _checked(self._target, service_pb2.DescribeTensorsResponse.FromString, data)
        first = len(self._descriptions)
        if first + len(response.tensors) > len(self._requests):
            raise self._miscounted(first + len(response.tensors))
        check_numerics(self._target, response.numerics)
        for index, message in enumerate(response.tensors, first):
            check_understood(index, self._requests[index], message.request)
        with understood(self._target):
            self._descriptions += protos.descriptions_from_proto(response)

    def finish(self) -> list[TensorDescription]:
        """Return the descriptions, at the end of the stream.

        Raises:
            DataLossError: if some are missing.
        """
        if len(self._descriptions) < len(self._requests):
            raise self._miscounted(len(self._descriptions))
        return self._descriptions

    def _miscounted(self, count: int) -> DataLossError:
        return DataLossError(
            f"{self._target} described {count} of {len(self._requests)} tensors; ask again"
        )


class DigestReader:
    """Checks the messages of one DigestTensors call and collects the digests.

    Args:
        target: who sends them.
        requests: what was asked for.
        algorithm: by which.
    """

    def __init__(
        self, target: str, requests: Sequence[TensorRequest], algorithm: DigestAlgorithm
    ) -> None:
        self._target = target
        self._requests = requests
        self._algorithm = algorithm
        self._digests: list[Digest] = []

    def feed(self, data: bytes) -> list[Digest]:
        """Return the digests in the next message, serialized; none for a heartbeat.

        Raises:
            DataLossError: if it does not fit.
        """
        response = _checked(self._target, service_pb2.DigestTensorsResponse.FromString, data)
        check_numerics(self._target, response.numerics)
        return [self._next(message) for message in response.tensors]

    def _next(self, message: service_pb2.TensorDigest) -> Digest:
        index = len(self._digests)
        if message.tensor_index != index or index >= len(self._requests):
            raise DataLossError(
                f"{self._target} sent a digest of tensor {message.tensor_index} "
                f"where that of tensor {index} of {len(self._requests)} was due; ask again"
            )
        check_understood(index, self._requests[index], message.request)
        with understood(self._target):
            digest = protos.digest_from_proto(message.digest)
            if (
                digest.algorithm != self._algorithm
                or len(digest.value) != DIGEST_BYTES[self._algorithm]
                or digest.size_bytes != self._requests[index].size_bytes
            ):
                raise ValueError(
                    f"a digest by {digest.algorithm} of {len(digest.value)} bytes, "
                    f"of {digest.size_bytes} bytes, where {self._algorithm} of "
                    f"{self._requests[index].size_bytes} bytes was asked for"
                )
        self._digests.append(digest)
        return digest

    def finish(self) -> list[Digest]:
        """Return the digests, at the end of the stream.

        Raises:
            DataLossError: if some are missing.
        """
        if len(self._digests) != len(self._requests):
            found = f"{len(self._digests)} digests for {len(self._requests)} tensors"
            raise DataLossError(f"{self._target} sent {found}; ask again")
        return self._digests
