"""A rectangle of a tensor, and the one that a rank of a sharded job holds."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType
from typing import SupportsIndex

from seedbed.spec.errors import InvalidValueError, Words, bad_type, bad_value
from seedbed.spec.named_arguments import NamedArguments
from seedbed.spec.numbers import as_int
from seedbed.spec.reasons import Reason
from seedbed.spec.shapes import as_ints, axis_allowed


@dataclass(frozen=True, slots=True)
class TensorSlice(metaclass=NamedArguments):
    """A rectangle of a tensor: ``lengths`` elements from ``starts`` on, on each axis.

    The elements are those of the whole tensor.
    """

    starts: tuple[int, ...]
    """The first index on each axis, 0 or more."""
    lengths: tuple[int, ...]
    """How many elements on each axis, 0 or more."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", as_ints("slice.starts", self.starts))
        object.__setattr__(self, "lengths", as_ints("slice.lengths", self.lengths))

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise unless the rectangle lies inside the shape.

        Raises:
            InvalidValueError: naming the axis.
        """
        for error in self.faults(shape):
            raise error

    def faults(self, shape: tuple[int, ...]) -> Iterator[InvalidValueError]:
        """Yield the error of each list that is too long or short, or else of each axis."""
        rank, outside = len(shape), Reason.SLICE_OUT_OF_RANGE
        lists = (("slice.starts", self.starts), ("slice.lengths", self.lengths))
        wrong = [(field, values) for field, values in lists if len(values) != rank]
        for field, values in wrong:
            numbers = "1 number" if rank == 1 else f"{rank} numbers"
            yield bad_value(field, f"{numbers} for a tensor of rank {rank}", values)
        if wrong:
            return
        for axis, (start, length, most) in enumerate(
            zip(self.starts, self.lengths, shape, strict=True)
        ):
            if not 0 <= start <= most:
                field, allowed = f"slice.starts[{axis}]", f"from 0 to {most}"
                yield bad_value(field, allowed, start, reason=outside)
            elif not 0 <= length <= most - start:
                allowed = (
                    f"from 0 to {most - start} "
                    f"(the axis has {most} elements, the slice starts at {start})"
                )
                yield bad_value(f"slice.lengths[{axis}]", allowed, length, reason=outside)

    @property
    def index(self) -> tuple[slice, ...]:
        """The same rectangle as an index for numpy: ``whole[tensor_slice.index]``."""
        return tuple(
            slice(start, start + length)
            for start, length in zip(self.starts, self.lengths, strict=True)
        )


def whole(shape: tuple[int, ...]) -> TensorSlice:
    """Return the slice that is the whole tensor."""
    return TensorSlice((0,) * len(shape), shape)


@dataclass(frozen=True, slots=True)
class Shard(metaclass=NamedArguments):
    """One of ``count`` contiguous parts of an axis, by its index; see :func:`shard`."""

    index: int
    """Which part, 0 to count - 1."""
    count: int
    """How many parts, 1 or more."""
    axis: int = 0
    """Which axis is cut; negative axes count from the end."""

    def __post_init__(self) -> None:
        for name in ("index", "count", "axis"):
            object.__setattr__(self, name, as_int(name, getattr(self, name)))
        if self.count < 1:
            raise bad_value("count", "1 or more", self.count)
        if not 0 <= self.index < self.count:
            raise bad_value("index", f"from 0 to {self.count - 1} (count - 1)", self.index)

    def of(self, shape: tuple[int, ...]) -> TensorSlice:
        """Return the part of a tensor of this shape.

        Raises:
            InvalidValueError: if the tensor does not have the axis.
        """
        rank = len(shape)
        if not -rank <= self.axis < rank:
            raise bad_value("axis", axis_allowed(rank), self.axis)
        axis = self.axis % rank
        # Parts differ by at most one element, the longer ones first, as in numpy.array_split.
        base, longer = divmod(shape[axis], self.count)
        start = self.index * base + min(self.index, longer)
        length = base + (self.index < longer)
        starts = tuple(start if i == axis else 0 for i in range(rank))
        return TensorSlice(starts, tuple(length if i == axis else n for i, n in enumerate(shape)))


def shard(index: SupportsIndex, count: SupportsIndex, axis: SupportsIndex = 0) -> Shard:
    """Return part ``index`` of ``count`` along an axis, to be used as the slice of any tensor.

    Lengths that the count does not divide give parts that differ by one, the longer ones first
    (``numpy.array_split``'s rule).

    Example:
        >>> shard(index=1, count=4, axis=0).of((10, 3))
        TensorSlice(starts=(3, 0), lengths=(3, 3))

    Raises:
        InvalidTypeError: if an argument is not an integer.
        InvalidValueError: if the index is outside 0 to count - 1.
    """
    return Shard(as_int("index", index), as_int("count", count), as_int("axis", axis))


Index = slice | EllipsisType | tuple[slice | EllipsisType, ...]
"""Python's slices: one for each axis, from the first on."""

_ALLOWED = "a TensorSlice, a shard(...), slices such as numpy.s_[0:128, :], or None"


def as_slice(value: object, shape: tuple[int, ...]) -> TensorSlice | None:
    """Return the meaning of ``slice=``: nothing, a rectangle, a shard, or Python slices.

    Raises:
        InvalidTypeError: if it is none of them.
        InvalidValueError: if it does not fit the shape.
    """
    if value is None:
        return None
    if isinstance(value, Shard):
        return value.of(shape)
    if isinstance(value, (slice, tuple)) or value is Ellipsis:
        return slice_of_index(value, shape)
    if not isinstance(value, TensorSlice):
        raise bad_type("slice", _ALLOWED, value)
    value.check(shape)
    return value


def slice_of_index(index: Index, shape: tuple[int, ...]) -> TensorSlice:
    """Return the rectangle that an index of slices means, such as numpy's ``s_[0:128, :]``.

    Negative ends count from the end of the axis, axes left out are whole, and so are those that
    ``...`` stands for. What is accepted gives the elements of ``whole[index]``. It is less than
    numpy accepts: an integer would drop its axis, a step is no rectangle, and ends outside the
    tensor, which numpy moves inside without a word, are more often a mistake.

    Raises:
        InvalidTypeError: if an axis has something else than a slice of integers.
        InvalidValueError: if there are too many axes, an end is outside, or a step is not 1.
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    dots = [place for place, part in enumerate(parts) if part is Ellipsis]
    if len(dots) > 1:
        raise bad_value("slice", "slices with one `...` at most", Words(repr(index)))
    rest = len(shape) - len(parts) + len(dots)
    if rest < 0:
        allowed = f"at most {len(shape)} slices, one for each axis"
        raise bad_value("slice", allowed, Words(repr(index)))
    begin, end = (dots[0], dots[0] + 1) if dots else (len(parts), len(parts))
    parts[begin:end] = [slice(None)] * rest
    ranges = [_range(axis, part, shape[axis]) for axis, part in enumerate(parts)]
    return TensorSlice(
        tuple(start for start, _ in ranges), tuple(stop - start for start, stop in ranges)
    )


def _range(axis: int, part: object, length: int) -> tuple[int, int]:
    """Return the first index of an axis, and the one after the last."""
    field = f"slice[{axis}]"
    if not isinstance(part, slice):
        raise bad_type(field, "a slice, such as 0:128 or :", part, hint=_kept_axis(part))
    if part.step is not None and as_int(f"{field}.step", part.step) != 1:
        raise bad_value(f"{field}.step", "1 or left out: a part is a rectangle", part.step)
    start = 0 if part.start is None else _end(f"{field}.start", part.start, length)
    stop = length if part.stop is None else _end(f"{field}.stop", part.stop, length)
    if stop < start:
        raise bad_value(f"{field}.stop", f"at least the start, {start}", part.stop)
    return start, stop


def _kept_axis(part: object) -> str:
    """Return the slice to write instead of an integer."""
    if not isinstance(part, SupportsIndex) or isinstance(part, bool):
        return ""
    index = operator.index(part)
    return f"; did you mean {index}:{index + 1 or ''}, which keeps the axis?"


def _end(field: str, value: object, length: int) -> int:
    end = as_int(field, value)
    if not -length <= end <= length:
        allowed = f"from {-length} to {length} on an axis of {length} elements"
        raise bad_value(field, allowed, end, reason=Reason.SLICE_OUT_OF_RANGE)
    return end + length if end < 0 else end
