"""Between a dry run and its messages."""

from collections.abc import Iterable
from typing import Any

from seedbed.spec.info import NUMERICS, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import service_pb2
from seedbed.wire.protos.enums import DTYPES, DTYPES_BACK, VERSIONS
from seedbed.wire.protos.initializers import enum_number, enum_value
from seedbed.wire.protos.requests import tensor_request_to_proto

_OPTIONAL_FIGURES = (
    "fan_in",
    "fan_out",
    "minval",
    "maxval",
    "mean",
    "stddev",
    "lower",
    "upper",
    "value",
)


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
        if description.distribution is not None:
            message.distribution = enum_number("distribution", description.distribution)
        for name in _OPTIONAL_FIGURES:
            if (figure := getattr(description, name)) is not None:
                setattr(message, name, figure)
    return response


def descriptions_from_proto(
    response: service_pb2.DescribeTensorsResponse,
) -> list[TensorDescription]:
    """Return the descriptions that a message holds."""
    descriptions = []
    for message in response.tensors:
        figures = {
            name: getattr(message, name) for name in _OPTIONAL_FIGURES if message.HasField(name)
        }
        distribution: Any = None
        if message.HasField("distribution"):
            distribution = enum_value("distribution", message.distribution)
        descriptions.append(
            TensorDescription(
                name=message.name,
                shape=tuple(message.shape),
                dtype=DTYPES_BACK[message.dtype],
                size_bytes=message.size_bytes,
                chunk_count=message.chunk_count,
                distribution=distribution,
                sampled_elements=message.sampled_elements,
                working_bytes=message.working_bytes,
                **figures,
            )
        )
    return descriptions
