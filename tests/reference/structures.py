"""Tensors of docs/numerics.md whose elements belong to a matrix, a kernel or a line."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.reference.orthogonal import Matrix, orthogonal
from tests.reference.words import Key, word32

FanAxes = Mapping[str, Sequence[int]] | None


def coordinates(shape: Sequence[int], index: int) -> list[int]:
    """Return an element's index on each axis."""
    found: list[int] = []
    for length in reversed(shape):
        index, place = divmod(index, length)
        found.insert(0, place)
    return found


def element_index(shape: Sequence[int], places: Sequence[int]) -> int:
    """Return the index of the element at these places."""
    index = 0
    for length, place in zip(shape, places, strict=True):
        index = index * length + place
    return index


@dataclass(frozen=True)
class Roles:
    """What each axis of a tensor is."""

    batch: tuple[int, ...]
    others: tuple[int, ...]
    inputs: int
    outputs: int

    @property
    def spatial(self) -> list[int]:
        """Axes that are neither batch nor named otherwise."""
        return [axis for axis in self.others if axis not in (self.inputs, self.outputs)]


def roles(shape: Sequence[int], axes: FanAxes) -> Roles:
    """Return what each axis is."""
    rank = len(shape)
    named = {
        kind: [a % rank for a in (axes or {}).get(kind, default)]
        for kind, default in (("in_axis", [-2]), ("out_axis", [-1]), ("batch_axis", []))
    }
    others = tuple(axis for axis in range(rank) if axis not in named["batch_axis"])
    one_in, one_out = ((named[kind] or [-1])[0] for kind in ("in_axis", "out_axis"))
    return Roles(tuple(named["batch_axis"]), others, one_in, one_out)


def is_on_diagonal(shape: Sequence[int], index: int, axes: FanAxes) -> bool:
    """Return whether an identity has its gain there."""
    at = coordinates(shape, index)
    row, column = roles(shape, axes).others
    return at[row] == at[column]


def is_dirac(shape: Sequence[int], index: int, axes: FanAxes, groups: int) -> bool:
    """Return whether a dirac kernel has its 1 there."""
    at, which = coordinates(shape, index), roles(shape, axes)
    in_centre = all(at[axis] == shape[axis] // 2 for axis in which.spatial)
    return in_centre and at[which.outputs] % (shape[which.outputs] // groups) == at[which.inputs]


def orthogonal_element(
    shape: tuple[int, ...], index: int, axes: FanAxes, cut: tuple[int, int], gain: float, key: Key
) -> float:
    """Return an element of a tensor of orthogonal matrices; ``cut`` is blocks and block axis."""
    blocks, block_axis = cut[0], cut[1] % len(shape)
    which = roles(shape, axes)
    at = coordinates(shape, index)
    starts, lengths = [0] * len(shape), list(shape)
    for axis in which.batch:
        starts[axis], lengths[axis] = at[axis], 1
    if blocks > 1:
        lengths[block_axis] //= blocks
        starts[block_axis] = at[block_axis] // lengths[block_axis] * lengths[block_axis]
    columns = lengths[which.others[-1]]
    return _in_rectangle(shape, at, (tuple(starts), tuple(lengths)), columns, gain, key)


def delta_element(
    shape: tuple[int, ...], index: int, axes: FanAxes, gain: float, key: Key
) -> float:
    """Return an element of a delta-orthogonal kernel."""
    which = roles(shape, axes)
    at = coordinates(shape, index)
    if any(at[axis] != (shape[axis] - 1) // 2 for axis in which.spatial):
        return 0.0
    matrix = sorted((which.inputs, which.outputs))
    starts = tuple(0 if axis in matrix else at[axis] for axis in range(len(shape)))
    lengths = tuple(shape[axis] if axis in matrix else 1 for axis in range(len(shape)))
    return _in_rectangle(shape, at, (starts, lengths), shape[matrix[1]], gain, key)


def _in_rectangle(
    shape: tuple[int, ...],
    at: Sequence[int],
    rectangle: tuple[tuple[int, ...], tuple[int, ...]],
    columns: int,
    gain: float,
    key: Key,
) -> float:
    starts, lengths = rectangle
    place = element_index(lengths, [a - start for a, start in zip(at, starts, strict=True)])
    row, column = divmod(place, columns)
    return _matrix(shape, starts, lengths, columns, gain, key)[row][column]


@functools.lru_cache(maxsize=32)
def _matrix(
    shape: tuple[int, ...],
    starts: tuple[int, ...],
    lengths: tuple[int, ...],
    columns: int,
    gain: float,
    key: Key,
) -> Matrix:
    def index_of(number: int) -> int:
        within = coordinates(lengths, number)
        return element_index(
            shape, [start + place for start, place in zip(starts, within, strict=True)]
        )

    indices = [index_of(number) for number in range(math.prod(lengths))]
    return orthogonal(len(indices) // columns, columns, gain, key, indices)


def is_sparse_zero(
    shape: tuple[int, ...], index: int, axis: int, sparsity: float, key: Key
) -> bool:
    """Return whether a sparse matrix is zero there; the key is the second one."""
    row, column = divmod(index, shape[1])
    line, place = (column, row) if axis == 0 else (row, column)
    return place in _zeros_of_line(shape, axis, line, sparsity, key)


@functools.lru_cache(maxsize=1024)
def _zeros_of_line(
    shape: tuple[int, ...], axis: int, line: int, sparsity: float, key: Key
) -> frozenset[int]:
    length = shape[axis]
    zeros = min(length, math.ceil(sparsity * length))
    indices = [
        place * shape[1] + line if axis == 0 else line * shape[1] + place for place in range(length)
    ]
    ranked = sorted(range(length), key=lambda place: (word32(indices[place], key), place))
    return frozenset(ranked[:zeros])
