"""Requests and answers of every transport that speaks gRPC, without any I/O."""

from collections.abc import Sequence

from seedbed.errors import DataLossError
from seedbed.spec.digests import DIGEST_BYTES, Digest, DigestAlgorithm, digest_bytes
from seedbed.spec.info import NUMERICS, InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.statuses import parsed, understood
from seedbed.v1 import service_pb2
from seedbed.wire import protos

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
        numerics=protos.newest_numerics(),
        accepts_fill=True,
        accepts_segments=accepts_segments,
    )
    if first_byte:
        message.resume.byte_offset = first_byte
    return message


def one_tensor_message(request: TensorRequest) -> service_pb2.SampleTensorRequest:
    """Return the request for one small tensor in one message."""
    return service_pb2.SampleTensorRequest(
        tensor=protos.tensor_request_to_proto(request), numerics=protos.newest_numerics()
    )


def bytes_of_one_tensor(target: str, request: TensorRequest, data: bytes) -> bytes:
    """Return the bytes of the tensor that a serialized SampleTensorResponse holds.

    Raises:
        DataLossError: if it is not what was asked for, or not whole.
    """
    response = parsed(target, service_pb2.SampleTensorResponse.FromString, data)
    expected = (request.shape, request.spec.dtype, request.size_bytes, NUMERICS)
    if (
        protos.header_from_proto(response.header) != expected
        or len(response.data) != request.size_bytes
    ):
        raise DataLossError(
            f"{target} sent another tensor than it was asked for; check that it is a seedbed-server"
        )
    with understood(target):
        said = protos.digest_from_proto(response.digest)
    if said != digest_bytes(response.data):
        name = request.spec.name or "the tensor"
        raise DataLossError(
            f"the digest of {name!r} is wrong; fetch it again, "
            "and look at the network if that repeats"
        )
    return response.data


def describe_message(requests: Sequence[TensorRequest]) -> service_pb2.DescribeTensorsRequest:
    """Return the request for descriptions."""
    return service_pb2.DescribeTensorsRequest(
        tensors=map(protos.tensor_request_to_proto, requests), numerics=protos.newest_numerics()
    )


def digest_message(
    requests: Sequence[TensorRequest], algorithm: DigestAlgorithm
) -> service_pb2.DigestTensorsRequest:
    """Return the request for digests."""
    return service_pb2.DigestTensorsRequest(
        tensors=map(protos.tensor_request_to_proto, requests),
        numerics=protos.newest_numerics(),
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


def descriptions_of(
    target: str, response: service_pb2.DescribeTensorsResponse, requests: Sequence[TensorRequest]
) -> list[TensorDescription]:
    """Return a server's descriptions of the requests.

    Raises:
        DataLossError: if they make no sense, or are not one for each request.
    """
    if len(response.tensors) != len(requests):
        raise DataLossError(
            f"{target} described {len(response.tensors)} of {len(requests)} tensors; ask again"
        )
    with understood(target):
        return protos.descriptions_from_proto(response)


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

    def feed(self, response: service_pb2.DigestTensorsResponse) -> Digest | None:
        """Return the digest in the next message; None for a heartbeat.

        Raises:
            DataLossError: if it does not fit.
        """
        if not response.HasField("digest"):
            return None
        with understood(self._target):
            digest = protos.digest_from_proto(response.digest)
            index = len(self._digests)
            if (
                response.tensor_index != index
                or digest.size_bytes != self._requests[index].size_bytes
            ):
                raise ValueError(
                    f"a digest of tensor {response.tensor_index}, {digest.size_bytes} bytes"
                )
            if (
                digest.algorithm != self._algorithm
                or len(digest.value) != DIGEST_BYTES[self._algorithm]
            ):
                raise ValueError(f"a digest by {digest.algorithm} of {len(digest.value)} bytes")
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
