"""A rectangle of a tensor, and the one that a rank of a sharded job holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from seedbed.spec.errors import InvalidValueError, bad_type, bad_value
from seedbed.spec.numbers import as_int
from seedbed.spec.reasons import Reason
from seedbed.spec.shapes import as_ints, axis_allowed


@dataclass(frozen=True, slots=True)
class TensorSlice:
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
class Shard:
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


def shard(index: int, count: int, axis: int = 0) -> Shard:
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
    return Shard(index, count, axis)


def as_slice(value: object, shape: tuple[int, ...]) -> TensorSlice | None:
    """Return the meaning of ``slice=``: nothing, a rectangle or a shard, checked by shape.

    Raises:
        InvalidTypeError: if it is none of them.
        InvalidValueError: if it does not fit the shape.
    """
    if value is None:
        return None
    if isinstance(value, Shard):
        return value.of(shape)
    if not isinstance(value, TensorSlice):
        raise bad_type("slice", "a TensorSlice, a shard(...) or None", value)
    value.check(shape)
    return value
