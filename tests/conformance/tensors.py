"""Tensors of protobuf messages as the SDK's public values."""

from typing import Any

import seedbed as sb
from seedbed.v1 import initializers_pb2, tensors_pb2


def spec_of(message: tensors_pb2.TensorSpec) -> sb.TensorSpec:
    """Return the spec that a message holds.

    Raises:
        InvalidArgumentError: if it is one that the SDK would never send.
    """
    axes = None
    if message.HasField("fan_axes"):
        axes = sb.FanAxes(
            tuple(message.fan_axes.in_axes),
            tuple(message.fan_axes.out_axes),
            tuple(message.fan_axes.batch_axes),
        )
    return sb.TensorSpec(
        message.name,
        tuple(message.shape),
        _word(tensors_pb2.Dtype.DESCRIPTOR, message.dtype),
        _initializer_of(message.initializer),
        seed=message.seed,
        draw=message.draw,
        fan_axes=axes,
    )


def slice_of(message: tensors_pb2.TensorRequest) -> sb.TensorSlice | None:
    """Return the slice that a message asks for; None for the whole tensor."""
    if not message.HasField("slice"):
        return None
    return sb.TensorSlice(tuple(message.slice.starts), tuple(message.slice.lengths))


def same(asked: tensors_pb2.TensorRequest, understood: tensors_pb2.TensorRequest) -> bool:
    """Return whether two messages mean the same tensor; either may write its defaults out."""
    if asked.SerializeToString(deterministic=True) == understood.SerializeToString(
        deterministic=True
    ):
        return True
    known = tensors_pb2.TensorRequest.FromString(understood.SerializeToString())
    known.DiscardUnknownFields()
    if known.ByteSize() != understood.ByteSize():
        return False
    # The representation tells -0.0 from 0.0.
    return repr((spec_of(asked.spec), slice_of(asked))) == repr(
        (spec_of(understood.spec), slice_of(understood))
    )


def _initializer_of(message: initializers_pb2.InitializerSpec) -> sb.Initializer:
    kind = message.WhichOneof("kind")
    if kind is None:
        raise sb.InvalidValueError("`initializer` must be set", field="initializer")
    if kind == "constant":
        value = message.constant.WhichOneof("value")
        number = getattr(message.constant, value) if value else 0
        return sb.Constant(number)
    given = {
        field.name: _word(field.enum_type, value) if field.enum_type else value
        for field, value in getattr(message, kind).ListFields()
    }
    found: sb.Initializer = sb.deserialize({"class_name": kind, "config": given})
    return found


def _word(enum: Any, number: int) -> Any:
    """Return the word for an enum's number; the number itself if it has none."""
    known = enum.values_by_number.get(number)
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    return str(known.name).removeprefix(prefix).lower() if known is not None else number
