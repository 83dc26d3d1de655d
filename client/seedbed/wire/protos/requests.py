"""Between tensor requests and their messages."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidArgumentError, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import INITIALIZERS, parameters
from seedbed.spec.shapes import MAX_RANK, as_shape, check_length
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec, as_name
from seedbed.v1 import tensors_pb2
from seedbed.wire.protos.enums import DTYPES, DTYPES_BACK, enum_name
from seedbed.wire.protos.initializers import (
    initializer_faults,
    initializer_from_proto,
    initializer_to_proto,
    parameter_path,
)

_AXES = {"in_axis": "in_axes", "out_axis": "out_axes", "batch_axis": "batch_axes"}


def tensor_request_to_proto(request: TensorRequest) -> tensors_pb2.TensorRequest:
    """Return the message of a tensor request."""
    message = tensors_pb2.TensorRequest(spec=_spec_to_proto(request.spec))
    if request.slice is not None:
        message.slice.starts.extend(request.slice.starts)
        message.slice.lengths.extend(request.slice.lengths)
        message.slice.SetInParent()
    return message


def _spec_to_proto(spec: TensorSpec) -> tensors_pb2.TensorSpec:
    message = tensors_pb2.TensorSpec(
        name=spec.name,
        shape=spec.shape,
        dtype=DTYPES[spec.dtype],
        initializer=initializer_to_proto(spec.initializer),
        seed=spec.seed,
        draw=spec.draw,
    )
    if spec.fan_axes is not None:
        message.fan_axes.in_axes.extend(spec.fan_axes.in_axis)
        message.fan_axes.out_axes.extend(spec.fan_axes.out_axis)
        message.fan_axes.batch_axes.extend(spec.fan_axes.batch_axis)
        message.fan_axes.SetInParent()
    return message


def tensor_requests_from_proto(
    messages: Sequence[tensors_pb2.TensorRequest],
) -> list[TensorRequest]:
    """Return the checked values of a request's tensors.

    Raises:
        InvalidArgumentError: with the path of the field, such as ``tensors[3].spec.shape[1]``.
    """
    return [
        tensor_request_from_proto(message, f"tensors[{i}]") for i, message in enumerate(messages)
    ]


def tensor_request_from_proto(message: tensors_pb2.TensorRequest, path: str) -> TensorRequest:
    """Return the checked values of one tensor.

    Raises:
        InvalidArgumentError: with the path of the field, which begins with ``path``.
    """
    try:
        spec = _spec_from_proto(message.spec)
        part = None
        if message.HasField("slice"):
            part = _slice(message.slice)
        return TensorRequest(spec, part)
    except InvalidArgumentError as error:
        raise _located(error, message, path) from None


def tensor_faults(message: tensors_pb2.TensorRequest, path: str) -> Iterator[InvalidArgumentError]:
    """Yield everything that is wrong with one tensor, in the order of the schema's fields.

    What several fields decide together is judged where each of them is right by itself.
    """
    if not message.HasField("spec"):
        yield bad_value(f"{path}.spec", "set", None)
        return
    spec_faults = list(_spec_faults(message.spec))
    if not spec_faults:
        try:
            _spec_from_proto(message.spec)
        except InvalidArgumentError as error:
            spec_faults.append(error)
    for fault in (*spec_faults, *_slice_faults(message)):
        yield _located(fault, message, path)


def _spec_faults(message: tensors_pb2.TensorSpec) -> Iterator[InvalidArgumentError]:
    yield from _fault(as_name, message.name)
    yield from _shape_faults(message)
    yield from _fault(_dtype, message.dtype)
    for fault in initializer_faults(message.initializer):
        yield fault.at(f"initializer.{fault.field}".rstrip("."))
    if message.HasField("fan_axes"):
        yield from _fan_axes(message).faults(len(message.shape))


def _shape_faults(message: tensors_pb2.TensorSpec) -> Iterator[InvalidArgumentError]:
    shape = _numbers(message.shape)
    if len(shape) > MAX_RANK or min(shape, default=0) >= 0:
        yield from _fault(as_shape, shape, 1)
        return
    for axis, length in enumerate(shape):
        yield from _fault(check_length, f"shape[{axis}]", length)


def _slice_faults(message: tensors_pb2.TensorRequest) -> Iterator[InvalidArgumentError]:
    shape = _numbers(message.spec.shape)
    is_shape = len(shape) <= MAX_RANK and all(length >= 0 for length in shape)
    if message.HasField("slice") and is_shape:
        yield from _slice(message.slice).faults(shape)


def _fault(check: Callable[..., object], *values: object) -> Iterator[InvalidArgumentError]:
    """Yield the error that a check raises, if it does."""
    try:
        check(*values)
    except InvalidArgumentError as error:
        yield error


def _located(
    error: InvalidArgumentError, message: tensors_pb2.TensorRequest, path: str
) -> InvalidArgumentError:
    """Return an error about a value as one about the message's field that it came from."""
    field = error.field
    if field.startswith("slice."):
        return error.at(f"{path}.{field}")
    name = field.partition("[")[0]
    kind = message.spec.initializer.WhichOneof("kind")
    if name in _AXES:
        field = f"fan_axes.{_AXES[name]}{field.removeprefix(name)}"
    elif kind is not None and field == "dtype" and message.spec.dtype in DTYPES_BACK:
        known = ", ".join(f"DTYPE_{dtype.name}" for dtype in INITIALIZERS[kind].dtypes)
        received = enum_name(tensors_pb2.Dtype, message.spec.dtype)
        error = bad_value("dtype", f"one of {known} for {kind}", received)
    elif kind is not None and any(each.name == field for each in parameters(INITIALIZERS[kind])):
        field = f"initializer.{parameter_path(message.spec.initializer, field)}"
    return error.at(f"{path}.spec.{field}")


def _spec_from_proto(message: tensors_pb2.TensorSpec) -> TensorSpec:
    try:
        initializer = initializer_from_proto(message.initializer)
    except InvalidArgumentError as error:
        raise error.at(f"initializer.{error.field}".rstrip(".")) from None
    return TensorSpec(
        name=message.name,
        shape=_numbers(message.shape),
        dtype=_dtype(message.dtype),
        initializer=initializer,
        seed=message.seed,
        draw=message.draw,
        fan_axes=_fan_axes(message) if message.HasField("fan_axes") else None,
    )


def _slice(message: tensors_pb2.TensorSlice) -> TensorSlice:
    return TensorSlice(_numbers(message.starts), _numbers(message.lengths))


def _numbers(field: Sequence[int]) -> tuple[int, ...]:
    """Return a number for each axis: no more than it takes to see that there are too many.

    A message of a few megabytes may hold millions, and checking each would hold up everybody.
    """
    return tuple(field[: MAX_RANK + 1])


def _dtype(number: Any) -> Dtype:
    if number not in DTYPES_BACK:
        allowed = "one of " + ", ".join(f"DTYPE_{dtype.name}" for dtype in Dtype)
        raise bad_value("dtype", allowed, enum_name(tensors_pb2.Dtype, number))
    return DTYPES_BACK[number]


def _fan_axes(message: tensors_pb2.TensorSpec) -> FanAxes:
    axes = message.fan_axes
    return FanAxes(*map(_numbers, (axes.in_axes, axes.out_axes, axes.batch_axes)))
