"""Calls without the SDK: plain protobuf messages, raw bytes, and the reasons of refusals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_status import rpc_status

from seedbed.v1 import initializers_pb2, service_pb2, service_pb2_grpc, streams_pb2, tensors_pb2

SERVICE = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"].full_name
NUMERICS = tensors_pb2.NUMERICS_SEEDBED_1
MIB = 2**20


def tensor(
    shape: Sequence[int] = (4,),
    kind: str = "random_uniform",
    *,
    name: str = "w",
    dtype: int = tensors_pb2.DTYPE_FLOAT32,
    seed: int = 1,
    **parameters: Any,
) -> tensors_pb2.TensorRequest:
    """Return the request for one tensor; ``kind`` is the initializer's field in the oneof."""
    initializer = initializers_pb2.InitializerSpec()
    getattr(initializer, kind).SetInParent()
    for parameter, value in parameters.items():
        setattr(getattr(initializer, kind), parameter, value)
    spec = tensors_pb2.TensorSpec(
        name=name,
        shape=shape,
        dtype=dtype,  # type: ignore[arg-type]
        initializer=initializer,
        seed=seed,
    )
    return tensors_pb2.TensorRequest(spec=spec)


def sample_request(
    *tensors: tensors_pb2.TensorRequest,
    numerics: int = NUMERICS,
    resume: streams_pb2.ResumePoint | None = None,
    digest_algorithm: int | None = None,
    **transfer: Any,
) -> service_pb2.SampleTensorsRequest:
    """Return the request to sample tensors; further fields are those of TransferOptions."""
    return service_pb2.SampleTensorsRequest(
        tensors=tensors,
        numerics=numerics,  # type: ignore[arg-type]
        resume=resume,
        digest_algorithm=digest_algorithm,  # type: ignore[arg-type]
        transfer=streams_pb2.TransferOptions(**transfer) if transfer else None,
    )


def large_request(
    size_bytes: int, dtype: int = tensors_pb2.DTYPE_BFLOAT16
) -> service_pb2.SampleTensorsRequest:
    """Return the request for one tensor of that many bytes, real sampling and quick."""
    itemsize = 2 if dtype in {tensors_pb2.DTYPE_FLOAT16, tensors_pb2.DTYPE_BFLOAT16} else 4
    return sample_request(tensor((size_bytes // itemsize,), "random_uniform", dtype=dtype))


def raw_stream(channel: grpc.Channel, method: str, message: bytes, **options: Any) -> Any:
    """Start a call of one of our methods whose requests and responses stay bytes."""
    start: Any = channel.unary_stream(f"/{SERVICE}/{method}")
    return start(message, **options)


def raw_sample(
    channel: grpc.Channel, request: service_pb2.SampleTensorsRequest | bytes, **options: Any
) -> Any:
    """Start a SampleTensors call whose responses stay bytes."""
    data = request if isinstance(request, bytes) else request.SerializeToString()
    return raw_stream(channel, "SampleTensors", data, **options)


def stub(channel: grpc.Channel) -> Any:
    """Return what protoc generated: what a client in any language has."""
    return service_pb2_grpc.SeedbedServiceStub(channel)


def health_stub(channel: grpc.Channel) -> Any:
    """Return a client of the standard health service."""
    return health_pb2_grpc.HealthStub(channel)


def parts_of(
    channel: grpc.Channel, request: service_pb2.SampleTensorsRequest
) -> list[streams_pb2.TensorPart]:
    """Return all parts that a SampleTensors call sends, read by protobuf's own parser."""
    return [part for message in stub(channel).SampleTensors(request) for part in message.parts]


def bytes_by_tensor(parts: Iterable[streams_pb2.TensorPart]) -> dict[int, bytes]:
    """Return the bytes that came of each tensor; fail unless they are contiguous."""
    found: dict[int, bytes] = {}
    begins: dict[int, int] = {}
    for part in parts:
        index = part.tensor_index
        found.setdefault(index, b"")
        if part.HasField("chunk") and part.chunk.data:
            begins.setdefault(index, part.chunk.byte_offset)
            assert part.chunk.byte_offset == begins[index] + len(found[index])
            found[index] += part.chunk.data
    return found


@dataclass(frozen=True)
class Refusal:
    """What a failed call says."""

    code: str
    message: str
    field: str
    description: str
    violations: tuple[tuple[str, str], ...]
    """The field and the description of everything that is wrong."""
    reason: str
    domain: str
    limit: str
    """The field of Limits that it is about."""
    method: str
    """The method that is not there."""
    quota: str
    """The quota that is used up."""
    request_hash: str
    """The XXH3-64 of the request that is refused, in hexadecimal."""
    retry_seconds: float | None
    size_bytes: int
    """Of the status message with its details, as it travels."""


def refusal(call: Any) -> Refusal:
    """Return what an RpcError, or a call that is bound to fail, says."""
    error: Any = call
    # A stream's call is its own error; only reading it to the end tells whether it is one.
    if hasattr(call, "__next__"):
        try:
            for _ in call:
                pass
        except grpc.RpcError as raised:
            error = raised
        else:
            raise AssertionError("the call succeeded")
    status = rpc_status.from_call(error)
    violations, info, retry = (
        error_details_pb2.BadRequest(),
        error_details_pb2.ErrorInfo(),
        error_details_pb2.RetryInfo(),
    )
    has_retry = False
    for detail in status.details if status else ():
        detail.Unpack(violations)
        detail.Unpack(info)
        has_retry |= detail.Unpack(retry)
    first = (
        violations.field_violations[0]
        if violations.field_violations
        else violations.FieldViolation()
    )
    return Refusal(
        code=error.code().name,
        message=error.details() or "",
        field=first.field,
        description=first.description,
        violations=tuple((each.field, each.description) for each in violations.field_violations),
        reason=info.reason,
        domain=info.domain,
        limit=info.metadata.get("limit", ""),
        method=info.metadata.get("method", ""),
        quota=info.metadata.get("quota", ""),
        request_hash=info.metadata.get("request_xxh3_64", ""),
        retry_seconds=retry.retry_delay.ToNanoseconds() / 1e9 if has_retry else None,
        size_bytes=status.ByteSize() if status else 0,
    )
