"""TensorFlow's arguments for a partition of a tensor, in either spelling."""

from typing import Any

from seedbed.spec.errors import bad_type, bad_value, shown
from seedbed.spec.reasons import Reason
from seedbed.spec.shapes import as_ints
from seedbed.spec.slices import TensorSlice


def partition_of(shape: Any, partition_shape: Any, partition_offset: Any) -> TensorSlice | None:
    """Return the part that the partition arguments mean, or None if neither is given.

    Args:
        shape: of the whole tensor.
        partition_shape: the lengths of the part, one for each axis.
        partition_offset: where it begins on each axis.

    Raises:
        InvalidTypeError: if one is no sequence of integers.
        InvalidValueError: if only one is given, or they reach beyond the whole; names the argument
            and the axis.
    """
    if partition_shape is None and partition_offset is None:
        return None
    for name, value in (
        ("partition_shape", partition_shape),
        ("partition_offset", partition_offset),
    ):
        if value is None:
            raise bad_value(name, "given, as the other half of the partition is", None)
    return _checked_slice(
        as_ints("shape", shape),
        lengths=("partition_shape", as_ints("partition_shape", partition_shape)),
        starts=("partition_offset", as_ints("partition_offset", partition_offset)),
    )


def partition_of_info(shape: Any, partition_info: Any) -> tuple[Any, TensorSlice | None]:
    """Return the whole tensor's shape, and the part that TensorFlow 1's ``partition_info`` means.

    Args:
        shape: of the part; of the whole where there is no information.
        partition_info: an object with ``full_shape`` and ``var_offset``, or None.

    Raises:
        InvalidTypeError: if it lacks one of them, or they are no sequences of integers.
        InvalidValueError: if the part reaches beyond the whole; names the argument and the axis.
    """
    if partition_info is None:
        return shape, None
    if not hasattr(partition_info, "full_shape") or not hasattr(partition_info, "var_offset"):
        raise bad_type(
            "partition_info", "an object with full_shape and var_offset, or None", partition_info
        )
    whole = as_ints("partition_info.full_shape", partition_info.full_shape)
    part = _checked_slice(
        whole,
        lengths=("shape", as_ints("shape", shape)),
        starts=(
            "partition_info.var_offset",
            as_ints("partition_info.var_offset", partition_info.var_offset),
        ),
    )
    return whole, part


Named = tuple[str, tuple[int, ...]]
"""What the caller calls some numbers, and the numbers."""


def _checked_slice(whole: tuple[int, ...], *, lengths: Named, starts: Named) -> TensorSlice:
    for name, values in (lengths, starts):
        if len(values) != len(whole):
            raise bad_value(
                name,
                f"{len(whole)} numbers, as the whole tensor has the shape {shown(whole)}",
                values,
            )
    for axis, (start, length, most) in enumerate(zip(starts[1], lengths[1], whole, strict=True)):
        if not 0 <= start <= most:
            raise bad_value(
                f"{starts[0]}[{axis}]", f"from 0 to {most}", start, reason=Reason.SLICE_OUT_OF_RANGE
            )
        if not 0 <= length <= most - start:
            allowed = (
                f"from 0 to {most - start} "
                f"(the axis has {most} elements, the part starts at {start})"
            )
            raise bad_value(
                f"{lengths[0]}[{axis}]", allowed, length, reason=Reason.SLICE_OUT_OF_RANGE
            )
    return TensorSlice(starts[1], lengths[1])
