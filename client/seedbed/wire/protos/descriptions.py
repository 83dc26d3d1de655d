"""Between a dry run and its messages."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from seedbed.spec.info import NUMERICS, ElementDistribution, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import descriptions_pb2, service_pb2
from seedbed.wire.protos.enums import DTYPES, DTYPES_BACK, VERSIONS
from seedbed.wire.protos.initializers import constant_from_proto, constant_to_proto
from seedbed.wire.protos.requests import tensor_request_to_proto

# The field of each distribution whose figures are the fields of its message.
_FIELDS: dict[ElementDistribution, str] = {
    "uniform": "uniform",
    "untruncated_normal": "normal",
    "truncated_normal": "truncated_normal",
    "orthogonal": "orthogonal",
    "sparse": "sparse",
}
_DISTRIBUTIONS = {field: distribution for distribution, field in _FIELDS.items()}


def descriptions_to_proto(
    described: Iterable[tuple[TensorRequest, TensorDescription]],
) -> service_pb2.DescribeTensorsResponse:
    """Return the message of some tensors' dry run."""
    response = service_pb2.DescribeTensorsResponse(numerics=VERSIONS[NUMERICS])
    for request, description in described:
        message = response.tensors.add(
            name=description.name,
            shape=description.shape,
            dtype=DTYPES[description.dtype],
            size_bytes=description.size_bytes,
            chunk_count=description.chunk_count,
            sampled_elements=description.sampled_elements,
            working_bytes=description.working_bytes,
            request=tensor_request_to_proto(request),
        )
        if description.fan_in is not None and description.fan_out is not None:
            message.fans.fan_in = description.fan_in
            message.fans.fan_out = description.fan_out
        _write_distribution(description, message)
    return response


def _write_distribution(
    description: TensorDescription, message: descriptions_pb2.TensorDescription
) -> None:
    if description.distribution is None:
        return
    if description.value is not None:
        value = constant_to_proto(description.value)
        if description.distribution == "diagonal":
            message.diagonal.value.CopyFrom(value)
        else:
            message.constant.CopyFrom(value)
        return
    chosen: Message = getattr(message, _FIELDS[description.distribution])
    chosen.SetInParent()
    for field in chosen.DESCRIPTOR.fields:
        setattr(chosen, field.name, getattr(description, field.name))


def descriptions_from_proto(
    response: service_pb2.DescribeTensorsResponse,
) -> list[TensorDescription]:
    """Return the descriptions that a message holds."""
    return [
        TensorDescription(
            name=message.name,
            shape=tuple(message.shape),
            dtype=DTYPES_BACK[message.dtype],
            size_bytes=message.size_bytes,
            chunk_count=message.chunk_count,
            fan_in=message.fans.fan_in if message.HasField("fans") else None,
            fan_out=message.fans.fan_out if message.HasField("fans") else None,
            sampled_elements=message.sampled_elements,
            working_bytes=message.working_bytes,
            **_distribution(message),
        )
        for message in response.tensors
    ]


def _distribution(message: descriptions_pb2.TensorDescription) -> dict[str, Any]:
    """Return the fields of a description that say what the elements are drawn from."""
    match chosen := message.WhichOneof("distribution"):
        case None:
            return {}
        case "constant":
            return {"distribution": chosen, "value": constant_from_proto(message.constant)}
        case "diagonal":
            return {"distribution": chosen, "value": constant_from_proto(message.diagonal.value)}
    inner: Message = getattr(message, chosen)
    figures = {field.name: getattr(inner, field.name) for field in inner.DESCRIPTOR.fields}
    return {"distribution": _DISTRIBUTIONS[chosen], **figures}
