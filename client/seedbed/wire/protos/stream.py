"""Between what a stream says beside its chunks (header, segment, digest) and its messages."""

from google.protobuf.message import DecodeError

from seedbed.spec.digests import Digest
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.info import NUMERICS
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import segments_pb2, streams_pb2, tensors_pb2
from seedbed.wire.protos.enums import (
    DIGESTS,
    DIGESTS_BACK,
    DTYPES,
    DTYPES_BACK,
    VERSIONS,
    VERSIONS_BACK,
)
from seedbed.wire.protos.requests import tensor_request_to_proto


def header_to_bytes(request: TensorRequest) -> bytes:
    """Return a serialized TensorHeader."""
    return header_to_proto(request).SerializeToString()


def header_to_proto(request: TensorRequest) -> streams_pb2.TensorHeader:
    """Return the message that says what a tensor's bytes are, and what was asked for."""
    return streams_pb2.TensorHeader(
        shape=request.shape,
        dtype=DTYPES[request.spec.dtype],
        total_bytes=request.size_bytes,
        numerics=VERSIONS[NUMERICS],
        request=tensor_request_to_proto(request),
    )


def header_from_bytes(data: bytes) -> streams_pb2.TensorHeader:
    """Return the message that a serialized TensorHeader holds.

    Raises:
        ValueError: if the bytes are none.
    """
    try:
        return streams_pb2.TensorHeader.FromString(data)
    except DecodeError as error:
        raise ValueError(f"no header: {error}") from None


def header_from_proto(
    message: streams_pb2.TensorHeader,
) -> tuple[tuple[int, ...], Dtype | None, int, str | None]:
    """Return shape, dtype, total bytes and numerics of a header; None for what is unknown here."""
    numerics = VERSIONS_BACK.get(message.numerics)
    return tuple(message.shape), DTYPES_BACK.get(message.dtype), message.total_bytes, numerics


def segment_to_bytes(directory: str, path: str, size_bytes: int) -> bytes:
    """Return a serialized Segment."""
    return segments_pb2.Segment(
        directory=directory, path=path, size_bytes=size_bytes
    ).SerializeToString()


def segment_from_bytes(data: bytes) -> tuple[str, str, int]:
    """Return directory, path and size in bytes of a serialized Segment.

    Raises:
        ValueError: if the bytes are none.
    """
    try:
        message = segments_pb2.Segment.FromString(data)
    except DecodeError as error:
        raise ValueError(f"no segment: {error}") from None
    return message.directory, message.path, message.size_bytes


def digest_to_proto(digest: Digest) -> tensors_pb2.Digest:
    """Return the message of a digest."""
    return tensors_pb2.Digest(
        algorithm=DIGESTS[digest.algorithm], value=digest.value, size_bytes=digest.size_bytes
    )


def digest_to_bytes(digest: Digest) -> bytes:
    """Return a serialized Digest."""
    return digest_to_proto(digest).SerializeToString()


def digest_from_proto(message: tensors_pb2.Digest) -> Digest:
    """Return the digest that a message holds.

    Raises:
        InvalidValueError: if its algorithm is unknown here.
    """
    if message.algorithm not in DIGESTS_BACK:
        raise bad_value("digest.algorithm", "one that this client knows", int(message.algorithm))
    return Digest(DIGESTS_BACK[message.algorithm], message.value, message.size_bytes)


def digest_from_bytes(data: bytes) -> Digest:
    """Return the digest that a serialized message holds.

    Raises:
        ValueError: if the bytes are none, or the algorithm is unknown here.
    """
    try:
        return digest_from_proto(tensors_pb2.Digest.FromString(data))
    except DecodeError as error:
        raise ValueError(f"no digest: {error}") from None
