"""Between tensor requests and their messages."""

from collections.abc import Sequence

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidArgumentError, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import INITIALIZERS, parameters
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.v1 import tensors_pb2
from seedbed.wire.protos.enums import DTYPES, DTYPES_BACK, enum_name
from seedbed.wire.protos.initializers import initializer_from_proto, initializer_to_proto

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
        spec = _spec_from_proto(message)
        part = None
        if message.HasField("slice"):
            part = TensorSlice(tuple(message.slice.starts), tuple(message.slice.lengths))
        return TensorRequest(spec, part)
    except InvalidArgumentError as error:
        raise _located(error, message, path) from None


def _located(
    error: InvalidArgumentError, message: tensors_pb2.TensorRequest, path: str
) -> InvalidArgumentError:
    """Return an error about a value as one about the message's field that it came from."""
    if error.field.startswith("slice"):
        return error.within(path)
    if error.field in _AXES:
        name = _AXES[error.field]
        text = str(error).replace(f"`{error.field}`", f"`{name}`")
        return type(error)(text, field=name, reason=error.reason).within(f"{path}.spec.fan_axes")
    kind = message.spec.initializer.WhichOneof("kind")
    if kind is not None and error.field in {field.name for field in parameters(INITIALIZERS[kind])}:
        return error.within(f"{path}.spec.initializer.{kind}")
    return error.within(f"{path}.spec")


def _spec_from_proto(request: tensors_pb2.TensorRequest) -> TensorSpec:
    message = request.spec
    if message.dtype not in DTYPES_BACK:
        allowed = "one of " + ", ".join(f"DTYPE_{dtype.name}" for dtype in Dtype)
        raise bad_value("dtype", allowed, enum_name(tensors_pb2.Dtype, message.dtype))
    axes = None
    if message.HasField("fan_axes"):
        axes = FanAxes(
            tuple(message.fan_axes.in_axes),
            tuple(message.fan_axes.out_axes),
            tuple(message.fan_axes.batch_axes),
        )
    return TensorSpec(
        name=message.name,
        shape=tuple(message.shape),
        dtype=DTYPES_BACK[message.dtype],
        initializer=initializer_from_proto(message.initializer),
        seed=message.seed,
        draw=message.draw,
        fan_axes=axes,
    )
